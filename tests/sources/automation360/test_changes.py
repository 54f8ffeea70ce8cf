"""A list is read once whole, later since the last load began, and in windows as if it had been read at once."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from controlroom.sources.automation360.changes import Changes
from controlroom.sources.rows import moment

BEGIN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ALL = frozenset({"executions"})


def changes(at: dt.datetime = BEGIN, **more) -> Changes:
    """As they are asked for at some time."""
    return Changes(now=lambda: at, look_back=HOUR, **more)


def created(number: int) -> str:
    return (BEGIN + dt.timedelta(minutes=5 * number)).isoformat()


def read(state, rows, **more) -> list[int]:
    """What one load reads of rows that were made in their order, two a page."""
    sweep = changes(**more).begin(state, ALL)
    reached = sweep.reached()
    wanted = [row for row in rows if reached is None or moment(row["createdOn"]) >= reached]
    pages = (list(page) for page in pairs(wanted))
    return [row["id"] for page in sweep.pages(pages) for row in page]


def pairs(rows):
    return [rows[start : start + 2] for start in range(0, len(rows), 2)]


@given(st.lists(st.integers(0, 6), max_size=20), st.integers(1, 6))
def test_windows_together_read_all(moments, window):
    """Rows of one moment, too, are read; the last window says that there are no more."""
    rows = [{"id": number, "createdOn": created(at)} for number, at in enumerate(sorted(moments))]
    state: dict = {}
    found: set[int] = set()
    for _ in range(len(rows) + 2):
        found |= {*read(state, rows, window=window)}
        if not state.get("more"):
            break
    assert found == {row["id"] for row in rows}
    assert "more" not in state
    assert "resume" not in state


def test_the_next_load_asks_since_this_one_began():
    """Less the look-back; however long a load took, and in how many windows."""
    state: dict = {}
    sweep = changes().begin(state, ALL)
    assert sweep.changed_since is None
    sweep.end()

    later = changes(BEGIN + 5 * HOUR, window=1).begin(state, ALL)
    assert later.changed_since == BEGIN - HOUR
    assert later.is_cut([{"createdOn": created(9)}])
    assert state["more"]
    again = changes(BEGIN + 9 * HOUR, window=1).begin(state, ALL)
    assert (again.changed_since, again.reached()) == (BEGIN - HOUR, moment(created(7)))  # ten minutes before
    assert not again.is_cut([{"createdOn": created(9)}])  # where it has begun it does not end
    again.end()
    assert changes().begin(state, ALL).changed_since == BEGIN + 5 * HOUR - HOUR


def test_all_is_read_anew_where_more_is_asked_for():
    """Tables that earlier loads left out, and rows that are older than they read."""
    state: dict = {}
    changes(since=BEGIN).begin(state, ALL).end()
    assert changes(since=BEGIN).begin(state, ALL).changed_since is not None
    assert changes(since=BEGIN + HOUR).begin(state, ALL).changed_since is not None
    assert changes(since=BEGIN - HOUR).begin(dict(state), ALL).changed_since is None
    assert changes().begin(dict(state), ALL).changed_since is None
    assert changes(since=BEGIN).begin(dict(state), ALL | {"deployments"}).changed_since is None
    assert changes(since=BEGIN, full=True).begin(dict(state), ALL).changed_since is None
