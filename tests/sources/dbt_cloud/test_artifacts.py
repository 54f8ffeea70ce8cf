"""dbt's files become rows: what dbt 1.11 has left of the orchard, and what older versions wrote otherwise."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlroom.sources.dbt_cloud.artifact_tables import PARTS
from controlroom.sources.dbt_cloud.artifacts import FILES, unpacked
from controlroom.sources.rows import Shaper

LEFT = Path(__file__).parent / "left"
OF = {"run_id": 7, "step": 4, "job_definition_id": 3}


def rows_of(name, content, **options):
    """What a file says of itself, and its rows by the names of their tables."""
    artifact, parts = unpacked(name, lambda: [content], OF, **options)
    rows = {}
    for table, row in parts:
        rows.setdefault(table.name, []).append(row)
    return artifact, rows


def read(name, content, **options):
    """Its rows as they are loaded."""
    _, rows = rows_of(name, content, **options)
    by_name = {table.name: table for table in PARTS}
    return {table: next(Shaper(by_name[table]).tables(found))[1].to_pylist() for table, found in rows.items()}


def test_every_node_of_a_manifest_is_a_row():
    """Sources and exposures, too, with their columns and what they depend on."""
    content = (LEFT / "manifest.json").read_bytes()
    manifest = json.loads(content)
    nodes = manifest["nodes"] | manifest["sources"] | manifest["exposures"]

    tables = read("manifest.json", content)

    found = {row["unique_id"]: row for row in tables["manifest_nodes"]}
    assert found.keys() == nodes.keys()
    for unique_id, node in nodes.items():
        row = found[unique_id]
        assert (row["run_id"], row["step"], row["schema_version"]) == (7, 4, 12)
        assert (row["name"], row["resource_type"]) == (node["name"], node["resource_type"])
        assert (row["schema_name"], row["description"]) == (node.get("schema"), node["description"])
        assert json.loads(row["config"]) == node["config"]
        assert row["materialized"] == node["config"].get("materialized")
        assert row["raw_code"] is None
    edges = {(row["unique_id"], row["depends_on"]) for row in tables["manifest_dependencies"]}
    assert edges == {
        (each, needed) for each, node in nodes.items() for needed in node.get("depends_on", {}).get("nodes", ())
    }
    columns = {(row["unique_id"], row["name"]) for row in tables["manifest_columns"]}
    assert columns == {(each, column) for each, node in nodes.items() for column in node.get("columns", {})}
    tested = {row["tested_node"] for row in tables["manifest_nodes"] if row["test_name"] == "not_null"}
    assert tested <= nodes.keys()
    assert tested


def test_code_is_kept_where_it_is_asked_for():
    """As written and as run."""
    rows = read("manifest.json", (LEFT / "manifest.json").read_bytes(), code=True)["manifest_nodes"]
    model = next(row for row in rows if row["unique_id"] == "model.orchard.sales_by_day")
    assert "ref(" in model["raw_code"]
    assert "ref(" not in model["compiled_code"]


def test_every_result_of_a_run_is_a_row():
    """With its times, and each part of them as a row of its own."""
    content = (LEFT / "run_results.json").read_bytes()
    told = json.loads(content)

    artifact, rows = rows_of("run_results.json", content)
    tables = read("run_results.json", content)

    results = {row["unique_id"]: row for row in tables["run_results"]}
    assert len(results) == len(told["results"])
    for each in told["results"]:
        row, parts = results[each["unique_id"]], {part["name"]: part for part in each["timing"]}
        assert (row["status"], row["failures"], row["message"]) == (each["status"], each["failures"], each["message"])
        assert row["execution_time"] == each["execution_time"]
        assert row["schema_version"] == 6
        if "execute" in parts:
            assert row["execute_completed_at"].isoformat()[:26] == parts["execute"]["completed_at"][:26]
    assert len(tables["run_result_timings"]) == sum(len(each["timing"]) for each in told["results"])
    assert artifact.told()["command"] == "build"
    assert artifact.told()["dbt_cloud_run_id"] == "77"
    assert artifact.told()["elapsed_time"] == told["elapsed_time"]
    assert len(rows) == 2


def test_freshness_and_catalog_are_rows():
    """Of each table of a source, and each column that the database has."""
    fresh = read("sources.json", (LEFT / "sources.json").read_bytes())["source_freshness"]
    catalog = json.loads((LEFT / "catalog.json").read_bytes())
    tables = read("catalog.json", (LEFT / "catalog.json").read_bytes())

    assert [(row["status"], row["error_after_count"], row["error_after_period"]) for row in fresh] == [
        ("pass", 7, "day")
    ]
    assert fresh[0]["age_seconds"] > 0
    there = catalog["nodes"] | catalog["sources"]
    assert {row["unique_id"]: row["is_source"] for row in tables["catalog_tables"]} == {
        each: each in catalog["sources"] for each in there
    }
    assert {(row["unique_id"], row["position"], row["name"], row["type"]) for row in tables["catalog_columns"]} == {
        (each, column["index"], column["name"], column["type"])
        for each, table in there.items()
        for column in table["columns"].values()
    }


@pytest.mark.parametrize("name", FILES)
def test_nothing_of_what_dbt_writes_is_unknown(name):
    """Each key is a column, or is passed over by name; each value is of its column's type."""
    artifact, rows = rows_of(name, (LEFT / name).read_bytes())
    by_name = {table.name: table for table in PARTS}
    for table, found in rows.items():
        shaper = Shaper(by_name[table])
        list(shaper.tables(found))
        assert (shaper.unknown, shaper.misfits) == (set(), Counter())
    assert (
        artifact.schema_version
        == {"manifest.json": 12, "run_results.json": 6, "sources.json": 3, "catalog.json": 1}[name]
    )


