"""A payload as lines, and what differs from what it was: pure."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final

import msgspec
from markupsafe import Markup
from msgspec import Raw, Struct

LARGEST: Final = 256 * 1024
"""Bytes of a payload that is shown; a larger one is fetched."""
MOST_LINES: Final = 500
_MOST_COMPARED: Final = 2000
"""Lines."""
_MOST_BETWEEN: Final = 100
"""Lines between two that stay where they are that are compared each with each. Why: that takes up to their cube."""
_ROUND_CHANGES: Final = 3
_LINE: Final = re.compile(r'^( *)("(?:[^"\\]|\\.)*": )?(.*?)(,?)$')


class Line(Struct, frozen=True):
    """A line of a payload."""

    kind: str
    """`come`, `gone`, `left_out`, or empty."""
    html: Markup


class Tree(Struct, frozen=True):
    """A payload as it is shown."""

    lines: list[Line]
    is_changed: bool
    left_out: int
    """Lines that are not shown."""
    is_too_large: bool = False


def tree_of(payload: Raw | None, before: Raw | None = None, *, is_compared: bool = False) -> Tree:
    """The payload in lines; with `is_compared`, those of `before` that are gone stand where they stood."""
    texts = _pretty(payload)
    if texts is None:
        return Tree([], is_changed=False, left_out=0, is_too_large=True)
    earlier = _pretty(before) if is_compared else None
    if earlier is None or earlier == texts or len(earlier) + len(texts) > _MOST_COMPARED:
        shown = [Line("", _coloured(each)) for each in texts[:MOST_LINES]]
        return Tree(shown, is_changed=earlier not in (None, texts), left_out=max(0, len(texts) - MOST_LINES))
    lines = list(_compared(earlier, texts))
    return Tree(lines[:MOST_LINES], is_changed=True, left_out=max(0, len(lines) - MOST_LINES))


def _pretty(payload: Raw | None) -> list[str] | None:
    if payload is None:
        return []
    if len(memoryview(payload)) > LARGEST:
        return None
    try:
        return msgspec.json.format(bytes(payload), indent=2).decode(errors="replace").split("\n")
    except RecursionError:  # what a robot left may be nested without end
        return bytes(payload).decode(errors="replace").split("\n")


def _compared(before: list[str], after: list[str]) -> Iterator[Line]:
    """All that changed, and some lines round it; what is the same for long is one line that says how much it is."""
    for how, i, j, k, m in _edits(before, after):
        if how == "equal":
            same = after[k:m]
            if len(same) > 2 * _ROUND_CHANGES + 1 and len(after) > 30:  # noqa: PLR2004 - what fits is shown whole
                yield from (Line("", _coloured(each)) for each in same[:_ROUND_CHANGES])
                rest = len(same) - 2 * _ROUND_CHANGES
                yield Line("left_out", Markup("{} lines that are the same").format(rest))
                same = same[-_ROUND_CHANGES:]
            yield from (Line("", _coloured(each)) for each in same)
            continue
        yield from (Line("gone", _coloured(each)) for each in before[i:j])
        yield from (Line("come", _coloured(each)) for each in after[k:m])


def _edits(before: list[str], after: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """Which lines are `equal` and which `changed`, by where they stand in both, in order."""
    kept = _kept(before, after)
    i = k = at = 0
    while True:
        j, m = kept[at] if at < len(kept) else (len(before), len(after))
        if i < j or k < m:
            yield "changed", i, j, k, m
        if at == len(kept):
            return
        size = 1
        while at + size < len(kept) and kept[at + size] == (j + size, m + size):
            size += 1
        yield "equal", j, j + size, m, m + size
        i, k, at = j + size, m + size, at + size


def _kept(before: list[str], after: list[str]) -> list[tuple[int, int]]:
    """The lines that stay, by where they stand in both; found in a time that grows with the number of lines.

    Lines that are there but once, before and after, hold the two together; between them only a few are compared each
    with each.
    """
    kept: list[tuple[int, int]] = []
    i = k = 0
    for j, m in [*_once_in_both(before, after), (len(before), len(after))]:
        kept += ((i + a, k + b) for a, b in _alike(before[i:j], after[k:m]))
        kept += [(j, m)] if j < len(before) and m < len(after) else []
        i, k = j + 1, m + 1
    return kept


def _once_in_both(before: list[str], after: list[str]) -> list[tuple[int, int]]:
    """The longest row of lines that each has once and both have in the same order."""
    times, places = (Counter(before), Counter(after)), {line: place for place, line in enumerate(after)}
    pairs = [(i, places[line]) for i, line in enumerate(before) if times[0][line] == 1 == times[1][line]]
    ends: list[int] = []  # of rows of each length, the smallest place in `after` at which one ends
    last: list[int] = []  # which pair that is
    previous: list[int | None] = []
    for n, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        previous.append(last[length - 1] if length else None)
        ends[length : length + 1], last[length : length + 1] = [place], [n]
    row = []
    found = last[-1] if last else None
    while found is not None:
        row.append(pairs[found])
        found = previous[found]
    return row[::-1]


def _alike(before: list[str], after: list[str]) -> list[tuple[int, int]]:
    """The lines that stay of those between: from both ends, and what is in the middle of few."""
    most = min(len(before), len(after))
    head = next((n for n in range(most) if before[n] != after[n]), most)
    tail = next((n for n in range(most - head) if before[-1 - n] != after[-1 - n]), most - head)
    middle, other = before[head : len(before) - tail], after[head : len(after) - tail]
    found = [(n, n) for n in range(head)]
    if len(middle) + len(other) <= _MOST_BETWEEN:
        for block in SequenceMatcher(None, middle, other, autojunk=False).get_matching_blocks():
            found += ((head + block.a + n, head + block.b + n) for n in range(block.size))
    return [*found, *((len(before) - n, len(after) - n) for n in range(tail, 0, -1))]


def _coloured(line: str) -> Markup:
    found = _LINE.match(line)
    assert found is not None  # noqa: S101 - the expression takes every line
    indent, key, value, comma = found.groups()
    told = Markup("{}").format(indent)
    if key:
        told += Markup('<span class="code-word">{}</span>: ').format(key[:-2])
    return told + _value(value) + comma


def _value(text: str) -> Markup:
    if text.startswith('"'):
        return Markup('<span class="code-text">{}</span>').format(text)
    if text in {"{", "}", "[", "]", "{}", "[]", ""}:
        return Markup("{}").format(text)
    return Markup('<span class="code-number">{}</span>').format(text)
