"""What became of times, on the lines of a day and in the days of a week."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.schedules.test_calendar import SCHEDULE

from controlroom.engine.runs.model import Result, RunState
from controlroom.engine.schedules.calendar import Happened, Time
from controlroom.engine.schedules.definitions import Standing
from controlroom.engine.schedules.model import OccurrenceState
from controlroom.ui.schedules.told import day_of, hours_of, sign_of, standing_of, tone_of, week_of

OSLO = ZoneInfo("Europe/Oslo")
BEGINS = datetime(2026, 11, 30, tzinfo=OSLO)
ENDS, NOW = BEGINS + timedelta(days=1), BEGINS + timedelta(hours=12)


def happened(state: OccurrenceState, run: RunState | None = None, result: Result | None = None) -> Happened:
    """What became of a time."""
    return Happened(
        schedule_id=SCHEDULE.id,
        due=NOW,
        state=state,
        reason="",
        run_number=None if run is None else 7,
        run_state=run,
        run_result=result,
        started_at=None,
        ended_at=None,
        fired_by=None,
    )


def at(hours: float, past: Happened | None = None, minutes: float = 0) -> Time:
    """A time of the day."""
    due = BEGINS + timedelta(hours=hours)
    return Time(schedule=SCHEDULE, due=due, ends=due + timedelta(minutes=minutes), past=past)


STARTED = happened(OccurrenceState.STARTED, RunState.COMPLETED, Result.SUCCEEDED)
MISSED = happened(OccurrenceState.MISSED)


@pytest.mark.parametrize("state", OccurrenceState)
def test_every_end_has_a_sign(state):
    """And a colour; of what has started it is that of the run."""
    assert sign_of(happened(state)).word
    assert tone_of(happened(state)) in {"ok", "warn", "bad", "idle"}


def test_a_start_shows_what_became_of_the_run():
    """In progress, stopped, unresolved."""
    under_way = happened(OccurrenceState.STARTED, RunState.IN_PROGRESS)
    stopped = happened(OccurrenceState.STARTED, RunState.COMPLETED, Result.STOPPED)
    assert [tone_of(each) for each in (None, STARTED, under_way, stopped)] == ["soft", "ok", "run", "idle"]
    assert [sign_of(each).word for each in (None, stopped)] == ["To come", "Stopped"]
    assert {standing_of(each).word for each in Standing} >= {"Active", "Paused"}


def test_a_day_has_a_line_a_schedule():
    """Few times are marks; many are one band, and what is not as usual stands out of it."""
    day = day_of([at(6, STARTED, 30), at(18)], BEGINS, ENDS, NOW, OSLO, "/w/x")
    [line] = day.lines
    assert ([mark.start for mark in line.marks], line.bands, day.now) == (["25%", "75%"], [], "50%")
    assert line.marks[0].href == "/w/x/runs/7"
    many = [at(n / 4, STARTED if n < 48 else None) for n in range(96)]
    many[8] = at(2, MISSED)
    [line] = day_of(many, BEGINS, ENDS, NOW, OSLO, "").lines
    assert (line.count, len(line.marks), len(line.bands), line.missed) == (96, 1, 2, 1)
    assert line.bands[0].title == "00:00 to 11:45: 47 started"


def test_hours_follow_the_clock():
    """Of a day of 25 hours, too."""
    begins, ends = datetime(2026, 10, 25, tzinfo=OSLO), datetime(2026, 10, 26, tzinfo=OSLO)
    told = [said for _, said in hours_of(begins.astimezone(UTC), ends.astimezone(UTC), OSLO)]
    assert (told[0], told[1], told[-1], len(told)) == ("00:00", "02:00", "23:00", 9)


def test_a_week_has_its_times_by_day():
    """What is due often is a line for what happened and one for what comes; what did not go as usual has its own."""
    often = [at(n, STARTED if n < 12 else None) for n in range(24)]
    often[3] = at(3, MISSED)
    week = week_of([*often, at(24 + 7)], BEGINS.date(), NOW, OSLO, "")

    assert [day.is_today for day in week] == [True] + [False] * 6
    assert [(slot.at, slot.count, slot.sign.word) for slot in week[0].slots] == [
        ("00:00\N{EN DASH}11:00", 11, "Completed"),
        ("03:00", 1, "Missed"),
        ("12:00\N{EN DASH}23:00", 12, "To come"),
    ]
    assert [slot.at for slot in week[1].slots] == ["07:00"]
    assert week[1].name == "Tue 1 Dec"


@given(
    st.lists(st.tuples(st.floats(0, 23.99), st.floats(0, 10**5), st.sampled_from([None, STARTED, MISSED])), max_size=40)
)
def test_nothing_stands_outside_of_the_day(times):
    """However long something takes."""
    day = day_of([at(hours, past, minutes) for hours, minutes, past in times], BEGINS, ENDS, NOW, OSLO, "")
    for line in day.lines:
        for mark in (*line.marks, *line.bands):
            assert 0 <= float(mark.start[:-1]) + float(mark.width[:-1]) <= 100.5
