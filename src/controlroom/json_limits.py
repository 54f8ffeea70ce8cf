"""What JSON may be at every door: how deep it nests, how long its numbers are, how much there is of it when it is told.

Whoever reads has limits: no double is beyond 1.8e308, interpreters read no integer of more than 4,300 digits, and no
nest deeper than their stack (about 1,000; 255 for the schema of a queue; it differs between versions of Python). What
was stored is told again, to readers that we do not know: what could not be read is therefore refused when it is
written. And more may be told than came: PostgreSQL writes numbers out (`1e300` in 301 digits) and puts a space after
each comma and colon.

What is usual passes after a few counts; the rest is looked at closely, without ever making objects of it. See
docs/decisions/0012-json-limits.md.
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import ClassVar, Final, NamedTuple

import msgspec
from msgspec import Raw

from controlroom.errors import Invalid

DEEPEST: Final = 200
"""Arrays and objects in each other. Why: far beyond what people write, and below what the strictest reader bears."""
MOST_CONTAINERS: Final = 1_000_000
"""Arrays and objects in all. Why: to count how deep they nest takes 60 ms then."""
LONGEST_NUMBER: Final = 4300
"""Digits of a number that is written out: CPython's own limit (`sys.int_info.default_max_str_digits`)."""

_NO_BRACKET: Final = bytes(each for each in range(256) if each not in b'[]{}"')
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # 1 and -1, as signed bytes
_SPACE: Final = b" \t\r\n"
_DIGITS: Final = bytes(ord("1" if each in b".0123456789" else "e" if each in b"eE" else " ") for each in range(256))
_LONG: Final = b"1" * 200
"""A number so long that, with an exponent of two digits, it may be beyond a double; in what `_DIGITS` makes."""
_LARGE_EXPONENT: Final = b"1e111"
"""Three digits of an exponent, likewise. Why no regular expression: on 5 MB of digits one takes 200 ms, this 6."""
_EXPONENTS: Final = re.compile(rb"[0-9][eE]([-+]?[0-9]+)")
_REMARKABLE: Final = re.compile(rb"(?<![0-9.])(?:[0-9.]{200,}(?:[eE][-+]?[0-9]+)?|[0-9.]+[eE][-+]?0*[1-9][0-9]{2,})")
_SHOWN: Final = 32
_PART: Final = 256 * 1024
"""How much of a long text is looked at at once: a few milliseconds."""


class JsonTooComplex(Invalid):
    """The JSON is nested deeper than anything reads, or has more arrays and objects than anything sends."""

    code: ClassVar[str] = "JSON_TOO_COMPLEX"


class NumberUnreadable(Invalid):
    """A number that many programs could not read back: too long, or beyond a double."""

    code: ClassVar[str] = "NUMBER_UNREADABLE"

    def __init__(self, number: bytes) -> None:
        shown = number.decode()
        if len(shown) > _SHOWN:
            shown = f"{shown[:_SHOWN]}… ({len(shown):,} characters)"
        super().__init__(
            f"the number {shown} could not be read back: none has more than {LONGEST_NUMBER:,} digits when written "
            "out, and one with a fraction or exponent is at most 1.79e308"
        )


def check_nesting(text: bytes, *, deepest: int = DEEPEST) -> None:
    """Raise JsonTooComplex. Takes any bytes: whether they are JSON at all is for the decoder to say."""
    if text.count(b"[") + text.count(b"{") <= deepest:
        return
    brackets = _brackets(text)
    if max(accumulate(array("b", brackets.translate(_STEPS))), default=0) > deepest:
        raise JsonTooComplex(f"the JSON has more than {deepest} arrays and objects in each other", deepest=deepest)


