"""What becomes of a delivery that failed. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.deliveries.model import DeliveryKind, DeliveryState, NotSent

BEGINS: Final[Mapping[DeliveryState, str]] = {DeliveryState.PENDING: "an event, or a test"}

EDGES: Final[Mapping[DeliveryState, Mapping[DeliveryState, str]]] = {
    DeliveryState.PENDING: {
        DeliveryState.DELIVERED: "the receiver answered 2xx",
        DeliveryState.PENDING: "it did not; later again",
        DeliveryState.FAILED: "given up",
    },
    DeliveryState.DELIVERED: {DeliveryState.PENDING: "by hand"},
    DeliveryState.FAILED: {DeliveryState.PENDING: "by hand"},
}
"""From which state a delivery may go to which, and by what."""

FIRST_DELAY: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(days=366)
FIRST_OF_FEW: Final = timedelta(seconds=2)
"""Of a delivery that is tried so many times and no more: 2 s, 6 s, 18 s, 54 s before the fifth. A guess."""
FACTOR: Final = 3.0
LONGEST_DELAY: Final = timedelta(hours=4)
JITTER: Final = 0.25
"""5 s, 15 s, 45 s, 2 min, 7 min, 20 min, an hour, 3 hours, then every 4 hours: about 13 attempts in a day. Each a
quarter earlier or later, so that what failed together does not come together."""

GIVE_UP_AFTER: Final[Mapping[DeliveryKind, timedelta]] = {
    DeliveryKind.WEBHOOK: timedelta(days=1),
    DeliveryKind.CALLBACK: timedelta(days=1),
    DeliveryKind.CHAT: timedelta(days=1),
    DeliveryKind.EMAIL: timedelta(days=1),
    DeliveryKind.PROVISIONER: timedelta(minutes=15),  # Why: a run waits for it
}


class Again(Struct, frozen=True):
    """Try again after a while."""

    delay: timedelta


class GiveUp(Struct, frozen=True):
    """Try no more."""


def after_failure(
    failure: NotSent, *, attempts: int, left: timedelta, chance: float, most: int | None = None
) -> Again | GiveUp:
    """What becomes of a delivery whose `attempts`th attempt failed, `left` before it is given up.

    The receiver is not asked before it wants to be. The last attempt is made when it is given up: as long as any time
    is left, a delay is cut to it. Where it is tried `most` times, the attempts stand closer. `chance` is in [0, 1).
    """
    if failure.is_final or left <= timedelta() or (most is not None and attempts >= most):
        return GiveUp()
    steady = (FIRST_DELAY if most is None else FIRST_OF_FEW) * FACTOR ** min(attempts - 1, 20)
    delay = min(steady, LONGEST_DELAY) * (1 + JITTER * (2 * chance - 1))
    return Again(min(max(delay, failure.retry_after), left))


def pause_asked(header: str | None, now: datetime) -> timedelta:
    """What a `Retry-After` asks for (RFC 9110 §10.2.3): seconds, or until a date; nothing if it cannot be read."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
        pause = (until if until.tzinfo is not None else until.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, IndexError, OverflowError):  # the standard library's ways to say that it is no date
        return timedelta()
    return max(timedelta(), min(pause, LONGEST_PAUSE))
