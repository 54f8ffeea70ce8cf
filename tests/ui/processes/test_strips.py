"""Strips and the chart of runs: what is drawn on which side of the line."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.runs.model import Result, RunState
from controlroom.engine.runs.strips import Past, Strip
from controlroom.ids import ProcessId, uuid7
from controlroom.ui.processes import strips

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
PROCESS = ProcessId(uuid7())


def past(
    number: int = 1, state: RunState = RunState.COMPLETED, result: Any = Result.SUCCEEDED, minutes: float = 10
) -> Past:
    """A run that began an hour ago."""
    began = NOW - timedelta(hours=1)
    ended = None if result is None else began + timedelta(minutes=minutes)
    return Past(
        process_id=PROCESS,
        number=number,
        state=state,
        result=result,
        created_at=began,
        started_at=began,
        ended_at=ended,
    )


@pytest.mark.parametrize(
    ("state", "result", "tone"),
    [
        (RunState.COMPLETED, Result.SUCCEEDED, "ok"),
        (RunState.COMPLETED, Result.STOPPED, "idle"),
        (RunState.UNRESOLVED, Result.FAILED, "warn"),
        (RunState.UNRESOLVED, Result.LOST, "bad"),
        (RunState.UNRESOLVED, Result.STOPPED, "idle"),
        (RunState.IN_PROGRESS, None, "run"),
        (RunState.NEW, None, "run"),
    ],
)
def test_what_a_run_came_to_is_its_side_of_the_line(state, result, tone):
    """Good above, bad below, in part both; what was stopped is grey."""
    assert strips.tone_of(past(state=state, result=result)) == tone


def test_the_longest_is_the_tallest_and_each_says_what_it_was():
    """A run that goes on is as long as it is by now."""
    bars = strips.bars_of([past(4), past(5, RunState.IN_PROGRESS, None)], "/w/x", NOW)

    assert [(bar.height, bar.href) for bar in bars] == [(pytest.approx(1 / 6), "/w/x/runs/4"), (1, "/w/x/runs/5")]
    assert [bar.title for bar in bars] == ["#4 Completed in 10 m", "#5 In progress for 1 h"]


def test_a_list_has_a_picture_a_process():
    """Of a few paths, however many runs; the last thirty of them."""
    picture = strips.brief([past(n) for n in range(99)], NOW)

    assert picture.count("<path") == 1
    assert picture.count("M") == 30
    assert "The last 30 runs: 30 completed" in picture
    assert "path" not in strips.brief([], NOW)
    linked = strips.brief([past(1), past(2, RunState.UNRESOLVED, Result.FAILED), past(3)], NOW, "/w/x")
    assert re.findall('href="([^"]+)"', linked) == ["/w/x/runs/2"]


@given(st.lists(st.floats(0, 10**6), max_size=60))
def test_the_chart_stays_in_its_picture(minutes):
    """Whatever runs took: nothing is placed outside, and every run is a link."""
    runs = [past(n, minutes=took) for n, took in enumerate(minutes)]

    picture = strips.history(runs, "", NOW, ["1 Dec"] * len(runs))

    assert picture.count("<a href") == len(runs)
    assert "-" not in "".join(part.split('"')[0] for part in picture.split('y="')[1:])


def test_a_strip_counts_what_it_shows():
    """Stopped ones have ended, and did not complete."""
    strip = Strip([past(), past(result=Result.STOPPED), past(state=RunState.IN_PROGRESS, result=None)])
    assert (strip.ended, strip.completed) == (2, 1)
    assert Strip([]).last is None


@pytest.mark.parametrize("count", [1, 2, 3, 7, 11, 30, 60])
def test_dates_beneath_do_not_lie_upon_each_other(count):
    """However few runs there are: each date has room, and there is one."""
    runs = [past(number) for number in range(count)]
    picture = strips.history(runs, "", NOW, [f"{number:02}:26" for number in range(count)])
    places = [float(place) for place in re.findall(r'<text x="([\d.]+)%" y="99%"', picture)]

    assert places
    assert all(later - earlier >= 15 for earlier, later in itertools.pairwise(places))
    assert all(5 <= place <= 95 for place in places)
