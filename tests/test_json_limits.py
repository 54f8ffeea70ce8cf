"""What JSON is refused, whoever brings it: by its nest, its numbers, and what it becomes when it is told."""

import json
import time

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.json_limits import (
    DEEPEST,
    LONGEST_NUMBER,
    JsonTooComplex,
    NumberUnreadable,
    check_nesting,
    told_sizes,
)

MEGABYTE = 1024 * 1024


def told(text: bytes, limit: int = 5 * MEGABYTE) -> int:
    return sum(told_sizes(text, limit=limit))


def nest(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    "text",
    [
        nest(DEEPEST),
        b'{"a":' * DEEPEST + b"1" + b"}" * DEEPEST,
        b"[" + b",".join([nest(DEEPEST - 1)] * 50) + b"]",
        b"[" + b"[],{}," * 1000 + b"1]",
        json.dumps(["[" * 1000, "a\\", '"[{', "]" * 1000, {"[[" * 500: '\\"[' * 500}]).encode(),
    ],
)
def test_what_nests_less_deep_passes(text):
    """Brackets in strings are none, however they are quoted; many containers beside each other are no nest."""
    check_nesting(text)

    assert msgspec.json.decode(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        nest(DEEPEST + 1),
        nest(9_000),
        nest(2_000_000),
        b"[" * 3_000_000,
        b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1),
        b'["]]]]","\\"]",' + nest(DEEPEST) + b"]",
        b'["' + b"]" * 500 + b'",' + nest(DEEPEST) + b"]",
        b"[" + b'["["],' * 900_000 + b"1]",
    ],
)
def test_what_nests_deeper_is_refused(text):
    """Whatever is in strings beside it, and though it is no JSON at all."""
    with pytest.raises(JsonTooComplex):
        check_nesting(text)


@given(
    st.recursive(
        st.text('a[]{}"\\,') | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text('[]{}"\\'), inner)
    )
)
def test_the_depth_is_that_of_the_value(value):
    """What is counted in the text is what a reader would find."""

    def depth(of) -> int:
        inner = of.values() if isinstance(of, dict) else of if isinstance(of, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    text = json.dumps(value).encode()
    check_nesting(text, deepest=depth(value))
    if depth(value) > 0:
        with pytest.raises(JsonTooComplex):
            check_nesting(text, deepest=depth(value) - 1)


@pytest.mark.parametrize(
    "number",
    [
        b"0",
        b"-1",
        b"1e308",
        b"1.7976931348623157e308",
        b"-1.5E-300",
        b"1e-400",
        b"9" * LONGEST_NUMBER,
        b"0." + b"1" * 4000,
        b"1e+0022",
    ],
)
def test_numbers_that_are_read_back_pass(number):
    """Every double, and integers as long as interpreters read them."""
    assert told(b'{"a": [%s, "1e999999"]}' % number) < 10_000
    assert msgspec.json.decode(number) == json.loads(number)


@pytest.mark.parametrize(
    "number",
    [
        b"1e309",
        b"-1e309",
        b"1.8e308",
        b"1e131000",
        b"1E+999999999999999999999999",
        b"1e-131000",
        b"1e-4301",
        b"0.1e400",
        b"9" * 310 + b".5",
        b"9" * 310 + b"e0",
        b"9" * 250 + b"e60",
        b"9" * (LONGEST_NUMBER + 1),
        b"-" + b"9" * 131_000,
        b"0." + b"1" * 5000,
        b"0e99999999999999",
    ],
)
@pytest.mark.parametrize("around", [b"%s", b"[1, %s]", b'{"a":{"b":%s}}', b'["a\\\\",%s,"1"]'])
def test_numbers_that_are_not_read_back_are_refused(number, around):
    """Beyond a double, or too long when it is written out, wherever it stands."""
    with pytest.raises(NumberUnreadable):
        told(around.replace(b"%s", number))


def test_numbers_in_strings_are_text():
    """An exponent or many digits in a string are no number."""
    text = json.dumps(["1e131000", "7" * 200_000, {"1e999": '\\"1e999'}]).encode()

    assert told(text) <= len(text) + 10


@pytest.mark.parametrize("element", [b"1e131000", b"1e99", b"1e-99", b"1.5e-300"])
def test_what_is_told_is_counted(element):
    """Much that becomes more than the limit when it is written out is measured as such, whatever came."""
    count = 5 * MEGABYTE // 90
    text = b"[" + b",".join([element] * count) + b"]"

    assert told(text[: 3 * MEGABYTE] + b"1]") > 5 * MEGABYTE


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@pytest.mark.parametrize("limit", [0, MEGABYTE])
async def test_no_more_is_told_than_was_counted(postgres, limit):
    """Whatever PostgreSQL makes of a value has at most the size that was counted, near the limit and far from it."""
    connection = await asyncpg.connect(postgres)
    texts: list[bytes] = []
    given(st.lists(values, min_size=5))(lambda found: texts.extend(json.dumps(each).encode() for each in found))()
    texts += [
        b"[1e308,1e-300]",
        b"1.25e22",
        b"-0",
        b"[0e5,1E5,1.0e+3,10e-2]",
        b'{"a":1,"a":2}',
        b"[ 1 ,\n 2 ]",
        b'"\\u00e4\\/"',
    ]
    for text in texts:
        if b"\\u0000" not in text and b"\\ud" not in text:
            shown = await connection.fetchval("select octet_length($1::text::jsonb::text)", text.decode())
            assert shown <= told(text, limit), text
    await connection.close()


@pytest.mark.parametrize(
    "piece",
    [
        b'"ab",',
        b"[],",
        b'["["],',
        b"1e22,",
        b'"a1",1e0,',
        b"123456789,",
        b"1" * 199 + b",",
        b'"\\"",',
        b"1e300,",
        b"1" * 400 + b",",
        b"9" * 4000 + b",",
        b"1e99,",
    ],
)
def test_a_long_text_holds_nobody_up(piece):
    """Five megabytes of the most costly are looked at in short turns, by the time that a turn has a processor."""
    text = b"[" + piece * (5_000_000 // len(piece)) + b"1]"
    longest, began = 0.0, time.thread_time()
    try:
        check_nesting(text)
        for _ in told_sizes(text, limit=100 * MEGABYTE):
            now = time.thread_time()
            longest, began = max(longest, now - began), now
    except JsonTooComplex:
        longest = time.thread_time() - began

    assert longest < 1.0  # 60 ms on a quiet machine