def told_sizes(text: bytes, *, limit: int) -> Iterator[int]:
    """How many bytes JSON has at most when it is told, in a few summands, close to the truth where the limit is near.

    Between two of them others may have their turn: a long text takes 100 ms and more. Raises NumberUnreadable.
    """
    digits = text.translate(_DIGITS, b"+-")
    has_remarkable = _LARGE_EXPONENT in digits or _LONG in digits
    at_most = len(text) + text.count(b",") + text.count(b":") + 100 * (text.count(b"e") + text.count(b"E"))
    if not has_remarkable and at_most <= limit:
        yield at_most
        return
    unescaped = _without_escapes(text)
    told = len(text) - len(unescaped)
    yield told
    for part in _parts(unescaped):
        told += part.told
        if has_remarkable and told <= limit:  # what is too large is refused anyway
            for number in _REMARKABLE.finditer(part.outside):
                _check(number[0])
        yield part.told


def longest_list(text: bytes) -> int:
    """How many elements the longest list has that is the whole, or a field of it; 0 for what is no JSON."""
    try:
        whole = msgspec.json.decode(text, type=list[Raw] | dict[str, Raw])
        fields = whole.values() if isinstance(whole, dict) else ()
        lists = [msgspec.json.decode(each, type=list[Raw]) for each in fields if bytes(each).lstrip()[:1] == b"["]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return 0
    return max(map(len, [*lists, *([whole] if isinstance(whole, list) else [])]), default=0)


def _brackets(text: bytes) -> bytes:
    """The brackets of a text, those in its strings excepted; raises JsonTooComplex if there are too many of both."""
    kept = _without_escapes(text).translate(None, _NO_BRACKET)
    # Two quotes beside each other are a string without brackets, or two strings with none between them. Without both,
    # what is in strings and what is not stays the same.
    kept = kept.replace(b'""', b"")
    if len(kept) > 4 * MOST_CONTAINERS:
        raise JsonTooComplex(f"the JSON has more than {MOST_CONTAINERS:,} arrays and objects")
    return b"".join(kept.split(b'"')[::2])


def _without_escapes(text: bytes) -> bytes:
    """The text without escaped quotes: every quote that is left begins or ends a string."""
    return text.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in text else text


class _Part(NamedTuple):
    told: int
    outside: bytes
    """What is in no string."""


def _parts(text: bytes) -> Iterator[_Part]:
    """A text piece by piece, none of which ends within a number."""
    begin, is_inside = 0, 0
    while begin < len(text):
        end = text.find(b",", begin + _PART)
        pieces = text[begin : end + 1 or len(text)].split(b'"')
        outside = b" ".join(pieces[is_inside::2])
        told = sum(map(len, pieces[1 - is_inside :: 2])) + len(outside.translate(None, _SPACE)) + len(pieces)
        yield _Part(told + outside.count(b",") + outside.count(b":") + sum(_written_out(outside)), outside)
        is_inside ^= (len(pieces) - 1) % 2
        begin = end + 1 or len(text)


def _written_out(outside: bytes) -> Iterator[int]:
    """How much longer numbers with exponents are when they are written out, at most."""
    for exponent, count in Counter(_EXPONENTS.findall(outside)).items():
        digits = exponent.lstrip(b"+-0")
        # One that is too long for any reader is refused by its size, or, where there is room for it, by `_check`.
        size = int(digits or b"0") if len(digits) <= len(str(LONGEST_NUMBER)) else LONGEST_NUMBER
        yield count * (size + 2)


def _check(number: bytes) -> None:
    """Raise NumberUnreadable."""
    mantissa, _, exponent = number.lower().partition(b"e")
    whole, _, fraction = mantissa.partition(b".")
    shift = exponent.lstrip(b"+-0")
    if len(shift) > len(str(LONGEST_NUMBER)) or len(mantissa) > LONGEST_NUMBER:
        raise NumberUnreadable(number)
    size = int(shift or b"0")
    before, after = (len(whole), len(fraction) + size) if b"-" in exponent else (len(whole) + size, len(fraction))
    if before + after > LONGEST_NUMBER or ((exponent or fraction) and float(number) == float("inf")):
        raise NumberUnreadable(number)
