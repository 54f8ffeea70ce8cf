"""A period: its numbers beside those before, and its hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.statistics.overview import Part
from controlroom.ui.overview.periods import SPANS, columns, going_on, numbers, soon, span_of, sums, told
from controlroom.ui.words import NOTHING

NOW = datetime(2026, 11, 30, 12, 42, tzinfo=UTC)
OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize("span", SPANS, ids=lambda span: span.key)
def test_a_period_ends_with_the_hour_that_goes_on(span):
    """And has as many columns as parts, the last of which goes on."""
    assert span.since(NOW) + span.part * span.parts == datetime(2026, 11, 30, 13, tzinfo=UTC)
    drawn = columns(span, [Part(part=0, done=3, failed=1)], NOW, OSLO, "/w/x")
    assert len(drawn) == span.parts
    assert [column.is_now for column in drawn] == [False] * (span.parts - 1) + [True]
    assert told(drawn, span.title) == f"{span.title}: 3 done, 1 failed, most 3 at {drawn[0].label}"


def test_the_day_before_is_the_measure():
    """Parts before 0 are of it."""
    parts = [
        Part(part=-1, runs=208, completed=200, done=10, milliseconds=36_000, waits=9, wait_milliseconds=900),
        Part(part=0, waits=9, wait_milliseconds=4100),
        Part(part=23, runs=214, completed=208, done=18_402, failed=61, milliseconds=62_774_200),
    ]
    runs, completed, done, failed, wait = numbers(SPANS[0], parts, "/w/x")

    assert (runs.value, runs.measure) == ("214", "208 the day before")
    assert (completed.value, completed.unit, completed.measure) == ("97.2", "%", "96.2 % the day before")
    assert (done.value, done.measure) == ("18,402", "3.4 s each, before 3.6 s")
    assert (failed.value, failed.tone, failed.href) == ("61", "bad", "/w/x/items?tab=failed")
    assert (wait.value, wait.unit, wait.title) == ("4.1", "s", "0.90 s the day before")


def test_an_empty_period_says_nothing_wrong():
    """No share of nothing, no time of nobody."""
    assert [number.value for number in numbers(SPANS[0], [], "")] == ["0", NOTHING, "0", "0", NOTHING]
    assert sums([])[0].each is None


@given(st.lists(st.builds(Part, part=st.integers(-60, 60), runs=st.integers(0, 9), done=st.integers(0, 10**9))))
def test_any_parts_are_drawn(parts):
    """What lies outside is left out."""
    for span in SPANS:
        assert len(columns(span, parts, NOW, OSLO, "")) == span.parts
        assert len(numbers(span, parts, "")) == 5


@pytest.mark.parametrize(
    ("hours", "said"), [(1, "14:42"), (23, "12:42"), (48, "Wed"), (24 * 7, "7 Dec"), (24 * 32, "1 Jan")]
)
def test_what_comes_is_said_in_few_letters(hours, said):
    """The clock within a day, then the weekday, then the date."""
    assert soon(NOW + timedelta(hours=hours), NOW, OSLO) == said


def test_an_unknown_period_is_the_day():
    """As is none."""
    assert span_of("").key == span_of("9y").key == "24h"
    assert going_on("Every hour") == "every hour"
    assert going_on("") == ""
