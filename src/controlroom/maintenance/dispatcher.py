"""Lets runs go on: step runs for pending items, and the end of runs that have nothing left.

What it does: dispatches the runs that this server's actions have woken, at once and then at most every 30 ms each; and,
as the truth behind the wake-ups, every second all open runs that have something to do, or can have their locks.
Who else may do it: every server for its own wake-ups; the leader polls. Both may meet: the run's row is locked.
When it dies half-way: a dispatch is one transaction; the next poll finds what was left.
What it costs: one transaction of about six statements for each wake-up; index probes over the open runs each second; a
transaction for each thousand items of a stopped run, other runs in between.
"""

import asyncio
import time
from typing import Final
from uuid import UUID

import structlog

from controlroom.engine.access.scope import Room
from controlroom.engine.engine import Engine
from controlroom.engine.locks.store import runs_with_room
from controlroom.engine.runs.dispatch import dispatch, runs_left_behind, runs_to_look_at
from controlroom.engine.wakes import Topic
from controlroom.errors import Unavailable
from controlroom.ids import RunId, WorkItemId

log = structlog.get_logger(__name__)

_REST: Final = 0.03
"""Between two dispatches of one run: hundreds of releases a second make one dispatch."""

_AT_ONCE: Final = 4
"""Dispatches side by side, so that they never take all connections."""

_POLLED: Final = 500

_ROOM: Final = Room()


class Dispatcher:
    """The dispatcher of one server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._woken: dict[RunId, None] = {}
        self._rests: dict[RunId, float] = {}
        self._busy: set[RunId] = set()
        self._left: dict[RunId, WorkItemId] = {}
        """Stopped runs that have more to settle, and where to go on."""
        self._something = asyncio.Event()
        engine.wakes.on(Topic.RUN, self._wake)

    def _wake(self, key: str) -> None:
        if key:
            self._woken[RunId(UUID(key))] = None
            self._something.set()

    async def serve(self) -> None:
        """Dispatch what is woken, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(self._serve_one())

    async def _serve_one(self) -> None:
        while True:
            run, wait = self._next()
            if run is None:
                self._something.clear()
                try:
                    async with asyncio.timeout(wait):
                        await self._something.wait()
                except TimeoutError:
                    pass
                continue
            self._busy.add(run)
            try:
                left = await dispatch(self._engine, _ROOM, run, after=self._left.pop(run, None))
                if left is not None:
                    self._left[run] = left
            except Unavailable as away:
                log.warning("dispatch cannot reach the database", run=str(run), reason=str(away))
            except Exception:  # the edge of a loop: it must go on
                log.exception("dispatch failed", run=str(run))
            finally:
                self._busy.discard(run)
                if run not in self._left:
                    self._rests[run] = time.monotonic() + _REST
                self._something.set()

    def _next(self) -> tuple[RunId | None, float | None]:
        """A woken run that has rested, or how long until there is one (None: until something is woken)."""
        now = time.monotonic()
        for run in [run for run, until in self._rests.items() if until <= now]:
            del self._rests[run]
        for run in self._woken:
            if run not in self._rests and run not in self._busy:
                del self._woken[run]
                return run, None
        resting = [self._rests[run] for run in self._woken if run in self._rests]
        return None, max(min(resting) - now, 0.001) if resting else None


async def poll(engine: Engine) -> int:
    """One pass over the open runs that have something to do."""
    runs = await runs_left_behind(engine.database, _ROOM, limit=_POLLED)
    runs += await runs_to_look_at(engine.database, _ROOM, limit=_POLLED)
    runs += await runs_with_room(engine.database, _ROOM, limit=_POLLED)
    for run in runs:
        await dispatch(engine, _ROOM, run)
    return len(runs)
