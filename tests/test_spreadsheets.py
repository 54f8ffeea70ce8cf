"""Cells of tables that people open in a spreadsheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.spreadsheets import inert


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("", ""),
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("@sum(a1)", "'@sum(a1)"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        ("-12.5", "-12.5"),
        ("+1e3", "+1e3"),
    ],
)
def test_what_would_be_computed_is_told_as_text(cell, told):
    """And a number stays one; of nothing nothing is made."""
    assert inert(cell) == told


@given(st.text())
def test_no_cell_is_told_twice_otherwise(cell):
    """What was made inert is left as it is, and loses nothing."""
    assert inert(inert(cell)) == inert(cell)
    assert inert(cell).removeprefix("'") == cell.removeprefix("'")
