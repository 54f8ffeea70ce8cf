"""What robots have called, told together: one line a second and step run, where each call would say the same.

A busy robot calls hundreds of times a second, and a line of each costs more than what it tells. The first call that
goes well begins a count, and a second later its line is written; what fails is never counted here, but told by itself.
"""

import asyncio
from typing import Any, Final
from uuid import UUID

import structlog

TOGETHER: Final = "together"
"""Where the state of a request has the step run with whose other calls it may be told."""

_EVERY: Final = 1.0
"""Seconds that a line stands for."""

log = structlog.get_logger("controlroom.requests")


class _Count:
    __slots__ = ("client", "routes", "seconds", "slowest")

    def __init__(self, client: str) -> None:
        self.client = client
        self.routes: dict[str, int] = {}
        self.seconds = 0.0
        self.slowest = 0.0


class Tallies:
    """The calls of this second that have not been told yet."""

    def __init__(self) -> None:
        self._counts: dict[UUID, _Count] = {}
        self._next: asyncio.TimerHandle | None = None

    def count(self, step_run: UUID, *, client: str, method: str, route: str, seconds: float) -> None:
        """Count one call that went well."""
        count = self._counts.get(step_run)
        if count is None:
            count = self._counts[step_run] = _Count(client)
            if self._next is None:
                self._next = asyncio.get_running_loop().call_later(_EVERY, self.tell)
        called = f"{method} {route}"
        count.routes[called] = count.routes.get(called, 0) + 1
        count.seconds += seconds
        count.slowest = max(count.slowest, seconds)

    def tell(self) -> None:
        """Write the lines of what was counted; also when the server ends."""
        counts, self._counts = self._counts, {}
        if self._next is not None:
            self._next.cancel()
            self._next = None
        for step_run, count in counts.items():
            fields: dict[str, Any] = {
                "who": f"step_run:{step_run}",
                "client": count.client,
                "requests": sum(count.routes.values()),
                "ms": round(count.seconds * 1000, 2),
                "slowest_ms": round(count.slowest * 1000, 2),
                "routes": count.routes,
            }
            log.info("robot's requests", **fields)
