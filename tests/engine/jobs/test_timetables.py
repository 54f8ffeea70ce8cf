"""When a job is due, as an expression of cron."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.jobs.errors import JobInvalid
from controlroom.engine.jobs.model import (
    AtHours,
    CustomCron,
    DaysOfWeek,
    EveryDay,
    EveryHours,
    IntervalOfDays,
    Timetable,
)
from controlroom.engine.jobs.timetables import check, cron_of, timetable_of
from controlroom.engine.schedules import rules
from controlroom.engine.schedules.model import Cron, Timing

NOW = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)
SOME_DAYS = st.lists(st.integers(0, 6), min_size=1).map(tuple)
DAYS = st.one_of(st.just(EveryDay()), st.builds(DaysOfWeek, SOME_DAYS), st.builds(IntervalOfDays, SOME_DAYS))
HOURS = st.one_of(
    st.builds(EveryHours, st.integers(1, 23)),
    st.builds(AtHours, st.lists(st.integers(0, 23), min_size=1).map(tuple)),
)


@pytest.mark.parametrize(
    ("timetable", "cron"),
    [
        (Timetable(), "0 * * * *"),
        (Timetable(EveryDay(), EveryHours(12)), "0 */12 * * *"),
        (Timetable(EveryDay(), AtHours((12, 0))), "0 0,12 * * *"),
        (Timetable(DaysOfWeek((5, 1)), AtHours((9,))), "0 9 * * 1,5"),
        (Timetable(IntervalOfDays((0, 1)), EveryHours(12), minute=6), "6 */12 * * 0,1"),
        (Timetable(CustomCron("15 3 L * *")), "15 3 L * *"),
    ],
)
def test_each_kind_is_an_expression(timetable, cron):
    """The four kinds of days and the two of hours."""
    check(timetable)

    assert cron_of(timetable) == cron


@given(DAYS, HOURS, st.integers(0, 59))
def test_it_is_due_when_it_says(days, hours, minute):
    """On its days, at its hours, in its minute, all of UTC; and the expression is known again."""
    timetable = Timetable(days, hours, minute)
    check(timetable)

    due = rules.occurrences(Timing(rule=Cron(cron_of(timetable)), zone="UTC", starts_at=NOW), NOW, 5)

    assert due
    for moment in due:
        assert moment.minute == minute
        assert isinstance(days, EveryDay) or moment.isoweekday() % 7 in days.days
        assert moment.hour in hours.hours if isinstance(hours, AtHours) else moment.hour % hours.interval == 0
    assert timetable_of(cron_of(timetable), timetable) is timetable


def test_the_last_day_of_a_month_is_known():
    """`L` is the 30th of November, the 31st of December."""
    timing = Timing(rule=Cron(cron_of(Timetable(CustomCron("0 3 L * *")))), zone="UTC", starts_at=NOW)

    due = rules.occurrences(timing, NOW, 4)

    assert [(each.month, (each + timedelta(days=1)).day) for each in due] == [(11, 1), (12, 1), (1, 1), (2, 1)]


def test_an_expression_of_somebody_else_is_told_as_it_is():
    """A schedule that was changed elsewhere is a custom one."""
    assert timetable_of("0 4 * * *", Timetable()) == Timetable(CustomCron("0 4 * * *"))


@pytest.mark.parametrize(
    "timetable",
    [
        Timetable(CustomCron("")),
        Timetable(CustomCron("1 2 3")),
        Timetable(CustomCron("0 0 3 * * *")),
        Timetable(DaysOfWeek(())),
        Timetable(DaysOfWeek((7,))),
        Timetable(IntervalOfDays((-1,))),
        Timetable(hours=AtHours(())),
        Timetable(hours=AtHours((24,))),
        Timetable(hours=EveryHours(0)),
        Timetable(hours=EveryHours(24)),
        Timetable(minute=60),
    ],
)
def test_what_cannot_be_is_refused(timetable):
    """Days from 0 to 6, hours from 0 to 23, expressions of five fields."""
    with pytest.raises(JobInvalid):
        check(timetable)
