"""Pages of rows become Arrow tables of the declared types, and nothing is lost in silence."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.sources.columns import (
    DATE,
    FLAG,
    INTEGER,
    ITSELF,
    JSON,
    NUMBER,
    POSITION,
    REMOVED,
    TEXT,
    TIME,
    Column,
    Kind,
    Table,
    child,
)
from controlroom.sources.rows import Shaper

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIRST, LAST = (dt.datetime.fromisoformat(at) for at in ("1900-01-02", "2300-01-01"))
EVERY = tuple(Column(kind.value, kind, "…") for kind in Kind)


@given(st.lists(st.fixed_dictionaries({}, optional={column.name: ANYTHING for column in EVERY}), max_size=5))
def test_any_row_becomes_one_of_the_declared_types(rows):
    """Whatever an API tells, each row is there, of the declared schema; what fits no type is null, and counted."""
    shaper = Shaper(Table(name="t", description="…", columns=EVERY))
    [(_, made)] = shaper.tables(rows)
    assert made.schema == shaper.table.arrow()
    assert made.num_rows == len(rows)
    told = [(row.get(name), made[name][n].as_py()) for n, row in enumerate(rows) for name in made.schema.names]
    lost = sum(before is not None and now is None for before, now in told)
    assert lost == sum(shaper.misfits.values())


@given(st.datetimes(FIRST, LAST), st.integers(-720, 720), st.booleans())
def test_moments_keep_their_microsecond_and_stand_in_utc(at, offset, zulu):
    """Whatever offset they were written with; without one they are of UTC."""
    zone = dt.UTC if zulu else dt.timezone(dt.timedelta(minutes=offset))
    aware = at.replace(tzinfo=zone)
    text = aware.isoformat().replace("+00:00", "Z") if zulu else aware.isoformat()
    [(_, made)] = Shaper(Table(name="t", description="…", columns=(Column("at", TIME, "…"),))).tables(
        [{"at": text}, {"at": at.isoformat()}, {"at": None}]
    )
    assert made["at"].to_pylist() == [aware, at.replace(tzinfo=dt.UTC), None]


@pytest.mark.parametrize(
    ("kind", "value", "is_"),
    [
        (INTEGER, "12", 12),
        (INTEGER, 12.0, 12),
        (INTEGER, True, None),
        (INTEGER, 2**63, None),
        (INTEGER, "١٢", None),
        (NUMBER, "1.5", 1.5),
        (NUMBER, 3, 3.0),
        (NUMBER, False, None),
        (FLAG, "true", True),
        (FLAG, 0, False),
        (FLAG, "yes", None),
        (TEXT, 5, "5"),
        (TEXT, {"a": 1}, '{"a":1}'),
        (DATE, "2026-01-31T10:00:00Z", dt.date(2026, 1, 31)),
        (DATE, "soon", None),
        (TIME, "soon", None),
        (TIME, 12, None),
    ],
)
def test_what_is_written_otherwise_is_read_where_it_can_be(kind, value, is_):
    """A number in quotes is a number; what is no such thing is null and counted."""
    shaper = Shaper(Table(name="t", description="…", columns=(Column("v", kind, "…"),)))
    [(_, made)] = shaper.tables([{"v": value}])
    assert made["v"].to_pylist() == [is_]
    assert shaper.misfits.get("t.v", 0) == (is_ is None)


ORDERS = Table(
    name="orders",
    description="…",
    key=("id",),
    columns=(Column("id", TEXT, "…"), Column("of", TEXT, "…", at="customer.name"), Column("extra", JSON, "…")),
    children=(
        child(
            "lines",
            Table(
                name="lines",
                description="…",
                key=("order_id", "position"),
                columns=(
                    Column("order_id", TEXT, "…", at="^.id"),
                    Column("position", INTEGER, "…", at=POSITION),
                    Column("count", INTEGER, "…"),
                ),
            ),
            parent=("order_id",),
        ),
        child(
            "tags",
            Table(
                name="tags",
                description="…",
                key=("order_id", "tag"),
                columns=(Column("order_id", TEXT, "…", at="^.id"), Column("tag", TEXT, "…", at=ITSELF)),
            ),
            parent=("order_id",),
        ),
    ),
)


def test_lists_within_rows_are_tables_of_their_own():
    """Each row knows its parent and its place; a parent without any is marked, so that a merge takes what it had."""
    page = [
        {"id": "a", "customer": {"name": "Ada"}, "extra": [1], "lines": [{"count": 2}, {"count": 3}], "tags": ["x"]},
        {"id": "b", "customer": None, "lines": [], "tags": None},
    ]
    made = {table.name: rows.to_pylist() for table, rows in Shaper(ORDERS).tables(page)}
    assert made["orders"] == [{"id": "a", "of": "Ada", "extra": "[1]"}, {"id": "b", "of": None, "extra": None}]
    assert made["lines"] == [
        {"order_id": "a", "position": 0, "count": 2, REMOVED: None},
        {"order_id": "a", "position": 1, "count": 3, REMOVED: None},
        {"order_id": "b", "position": 0, "count": None, REMOVED: True},
    ]
    assert [row["tag"] for row in made["tags"]] == ["x", ""]
    first = {table.name: rows.num_rows for table, rows in Shaper(ORDERS).tables(page, removing=False)}
    assert first == {"orders": 2, "lines": 2, "tags": 1}


def test_an_empty_page_has_the_schema_of_a_full_one():
    """So that an account without a row has all columns, with their types."""
    full, empty = ({t.name: rows.schema for t, rows in Shaper(ORDERS).tables(page)} for page in ([{"id": "a"}], []))
    assert full == empty
    assert ORDERS.empty().schema == full["orders"]


def test_keys_that_nothing_reads_are_named():
    """As paths, once each, whatever lies below; not those that are passed over."""
    shaper = Shaper(ORDERS)
    list(
        shaper.tables([{"id": "a", "customer": {"name": "x", "age": 1}, "colour": {"deep": 1}, "lines": [{"sum": 1}]}])
    )
    assert {name for each in shaper.surprises for name in each.unknown} == {
        "orders.customer.age",
        "orders.colour",
        "lines.sum",
    }


@given(ANYTHING)
def test_json_comes_back_as_it_was(value):
    """A column of JSON holds what the API told, and null where it told nothing; see below for one character."""
    [(_, made)] = Shaper(Table(name="t", description="…", columns=(Column("v", JSON, "…"),))).tables([{"v": value}])
    told = made["v"].to_pylist()[0]
    assert (None if told is None else json.loads(told)) == storable(value)


def storable(value):
    """The value without U+0000."""
    match value:
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case list():
            return [storable(each) for each in value]
        case dict():
            return {storable(name): storable(each) for name, each in value.items()}
        case _:
            return value


@given(st.text(alphabet="\0\\u0a", max_size=12))
def test_the_one_character_that_databases_refuse_is_told_as_another(text):
    """In a text and in the texts of JSON; what only looks like it, behind a backslash, stays."""
    columns = (Column("plain", TEXT, "…"), Column("within", JSON, "…"))
    table = Table(name="t", description="…", columns=columns)
    [(_, made)] = Shaper(table).tables([{"plain": text, "within": {text: [text]}}])
    assert made["plain"].to_pylist() == [storable(text)]
    assert json.loads(made["within"].to_pylist()[0]) == storable({text: [text]})
