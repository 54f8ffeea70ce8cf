"""Moments that people type: by the clock of a zone, and left alone where nobody touched them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from controlroom.errors import Invalid
from controlroom.ui.local_times import local_said, read_moment

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("2027-01-31T07:30", datetime(2027, 1, 31, 6, 30, tzinfo=UTC)),
        ("2027-07-31T07:30:15", datetime(2027, 7, 31, 5, 30, 15, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_and_said_by_the_clock_of_a_zone(typed, at):
    """With seconds where there are some."""
    assert read_moment(typed, OSLO) == at
    assert local_said(at, OSLO) == typed


def test_what_nobody_touched_stays_to_the_microsecond():
    """Also in the hour that a clock shows twice."""
    second = datetime(2027, 10, 31, 1, 30, 0, 123_456, tzinfo=UTC)  # the later 02:30 of Oslo
    assert read_moment(local_said(second, OSLO), OSLO, second) is second
    assert read_moment("2027-10-31T02:31", OSLO, second) != second


@pytest.mark.parametrize("typed", ["", "tomorrow", "2027-13-01T00:00", "2027-01-31T07:30Z", "0001-01-01T00:00"])
def test_what_is_no_such_moment_is_refused(typed):
    """Nothing, words, no date, one that says its own zone, one that no calendar has in UTC."""
    with pytest.raises(Invalid):
        read_moment(typed, OSLO)
