"""A workspace of a live room, loaded by `robocorp_source`."""

from functools import partial

import pytest

from controlroom.sources import robocorp_source


@pytest.fixture
def source(room, ada):
    """Makes the source of ada's workspace."""
    return partial(robocorp_source, workspace_id=str(ada.workspace), api_key=ada.key, base_url=room.url)


async def test_runs_are_loaded_and_later_what_changed(loading, source, ada, process, walt):
    """First all runs, then only those that are new or were still open."""
    await loading.run(source)
    assert set(loading.columns("process_runs")) >= {"id", "state", "created_at", "duration", "process_name"}
    assert loading.rows("process_runs") == []

    await ada.post(f"/processes/{process}/process-runs")
    first = await loading.run(source)
    assert first.rows["process_runs"] == 1
    await walt.finish(await walt.take())
    second = await loading.run(source)

    [row] = loading.rows("process_runs")
    [told] = await ada.every("/process-runs")
    assert row["state"] == told["state"] != "new"
    assert row["process_name"] == "Invoices"
    assert second.rows["process_runs"] == 1
    third = await loading.run(source)
    assert third.rows.get("process_runs", 0) == (1 if row["state"] == "in_progress" else 0)
