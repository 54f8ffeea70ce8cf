"""A server that speaks the vendor's grammar alone: no payloads in lists, step runs of one run at a time, no phases."""

import json
from functools import partial

from controlroom.sources import robocorp_source
from sources.serving import listing

RUNS = [{"id": f"r{n}", "state": "completed", "created_at": "2026-01-02T00:00:00Z"} for n in range(3)]
ITEMS = [{"id": f"i{n}", "state": "done", "created_at": "2026-01-02T00:00:00Z"} for n in range(4)]


def vendors(path: str, query: dict[str, list[str]]) -> tuple[int, object]:
    """What it answers."""

    def page(rows):
        return 200, {"data": rows, "next": None, "has_more": False}

    match path.strip("/").split("/")[4:]:
        case ["process-runs"]:
            return page(RUNS)
        case ["step-runs"] if len(query["process_run_id"]) > 1:
            return 400, {"error": {"message": "process_run_id must be a string"}}
        case ["step-runs"]:
            return page([{"id": f"s of {query['process_run_id'][0]}", "state": "completed"}])
        case ["work-items"]:
            return page(ITEMS)
        case ["work-items", id_]:
            return 200, {**next(item for item in ITEMS if item["id"] == id_), "payload": {"of": id_}, "files": []}
        case _:
            return 404, {"error": {"message": "no such path"}}


async def test_what_a_server_does_not_tell_at_once_is_asked_one_by_one(loading):
    """Each item for its payload, each run for its step runs; what it does not know at all is left out."""
    with listing() as server:
        server.answer = vendors
        source = partial(robocorp_source, workspace_id="w", api_key="k", base_url=server.url)
        await loading.run(source, "process_runs", "step_runs", "step_run_phases", "work_items")
        asked = [path.partition("?")[0] for path in server.asked]

    step_runs = {row["id"]: row["process_run_id"] for row in loading.rows("step_runs")}
    assert step_runs == {f"s of {run['id']}": run["id"] for run in RUNS}
    payloads = {row["id"]: json.loads(row["payload"]) for row in loading.rows("work_items")}
    assert payloads == {item["id"]: {"of": item["id"]} for item in ITEMS}
    assert loading.rows("step_run_phases") == []
    assert sum(path.endswith("/step-runs") for path in asked) == 1 + len(RUNS)
