"""Which lines of a text have what is sought, and which are errors and warnings. Done aside: patterns are callers'."""

import re
from typing import Final

from msgspec import Struct

from controlroom.errors import Invalid

LONGEST_SOUGHT: Final = 500
_MOST_SHOWN: Final = 500
_ERROR: Final = re.compile(
    rb"\b(?:ERROR|CRITICAL|FATAL|SEVERE)\b|Traceback \(most recent call last\)|\| FAIL \|"
    rb"|^[\w.]*(?:Error|Exception|Failure)(?=:|\r?$)",
    re.MULTILINE,
)
_WARNING: Final = re.compile(rb"\bWARN(?:ING)?\b|^[\w.]*Warning(?=:)|: \w*Warning: ", re.MULTILINE)


_ESCAPE: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[@-Z\\^_])")
"""What only a terminal obeys: nobody sees it, and so nobody seeks it."""


class Sought(Struct, frozen=True):
    """What is sought, in whichever case: a text, or a pattern as Python has them."""

    text: str
    is_pattern: bool = False


class PatternWrong(Invalid):
    """A pattern cannot be read."""

    code = "PATTERN_WRONG"

    def __init__(self, why: str) -> None:
        super().__init__(f"This pattern cannot be read: {why}.")


def found_in(body: bytes, sought: Sought) -> list[int]:
    """The lines of a text (from 0) that have it, each once. Raises PatternWrong."""
    text = seen(body).decode(errors="replace")
    pattern = sought.text if sought.is_pattern else re.escape(sought.text)
    try:
        compiled = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as broken:
        raise PatternWrong(str(broken)[:100]) from broken
    lines, line, at = [], 0, 0
    while (match := compiled.search(text, at)) is not None:
        start = match.start()
        if start == len(text):
            break
        line += text.count("\n", at, start)
        lines.append(line)
        end = text.find("\n", start)
        if end < 0:
            break
        line, at = line + 1, end + 1
    return lines


def seen(body: bytes) -> bytes:
    """A text as it is seen: without colours and cursors, with the same lines."""
    return _ESCAPE.sub(b"", body) if b"\x1b" in body else body


def first_in(body: bytes, text: str) -> tuple[int, str] | None:
    """The first line of a text (from 0) that has another, in whichever case, and what stands in it; None for none."""
    whole = seen(body).decode(errors="replace")
    found = re.compile(re.escape(text), re.IGNORECASE).search(whole)
    if found is None:
        return None
    begin = whole.rfind("\n", 0, found.start()) + 1
    end = whole.find("\n", found.start())
    return whole.count("\n", 0, begin), whole[begin : end if end >= 0 else None][:_MOST_SHOWN]


def levels_in(body: bytes) -> tuple[list[int], list[int]]:
    """The lines of a text (from 0) that are errors, and those that are warnings."""
    body = seen(body)
    errors = _lines_with(_ERROR, body)
    wrong = set(errors)
    return errors, [each for each in _lines_with(_WARNING, body) if each not in wrong]


def _lines_with(pattern: re.Pattern[bytes], body: bytes) -> list[int]:
    lines, line, at = [], 0, 0
    while (match := pattern.search(body, at)) is not None:
        line += body.count(b"\n", at, match.start())
        lines.append(line)
        end = body.find(b"\n", match.start())
        if end < 0:
            break
        line, at = line + 1, end + 1
    return lines
