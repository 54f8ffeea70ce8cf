"""Durations as people type them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.ui.durations import read, written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("10 min", 600), ("1 h 30 m", 5400), ("1.5h", 5400), ("2 days", 172_800), (" 12 m 41 s ", 761)],
)
def test_what_people_type_is_understood(text, seconds):
    """With units or without, together or apart."""
    assert read(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["soon", "10 m 1 h", "5 5", "1 y", "-3", "1 h 2 h", "1e9", "9" * 400])
def test_what_is_none_is_refused(text):
    """Rather than guessed."""
    with pytest.raises(ValueError, match="a duration is written as"):
        read(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)))
def test_what_a_form_shows_is_what_it_saves(span):
    """To the microsecond."""
    assert read(written(span)) == span


def test_nothing_is_none():
    """Both ways."""
    assert read("  ") is None
    assert written(None) == ""
