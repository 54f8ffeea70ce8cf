"""What the notebook tells of loaded tables, of each source alike; and that it asks for nothing that no source loads."""

import datetime as dt
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from controlroom.sources.columns import Table
from controlroom.sources.notebook import measures, tables

NOON = dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)
SOURCES = [each for each in sorted(tables.KNOWN) if find_spec(f"controlroom.sources.{each}")]


def minutes(count: float) -> dt.datetime:
    """So many after noon."""
    return NOON + dt.timedelta(minutes=count)


ROWS = {
    "robocorp": {
        "processes": [{"id": "p", "name": "Invoices"}],
        "process_steps": [{"id": "s", "name": "consume"}],
        "workers": [{"state": "busy", "slots": 2}, {"state": "offline", "slots": 9}],
        "process_runs": [
            {
                "id": "1",
                "state": "completed",
                "process_id": "p",
                "created_at": NOON,
                "started_at": minutes(1),
                "ended_at": minutes(11),
            },
            {
                "id": "2",
                "state": "unresolved",
                "process_id": "p",
                "created_at": minutes(20),
                "started_at": minutes(21),
                "ended_at": minutes(31),
            },
            {"id": "3", "state": "in_progress", "process_id": "p", "created_at": minutes(60)},
        ],
        "step_runs": [
            {"id": "a", "process_run_id": "1", "state": "completed", "started_at": minutes(1), "ended_at": minutes(11)},
            {
                "id": "b",
                "process_run_id": "2",
                "state": "failed",
                "error_code": "ROBOT_FAILED",
                "started_at": minutes(21),
                "ended_at": minutes(31),
            },
        ],
        "work_items": [
            {"id": "i", "state": "done", "process_id": "p", "step_id": "s", "step_run_id": "a", "created_at": NOON},
            {
                "id": "j",
                "state": "failed",
                "process_id": "p",
                "step_id": "s",
                "step_run_id": "b",
                "created_at": minutes(20),
                "state_updated_at": minutes(31),
                "exception_message": "Order 4711 has no customer",
            },
        ],
    },
    "automation360": {
        "queues": [{"id": 7, "name": "Orders"}],
        "robots": [{"status": "CONNECTED", "max_count": 2}, {"status": "OFFLINE", "max_count": 9}],
        "executions": [
            {
                "id": "1",
                "status": "COMPLETED",
                "file_name": "Invoices",
                "created_on": NOON,
                "start_date_time": minutes(1),
                "end_date_time": minutes(11),
            },
            {
                "id": "2",
                "status": "RUN_FAILED",
                "file_name": "Invoices",
                "message": "Order 4711 has no customer",
                "created_on": minutes(20),
                "start_date_time": minutes(21),
                "end_date_time": minutes(31),
            },
            {
                "id": "3",
                "status": "QUEUED",
                "file_name": "Invoices",
                "created_on": minutes(60),
                "start_date_time": minutes(60),
            },
        ],
        "work_items": [
            {
                "id": 1,
                "status": "COMPLETED",
                "queue_id": 7,
                "created_on": NOON,
                "start_time": minutes(1),
                "end_time": minutes(11),
            },
            {
                "id": 2,
                "status": "COMPLETED",
                "queue_id": 7,
                "created_on": minutes(20),
                "start_time": minutes(21),
                "end_time": minutes(31),
            },
        ],
    },
    "dbt_cloud": {
        "jobs": [{"id": 5, "name": "Invoices"}],
        "account": [{"run_slots": 2}],
        "runs": [
            {
                "id": 1,
                "status": 10,
                "job_definition_id": 5,
                "created_at": NOON,
                "started_at": minutes(1),
                "finished_at": minutes(11),
            },
            {
                "id": 2,
                "status": 20,
                "job_definition_id": 5,
                "created_at": minutes(20),
                "started_at": minutes(21),
                "finished_at": minutes(31),
                "status_message": "Order 4711 has no customer",
            },
            {"id": 3, "status": 1, "job_definition_id": 5, "created_at": minutes(60)},
        ],
    },
}
"""The same of each: two runs of ten minutes, of which one failed, and one that waits."""


def declared(source: str) -> dict[str, Table]:
    """The tables that a source loads, by name."""
    of = import_module(f"controlroom.sources.{source}.tables")
    found = [each for each in vars(of).values() if isinstance(each, Table)]
    return {table.name: table for each in found for table in each.all}


