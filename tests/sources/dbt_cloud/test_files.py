"""What runs left, as files: put as they are where that is asked for, and told of where they cannot be read."""

import hashlib
from functools import partial
from pathlib import Path

import pytest

from sources.dbt_cloud.conftest import LEFT


@pytest.mark.timeout(600)  # a few seconds of work, on a machine that may do much else
async def test_files_are_put_as_they_are_and_a_broken_one_stops_nothing(loading, source, site, cloud, tmp_path):
    """In a folder by run and step; those that nobody asked for are not there, nor are tables that nobody chose."""
    job = await site.job("dbt build")
    run = (await cloud.post(f"jobs/{job.number}/run/", {"cause": "x"}))["id"]
    await site.work(**{**LEFT, "catalog_json": b'{"metadata": {}, "nodes": {"a": {"uni'})
    shelf = tmp_path / "files"
    wanted = ["manifest.json", "compiled/*"]

    report = await loading.run(partial(source, raw_files=wanted, raw_files_url=str(shelf)), "run_artifact_get")

    assert "runs" not in report.rows
    found = {row["path"]: row for row in loading.rows("run_artifact_get")}
    manifest, compiled, broken = found["manifest.json"], found["compiled/jaffle/models/a.sql"], found["catalog.json"]
    for row, content in ((manifest, LEFT["manifest_json"]), (compiled, b"select 1")):
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        assert Path(row["stored_at"].removeprefix("file://")).read_bytes() == content
    assert {str(path.relative_to(shelf)) for path in shelf.rglob("*") if path.is_file()} == {
        f"runs/{run}/{row['step']}/{row['path']}" for row in (manifest, compiled)
    }
    assert (manifest["kind"], manifest["error"], compiled["kind"], found["run_results.json"]["stored_at"]) == (
        "manifest",
        None,
        None,
        None,
    )
    assert "characters" in broken["error"]
    assert any("catalog.json" in remark for remark in report.remarks)
    assert loading.rows("catalog_tables") == []
    assert len(loading.rows("run_results")) == found["run_results.json"]["part_count"] / 3
