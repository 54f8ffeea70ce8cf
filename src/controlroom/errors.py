"""The kinds of failure that the domain speaks of.

A slice raises one of these kinds, or a subclass that names the case, with a stable code and the fields that a border
needs. Borders map kinds to their own statuses and bodies; no status of any protocol stands here. Anything else that is
raised is a bug.
"""

from typing import Any, ClassVar


class ControlRoomError(Exception):
    """A failure that has a name and may be shown to the one who asked."""

    code: ClassVar[str] = "INTERNAL"
    """Stable and UPPER_SNAKE: programs decide by it, so it outlives every wording of the message."""

    message: str
    fields: dict[str, Any]

    def __init__(self, message: str, *, code: str | None = None, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields
        if code is not None:
            self.code = code  # type: ignore[misc]  # Why: the class has the kind's code, an instance may be more exact

    def __str__(self) -> str:
        return self.message


class NotFound(ControlRoomError):  # noqa: N818 - kinds are nouns of the domain, raised and caught by that name
    """What was asked for does not exist, or the asker may not know that it does."""

    code = "NOT_FOUND"


class Conflict(ControlRoomError):  # noqa: N818 - likewise
    """The request contradicts what has happened meanwhile, or what exists already."""

    code = "CONFLICT"


class Forbidden(ControlRoomError):  # noqa: N818 - likewise
    """The asker is known, and lacks the permission."""

    code = "FORBIDDEN"


class Invalid(ControlRoomError):  # noqa: N818 - likewise
    """The request itself is wrong, whatever the state of things."""

    code = "INVALID"


class Unavailable(ControlRoomError):  # noqa: N818 - likewise
    """A part that is needed does not answer now; the same request may succeed later.

    Whether the request had an effect is unknown, unless the raiser says so in a field.
    """

    code = "UNAVAILABLE"


class Unauthenticated(ControlRoomError):  # noqa: N818 - likewise
    """No credential was given, or none that is valid."""

    code = "UNAUTHENTICATED"


class Throttled(ControlRoomError):  # noqa: N818 - likewise
    """The asker does too much of it; it may be tried again after `seconds`."""

    code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, seconds: float, code: str | None = None) -> None:
        super().__init__(message, code=code, seconds=seconds)
        self.seconds = seconds
