"""What is declared of a table, and what becomes of rows by it."""

import datetime as dt
import json

import dlt

from controlroom.sources.columns import INTEGER, JSON, TEXT, TIME, Column, Table, child
from controlroom.sources.resources import resource
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
