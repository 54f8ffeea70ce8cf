"""How work items stand, in this grammar's words (§2.23.3)."""

from collections.abc import Mapping
from typing import Any, Final

from controlroom.engine.queues.model import ItemStanding

STATUSES: Final[Mapping[ItemStanding, str]] = {
    ItemStanding.NEW: "NEW",
    ItemStanding.READY: "READY_TO_RUN",
    ItemStanding.PENDING: "QUEUED",
    ItemStanding.HELD: "ON_HOLD",
    ItemStanding.IN_PROGRESS: "ACTIVE",
    ItemStanding.DONE: "COMPLETED",
    ItemStanding.FAILED: "FAILED",
    ItemStanding.INVALID: "DATA_ERROR",
}
WORD_OF: Final[Mapping[str, str]] = {standing.value: status for standing, status in STATUSES.items()}
"""The same by the text of a standing, or of a state."""
_STANDINGS: Final = {status: standing for standing, status in STATUSES.items()} | {
    "STAGED": ItemStanding.NEW,
    "SUCCESSFUL": ItemStanding.DONE,
    "UNSUCCESSFUL": ItemStanding.FAILED,
}
"""Also as the documents of v3 call them."""


def standing_of(status: Any) -> str:
    """The standing that a word means; raises ValueError for one that no item has."""
    found = _STANDINGS.get(str(status).strip().upper())
    if found is None:
        raise ValueError(status)
    return found.value
