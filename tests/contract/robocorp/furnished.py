"""A workspace in which there is one of everything, and requests that succeed there."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx2

from controlroom.engine.access.model import Role
from controlroom.engine.access.users.actions import create_user
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.assistants import actions as assistants
from controlroom.engine.console import actions as console
from controlroom.engine.packages.actions import push
from controlroom.engine.runs import reports
from controlroom.ids import uuid7
from live import Live, Person, Worker, robot_zip

_PAYLOAD = {"invoice": 7}
_SOON = (datetime.now(UTC) + timedelta(hours=1)).isoformat()


class Furnished(NamedTuple):
    """What is there, by noun: the values for the braces of a path."""

    owner: Person
    ids: dict[str, str]

    async def call(
        self,
        method: str,
        path: str,
        key: str | None,
        *,
        ids: dict[str, str] | None = None,
        prefix: str = "/api/v1",
        content: bytes | None = None,
        more: dict[str, Any] | None = None,
    ) -> httpx2.Response:
        """The request of a path below the workspace, with what it needs to succeed unless told otherwise."""
        params = {"process_run_id": self.ids["run"]} if path in {"/step-runs", "/outputs"} else {}
        if path.endswith("-integrations"):
            params["token"] = key or ""
        if content is None and method in {"POST", "PUT"}:
            body = _body_of(path, self.ids)
            content = json.dumps(body | more if more else body).encode()
        named = self.ids | (ids or {})
        return await self.owner.http.request(
            method,
            f"{prefix}/workspaces/{named['workspace']}{path.format(**named)}",
            params=params,
            headers={"Authorization": f"RC-WSKEY {key}" if key else ""},
            content=content,
        )


async def furnish(room: Live, ada: Person, process: str, walt: Worker) -> Furnished:
    """Make one of everything. The run has ended; the package is one that nothing uses."""
    engine = room.engine
    starts = f"/processes/{process}/process-runs"
    run = (await ada.post(starts, {"type": "with_payloads", "payloads": [_PAYLOAD]}))["id"]
    first = await walt.take()
    blob = await engine.objects.put_bytes(b"log")
    await reports.add_artifacts(engine, walt.actor, first.step_run_id, first.attempt, {"log.txt": blob})
    await console.append(
        engine, walt.actor, first.step_run_id, first.attempt, first=0, count=1, at=1_700_000_000.0, body=b"hello\n"
    )
    await _output(ada, first)
    await walt.finish(first)
    second = await walt.take()
    await _output(ada, second)
    await walt.finish(second)
    [artifact] = await ada.every(f"/step-runs/{first.step_run_id}/artifacts")

    [robot] = await ada.every("/task-packages")
    content = await engine.objects.put_bytes(robot_zip("Read"))
    spare = (await push(engine, ada.actor, ada.workspace, "spare", content)).package
    asset = (await ada.post("/assets", {"name": f"asset {uuid7()}"}))["id"]
    upload = (await ada.post(f"/assets/{asset}/uploads", {"content_type": "text/plain", "data": "aGk="}))["id"]
    group = (await ada.post("/worker-groups", {"name": "night"}))["id"]
    worker = str(walt.actor.worker_id)
    await ada.post(f"/worker-groups/{group}/workers", {"worker": {"id": worker}})
    token = (await ada.post(f"/worker-groups/{group}/link-tokens", {"name": "t", "expires_at": None}))["id"]
    hook = {
        "endpoint": "https://example.com/hook",
        "enabled_events": ["process_run.completed"],
        "process": {"id": str(process)},
    }
    webhook = (await ada.post("/webhooks", hook))["id"]
    task = {"name": "Read", "package_id": robot["id"]}
    assistant = (await ada.post("/assistants", {"name": "helper", "task": task}))["id"]
    item = (await ada.post("/work-items", {"process": {"id": str(process)}, "payload": _PAYLOAD}))["id"]
    return Furnished(
        ada,
        {
            "workspace": str(ada.workspace),
            "process": str(process),
            "run": run,
            "step_run": str(first.step_run_id),
            "artifact": artifact["id"],
            "item": item,
            "package": str(spare.id),
            "robot": robot["id"],
            "asset": asset,
            "upload": upload,
            "worker": worker,
            "group": group,
            "token": token,
            "webhook": webhook,
            "assistant": assistant,
            "assistant_run": await _assistant_run(room, ada, assistant),
            "file": "log.txt",
        },
    )


def _body_of(path: str, ids: dict[str, str]) -> Any:
    bodies: dict[str, Any] = {
        "/assets": {"name": f"new {uuid7()}"},
        "/assets/{asset}/uploads": {"content_type": "text/plain"},
        "/assistants": {"name": f"new {uuid7()}", "task": {"name": "Read", "package_id": ids["robot"]}},
        "/process-runs/{run}/stop": {"set_remaining_work_items_as_done": True, "terminate_ongoing_activity_runs": True},
        "/processes/{process}/process-runs": {"type": "with_payloads", "payloads": [_PAYLOAD, None]},
        "/processes/{process}/process-runs-integrations": [1, {"any": "thing"}],
        "/work-items": {"process": {"id": ids["process"]}, "payload": _PAYLOAD},
        "/work-items/batch": {"batch_operation": "delete", "work_item_ids": [ids["item"]]},
        "/work-items/{item}/files": {"file_name": "a.txt", "file_size": 5},
        "/work-items/{item}/files/upload": {"file_name": "a.txt", "file_size": 5},
        "/work-items/{item}/payload": {"payload": _PAYLOAD},
        "/task-packages": {"name": f"new {uuid7()}", "type": "zip"},
        "/webhooks": {
            "endpoint": "https://example.com/hook",
            "enabled_events": ["process_run.started"],
            "process": {"id": ids["process"]},
        },
        "/workers/link-tokens": {"expires_at": _SOON},
        "/workers/{worker}": {"name": f"new {uuid7()}"},
        "/worker-groups": {"name": f"new {uuid7()}"},
        "/worker-groups/{group}": {"name": f"new {uuid7()}"},
        "/worker-groups/{group}/workers": {"worker": {"id": ids["worker"]}},
        "/worker-groups/{group}/link-tokens": {"name": "new", "expires_at": _SOON},
        "/worker-groups/{group}/link-tokens/{token}": {"name": "changed", "expires_at": None},
    }
    return bodies[path]


async def _output(ada: Person, assignment: Any) -> None:
    robot = {"Authorization": f"Bearer {assignment.token}"}
    process = f"/process-v1/workspaces/{ada.workspace}/processes/{assignment.process_id}"
    url = f"{process}/work-items/{assignment.work_item_id}/output"
    answer = await ada.http.post(url, json={"payload": _PAYLOAD}, headers=robot)
    assert answer.status_code == 200, answer.text


async def _assistant_run(room: Live, ada: Person, assistant: str) -> str:
    user = await create_user(
        room.engine, room.admin, ada.workspace, username=f"user-{uuid7()}", password=None, role=Role.OPERATOR
    )
    actor = await actor_of_user(room.engine.database, user.id)
    await assistants.start(room.engine, actor, ada.workspace, assistant)
    [run] = await ada.every("/assistant-runs")
    return run["id"]
