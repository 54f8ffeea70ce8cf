"""What goes wrong, and what a robot raises."""

from __future__ import annotations


class ItemError(Exception):
    """An item cannot be worked to its end. Raise one of its two kinds in the block of the item."""

    type = "unspecified"

    def __init__(self, message: str = "", code: str = "") -> None:
        """Both are told in the room: a short code to find alike failures by, and words for people."""
        super().__init__(message)
        self.message = message
        self.code = code


class BusinessError(ItemError):
    """The item's data is wrong, and trying again cannot mend it: it fails, and is not retried by itself."""

    type = "business"


class ApplicationError(ItemError):
    """Something that the robot works with did not do: the item fails, and is retried as its step says."""

    type = "application"


class RoomError(Exception):
    """The room refuses a call, by a code of its own, or cannot be reached (`UNREACHABLE`)."""

    def __init__(self, message: str, code: str, status: int = 0) -> None:
        """`status` is HTTP's, 0 where there was no answer."""
        super().__init__(f"{message} ({code})")
        self.code = code
        self.status = status


class NotFound(RoomError):  # noqa: N818 - a fact about a name
    """There is nothing of this name."""
