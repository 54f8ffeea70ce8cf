"""How often an API key may ask: one bucket of tokens a key, in the memory of each process.

A bucket holds `requests_burst` tokens and gets `requests_per_second` of them back; a request takes one. Several
processes of a server do not ask each other, so that a key may have that much of each of them.
"""

import time
from typing import Final
from uuid import UUID

from controlroom.errors import Throttled
from controlroom.settings import Limits

_MOST: Final = 10_000
"""Buckets remembered; past that, those that are full again are forgotten."""


class Buckets:
    """The buckets of one server."""

    def __init__(self) -> None:
        self._buckets: dict[UUID, tuple[float, float]] = {}

    def take(self, key: UUID, limits: Limits, *, now: float | None = None) -> None:
        """Let a request of a key pass, or raise Throttled with the seconds until one may. `now` is monotonic."""
        rate, burst = limits.requests_per_second, max(1, limits.requests_burst)
        if rate <= 0:
            return
        now = time.monotonic() if now is None else now
        left, at = self._buckets.get(key, (float(burst), now))
        left = min(float(burst), left + (now - at) * rate)
        if left < 1:
            self._buckets[key] = (left, now)
            raise Throttled("this API key asks too often", seconds=(1 - left) / rate)
        if len(self._buckets) >= _MOST:
            self._forget_full(now, rate, burst)
        self._buckets[key] = (left - 1, now)

    def _forget_full(self, now: float, rate: float, burst: int) -> None:
        self._buckets = {
            key: (left, at) for key, (left, at) in self._buckets.items() if left + (now - at) * rate < burst
        }
