"""What people do to items: which ones are fit for it, and what they become. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from controlroom.engine.work_items.model import ItemState, WorkItem
from controlroom.engine.work_items.rules import EDGES


class Operation(StrEnum):
    """Something that is done to one item, or to many."""

    RETRY = "retry"
    """Failed items are pending again in the run they belong to; so are refused ones whose payload was mended since."""
    MARK_DONE = "mark_done"
    """Failed items are resolved by declaring them done."""
    DELETE = "delete"
    """Items that nobody works on."""
    HOLD = "hold"
    """Pending items are set aside."""
    RELEASE_HOLD = "release_hold"
    """Held items go on."""


BECOMES: Final[Mapping[Operation, ItemState]] = {
    Operation.RETRY: ItemState.PENDING,
    Operation.MARK_DONE: ItemState.DONE,
    Operation.DELETE: ItemState.DELETED,
    Operation.HOLD: ItemState.HELD,
    Operation.RELEASE_HOLD: ItemState.PENDING,
}

FIT: Final[Mapping[Operation, frozenset[ItemState]]] = {
    Operation.RETRY: frozenset({ItemState.FAILED, ItemState.INVALID}),
    Operation.MARK_DONE: frozenset({ItemState.FAILED}),
    Operation.DELETE: frozenset({state for state, next_ in EDGES.items() if ItemState.DELETED in next_})
    - {ItemState.DRAFT},
    Operation.HOLD: frozenset({ItemState.PENDING}),
    Operation.RELEASE_HOLD: frozenset({ItemState.HELD}),
}
"""The states in which an item is fit for it."""

PAST_TENSE: Final[Mapping[Operation, str]] = {
    Operation.RETRY: "retried",
    Operation.MARK_DONE: "marked as done",
    Operation.DELETE: "deleted",
    Operation.HOLD: "held",
    Operation.RELEASE_HOLD: "let go",
}


def is_fit(operation: Operation, item: WorkItem) -> bool:
    """Whether it may be done to the item. A refused payload must be mended before it is tried."""
    return item.state in FIT[operation] and not (operation is Operation.RETRY and item.fault is not None)
