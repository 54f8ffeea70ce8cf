"""The next times of schedules, as pages show them: found in the loop, and aside for rules that are walked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from controlroom.aside.pool import TooCostly
from controlroom.engine.engine import Engine
from controlroom.engine.schedules import rules
from controlroom.engine.schedules.definitions import Schedule
from controlroom.engine.schedules.model import RRule
from controlroom.engine.schedules.planning import bounds_of
from controlroom.engine.schedules.sentences import ClockChange, clock_changes

_LONGEST: Final = timedelta(days=400)
"""How far ahead clock changes are looked for."""


class Outlook(Struct, frozen=True):
    """When a schedule is due next, and when the clocks of its zone change meanwhile."""

    schedule: Schedule
    times: list[datetime]
    clocks: list[ClockChange]


async def outlooks(engine: Engine, schedules: Sequence[Schedule], after: datetime, *, count: int) -> list[Outlook]:
    """The next so many times of each; none of one that is paused, or whose rule takes too long."""
    return [await _outlook(engine, each, after, count) for each in schedules]


async def _outlook(engine: Engine, schedule: Schedule, after: datetime, count: int) -> Outlook:
    times = await within(engine, schedule, after, after + 100 * _LONGEST, most=count) if schedule.is_enabled else []
    zone = ZoneInfo(schedule.zone)
    clocks = clock_changes(zone, after, min(times[-1], after + _LONGEST)) if times else []
    return Outlook(schedule, times, clocks)


async def within(engine: Engine, schedule: Schedule, after: datetime, until: datetime, *, most: int) -> list[datetime]:
    """The times of a schedule in a period, whether it is paused or not; the first so many."""
    if not isinstance(schedule.rule, RRule):
        return rules.occurrences_until(schedule.timing, after, until, most)
    try:
        return await engine.aside.call(
            bounds_of(schedule.workspace_id), rules.occurrences_until, schedule.timing, after, until, most
        )
    except TooCostly:
        return []
