"""What a batch may be, and that an archive's table of contents has every line once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.console.errors import BatchInvalid
from controlroom.engine.console.rules import Contents, check_batch


@pytest.mark.parametrize(
    ("body", "first", "count"),
    [
        (b"", 0, 0),
        (b"no line feed", 0, 1),
        (b"one\n", 0, 2),
        (b"one\ntwo\n", 0, 1),
        (b"one\ntwo", 0, 1),
        (b"\xff\n", 0, 1),
        (b"one\n", -1, 1),
        (b"one\n", 1 << 60, 1),
        (b"x" * 100 + b"\n", 0, 1),
    ],
)
def test_a_batch_is_whole_lines_of_utf_8(body, first, count):
    """A batch that is not what it says it is, or too large, is refused."""
    with pytest.raises(BatchInvalid):
        check_batch(body, first=first, count=count, limit=100)


@given(
    st.lists(st.tuples(st.integers(1, 100), st.floats(0, 1e10), st.integers(1, 10_000)), max_size=300),
    st.integers(1, 20),
)
def test_the_contents_have_every_line_and_byte_once_and_stay_short(batches, most):
    """However many batches there are, the entries follow each other without a gap, and are not too many."""
    contents = Contents(most_entries=most)
    for line_count, at, length in batches:
        contents.add(line_count=line_count, at=at, length=length)

    line = offset = 0
    for entry in contents.entries:
        assert (entry.first_line, entry.offset) == (line, offset)
        line, offset = line + entry.line_count, offset + entry.length
    assert (line, offset) == (contents.lines, contents.bytes)
    assert (line, offset) == (sum(batch[0] for batch in batches), sum(batch[2] for batch in batches))
    assert len(contents.entries) <= most


@given(st.lists(st.floats(0, 1e10), max_size=50))
def test_each_batch_keeps_its_time_while_there_are_few(times):
    """Nothing is merged as long as the table is short."""
    contents = Contents()
    for at in times:
        contents.add(line_count=1, at=at, length=1)

    assert [entry.at for entry in contents.entries] == times
