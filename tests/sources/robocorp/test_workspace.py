"""A workspace of a live room, loaded by `robocorp_source` and compared with what the API tells."""

import json
from functools import partial
from pathlib import Path

import pytest

from contract.robocorp.furnished import furnish
from controlroom.engine.console import actions as console
from controlroom.sources import robocorp_source
from controlroom.sources.robocorp.tables import TABLES

NAMES = {each.name for table in TABLES for each in table.all}


@pytest.fixture
def source(room, ada):
    """Makes the source of ada's workspace."""
    return partial(robocorp_source, workspace_id=str(ada.workspace), api_key=ada.key, base_url=room.url)


async def told(ada) -> dict[str, list]:
    """What the API tells, by table."""
    runs = await ada.every("/process-runs")
    steps = [
        each | {"run": run["id"]} for run in runs for each in await ada.every(f"/step-runs?process_run_id={run['id']}")
    ]
    below = {
        name: [row for step in steps for row in await ada.every(f"/step-runs/{step['id']}/{path}")]
        for name, path in (
            ("step_run_events", "events"),
            ("step_run_phases", "phases"),
            ("step_run_artifacts", "artifacts"),
            ("console_messages", "console-messages"),
        )
    }
    outputs = [each for run in runs for each in await ada.every("/outputs", process_run_id=run["id"])]
    processes = [await ada.get(f"/processes/{each['id']}") for each in await ada.every("/processes")]
    groups = await ada.every("/worker-groups")
    webhooks = await ada.every("/webhooks")
    return {
        "workspace": [await ada.get("")],
        "processes": processes,
        "process_steps": [step for each in processes for step in each["steps"]],
        "process_runs": runs,
        "step_runs": steps,
        **below,
        "work_items": [await ada.get(f"/work-items/{each['id']}") for each in await ada.every("/work-items")],
        "work_item_files": [],
        "outputs": outputs,
        "output_files": [],
        "assets": [await ada.get(f"/assets/{each['id']}") for each in await ada.every("/assets")],
        "workers": await ada.every("/workers"),
        "worker_groups": groups,
        "worker_group_members": [w for g in groups for w in await ada.every(f"/worker-groups/{g['id']}/workers")],
        "webhooks": webhooks,
        "webhook_events": [event for hook in webhooks for event in hook["enabled_events"]],
        "assistants": await ada.every("/assistants"),
        "assistant_runs": await ada.every("/assistant-runs"),
    }


def the_same(loading, api: dict[str, list]) -> None:
    """Counts, keys and values are those of the API, in every table."""
    assert set(api) == NAMES
    for table, rows in api.items():
        loaded = loading.rows(table)
        assert len(loaded) == len(rows), table
        if rows and isinstance(rows[0], dict) and "id" in rows[0]:
            by_id = {row["id"]: row for row in loaded} if "id" in loaded[0] else {}
            for row in rows if by_id else ():
                for name in ("name", "state", "size", "duration"):
                    if name in row and (table, name) != ("workers", "state"):  # walt is lost while a load takes long
                        assert by_id[row["id"]][name] == row[name], (table, name)


async def test_a_workspace_is_loaded_whole_and_then_what_has_changed(room, loading, source, ada, process, walt):
    """An empty workspace has the tables of a full one; later loads bring what is new, what changed, what is gone."""
    first = await loading.run(source)
    assert first.remarks == []
    empty = {table: loading.columns(table) for table in NAMES}
    assert all(
        len(loading.rows(table)) == 0 for table in NAMES - {"workspace", "processes", "process_steps", "workers"}
    )

    there = await furnish(room, ada, process, walt)
    open_run = (await ada.post(f"/processes/{process}/process-runs"))["id"]
    await loading.run(source)
    assert {table: loading.columns(table) for table in NAMES} == empty
    the_same(loading, await told(ada))
    [step] = [row for row in loading.rows("step_runs") if row["process_run_id"] == open_run]
    assert (step["state"], step["step_name"]) == ("awaiting_worker", "read")
    item = {row["id"]: row for row in loading.rows("work_items")}[there.ids["item"]]
    assert (json.loads(item["payload"]), item["process_id"]) == ({"invoice": 7}, str(process))
    assert [row["message"] for row in loading.rows("console_messages")] == ["hello"]

    nothing = await loading.run(source, "work_items", "assistant_runs")
    assert nothing.rows == {}

    step_run = await walt.take()
    await console.append(
        room.engine, walt.actor, step_run.step_run_id, step_run.attempt, first=0, count=2, at=1.7e9, body=b"a\nb\n"
    )
    await walt.finish(step_run)
    await ada.call("DELETE", f"/webhooks/{there.ids['webhook']}")
    await ada.call("DELETE", f"/process-runs/{there.ids['run']}")
    await loading.run(source)
    api = await told(ada)
    loaded = {row["id"]: row["state"] for row in loading.rows("process_runs")}
    assert loaded == {row["id"]: row["state"] for row in api["process_runs"]} | {there.ids["run"]: "completed"}
    assert {row["id"] for row in loading.rows("webhooks")} == {row["id"] for row in api["webhooks"]}
    assert sorted(row["message"] for row in loading.rows("console_messages")) == ["a", "b", "hello"]

    await loading.run(partial(source, full=True))
    the_same(loading, api)


async def test_payloads_become_tables_and_artifacts_files_by_choice(
    room, loading, source, ada, process, walt, tmp_path
):
    """Dlt unfolds payloads; contents of artifacts are put into a folder; what they belong to is not loaded."""
    await furnish(room, ada, process, walt)
    asked = partial(source, payload="nested", artifact_files=str(tmp_path / "files"))
    report = await loading.run(asked, "work_items", "outputs", "step_run_artifacts")
    assert "process_runs" not in report.rows

    items = await ada.every("/work-items", include_data="true")
    payloads = {row["work_item_id"]: row["payload__invoice"] for row in loading.rows("work_item_payloads")}
    assert payloads == {each["id"]: each["payload"]["invoice"] for each in items if each["payload"].get("invoice")}
    assert "payload" not in loading.columns("work_items")
    [artifact] = loading.rows("step_run_artifacts")
    assert (artifact["name"], artifact["size"]) == ("log.txt", 3)
    stored = Path(artifact["stored_at"])
    assert stored.read_bytes() == b"log"
    assert stored.is_relative_to(tmp_path / "files")
