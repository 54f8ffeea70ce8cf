"""What dlt is given is what was read, in pieces that it takes quickly."""

import dlt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.sources.columns import INTEGER, TEXT, Column, Table, child
from controlroom.sources.paging import Request
from controlroom.sources.reading import ReadFailed
from controlroom.sources.resources import shaped, table_of, together
from controlroom.sources.rows import Shaper

LINES = Table(name="lines", description="…", columns=(Column("count", INTEGER, "…"),))
ORDERS = Table(
    name="orders",
    description="…",
    key=("id",),
    columns=(Column("id", TEXT, "…"),),
    children=(child("lines", LINES, parent=()),),
)
BESIDE = [{"what": "is no table"}]
pages = st.lists(st.lists(st.lists(st.integers(0, 9), max_size=3), max_size=40), max_size=30)


def told(several):
    """Pages of orders as dlt takes them, each with something beside it."""
    shaper, n = Shaper(ORDERS), 0
    for page in several:
        rows = []
        for counts in page:
            rows.append({"id": f"{n}", "lines": [{"count": count} for count in counts]})
            n += 1
        yield from shaped(shaper, rows, removing=False)
        yield dlt.mark.with_table_name(BESIDE, "beside")


def rows_of(items):
    """The rows by table, in order, and how many tables they came in."""
    found: dict[str, list] = {"orders": [], "lines": [], "beside": []}
    pieces = 0
    for item in items:
        rows = getattr(item, "data", item)
        if rows is BESIDE:
            found["beside"] += rows
            continue
        pieces += 1
        name = table_of(rows)
        assert (getattr(item, "meta", None) is None) == (name == "orders")
        found[name] += rows.to_pylist()
    return found, pieces


@given(pages)
def test_pages_are_given_together_and_nothing_is_lost(several):
    """All rows of a table come in their order, under its name, in one piece where they are few."""
    before, _ = rows_of(told(several))
    after, pieces = rows_of(together(told(several)))
    assert after == before
    assert pieces == sum(bool(after[name]) for name in ("orders", "lines"))


def test_many_rows_are_given_in_several_pieces():
    """So that no more than some ten thousand wait in memory."""
    after, pieces = rows_of(together(told([[[]] * 1_000] * 45)))
    assert len(after["orders"]) == 45_000
    assert pieces == 3


def test_what_was_read_before_a_failure_is_given():
    """A list that is closed to the key on its second page has told its first."""

    def failing():
        yield from told([[[1]], [[2]]])
        raise ReadFailed(Request("orders"), 403, "not for you")

    items = together(failing())
    found = [next(items) for _ in range(4)]
    assert rows_of(found)[0]["lines"] == [{"count": 1, "_removed": None}, {"count": 2, "_removed": None}]
    with pytest.raises(ReadFailed):
        next(items)
