"""What may become of a work item. Pure: no clock, no database."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState

BEGINS: Final[Mapping[ItemState, str]] = {
    ItemState.DRAFT: "output of an item in hand",
    ItemState.NEW: "created in a queue",
    ItemState.PENDING: "run started with it",
    ItemState.INVALID: "refused by the queue's schema: an output after the last release, or put in",
}

EDGES: Final[Mapping[ItemState, Mapping[ItemState, str]]] = {
    ItemState.DRAFT: {
        ItemState.NEW: "parent released, last step",
        ItemState.PENDING: "parent released",
        ItemState.INVALID: "refused by the queue's schema",
        ItemState.DELETED: "attempt lost",
    },
    ItemState.NEW: {
        ItemState.PENDING: "run started",
        ItemState.HELD: "set aside",
        ItemState.DONE: "by hand",
        ItemState.FAILED: "past its deadline",
        ItemState.DELETED: "deleted",
    },
    ItemState.PENDING: {
        ItemState.IN_PROGRESS: "reserved",
        ItemState.HELD: "set aside",
        ItemState.DONE: "stop, or by hand",
        ItemState.FAILED: "stop, or past its deadline",
        ItemState.DELETED: "deleted",
    },
    ItemState.HELD: {
        ItemState.NEW: "let go, of no run",
        ItemState.PENDING: "let go",
        ItemState.DONE: "stop, or by hand",
        ItemState.FAILED: "stop, or past its deadline",
        ItemState.DELETED: "deleted",
    },
    ItemState.IN_PROGRESS: {
        ItemState.DONE: "released",
        ItemState.FAILED: "released, or its step run ended",
        ItemState.PENDING: "retried by policy",
    },
    ItemState.FAILED: {
        ItemState.NEW: "retried, of no run",
        ItemState.PENDING: "retried",
        ItemState.DONE: "marked as done",
        ItemState.DELETED: "deleted",
    },
    ItemState.DONE: {ItemState.DELETED: "deleted"},
    ItemState.INVALID: {
        ItemState.NEW: "mended and retried, of no run",
        ItemState.PENDING: "mended and retried",
        ItemState.DONE: "by hand",
        ItemState.DELETED: "deleted",
    },
    ItemState.DELETED: {},
}
"""From which state an item may go to which, and by what."""

WRITABLE_BY_USERS: Final = frozenset(
    {ItemState.NEW, ItemState.PENDING, ItemState.HELD, ItemState.FAILED, ItemState.INVALID}
)
"""States in which a user may change payload and files: nobody works on the item, and it may yet be worked on."""

LONGEST_CODE: Final = 1000
LONGEST_MESSAGE: Final = 64 * 1024

MAX_BACKOFF_EXPONENT: Final = 30


class RetryPolicy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a failed attempt is repeated by itself. The default never does: only the author knows what may run twice."""

    max_attempts: int = 1
    """Attempts in all, the first one included."""
    delay_seconds: float = 0.0
    """Before the second attempt."""
    backoff: float = 2.0
    """Each further delay is this many times the one before."""
    max_delay_seconds: float = 3600.0
    jitter: float = 0.1
    """The delay is stretched by up to this share, so that items that failed together do not return together."""
    exception_types: tuple[ExceptionType, ...] = (
        ExceptionType.APPLICATION,
        ExceptionType.ORCHESTRATOR,
        ExceptionType.UNSPECIFIED,
    )
    """Never business exceptions, whatever stands here."""
    exception_codes: tuple[str, ...] = ()
    """If any: only these codes are retried."""

    def delay(self, attempt: int, chance: float) -> timedelta:
        """How long to wait after the `attempt`th attempt failed; `chance` in [0, 1) decides the jitter."""
        exponent = min(max(attempt - 1, 0), MAX_BACKOFF_EXPONENT)
        seconds = min(self.delay_seconds * self.backoff**exponent, self.max_delay_seconds)
        return timedelta(seconds=seconds * (1 + self.jitter * chance))


class Retry(Struct, frozen=True):
    """The item becomes pending again, due after `delay`."""

    delay: timedelta


class GiveUp(Struct, frozen=True):
    """The item fails."""

    exception: ItemException


def after_failure(exception: ItemException, *, attempt: int, policy: RetryPolicy, chance: float) -> Retry | GiveUp:
    """What becomes of an item whose `attempt`th attempt failed."""
    if exception.type is ExceptionType.BUSINESS:  # retrying cannot mend wrong data
        return GiveUp(exception)
    if attempt >= policy.max_attempts or exception.type not in policy.exception_types:
        return GiveUp(exception)
    if policy.exception_codes and exception.code not in policy.exception_codes:
        return GiveUp(exception)
    return Retry(policy.delay(attempt, chance))


def is_overdue(deadline: datetime | None, now: datetime) -> bool:
    """Whether an item may no longer be worked on."""
    return deadline is not None and deadline <= now


def shortened(exception: ItemException) -> ItemException:
    """The exception with no more text than a list of many items can show: robots send whole pages as messages."""
    code, message = exception.code, exception.message
    if len(code) > LONGEST_CODE:
        code = f"{code[:LONGEST_CODE]}…"
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[:LONGEST_MESSAGE]}…"
    return ItemException(exception.type, code, message)
