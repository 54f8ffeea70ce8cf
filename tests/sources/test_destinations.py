"""What is loaded is read back as it was told: from DuckDB, PostgreSQL and Parquet."""

import json
from functools import partial
from urllib.parse import urlsplit

import dlt
import duckdb
import pytest

from controlroom.sources.columns import FLAG, INTEGER, JSON, NUMBER, POSITION, TEXT, TIME, Column, Table, child
from controlroom.sources.resources import Kept, resource
from controlroom.sources.running import AlreadyRunning, load

LINES = Table(
    name="lines",
    description="Lines of orders.",
    key=("order_id", "position"),
    columns=(
        Column("order_id", TEXT, "Whose.", at="^.id"),
        Column("position", INTEGER, "Where.", at=POSITION),
        Column("price", NUMBER, "How much."),
    ),
)
ORDERS = Table(
    name="orders",
    description="Orders.",
    key=("id",),
    columns=(
        Column("id", TEXT, "It."),
        Column("at", TIME, "When."),
        Column("paid", FLAG, "Whether."),
        Column("note", JSON, "Anything."),
    ),
    children=(child("lines", LINES, parent=("order_id",)),),
)
FIRST = [
    {
        "id": "a",
        "at": "2026-01-31T10:00:00.123456+01:00",
        "paid": True,
        "note": {"é": ['x,"y"\n', None]},
        "lines": [{"price": 1.5}],
    },
    {"id": "b", "at": None, "paid": None, "note": None, "lines": [{"price": 2}, {"price": 3}]},
]
SECOND = [
    {"id": "b", "at": "2026-02-01T00:00:00Z", "paid": False, "note": "\\N", "lines": []},
    {"id": "c", "lines": [{}]},
]


@dlt.source(name="shop")
def shop(orders, kept=Kept.MERGED):
    """A source of these orders."""
    return resource(ORDERS, lambda: [orders], kept=kept)


@pytest.fixture(params=["duckdb", "postgres"])
async def place(request, tmp_path, new_database):
    """A destination in which rows are merged."""
    if request.param == "duckdb":
        return f"duckdb:{tmp_path / 'shop.duckdb'}"
    asked = urlsplit(await new_database())  # its host is the folder of a socket, which stands in the query
    return f"postgresql://{asked.netloc.rpartition('@')[0]}@localhost{asked.path}?{asked.query}"


def at(place: str):
    """The destination there."""
    if place.startswith("postgresql"):
        return dlt.destinations.postgres(place, preferred_loader_file_format="csv")
    return dlt.destinations.duckdb(place.removeprefix("duckdb:"), preferred_loader_file_format="parquet")


def test_rows_are_merged_and_read_back(place, tmp_path):
    """The second load changes, adds, and takes a parent's lines away; an empty first one has all tables already."""
    run = partial(load, destination=at(place), name="shop", folder=tmp_path / "p", dataset="sold")
    run(partial(shop, []))
    pipeline = dlt.attach("shop", pipelines_dir=str(tmp_path / "p"), destination=at(place))
    assert pipeline.dataset().orders.fetchall() == pipeline.dataset().lines.fetchall() == []
    first = run(partial(shop, FIRST))
    assert first.rows == {"lines": 3, "orders": 2}
    second = run(partial(shop, SECOND))
    assert second.rows == {"lines": 1, "orders": 2}

    orders = {row["id"]: row for row in pipeline.dataset().orders.arrow().to_pylist()}
    assert set(orders) == {"a", "b", "c"}
    assert orders["a"]["at"].timestamp() == pytest.approx(1769850000.123456, abs=1e-6)
    assert (orders["a"]["paid"], orders["b"]["paid"], orders["c"]["paid"]) == (True, False, None)
    assert json.loads(orders["a"]["note"]) == FIRST[0]["note"]
    assert json.loads(orders["b"]["note"]) == "\\N"
    lines = {(row["order_id"], row["position"]): row["price"] for row in pipeline.dataset().lines.arrow().to_pylist()}
    assert lines == {("a", 0): 1.5, ("c", 0): None}

    run(partial(shop, SECOND, kept=Kept.REPLACED))
    assert {row["id"] for row in pipeline.dataset().orders.arrow().to_pylist()} == {"b", "c"}


def test_parquet_in_a_folder_is_read_by_anybody(tmp_path):
    """Files of the declared types, one folder a table; what is loaded again stands beside what was there."""
    lake = tmp_path / "lake"
    run = partial(load, destination=f"filesystem:{lake}", name="lake", folder=tmp_path / "p", dataset="sold")
    run(partial(shop, FIRST))
    run(partial(shop, SECOND))
    with duckdb.connect() as database:
        rows = database.read_parquet(f"{lake}/sold/orders/*.parquet")
        types = dict(zip(rows.columns, map(str, rows.types), strict=True))
        assert sorted(rows.project("id").fetchall()) == [("a",), ("b",), ("b",), ("c",)]
    assert types == {"id": "VARCHAR", "at": "TIMESTAMP WITH TIME ZONE", "paid": "BOOLEAN", "note": "VARCHAR"}
    there = dlt.destinations.filesystem(lake.as_uri())
    pipeline = dlt.attach("lake", pipelines_dir=str(tmp_path / "p"), destination=there)
    assert len(pipeline.dataset().orders.fetchall()) == 4


def test_only_one_load_of_a_name_works_at_a_time(tmp_path):
    """The second says so, and takes nothing of the first."""

    def while_it_works():
        with pytest.raises(AlreadyRunning, match="'shop'"):
            load(partial(shop, []), f"duckdb:{tmp_path}/x.duckdb", name="shop", folder=tmp_path / "p")
        return shop(FIRST)

    report = load(while_it_works, f"duckdb:{tmp_path}/x.duckdb", name="shop", folder=tmp_path / "p", dataset="sold")
    assert report.rows["orders"] == 2
