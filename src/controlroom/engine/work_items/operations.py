"""What people do to items: which ones are fit for it, and what they become. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, assert_never

from controlroom.engine.work_items.model import ItemState, WorkItem
from controlroom.engine.work_items.rules import EDGES, WRITABLE_BY_USERS


class Operation(StrEnum):
    """Something that is done to one item, or to many."""

    RETRY = "retry"
    """Failed items are pending again in the run they belong to; so are refused ones whose payload was mended since."""
    MARK_DONE = "mark_done"
    """Failed items are resolved by declaring them done."""
    DELETE = "delete"
    """Items that nobody works on."""
    HOLD = "hold"
    """Pending items, and those that wait in a standing queue, are set aside: nobody begins them, no run takes them."""
    RELEASE_HOLD = "release_hold"
    """Held items go on where they were, due when they were."""
    COMPLETE = "complete"
    """Items that nobody works on are declared done, whether they wait, are held, failed or were refused."""


BECOMES: Final[Mapping[Operation, ItemState]] = {
    Operation.RETRY: ItemState.PENDING,
    Operation.MARK_DONE: ItemState.DONE,
    Operation.DELETE: ItemState.DELETED,
    Operation.HOLD: ItemState.HELD,
    Operation.RELEASE_HOLD: ItemState.PENDING,
    Operation.COMPLETE: ItemState.DONE,
}
"""What an item of a run becomes; for one of none `PENDING` is `NEW` (`store.set_state`)."""

OPPOSITE: Final[Mapping[Operation, Operation]] = {
    Operation.HOLD: Operation.RELEASE_HOLD,
    Operation.RELEASE_HOLD: Operation.HOLD,
}
"""What takes an operation back as if it had not been."""

FIT: Final[Mapping[Operation, frozenset[ItemState]]] = {
    Operation.RETRY: frozenset({ItemState.FAILED, ItemState.INVALID}),
    Operation.MARK_DONE: frozenset({ItemState.FAILED}),
    Operation.DELETE: frozenset({state for state, next_ in EDGES.items() if ItemState.DELETED in next_})
    - {ItemState.DRAFT},
    Operation.HOLD: frozenset({ItemState.NEW, ItemState.PENDING}),
    Operation.RELEASE_HOLD: frozenset({ItemState.HELD}),
    Operation.COMPLETE: WRITABLE_BY_USERS,
}
"""The states in which an item is fit for it."""

PAST_TENSE: Final[Mapping[Operation, str]] = {
    Operation.RETRY: "retried",
    Operation.MARK_DONE: "marked as done",
    Operation.DELETE: "deleted",
    Operation.HOLD: "held",
    Operation.RELEASE_HOLD: "let go",
    Operation.COMPLETE: "completed",
}


def is_fit(operation: Operation, item: WorkItem) -> bool:
    """Whether it may be done to the item. A refused payload must be mended before it is tried."""
    if item.state not in FIT[operation]:
        return False
    match operation:
        case Operation.RETRY:
            return item.fault is None
        case Operation.HOLD:
            return item.state is not ItemState.NEW or item.is_in_standing_queue
        case Operation.COMPLETE:
            return item.queue_id is not None  # an output of a run is as new as what waits, and is nobody's work
        case Operation.MARK_DONE | Operation.DELETE | Operation.RELEASE_HOLD:
            return True
        case _:
            assert_never(operation)
