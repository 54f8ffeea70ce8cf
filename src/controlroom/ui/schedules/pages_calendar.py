"""The calendar of all schedules: a day with lines, a week with its times; what happened, and what is to come."""

from datetime import date, datetime, timedelta
from typing import Final

from controlroom.engine.processes.store import PROCESS
from controlroom.engine.references import resolve
from controlroom.engine.schedules import calendar
from controlroom.engine.schedules.sentences import sentence
from controlroom.engine.statistics.store import usual_of_runs
from controlroom.errors import Invalid
from controlroom.ids import ProcessId
from controlroom.ui import words
from controlroom.ui.asking import Asking, Permission, Shown
from controlroom.ui.routing import page
from controlroom.ui.schedules.told import day_of, hours_of, sign_of, standing_of, week_of

_DAY: Final = timedelta(days=1)
_FIRST: Final = date(2000, 1, 1)
_LAST: Final = date(2200, 1, 1)


@page("/schedules/calendar", needs=Permission.READ_SCHEDULES)
async def show_calendar(request: Asking) -> Shown:
    """A day or a week; the present one, if the address names none."""
    now, zone = request.reader.now, request.reader.zone
    is_week = request.query_params.get("view", "week") == "week"
    chosen = _day(request.query_params.get("day", ""), now.astimezone(zone).date())
    first = chosen - timedelta(days=chosen.weekday()) if is_week else chosen
    last = first + (7 * _DAY if is_week else _DAY)
    since, until = (datetime(each.year, each.month, each.day, tzinfo=zone) for each in (first, last))
    process = request.query_params.get("process", "")
    only: ProcessId | None = None
    if process:
        only = await resolve(*request.reading, PROCESS, process)
    schedules = await calendar.planned(*request.reading, process=only)
    past = await calendar.happened(*request.reading, [each.id for each in schedules], since, min(until, now))
    usual = await usual_of_runs(*request.reading, list({each.process_id for each in schedules}))
    medians = {key: each.median for key, each in usual.items() if each.says_something}
    times = await calendar.times(request.engine, schedules, past, medians, now, until, since)
    title = _title(first, is_week=is_week)
    return await request.show(
        "schedules/calendar.html",
        title="Calendar",
        at="schedules",
        crumbs=request.way(("Schedules", "/schedules"), "Calendar"),
        heading=title,
        is_week=is_week,
        day=None if is_week else day_of(times, since, until, now, zone, request.base),
        hours=[] if is_week else hours_of(since, until, zone),
        week=week_of(times, first, now, zone, request.base) if is_week else [],
        views=[
            ("Day", _address(request, "day", chosen), not is_week),
            ("Week", _address(request, "week", chosen), is_week),
        ],
        before=_address(request, "week" if is_week else "day", first - (7 * _DAY if is_week else _DAY)),
        after=_address(request, "week" if is_week else "day", last),
        today=_address(request, "week" if is_week else "day", None),
        day_address=lambda day: _address(request, "day", day),
        paused=sum(not each.is_enabled for each in schedules),
        count=len(schedules),
        is_cut=len(schedules) == calendar.MOST_SCHEDULES,
        sentence=sentence,
        sign_of_time=sign_of,
        standing_of=standing_of,
        can_write=request.actor.may(Permission.WRITE_SCHEDULES, request.workspace),
    )


def _day(text: str, today: date) -> date:
    if not text:
        return today
    try:
        found = date.fromisoformat(text)
    except ValueError as wrong:
        raise Invalid("This is no day: 2026-11-30.", code="DAY_WRONG") from wrong
    if not _FIRST <= found < _LAST:
        raise Invalid("The calendar is of the years 2000 to 2199.", code="DAY_WRONG")
    return found


def _address(request: Asking, view: str, day: date | None) -> str:
    process = request.query_params.get("process", "")
    query = f"view={view}" + (f"&day={day.isoformat()}" if day else "") + (f"&process={process}" if process else "")
    return f"{request.base}/schedules/calendar?{query}"


def _title(first: date, *, is_week: bool) -> str:
    begin = datetime(first.year, first.month, first.day)  # noqa: DTZ001 - a day of the calendar
    if not is_week:
        return f"{begin:%A}, {words.day(begin)} {first.year}"
    end = begin + 6 * _DAY
    return f"{words.day(begin)} to {words.day(end)} {end.year}, week {first.isocalendar().week}"
