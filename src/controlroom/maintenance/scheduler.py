"""Starts what schedules are due for.

What it does: each second notices what is due, by one statement that waits for nothing; apart from that, each second,
decides what became of every occurrence that is due (one transaction a schedule, several side by side), starts what has
waited for the end of a run, and stops runs that no robot has begun in time.
Who else may do it: any server; schedules are locked and skipped, and an occurrence's row is unique. The leader does.
When it dies half-way: the transaction is undone, the schedule is still due, the next tick takes it; an occurrence that
is noticed later than its grace goes by the schedule's rule for missed ones. A schedule that breaks is logged, and the
others go on.
What it costs: three index probes a second while nothing is due; about ten statements a run started.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from controlroom.engine.access.scope import Room
from controlroom.engine.engine import Engine
from controlroom.engine.schedules.due import due_schedules, notice_due, waiting_schedules
from controlroom.engine.schedules.firing import cancel_late, fire, start_waiting
from controlroom.errors import Unavailable
from controlroom.ids import ScheduleId

log = structlog.get_logger(__name__)

EVERY: Final = 1.0
_ROOM: Final = Room()
_AT_ONCE: Final = 1000
_MOST_ROUNDS: Final = 20
_SIDE_BY_SIDE: Final = 6
"""Why: more gain nothing on two cores, and other requests need connections, too."""


async def notice(engine: Engine) -> int:
    """One tick; how many schedules were seen to be due."""
    return await notice_due(engine.database, _ROOM)


async def fire_due(engine: Engine) -> int:
    """One tick; how many schedules were looked at and runs stopped."""
    fired = 0
    for _ in range(_MOST_ROUNDS):
        due = await due_schedules(engine.database, _ROOM, limit=_AT_ONCE)
        decided = await _each(engine, fire, due)
        fired += decided
        if not decided:
            break
    waiting = await waiting_schedules(engine.database, _ROOM, limit=_AT_ONCE)
    started = await _each(engine, start_waiting, waiting)
    return fired + started + await cancel_late(engine, _ROOM, limit=_AT_ONCE)


async def _each(
    engine: Engine, decide: Callable[[Engine, Room, ScheduleId], Awaitable[bool]], schedules: Iterable[ScheduleId]
) -> int:
    """Decide about each schedule, some side by side; how many there was something to decide about."""
    left, decided = iter(schedules), 0

    async def work() -> None:
        nonlocal decided
        for schedule in left:
            try:
                decided += await decide(engine, _ROOM, schedule)
            except Unavailable:
                raise
            except Exception:  # the edge of a loop: one schedule must not keep the others from their time
                log.exception("schedule failed", schedule=str(schedule))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_SIDE_BY_SIDE):
                group.create_task(work())
    except* Unavailable as away:
        raise away.exceptions[0] from None
    return decided
