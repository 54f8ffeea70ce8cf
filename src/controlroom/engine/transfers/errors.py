"""What can go wrong with exports and imports."""

from typing import ClassVar

from controlroom.errors import NotFound


class TransferNotFound(NotFound):
    """There is no such export or import, or it is another's."""

    code: ClassVar[str] = "TRANSFER_NOT_FOUND"

    def __init__(self, transfer: object) -> None:
        super().__init__(f"there is no export or import {str(transfer)[:100]}")
