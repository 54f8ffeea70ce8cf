"""How times, durations, counts, sizes and ids are written."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.ui import words

OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2026, 11, 26, 6, 42, 43, tzinfo=UTC)  # a Thursday, 07:42:43 in Oslo

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(), timedelta(days=36_500)).map(lambda span: EPOCH + span)
spans = st.timedeltas(timedelta(), timedelta(days=4000))
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(seconds=0.4), "now"),
        (timedelta(seconds=41), "41 s ago"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=5, minutes=59), "5 h ago"),
        (timedelta(hours=37, minutes=38), "Tue 18:04"),
        (timedelta(hours=25), "yesterday 06:42"),
        (timedelta(days=3), "Mon 07:42"),
        (timedelta(days=45), "12 Oct"),
        (timedelta(days=410), "12 Oct 2025"),
        (timedelta(minutes=-3), "in 3 min"),
        (timedelta(hours=-30), "tomorrow 13:42"),
    ],
)
def test_since(before, said):
    """Lists say how long ago; from a day on, when."""
    assert words.since(NOW - before, NOW, OSLO) == said


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(minutes=12, seconds=41), "07:30:02"),
        (timedelta(hours=13), "yesterday 18:42:43"),
        (timedelta(days=45), "12 Oct 08:42"),
    ],
)
def test_clock(before, said):
    """Details say the clock, with the day where it is not today's; summer time is what it was then."""
    assert words.clock(NOW - before, NOW, OSLO) == said


@given(moments, moments)
def test_every_moment_has_words(at, now):
    """However far they are apart, in whichever order, some words come out, and none of them is long."""
    for said in (words.since(at, now, OSLO), words.clock(at, now, OSLO), words.at_minute(at, now, OSLO)):
        assert 0 < len(said) <= 24


@given(moments)
def test_the_whole_moment_tells_the_same_twice(at):
    """The title has the zone's time and UTC's, and both are the moment."""
    told = words.full(at, OSLO, "Europe/Oslo")
    here, zone, utc = re.fullmatch(r"(\S+ \S+) Europe/Oslo \(UTC(.+)\) · (\S+)Z", told).groups()
    assert datetime.fromisoformat(f"{here}{zone}") == datetime.fromisoformat(f"{utc}+00:00")
    assert abs(datetime.fromisoformat(words.iso(at, OSLO)) - at) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.00 s"),
        (0.04, "0.04 s"),
        (0.999, "1.0 s"),
        (3.4, "3.4 s"),
        (9.96, "10 s"),
        (41, "41 s"),
        (59.7, "1 m"),
        (761, "12 m 41 s"),
        (1080, "18 m"),
        (11_520, "3 h 12 m"),
        (7740, "2 h 09 m"),
        (187_200, "2 d 4 h"),
        (-5, "0.00 s"),
    ],
)
def test_duration(seconds, said):
    """Two units at most, as finely as one still reads it."""
    assert words.duration(timedelta(seconds=seconds)) == said


@given(spans)
def test_a_duration_is_not_far_from_what_is_said(span):
    """What is read back differs by less than the unit that was left out."""
    said = words.duration(span)
    parts = re.findall(r"([\d.]+) ([smhd])", said)
    read = sum(float(number) * SECONDS[unit] for number, unit in parts)
    smallest = {"d": 3600, "h": 60, "m": 1, "s": 0.51}[parts[0][1]]
    assert abs(read - span.total_seconds()) <= smallest
    assert said == " ".join(f"{number} {unit}" for number, unit in parts)


@given(st.lists(spans, min_size=2, max_size=2).map(sorted))
def test_what_may_take_longer_is_not_said_to_be_shorter(two):
    """`about` grows with the span."""
    units = {"min": 1, "h": 60, "days": 1440}

    def minutes(said):
        return 0 if said.startswith("less") else int(said.split()[1]) * units[said.split()[2]]

    less, more = (minutes(words.about(each)) for each in two)
    assert less <= more + 30


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (18_402, "18,402"),
        (99_999, "99,999"),
        (100_000, "about 100 k"),
        (999_950, "about 1.0 M"),
        (1_234_567, "about 1.2 M"),
        (5_000_000_000, "about 5.0 B"),
    ],
)
def test_count(number, said):
    """Exact up to 100,000."""
    assert words.count(number) == said


@given(st.integers(0, 10**15))
def test_a_count_is_not_far_from_what_is_said(number):
    """Roughly is within a twentieth."""
    said = words.count(number)
    unit = {"k": 10**3, "M": 10**6, "B": 10**9}.get(said[-1], 1)
    read = float(re.sub(r"[^\d.]", "", said)) * unit
    assert abs(read - number) <= (0.06 * number if said.startswith("about") else 0)


@given(st.integers(0, 10**18))
def test_a_size_has_at_most_three_figures(number):
    """And is within a twentieth of what it is."""
    figure, unit = words.size(number).split()
    read = float(figure) * 1000 ** ["B", "KB", "MB", "GB", "TB", "PB"].index(unit)
    assert unit == "PB" or len(figure.replace(".", "")) <= 3
    assert abs(read - number) <= max(0.06 * number, 0.5 if unit == "B" else 500)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_only_all_is_a_hundred_per_cent(part, more):
    """99,999 of 100,000 are 99.9 %, and one of a million is 0.1 %."""
    whole = part + more
    said = words.percent(part, whole)
    assert said != "100 %"
    assert (said == "0 %") == (part == 0)
    assert words.percent(whole, whole) == "100 %"


def test_short_id():
    """Its beginning and its end; what is short already stays."""
    assert words.short_id("019ac2e4-77b1-7c3e-a8f5-0b1d2c3e7f31") == "019ac2e4…7f31"
    assert words.short_id("4821") == "4821"


@given(st.text(max_size=60))
def test_initials_are_two_letters_at_most(name):
    """Of any name at all."""
    assert words.initials("Ingrid Moe") == "IM"
    assert words.initials("ada.lovelace@example.com") == "AC"
    assert 1 <= len(words.initials(name)) <= 6  # some letters are several when they are large
