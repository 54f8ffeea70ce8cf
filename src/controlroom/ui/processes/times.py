"""When things of a process were and will be, as its page says it: pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from controlroom.engine.runs.model import Run
from controlroom.engine.schedules.upcoming import Outlook
from controlroom.ui import words
from controlroom.ui.rendering import Reader


class Line(Struct, frozen=True):
    """A line beneath a schedule: a time at which it is due, or a change of the clocks before the next."""

    day: str
    said: str
    at: datetime
    title: str
    is_clock: bool = False


def days_of(runs: Sequence[Run], reader: Reader) -> list[str]:
    """The day of each run, for beneath a chart; the clock's time where all are of today."""
    moments = [run.started_at or run.created_at for run in runs]
    local = [moment.astimezone(reader.zone) for moment in moments]
    today = reader.now.astimezone(reader.zone).date()
    if all(each.date() == today for each in local):
        return [f"{each:%H:%M}" for each in local]
    return [words.day(each) for each in local]


def occurrences_of(outlook: Outlook, reader: Reader) -> list[Line]:
    """The next times by the schedule's own clock, and every change of that clock among them."""
    zone = ZoneInfo(outlook.schedule.zone)
    lines = []
    for n, at in enumerate(outlook.times):
        here = at.astimezone(zone)
        title = words.full(at, zone, outlook.schedule.zone)
        soon = f" · {words.since(at, reader.now, reader.zone)}" if n == 0 and _is_soon(at, reader) else ""
        lines.append(Line(_day(here, reader, zone), f"{here:%H:%M}{soon}", at, title))
    for change in outlook.clocks:
        way = "forward" if change.by > timedelta() else "back"
        said, title = f"clocks go {way} {words.duration(abs(change.by))}", words.full(change.at, zone, zone.key)
        day = _day(change.at.astimezone(zone), reader, zone)
        lines.append(Line(day, said, change.at, title, is_clock=True))
    return sorted(lines, key=lambda line: line.at)


def _is_soon(at: datetime, reader: Reader) -> bool:
    return at - reader.now < timedelta(days=1)


def _day(here: datetime, reader: Reader, zone: ZoneInfo) -> str:
    days = (here.date() - reader.now.astimezone(zone).date()).days
    said = f"{here:%a} {words.day(here)}"
    if days == 0:
        return f"Today, {said}"
    if days == 1:
        return f"Tomorrow, {said}"
    return said if here.year == reader.now.year else f"{said} {here.year}"
