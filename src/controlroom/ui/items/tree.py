"""A payload as lines, and what differs from what it was: pure."""

import re
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
"""Lines. Why: comparing takes the square of them at worst."""
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
    return msgspec.json.format(bytes(payload), indent=2).decode(errors="replace").split("\n")


def _compared(before: list[str], after: list[str]) -> Iterator[Line]:
    """All that changed, and some lines round it; what is the same for long is one line that says how much it is."""
    for how, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
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
