"""What can go wrong with work items."""

from typing import ClassVar
from uuid import UUID

from controlroom.engine.work_items.model import ItemState
from controlroom.errors import Conflict, Invalid, NotFound


class WorkItemNotFound(NotFound):
    """There is no such work item."""

    code: ClassVar[str] = "WORK_ITEM_NOT_FOUND"

    def __init__(self, item: UUID | str) -> None:
        super().__init__(f"there is no work item {item}", work_item_id=str(item))


class WorkItemStateConflict(Conflict):
    """The item is not in a state that allows it."""

    code: ClassVar[str] = "WORK_ITEM_STATE"

    def __init__(self, item: UUID, state: ItemState, verb: str) -> None:
        super().__init__(
            f"work item {item} is {state.value}: it cannot be {verb}", work_item_id=str(item), state=state.value
        )


class NotHolding(Conflict):
    """The step run does not hold the item, or no longer."""

    code: ClassVar[str] = "WORK_ITEM_NOT_HELD"

    def __init__(self, item: UUID) -> None:
        super().__init__(f"this step run does not hold work item {item}", work_item_id=str(item))


class PayloadTooLarge(Invalid):
    """The payload is larger than the limit."""

    code: ClassVar[str] = "PAYLOAD_TOO_LARGE"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the payload has {size:,} bytes; at most {limit:,} are allowed", size=size, limit=limit)
