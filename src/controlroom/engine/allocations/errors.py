"""What can go wrong with allocations."""

from typing import ClassVar
from uuid import UUID

from controlroom.errors import Invalid, NotFound


class AllocationNotFound(NotFound):
    """There is no such allocation."""

    code: ClassVar[str] = "ALLOCATION_NOT_FOUND"

    def __init__(self, allocation: UUID | str) -> None:
        super().__init__(f"there is no allocation {allocation}", allocation=str(allocation))


class AllocationInvalid(Invalid):
    """An allocation that cannot be."""

    code: ClassVar[str] = "ALLOCATION_INVALID"
