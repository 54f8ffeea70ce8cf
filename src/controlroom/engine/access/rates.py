"""How often somebody may ask: one bucket of tokens for each, in the memory of each process.

A bucket holds as many tokens as may be asked at once, and gets some of them back each second; a request takes one.
Several processes of a server do not ask each other, so that everybody may have that much of each of them.
"""

import time
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.errors import Throttled

_MOST: Final = 10_000
"""Buckets remembered; past that, those that are full again are forgotten."""


class Rate(Struct, frozen=True):
    """How often somebody may ask."""

    per_second: float
    """0: as often as they like."""
    burst: int
    said: str
    """To who asks more often."""


class Buckets:
    """The buckets of one process."""

    def __init__(self) -> None:
        self._buckets: dict[UUID, tuple[float, float]] = {}

    def take(self, who: UUID, allowed: Rate, *, now: float | None = None) -> None:
        """Let a request of somebody pass, or raise Throttled with the seconds until one may. `now` is monotonic."""
        rate, burst = allowed.per_second, max(1, allowed.burst)
        if rate <= 0:
            return
        now = time.monotonic() if now is None else now
        left, at = self._buckets.get(who, (float(burst), now))
        left = min(float(burst), left + (now - at) * rate)
        if left < 1:
            self._buckets[who] = (left, now)
            raise Throttled(allowed.said, seconds=(1 - left) / rate)
        if len(self._buckets) >= _MOST:
            self._forget_full(now, rate, burst)
        self._buckets[who] = (left - 1, now)

    def _forget_full(self, now: float, rate: float, burst: int) -> None:
        self._buckets = {
            who: (left, at) for who, (left, at) in self._buckets.items() if left + (now - at) * rate < burst
        }
