"""Which failures are one."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlroom.engine.statistics.model import HOUR, Noun, Period
from controlroom.engine.statistics.rules import LOOKED_AT, fingerprint, pattern_of, whole_hours

_WORDS = st.lists(
    st.sampled_from(["invoice", "could", "not", "be", "read", "from", "the", "portal", "row"]), max_size=6
)
_VARIABLE = (
    st.integers(0, 10**12).map(str),
    st.floats(0, 1e6, allow_nan=False).map("{:.3f}".format),
    st.uuids().map(str),
    st.datetimes().map(datetime.isoformat),
    st.from_regex(r"INV-[0-9]{1,8}", fullmatch=True),
)
_QUOTED = st.text(st.characters(exclude_characters="'\n", exclude_categories=["Cs"]), max_size=20).map("'{}'".format)
_PATH = st.lists(st.from_regex(r"[a-z_.]{1,8}", fullmatch=True), min_size=2, max_size=5).map(
    lambda parts: "/" + "/".join(parts)
)


@settings(max_examples=50)
@given(_WORDS, st.data(), st.sampled_from([*_VARIABLE, _QUOTED, _PATH]))
def test_what_varies_does_not_tell_failures_apart(words, data, varying):
    """Two messages of the same words agree, whatever numbers, ids, times, quoted texts and paths stand in them."""
    one, other = (" ".join([*words, data.draw(varying), *words]) for _ in range(2))
    assert pattern_of(one) == pattern_of(other)


@given(_WORDS, _WORDS)
def test_words_do(words, others):
    """Messages of different words are different failures."""
    assert (pattern_of(" ".join(words)) == pattern_of(" ".join(others))) == (words == others)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_no_digit_is_left(message):
    """A pattern has no decimal digit, is no longer than its kinds make it, and is the same each time."""
    pattern = pattern_of(message)
    assert not any(character.isdecimal() for character in pattern)
    assert pattern == pattern_of(message)


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        ("Timeout after 30s at 2026-11-02T08:30:01.250Z", "Timeout after <number> at <number>"),
        ('No element "Save & close" in /var/robots/a/b.html:17', "No element <text> in <path>:<number>"),
        (r"cannot open C:\Users\ada\Invoices\x.pdf", "cannot open <path>"),
        ("run 019ac2e4-0000-7000-8000-00000000abcd is gone", "run <id> is gone"),
        ("GET https://portal.example/orders/17?x=1 said 503", "GET <address> said <number>"),
        ("mail of ada.l@example.com was refused", "mail of <address> was refused"),
        ("don't know why it's gone", "don't know why it's gone"),
        ("either/or", "either/or"),
        ("Invoice INV2041 has\n  no order", "Invoice <number> has no order"),
    ],
)
def test_patterns(message, pattern):
    """What people write is read as they mean it."""
    assert pattern_of(message) == pattern


def test_long_and_hostile_messages_are_cheap():
    """What follows the first characters does not count, and no message takes long."""
    assert pattern_of("x" * LOOKED_AT + "y") == pattern_of("x" * LOOKED_AT + "z")
    for hostile in ("'\"`" * 1000, "a/" * 2000, "a@" * 2000, "a" * 4000, "://a" * 1000, "[(=/" * 1000, "-a" * 2000):
        pattern_of(hostile)


def test_groups_are_told_apart_by_process_kind_and_code():
    """The same words elsewhere are another failure."""
    process, other = UUID(int=1), UUID(int=2)
    marks = {
        fingerprint(noun, of, kind, code, "no order")
        for noun in (Noun.STEP_RUN, Noun.WORK_ITEM)
        for of in (process, other, None)
        for kind in ("business", "application")
        for code in ("", "A")
    }
    assert len(marks) == 24


_MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3), timezones=st.just(UTC))  # noqa: DTZ001 - given


@given(_MOMENTS, st.timedeltas(timedelta(), timedelta(days=1)))
def test_a_period_is_parts_and_whole_hours(since, length):
    """The whole hours lie inside; what is left at either end is shorter than an hour, or all of it."""
    period = Period(since, since + length)
    whole = whole_hours(period)
    assert period.since <= whole.since <= whole.until <= period.until
    if whole.since == whole.until:
        assert whole.since == period.until
    else:
        assert whole.since - period.since < HOUR
        assert period.until - whole.until < HOUR
        assert (whole.since.minute, whole.until.minute, whole.since.microsecond) == (0, 0, 0)