def loaded(file: Path, source: str, rows: dict[str, list[dict]]) -> Path:
    """A file as a load of the source leaves it."""
    with duckdb.connect(str(file)) as database:
        database.execute(f"create schema {source}; create table {source}._dlt_loads (load_id text)")
        for name in tables._NEEDED[source]:
            table = declared(source)[name]
            arrow = type(table.empty()).from_pylist(
                [{column: row.get(column) for column in table.names} for row in rows.get(name, ())],
                schema=_nullable(table),
            )
            database.register("arrow", arrow)
            database.execute(f"create table {source}.{name} as select * from arrow")
            database.unregister("arrow")
    return file


def _nullable(table: Table):
    schema = table.arrow()
    for place, field in enumerate(schema):
        schema = schema.set(place, field.with_nullable(nullable=True))
    return schema


@pytest.mark.parametrize("source", SOURCES)
def test_every_column_that_is_asked_for_is_one_that_the_source_loads(source):
    """Else a chart would be empty, and nobody would know why."""
    of = declared(source)
    wanted = {
        (table, column.split(" ")[0])
        for table, columns in tables._NEEDED[source].items()
        for column in columns.split(", ")
    }

    assert wanted <= {(name, column) for name, table in of.items() for column in table.names}


@pytest.mark.parametrize("source", SOURCES)
def test_each_source_is_told_alike(source, tmp_path):
    """Volume, duration, causes, waits and work of the same things are the same, whatever they are called."""
    with tables.opened(loaded(tmp_path / "room.duckdb", source, ROWS[source])) as database:
        assert tables.datasets(database) == {source: source}
        tables.read(database, source, source)
        overview = measures.overview(database)
        volume = measures.volume(database)
        processes = measures.processes(database)
        causes = measures.causes(database)
        [queue] = measures.queues(database)
        busy = measures.busy(database)

    assert (overview.runs, overview.failed, overview.median_seconds, overview.wait_seconds) == (3, 1, 600, 60)
    assert overview.until == minutes(60).replace(tzinfo=None)
    assert sum(row["count"] for row in volume) == 3
    assert {(row["process"], row["outcome"], row["count"]) for row in processes} == {
        ("Invoices", outcome, 1) for outcome in ("completed", "failed", "open")
    }
    assert {(row["total"], row["median"]) for row in processes} == {(3, 600)}
    [cause] = causes
    assert (cause["cause"], cause["count"], cause["processes"]) == ("Order # has no customer", 1, "Invoices")
    assert (queue["count"], queue["median"], queue["p90"]) == (2, 60, 60)
    assert sum(row["busy"] * (row["until"] - row["moment"]).total_seconds() for row in busy) == pytest.approx(1200)
    assert {row["capacity"] for row in busy} == {2}


@pytest.mark.parametrize("source", SOURCES)
def test_a_period_leaves_out_what_was_before(source, tmp_path):
    """It ends with the newest that was loaded."""
    with tables.opened(loaded(tmp_path / "room.duckdb", source, ROWS[source])) as database:
        tables.read(database, source, source)
        since = measures.beginning(database, dt.timedelta(minutes=45))
        overview = measures.overview(database, since)
        busy = measures.busy(database, since)

    assert since == minutes(15).replace(tzinfo=None)
    assert (overview.runs, overview.failed) == (2, 1)
    assert sum(row["busy"] * (row["until"] - row["moment"]).total_seconds() for row in busy) == pytest.approx(600)


@pytest.mark.parametrize("source", SOURCES)
def test_an_empty_account_has_nothing_to_tell(source, tmp_path):
    """And that is no failure; nor is a load of one resource alone."""
    with tables.opened(loaded(tmp_path / "room.duckdb", source, {})) as database:
        tables.read(database, source, source)
        assert measures.overview(database) == measures.Overview(0, 0, None, None, None)
        for of in (measures.volume, measures.processes, measures.causes, measures.queues, measures.busy):
            assert of(database) == []
    only = tmp_path / "only.duckdb"
    with duckdb.connect(str(only)) as database:
        database.execute(
            f"create schema x; create table x._dlt_loads (id text); create table x.{tables.KNOWN[source]} (id text)"
        )
    with tables.opened(only) as database:
        tables.read(database, "x", source)
        assert measures.overview(database).runs == 0


def test_a_file_of_something_else_is_said_to_be_one(tmp_path):
    """As one that is not there."""
    with duckdb.connect(str(tmp_path / "other.duckdb")) as database:
        database.execute("create table runs (id int)")

    with tables.opened(tmp_path / "other.duckdb") as database, pytest.raises(tables.NothingLoaded):
        tables.datasets(database)
    with pytest.raises(FileNotFoundError), tables.opened(tmp_path / "none.duckdb"):
        pass
