"""What can go wrong with exports and imports."""

from typing import ClassVar

from controlroom.errors import Conflict, NotFound


class TransferNotFound(NotFound):
    """There is no such export or import, or it is another's."""

    code: ClassVar[str] = "TRANSFER_NOT_FOUND"

    def __init__(self, transfer: object) -> None:
        super().__init__(f"there is no export or import {str(transfer)[:100]}")


class TransferInProgress(Conflict):
    """An export or import that has not ended is not forgotten."""

    code: ClassVar[str] = "TRANSFER_IN_PROGRESS"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:100]!r} has not ended yet")
