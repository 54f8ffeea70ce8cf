"""What became of the times of schedules, and their calendar, as signs, marks and columns: pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from msgspec import Struct

from controlroom.engine.runs.model import Result, RunState
from controlroom.engine.schedules.calendar import Happened, Time, at_once
from controlroom.engine.schedules.definitions import Schedule, Standing
from controlroom.engine.schedules.model import OccurrenceState
from controlroom.ui import words
from controlroom.ui.charts import share
from controlroom.ui.states import Sign, of_run

_SIGNS: Final = {
    OccurrenceState.STARTED: Sign("done", "ok", "Started"),
    OccurrenceState.NOTHING_WAITED: Sign("withdrawn", "idle", "Nothing waited"),
    OccurrenceState.MISSED: Sign("unresolved", "warn", "Missed"),
    OccurrenceState.SKIPPED: Sign("withdrawn", "idle", "Skipped"),
    OccurrenceState.WAITING: Sign("wait", "idle", "Waits in line"),
    OccurrenceState.FAILED: Sign("failed", "bad", "Could not start"),
}
_STANDINGS: Final = {
    Standing.DRAFT: Sign("new", "idle", "Draft"),
    Standing.ACTIVE: Sign("done", "ok", "Active"),
    Standing.INACTIVE: Sign("paused", "idle", "Paused"),
    Standing.COMPLETED: Sign("withdrawn", "idle", "Nothing to come"),
    Standing.FAULTY: Sign("unresolved", "warn", "Starts nothing"),
}
PLANNED: Final = Sign("wait", "idle", "To come")
_MANY: Final = 24
"""From so many times a day on, what is as usual is a band and not a mark each."""
_DAY: Final = timedelta(days=1)
_PARTS: Final = 48


def sign_of(past: Happened | None) -> Sign:
    """What became of a time; of one that has started a run, what became of that."""
    if past is None:
        return PLANNED
    if past.state is OccurrenceState.STARTED and past.run_state is not None:
        return of_run(past.run_state, past.run_result)
    return _SIGNS[past.state]


def standing_of(standing: Standing) -> Sign:
    """How a schedule stands."""
    return _STANDINGS[standing]


def tone_of(past: Happened | None) -> str:
    """In which colour: `hair` for what is to come."""
    if past is None:
        return "soft"
    if past.state is OccurrenceState.STARTED:
        if past.run_state in {RunState.NEW, RunState.IN_PROGRESS, RunState.STOPPING}:
            return "run"
        if past.run_result is Result.STOPPED:
            return "idle"
        return "ok" if past.run_state in {RunState.COMPLETED, None} else "warn"
    return {OccurrenceState.MISSED: "warn", OccurrenceState.FAILED: "bad"}.get(past.state, "idle")


# ---------------------------------------------------------------------------------------------------- a day
class Mark(Struct, frozen=True):
    """A time on the line of a day."""

    start: str
    width: str
    """In percent of the day."""
    tone: str
    title: str
    href: str
    overlaps: bool


class Line(Struct, frozen=True, kw_only=True):
    """A schedule on a day."""

    schedule: Schedule
    marks: list[Mark]
    bands: list[Mark]
    """Where many are as usual: one mark for all of them."""
    count: int
    missed: int
    skipped: int
    overlaps: int


class Load(Struct, frozen=True):
    """How many runs there are at once, in half an hour."""

    start: str
    width: str
    height: str
    top: str
    title: str


class Day(Struct, frozen=True, kw_only=True):
    """A day: a line for each schedule, and how many run at once."""

    lines: list[Line]
    loads: list[Load]
    most: int
    now: str
    """Where the present is; empty on another day."""


def day_of(times: Sequence[Time], begins: datetime, ends: datetime, now: datetime, zone: tzinfo, base: str) -> Day:
    """The lines of a day, those that are due first before others; schedules that are not due are left out."""
    by_schedule: dict[object, list[Time]] = {}
    for each in times:
        by_schedule.setdefault(each.schedule.id, []).append(each)
    whole = ends - begins
    lines = [_line(of, begins, whole, zone, base) for of in by_schedule.values()]
    most = at_once(times, begins, whole / _PARTS, _PARTS)
    return Day(
        lines=lines,
        loads=_loads(most, begins, whole, zone),
        most=max(most, default=0),
        now=share((now - begins) / whole) if begins <= now < ends else "",
    )


def _line(times: Sequence[Time], begins: datetime, whole: timedelta, zone: tzinfo, base: str) -> Line:
    usual = [each for each in times if _is_usual(each)]
    is_many = len(times) > _MANY
    single = [each for each in times if not (is_many and _is_usual(each))]
    bands = []
    for is_past in (True, False) if is_many else ():
        of = [each for each in usual if (each.past is not None) is is_past]
        if of:
            bands.append(_band(of, begins, whole, zone, base, is_past=is_past))
    return Line(
        schedule=times[0].schedule,
        marks=[_mark(each, begins, whole, zone, base) for each in single[:300]],
        bands=bands,
        count=len(times),
        missed=sum(_is(each, OccurrenceState.MISSED) for each in times),
        skipped=sum(_is(each, OccurrenceState.SKIPPED) for each in times),
        overlaps=sum(each.overlaps for each in times),
    )


def _is(time: Time, state: OccurrenceState) -> bool:
    return time.past is not None and time.past.state is state


def _is_usual(time: Time) -> bool:
    return tone_of(time.past) in {"soft", "ok", "run", "idle"} and not _is(time, OccurrenceState.SKIPPED)


def _mark(time: Time, begins: datetime, whole: timedelta, zone: tzinfo, base: str) -> Mark:
    here, sign = time.due.astimezone(zone), sign_of(time.past)
    run = None if time.past is None else time.past.run_number
    told = [f"{here:%H:%M}", sign.word]
    if run is not None:
        told.append(f"#{run}")
    if time.past is not None and time.past.reason:
        told.append(time.past.reason)
    if time.overlaps:
        told.append("while the one before is under way")
    start = (time.due - begins) / whole
    width = max(0.0, min((time.ends - time.due) / whole, 1 - start))
    href = f"{base}/schedules/{time.schedule.number}" if run is None else f"{base}/runs/{run}"
    return Mark(share(start), share(width), tone_of(time.past), " · ".join(told), href, time.overlaps)


def _band(times: Sequence[Time], begins: datetime, whole: timedelta, zone: tzinfo, base: str, *, is_past: bool) -> Mark:
    first, last = times[0], times[-1]
    start, end = (first.due - begins) / whole, (max(last.due, min(last.ends, begins + whole)) - begins) / whole
    word = "started" if is_past else "to come"
    here = f"{first.due.astimezone(zone):%H:%M} to {last.due.astimezone(zone):%H:%M}"
    href = f"{base}/schedules/{first.schedule.number}"
    return Mark(
        share(start),
        share(max(0.004, end - start)),
        "ok" if is_past else "soft",
        f"{here}: {len(times)} {word}",
        href,
        overlaps=False,
    )


def _loads(most: Sequence[int], begins: datetime, whole: timedelta, zone: tzinfo) -> list[Load]:
    top, found = max([*most, 1]), []
    for n, count in enumerate(most):
        if count:
            here = (begins + whole * n / _PARTS).astimezone(zone)
            high = count / top
            found.append(
                Load(
                    share(n / _PARTS + 0.001),
                    share(1 / _PARTS - 0.002),
                    share(high * 0.92),
                    share(1 - high * 0.92),
                    f"{here:%H:%M}: {count} at once",
                )
            )
    return found


def hours_of(begins: datetime, ends: datetime, zone: tzinfo) -> list[tuple[str, str]]:
    """The hours beneath a day, each with its place; on a day when clocks change there are more, or fewer."""
    found, whole, moment = [], ends - begins, begins
    while moment < ends:
        found.append((share((moment - begins) / whole), f"{moment.astimezone(zone):%H:%M}"))
        moment += timedelta(hours=3)
    return found


# ---------------------------------------------------------------------------------------------------- a week
class Slot(Struct, frozen=True, kw_only=True):
    """A line in a day of the week: a time, or all those of a schedule that is due often."""

    schedule: Schedule
    at: str
    sign: Sign
    title: str
    href: str
    overlaps: bool
    count: int = 1


class WeekDay(Struct, frozen=True, kw_only=True):
    """A day of a week."""

    day: date
    name: str
    is_today: bool
    slots: list[Slot]


def week_of(times: Sequence[Time], monday: date, now: datetime, zone: tzinfo, base: str) -> list[WeekDay]:
    """Seven days from a Monday, each with its times."""
    by_day: dict[date, list[Time]] = {monday + n * _DAY: [] for n in range(7)}
    for each in times:
        day = each.due.astimezone(zone).date()
        if day in by_day:
            by_day[day].append(each)
    today = now.astimezone(zone).date()
    return [
        WeekDay(
            day=day,
            name=f"{day:%a} {words.day(datetime(day.year, day.month, day.day))}",  # noqa: DTZ001 - a day of the calendar
            is_today=day == today,
            slots=_slots(of, zone, base),
        )
        for day, of in by_day.items()
    ]


_SEVERAL: Final = 4


def _slots(times: Sequence[Time], zone: tzinfo, base: str) -> list[Slot]:
    by_schedule: dict[object, list[Time]] = {}
    for each in times:
        by_schedule.setdefault(each.schedule.id, []).append(each)
    found: list[tuple[datetime, Slot]] = []
    for of in by_schedule.values():
        often = [each for each in of if _is_usual(each)] if len(of) > _SEVERAL else []
        found += [(each.due, _slot(each, zone, base)) for each in of if each not in often]
        for is_past in (True, False):
            if part := [each for each in often if (each.past is not None) is is_past]:
                found.append((part[0].due, _together(part, zone, base)))
    return [slot for _, slot in sorted(found, key=lambda each: each[0])]


def _slot(time: Time, zone: tzinfo, base: str) -> Slot:
    sign = sign_of(time.past)
    run = None if time.past is None else time.past.run_number
    reason = time.past.reason if time.past is not None else ""
    said = " · ".join(
        each for each in (sign.word, reason, "while the one before is under way" if time.overlaps else "") if each
    )
    return Slot(
        schedule=time.schedule,
        at=f"{time.due.astimezone(zone):%H:%M}",
        sign=sign,
        title=said,
        href=f"{base}/schedules/{time.schedule.number}" if run is None else f"{base}/runs/{run}",
        overlaps=time.overlaps,
    )


def _together(times: Sequence[Time], zone: tzinfo, base: str) -> Slot:
    first, last = times[0].due.astimezone(zone), times[-1].due.astimezone(zone)
    signs = [sign_of(each.past) for each in times]
    worst = next((sign for sign in signs if sign.tone != "ok"), signs[0])
    return Slot(
        schedule=times[0].schedule,
        at=f"{first:%H:%M}–{last:%H:%M}",  # noqa: RUF001 - from, to
        sign=worst,
        title=f"{len(times)} times",
        href=f"{base}/schedules/{times[0].schedule.number}",
        overlaps=any(each.overlaps for each in times),
        count=len(times),
    )
