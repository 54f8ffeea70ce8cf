"""What a callback may ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.runs.callbacks import MOST_HEADER_BYTES, MOST_HEADERS, CallbackInvalid, checked_headers

NAMES = st.text("abcdefgXYZ-_09", min_size=1, max_size=20).map(lambda name: f"X-{name}")
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=50)


@given(st.dictionaries(NAMES, VALUES, max_size=MOST_HEADERS))
def test_headers_are_sent_as_they_are_given(headers):
    """By lower-case names, without blanks around what they say."""
    checked = checked_headers(headers)

    assert checked == {name.lower(): value.strip(" \t") for name, value in headers.items()}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "a"),
        ("X A", "a"),
        ("X-A\r\nX-B", "a"),
        ("X-A:", "a"),
        ("Ü", "a"),
        ("X-A", "a\r\nX-B: b"),
        ("X-A", "a\n"),
        ("X-A", "a\0"),
        ("X-A", "\N{SNOWMAN}"),
        ("Host", "elsewhere.example.com"),
        ("content-LENGTH", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("Upgrade", "websocket"),
        ("Proxy-Authorization", "Basic YQ=="),
        ("TE", "trailers"),
    ],
)
def test_what_is_no_header_or_says_how_a_message_is_carried_is_refused(name, value):
    """A message can be neither split nor given another length or receiver."""
    with pytest.raises(CallbackInvalid):
        checked_headers({name: value})


@pytest.mark.parametrize(
    "headers", [{f"X-{number}": "" for number in range(MOST_HEADERS + 1)}, {"X-A": "a" * MOST_HEADER_BYTES}]
)
def test_headers_are_few_and_short(headers):
    """By their number, and by what they weigh together."""
    with pytest.raises(CallbackInvalid):
        checked_headers(headers)
