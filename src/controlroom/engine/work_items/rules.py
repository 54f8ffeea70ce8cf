"""What may become of a work item. Pure: no clock, no database."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState

EDGES: Final[Mapping[ItemState, frozenset[ItemState]]] = {
    ItemState.DRAFT: frozenset({ItemState.NEW, ItemState.PENDING, ItemState.INVALID, ItemState.DELETED}),
    ItemState.NEW: frozenset({ItemState.PENDING, ItemState.FAILED, ItemState.DELETED}),
    ItemState.PENDING: frozenset(
        {ItemState.IN_PROGRESS, ItemState.HELD, ItemState.DONE, ItemState.FAILED, ItemState.DELETED}
    ),
    ItemState.HELD: frozenset({ItemState.PENDING, ItemState.DONE, ItemState.FAILED, ItemState.DELETED}),
    ItemState.IN_PROGRESS: frozenset({ItemState.DONE, ItemState.FAILED, ItemState.PENDING}),
    ItemState.FAILED: frozenset({ItemState.NEW, ItemState.PENDING, ItemState.DONE, ItemState.DELETED}),
    ItemState.DONE: frozenset({ItemState.DELETED}),
    ItemState.INVALID: frozenset({ItemState.PENDING, ItemState.DELETED}),
    ItemState.DELETED: frozenset(),
}
"""From which state an item may go to which. `deleted` is the end of everything; `done` may only be deleted.

A failed item that belongs to no run is new again when it is retried; a refused one is pending when it is retried after
its payload was mended.
"""

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
