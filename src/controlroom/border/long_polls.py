"""Long polls: a request that is held until there is something to say, its caller has gone, or the server stops."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from litestar import Request

from controlroom.border.abandoned import until_left
from controlroom.engine.wakes import Watch

LOOK_EVERY: Final = 5.0
"""Seconds after which a held request looks by itself: wake-ups are hints, the database is the truth."""


class Hold:
    """One held request, as its handler asks it whether to go on."""

    def __init__(self, watch: Watch, seconds: float) -> None:
        self._watch = watch
        self._until = time.monotonic() + seconds
        self._is_over = False
        self.was_woken = False
        """Whether the last moment to look came by a wake-up; else it is only the time for it."""

    @property
    def is_over(self) -> bool:
        """Whether it is to be held no longer."""
        return self._is_over or time.monotonic() >= self._until

    async def goes_on(self) -> bool:
        """Wait for the next moment to look; False when there is none: answer with what there is."""
        left = self._until - time.monotonic()
        if self._is_over or left <= 0:
            return False
        self.was_woken = await self._watch.wait(min(left, LOOK_EVERY))
        return not self._is_over

    def end(self) -> None:
        """Hold it no longer."""
        self._is_over = True
        self._watch.set()


class Holds:
    """All requests that a server holds."""

    def __init__(self) -> None:
        self._held: set[Hold] = set()
        self._is_stopping = False

    @asynccontextmanager
    async def hold(self, request: Request[Any, Any, Any], watch: Watch, seconds: float) -> AsyncIterator[Hold]:
        """Hold a request, whose body has been read, for so long at most."""
        hold = Hold(watch, 0 if self._is_stopping else seconds)
        self._held.add(hold)
        leaving = asyncio.create_task(_end_when_gone(request, hold))
        try:
            yield hold
        finally:
            leaving.cancel()
            self._held.discard(hold)

    def release(self) -> None:
        """Answer every held request now, and hold no other: the server stops."""
        self._is_stopping = True
        for hold in self._held:
            hold.end()


async def _end_when_gone(request: Request[Any, Any, Any], hold: Hold) -> None:
    # Why: its place, and the work it might claim, would be lost with a caller that has gone
    await until_left(request)
    hold.end()
