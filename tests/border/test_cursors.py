"""Cursors: a position comes back as it went out, and one that somebody made up is refused."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.border.cursors import cursor_of, position_of
from controlroom.errors import Invalid
from controlroom.ids import RunId


@given(st.uuids())
def test_an_id_comes_back_as_it_was(row: UUID):
    """A list by id goes on behind the very row."""
    assert position_of(cursor_of(row), RunId) == RunId(row)


@given(st.integers(0, 2**63 - 1))
def test_a_number_comes_back_as_it_was(row: int):
    """Likewise a list by number, up to the greatest that the database holds."""
    assert position_of(cursor_of(row), int) == row


@pytest.mark.parametrize("made_up", ["", "§", "AAAA", cursor_of("x"), cursor_of(-1), cursor_of(2**63), cursor_of([1])])
def test_what_is_no_cursor_of_ours_is_refused(made_up: str):
    """It names neither a row of a list by id nor of one by number."""
    for kind in (RunId, int):
        with pytest.raises(Invalid) as refused:
            position_of(made_up, kind)
        assert refused.value.code == "INVALID_CURSOR"