def test_older_versions_have_todays_names():
    """Until manifest 6 code was `raw_sql` and `compiled_sql`; run results 4 tell no relation."""
    node = {
        "unique_id": "model.a.b",
        "resource_type": "model",
        "name": "b",
        "raw_sql": "select 1",
        "compiled_sql": "select 2",
    }
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v4.json", "dbt_version": "1.0.9"}
    older = json.dumps({"nodes": {"model.a.b": node}, "metadata": metadata}).encode()

    [row] = read("manifest.json", older, code=True)["manifest_nodes"]

    assert (row["raw_code"], row["compiled_code"], row["schema_version"]) == ("select 1", "select 2", 4)
    results = {"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v4.json"}}
    result = {"unique_id": "model.a.b", "status": "success", "timing": [], "execution_time": 1.5, "thread_id": "T"}
    [row] = read("run_results.json", json.dumps(results | {"results": [result]}).encode())["run_results"]
    assert (row["schema_version"], row["relation_name"], row["execution_time"]) == (4, None, 1.5)


JUNK = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers() | st.text(max_size=3), max_size=2)
JUNK |= st.dictionaries(st.text(max_size=3), JUNK, max_size=2)
KEYS = [
    "unique_id",
    "columns",
    "depends_on",
    "timing",
    "stats",
    "contract",
    "test_metadata",
    "config",
    "criteria",
    "nodes",
]
NODES = st.dictionaries(st.sampled_from(KEYS), JUNK)


@settings(max_examples=30)
@given(name=st.sampled_from(FILES), nodes=st.dictionaries(st.text(max_size=5), NODES, max_size=3), junk=JUNK)
def test_no_file_breaks_the_reading(name, nodes, junk):
    """However little it is like what dbt writes, as long as it is a document; and each row fits its table."""
    document = {"metadata": junk, "nodes": nodes, "results": list(nodes.values()), "args": junk, "elapsed_time": junk}
    read(name, json.dumps(document).encode())
