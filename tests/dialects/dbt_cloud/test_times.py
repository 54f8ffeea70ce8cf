"""Times and durations, and in words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from controlroom.dialects.dbt_cloud.times import ago, clock, humanized, with_blank, with_t

AT = datetime(2024, 5, 27, 10, 42, 16, tzinfo=UTC)


def test_moments_have_six_digits_and_the_offset():
    """Also where there is no fraction; wherever they came from (§0.24)."""
    elsewhere = AT.astimezone(timezone(timedelta(hours=2)))

    assert with_blank(elsewhere) == "2024-05-27 10:42:16.000000+00:00"
    assert with_t(elsewhere) == "2024-05-27T10:42:16.000000+00:00"


@pytest.mark.parametrize(
    ("took", "digits", "words"),
    [
        (timedelta(), "00:00:00", "0 minutes"),
        (timedelta(seconds=51.9), "00:00:51", "51 seconds"),
        (timedelta(minutes=56, seconds=48), "00:56:48", "56 minutes, 48 seconds"),
        (timedelta(hours=24, seconds=36), "24:00:36", "1 day"),
        (timedelta(days=17), "408:00:00", "2 weeks, 3 days"),
        (timedelta(seconds=-5), "00:00:00", "0 minutes"),
    ],
)
def test_durations_are_told_as_a_clock_and_in_words(took, digits, words):
    """Hours may pass 24; words are the two largest units that stand side by side (§3.8)."""
    assert (clock(took), humanized(took)) == (digits, words)


def test_how_long_ago_and_how_long_until():
    """What has not been is no time from now."""
    assert ago(AT - timedelta(days=17), AT) == "2 weeks, 3 days ago"
    assert ago(AT + timedelta(hours=2), AT) == "2 hours from now"
    assert ago(None, AT) == "0 minutes from now"
