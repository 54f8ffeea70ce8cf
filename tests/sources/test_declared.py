"""What is declared of a table, and what becomes of rows by it."""

import datetime as dt
import json

import dlt
from hypothesis import given
from hypothesis import strategies as st

from controlroom.sources.columns import INTEGER, JSON, TEXT, TIME, Column, Table, child
from controlroom.sources.declared import Declared, Reading
from controlroom.sources.resources import resource
from controlroom.sources.robocorp.tables import WORK_ITEMS
from controlroom.sources.rows import Shaper

STEPS = Table(
    name="steps",
    description="Steps.",
    key=("id",),
    columns=(Column("id", INTEGER, "It."), Column("run_id", INTEGER, "Whose.", at="^.id")),
)
RUNS = Table(
    name="runs",
    description="Runs.",
    key=("id",),
    columns=(
        Column("id", INTEGER, "It."),
        Column("cause", TEXT, "Why.", at="trigger.cause"),
        Column("trigger", JSON, "All of it."),
        Column("began", TIME, "When."),
    ),
    children=(child("steps", STEPS, parent=("run_id",)),),
)


def test_a_childs_key_begins_with_its_parents():
    """So that a merge, which looks for the key or the parent, finds both by the same hash."""
    assert RUNS.children[0].table.key == ("run_id", "id")


def test_what_is_read_whole_has_nothing_unknown_in_it():
    """Though another column reads a part of it."""
    shaper = Shaper(RUNS)
    list(shaper.tables([{"id": 1, "trigger": {"cause": "x", "by": 7}, "colour": 1}]))
    assert shaper.unknown == {"runs.colour"}


def test_a_moment_is_one_as_such_too():
    """Rows that come from a table of ours have moments, those from an API texts."""
    at = dt.datetime(2026, 11, 30, 3, tzinfo=dt.UTC)
    [(_, made), *_] = Shaper(RUNS).tables([{"id": 1, "began": at}, {"id": 2, "began": at.isoformat()}])
    assert made["began"].to_pylist() == [at, at]


def test_what_no_text_can_hold_is_written_as_near_as_can_be():
    """Whole numbers of any size within JSON, and halves of characters."""
    [(_, made), *_] = Shaper(RUNS).tables([{"id": 1, "trigger": {"cause": "\ud83d", "by": 2**70}}])
    assert made["cause"].to_pylist() == ["?"]
    assert json.loads(made["trigger"].to_pylist()[0]) == {"cause": "\ud83d", "by": 2**70}


def test_a_childs_table_has_its_own_columns_alone():
    """Not those of its parent, which dlt would begin with."""
    made = resource(RUNS, list)
    columns = made.compute_table_schema(meta=_named("steps"))["columns"]
    assert set(columns) == {"id", "run_id", "_removed"}


def _named(table):
    return dlt.mark.with_table_name([], table).meta


_TEXT = st.none() | st.text(max_size=5)
_RIGHT = {
    "id": st.text(max_size=8),
    "created_at": st.none() | st.datetimes().map(lambda at: at.isoformat() + "Z"),
    "state": _TEXT,
    "process": st.none() | st.fixed_dictionaries({"id": _TEXT}),
    "exception": st.none() | st.fixed_dictionaries({}, optional={"code": _TEXT, "type": _TEXT, "message": _TEXT}),
    "held": st.none() | st.booleans(),
    "priority": st.none() | st.integers(-(2**70), 2**70),
    "payload": st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    ),
    "files": st.lists(
        st.fixed_dictionaries({"id": st.text(), "name": st.text(), "size": st.integers(0, 9)}), max_size=2
    ),
}
_ODD = st.sampled_from([("priority", "7"), ("state", 7), ("process", "x"), ("colour", "red"), ("held", "true")])


@given(st.lists(st.fixed_dictionaries({"id": _RIGHT.pop("id")}, optional=_RIGHT), max_size=4), st.none() | _ODD)
def test_a_page_read_as_declared_gives_the_tables_of_one_read_plainly(rows, odd):
    """Whatever is in it; and what is otherwise than declared is read plainly, so that it is told."""
    if odd and rows:
        rows[-1][odd[0]] = odd[1]
    content = json.dumps({"next": None, "data": rows}).encode()

    read = Reading(WORK_ITEMS).read(content, ("next",))

    if odd and rows:
        assert read is None
        return
    beside, declared = read
    assert beside == {"next": None}
    assert all(isinstance(row, Declared) for row in declared)
    quick, plain = Shaper(WORK_ITEMS), Shaper(WORK_ITEMS)
    assert list(quick.tables(declared)) == list(plain.tables(json.loads(content)["data"]))
    assert quick.misfits == plain.misfits


def test_a_page_that_lacks_what_is_needed_is_no_such():
    """A server that passes over the question for payloads is told by that, and by nothing else."""
    reading = Reading(WORK_ITEMS, needed=("payload",))

    assert reading.read(b'{"data": [{"id": "1"}]}', ()) is None
    assert reading.read(b'{"data": [{"id": "1", "payload": null}]}', ()) is not None
    assert reading.read(b"no JSON", ()) is None
