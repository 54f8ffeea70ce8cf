"""When a schedule is due, how it starts its runs, and what becomes of each time.

What a schedule is as a whole is in `definitions`. This here is read in the processes of `aside`, too, and stays light.
"""

from datetime import datetime, time, timedelta
from enum import IntEnum, StrEnum
from uuid import UUID

from msgspec import Raw, Struct

from controlroom.ids import RunId


# ---------------------------------------------------------------------------------------------------- rules
class Weekday(IntEnum):
    """A day of the week, counted as Python does."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class Cron(Struct, frozen=True, tag="cron"):
    """Five fields as Debian's cron reads them, also with `L`, `LW`, `MON#2`; or six, with seconds in front."""

    expression: str


class Interval(Struct, frozen=True, tag="interval"):
    """Every so many seconds of real time, counted from the schedule's start."""

    seconds: int


class Again(Struct, frozen=True):
    """After each time of a day again, every so many minutes by the clock of the zone, within that day."""

    minutes: int
    until: time | None = None
    """The last time at which it may be; None: the day's end."""


class Daily(Struct, frozen=True, omit_defaults=True, tag="daily"):
    """At these local times, every so many days from the schedule's start."""

    times: tuple[time, ...]
    every: int = 1
    again: Again | None = None


class Weekly(Struct, frozen=True, omit_defaults=True, tag="weekly"):
    """On these days at these local times, every so many weeks (from Monday) from the schedule's start."""

    days: tuple[Weekday, ...]
    times: tuple[time, ...]
    every: int = 1
    again: Again | None = None


class DayOfMonth(Struct, frozen=True, tag="day"):
    """A day by its number; a month that has no such day is passed over."""

    day: int


class LastDay(Struct, frozen=True, tag="last_day"):
    """The last day of the month."""


class NthWeekday(Struct, frozen=True, tag="nth_weekday"):
    """The first to fifth such weekday of the month, or the last one (-1)."""

    nth: int
    weekday: Weekday


class Monthly(Struct, frozen=True, omit_defaults=True, tag="monthly"):
    """On one day of the month at these local times, every so many months from the schedule's start."""

    on: DayOfMonth | LastDay | NthWeekday
    times: tuple[time, ...]
    every: int = 1
    again: Again | None = None
    months: tuple[int, ...] = ()
    """Only in these, counted from 1 for January; none: in all."""


class Once(Struct, frozen=True, omit_defaults=True, tag="once"):
    """One local time."""

    at: datetime
    again: Again | None = None


class RRule(Struct, frozen=True, tag="rrule"):
    """A recurrence rule of RFC 5545, counted from a local time."""

    rule: str
    start: datetime


Rule = Cron | Interval | Daily | Weekly | Monthly | Once | RRule
"""When a schedule is due, in local times of its zone (intervals: in real time)."""


class Timing(Struct, frozen=True, kw_only=True):
    """All that says when a schedule is due."""

    rule: Rule
    zone: str
    """IANA name."""
    starts_at: datetime
    """Nothing is due before; intervals, and every second day, week or month, are counted from here."""
    ends_at: datetime | None = None
    """Nothing is due after."""


# ---------------------------------------------------------------------------------------------------- policies
class Missed(StrEnum):
    """What becomes of occurrences that nobody noticed within the grace: the room was down."""

    SKIP = "skip"
    RUN_ONCE = "run_once"
    """One run for all of them, unless a later one is due anyway."""


class Overlap(StrEnum):
    """What happens while a run of the same schedule is under way."""

    ALLOW = "allow"
    SKIP = "skip"
    QUEUE = "queue"
    """It waits for the end of that run."""


class UsualInput(Struct, frozen=True, tag="default"):
    """The process's default item, else one empty item."""


class GivenPayload(Struct, frozen=True, tag="payload"):
    """One item with this payload."""

    payload: Raw


class WaitingItems(Struct, frozen=True, tag="waiting_items"):
    """What waits in the input queue; if nothing does, no run is started."""


ScheduledInput = UsualInput | GivenPayload | WaitingItems


class Policies(Struct, frozen=True, kw_only=True):
    """How a schedule starts its runs."""

    missed: Missed = Missed.SKIP
    grace: timedelta = timedelta(minutes=5)
    """Why: longer than a restart or a take-over takes, shorter than people would call it punctual. A guess."""
    overlap: Overlap = Overlap.ALLOW
    skip_after: timedelta | None = None
    """An occurrence that had to wait for longer (overlap `queue`) is given up."""
    cancel_after: timedelta | None = None
    """A run that no robot has begun so long after its time is stopped."""
    inputs: ScheduledInput = UsualInput()
    priority: int = 0


# ---------------------------------------------------------------------------------------------------- what came of it
class OccurrenceState(StrEnum):
    """What became of an occurrence."""

    STARTED = "started"
    NOTHING_WAITED = "nothing_waited"
    """It was to take what waits, and nothing did."""
    MISSED = "missed"
    """The room was down when it was due, as it was for those that followed; `reason` says until when."""
    SKIPPED = "skipped"
    """A run of the schedule was under way, or it had waited for too long."""
    WAITING = "waiting"
    """A run of the schedule is under way."""
    FAILED = "failed"
    """The process could not be started; `reason` says why."""


class Occurrence(Struct, frozen=True, kw_only=True):
    """A time at which a schedule was due, and what became of it."""

    due: datetime
    state: OccurrenceState
    run_id: RunId | None
    reason: str
    at: datetime
    fired_by: UUID | None
    """The user or credential that has brought it about by hand; None: its time had come."""
