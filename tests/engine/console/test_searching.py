"""Lines of a whole console that have what is sought, and those that are errors and warnings, by number."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access.scope import Of, Room
from controlroom.engine.console import actions, reading, searching
from controlroom.engine.console.search_rules import PatternWrong, Sought, first_in, found_in, levels_in
from controlroom.ids import WorkspaceId, uuid7

LINES = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)), max_size=12), max_size=20)


@given(LINES, st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)), min_size=1, max_size=3))
def test_a_text_is_found_in_every_line_that_has_it_in_whichever_case(lines, sought):
    """Each line once, in order."""
    body = "".join(f"{line}\n" for line in lines).encode()
    has = re.compile(re.escape(sought), re.IGNORECASE)
    assert found_in(body, Sought(sought)) == [index for index, line in enumerate(lines) if has.search(line)]


@pytest.mark.parametrize(
    ("pattern", "lines"), [("^b", [1]), (r"\d+$", [0, 2]), ("a*", [0, 1, 2]), ("x", []), ("^$", [])]
)
def test_a_pattern_is_sought_line_by_line(pattern, lines):
    """`^` and `$` are the ends of a line."""
    assert found_in(b"a1\nb\nc2\n", Sought(pattern, is_pattern=True)) == lines


def test_what_nobody_sees_is_not_sought():
    """Colours stand within words, and are no part of them; neither are titles that a terminal would show."""
    body = b"\x1b[32mline\x1b[0m 7 of\n\x1b]0;line 7\x07x\n\x1b[1;31mValueError\x1b[0m: no\n"
    assert found_in(body, Sought("LINE 7 of")) == [0]
    assert found_in(body, Sought("line 7")) == [0]
    assert first_in(body, "line 7") == (0, "line 7 of")
    assert levels_in(body) == ([2], [])


def test_what_is_no_pattern_is_said():
    """With the reason."""
    with pytest.raises(PatternWrong, match="unterminated"):
        found_in(b"a\n", Sought("[", is_pattern=True))


def test_errors_and_warnings_are_told_from_other_lines():
    """By the words that programs write; what has both is an error, and words within words are neither."""
    body = b"""all is well, TERROR and WARNINGS of old
Traceback (most recent call last):
  File "task.py", line 3
ValueError: no number
WARN  low
2026 ERROR WARNING both
| FAIL |
robot.errors.DataError: x
/a.py:3: UserWarning: old
"""
    assert levels_in(body) == ([1, 3, 5, 6, 7], [4, 8])


@pytest.mark.parametrize("is_archived", [False, True])
async def test_a_console_is_sought_wherever_it_lies(engine, console, is_archived):
    """In chunks and in its archive, and on from where it was looked at before; of others nothing is found."""
    await console.append(0, "ready", "ERROR one", "go on")
    first = await searching.levels(engine, console.seen, console.step_run, 1)
    assert (first.lines, first.errors.at) == (3, [1])
    await console.append(3, "WARNING two", "ERROR three")
    if is_archived:
        await console.end()
        await actions.compact_ended(engine, Room(), limit=100)

    after = await searching.levels(engine, console.seen, console.step_run, 1)
    found = await searching.find(engine, console.seen, console.step_run, 1, Sought("o"))
    rest = [each async for each in reading.blocks(engine, console.seen, console.step_run, 1, start=2, most_bytes=1)]
    stranger = Of(console.seen.organization, (WorkspaceId(uuid7()),))

    assert (after.lines, after.errors.at, after.warnings.at) == (5, [1, 4], [3])
    assert (found.lines, found.count, found.at) == (5, 4, [1, 2, 3, 4])
    assert b"".join(body for _, body in rest) == b"go on\nWARNING two\nERROR three\n"
    assert rest[0][0] == 2
    assert (await searching.find(engine, stranger, console.step_run, 1, Sought("o"))).lines == 0
