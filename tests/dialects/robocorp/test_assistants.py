"""Assistants: made by the public API, run on a user's machine by the exchange that rcc speaks."""

import asyncio
import io
import os
import sys
import zipfile
from uuid import UUID

import msgspec
import pytest

from controlroom.engine.access.model import Role
from controlroom.engine.access.scope import Room
from controlroom.engine.access.users.actions import create_credential, create_user
from controlroom.engine.assistants.actions import lose_silent
from controlroom.engine.packages.actions import push
from controlroom.ids import uuid7
from rcc_caller import Machine, Rcc


@pytest.fixture
async def assistant(ada, process) -> str:
    """An assistant of a task."""
    [package] = await ada.every("/task-packages")
    made = await ada.post("/assistants", {"name": "Helper", "task": {"name": "Read", "package_id": package["id"]}})
    return made["id"]


async def new_machine(room, workspace, stranger, role: Role) -> Rcc:
    user = await create_user(room.engine, room.admin, workspace, username=f"user-{uuid7()}", password=None, role=role)
    _, pair = await create_credential(room.engine, room.admin, user.id, name="laptop")
    return Rcc(stranger, pair)


class Desk:
    """Somebody at a machine, who runs assistants."""

    def __init__(self, rcc: Rcc, token: str, base: str) -> None:
        self.rcc = rcc
        self.token = token
        self.base = base
        self.machine = Machine()

    async def call(self, method: str, path: str, body=None):
        return await self.rcc.call(method, self.base + path, self.token, scheme="RC_WST", json=body)

    async def start(self, assistant: str) -> dict:
        answer = await self.call("POST", f"/{assistant}/runs", {"encryption": self.machine.encryption})
        assert answer.status_code == 200, answer.text
        return self.machine.opened(answer.json())


@pytest.fixture
def desk(room, workspace, stranger):
    """Seats somebody of a role at a machine."""

    async def seat(role: Role = Role.OPERATOR) -> Desk:
        rcc = await new_machine(room, workspace, stranger, role)
        token = await rcc.token(workspace, "run/assistant")
        return Desk(rcc, token, f"/assistant-v1/workspaces/{workspace}/assistants")

    return seat


async def test_an_assistant_is_made_listed_and_deleted(ada, cleo, assistant):
    """By package and task; names are unique; outsiders see nothing."""
    [package] = await ada.every("/task-packages")
    again = {"name": "Helper", "task": {"name": "Read", "package_id": package["id"]}}

    shown = await ada.get(f"/assistants/{assistant}")
    assert shown["task"] == again["task"]
    assert [row["id"] for row in await ada.every("/assistants")] == [assistant]
    assert await cleo.every("/assistants") == []
    assert (await ada.call("POST", "/assistants", json=again)).status_code == 409
    unknown = {"name": "Other", "task": {"name": "Nothing", "package_id": package["id"]}}
    assert (await ada.call("POST", "/assistants", json=unknown)).status_code == 404
    assert (await ada.call("DELETE", f"/assistants/{assistant}")).status_code == 200
    assert (await ada.call("GET", f"/assistants/{assistant}")).status_code == 404


async def test_a_machine_runs_an_assistant_to_its_end(ada, desk, assistant, room):
    """The answer opens with the machine's key alone; heartbeats, files and the end reach the public API."""
    ben = await desk()
    [listed] = (await ben.call("GET", "")).json()
    assert listed["id"] == assistant

    told = await ben.start(assistant)
    run = told["id"]
    [package] = await ada.every("/task-packages")
    assert told["robot"]["id"] == package["id"]
    assert told["robot"]["task"] == "Read"
    assert len(told["robot"]["sha256"]) == 64
    assert (await ada.get(f"/assistant-runs/{run}"))["state"] == "in_progress"

    assert (await ben.call("POST", f"/{assistant}/runs/{run}/heartbeat", {"seq": 1})).status_code == 200
    announced = await ben.rcc.http.post(
        told["config"]["artifactPostURL"], json={"fileName": "log.html", "fileSize": "5"}
    )
    post = announced.json()["response"]["postInfo"]
    posted = await ben.rcc.http.post(post["url"], data=post["fields"], files={"file": ("log.html", b"hello")})
    assert posted.status_code == 204
    ended = await ben.call("PUT", f"/{assistant}/runs/{run}/complete", {"result": "OK", "error": "PASS"})
    again = await ben.call("PUT", f"/{assistant}/runs/{run}/complete", {"result": "OK", "error": "PASS"})
    other = await ben.call("PUT", f"/{assistant}/runs/{run}/complete", {"result": "ERROR", "error": "ROBOT_FAILURE"})

    assert [answer.status_code for answer in (ended, again, other)] == [200, 200, 409]
    shown = await ada.get(f"/assistant-runs/{run}")
    assert (shown["state"], shown["error"], shown["assistant"]["name"]) == ("completed", None, "Helper")
    [artifact] = await ada.every(f"/assistant-runs/{run}/artifacts")
    assert (artifact["name"], artifact["size"]) == ("log.html", 5)
    assert (await ada.http.get(artifact["url"])).text == "hello"


async def test_the_robot_may_use_vault_and_assets_while_it_runs(ada, desk, assistant, workspace):
    """Its token dies with the run, and opens nothing else."""
    ben = await desk()
    told = await ben.start(assistant)
    token = told["config"]["environment"]["RC_API_SECRET_TOKEN"]
    key, assets = f"/secrets-v1/workspaces/{workspace}/secrets/publicKey", f"/api/v1/workspaces/{workspace}/assets"
    runs = f"/api/v1/workspaces/{workspace}/process-runs"

    before = [(await ben.rcc.call("GET", path, token)).status_code for path in (key, assets, runs)]
    await ben.call("PUT", f"/{assistant}/runs/{told['id']}/complete", {"result": "ERROR", "error": "ROBOT_FAILURE"})
    after = [(await ben.rcc.call("GET", path, token)).status_code for path in (key, assets)]

    assert before == [200, 200, 403]
    assert after == [401, 401]
    assert (await ada.get(f"/assistant-runs/{told['id']}"))["error"] == {"code": "ROBOT_FAILURE"}


async def test_a_robots_token_of_a_release_before_still_opens_its_run(room, desk, assistant, workspace):
    """Such a token does not say whose organization the workspace is; it is looked for."""
    ben = await desk()
    told = await ben.start(assistant)
    older = room.engine.keys.pack_token("cra_", msgspec.msgpack.encode([UUID(told["id"]).bytes, workspace.bytes]))
    assets = f"/api/v1/workspaces/{workspace}/assets"

    assert (await ben.rcc.call("GET", assets, older)).status_code == 200
    await ben.call("PUT", f"/{assistant}/runs/{told['id']}/complete", {"result": "OK"})
    assert (await ben.rcc.call("GET", assets, older)).status_code == 401


async def test_a_silent_machine_loses_its_run(room, ada, desk, assistant):
    """Nothing heard for four minutes: the run has failed, and what comes later is a conflict."""
    ben = await desk()
    silent, alive = await ben.start(assistant), await ben.start(assistant)
    await room.engine.database.execute(
        "update assistant_run set seen_at = clock_now() - interval '5 minutes' where id = %(run)s", run=silent["id"]
    )

    while await lose_silent(room.engine, Room()):
        pass

    late = await ben.call("POST", f"/{assistant}/runs/{silent['id']}/heartbeat", {"seq": 9})
    assert (await ada.get(f"/assistant-runs/{silent['id']}"))["error"] == {"code": "LOST"}
    assert (await ada.get(f"/assistant-runs/{alive['id']}"))["state"] == "in_progress"
    assert late.status_code == 409


async def test_only_who_may_start_runs_assistants_of_their_own(desk, assistant):
    """A viewer starts nothing; another user's run is not found; a key that is none starts nothing."""
    viewer, ben, eve = await desk(Role.VIEWER), await desk(), await desk()
    run = (await ben.start(assistant))["id"]

    refused = await viewer.call("POST", f"/{assistant}/runs", {"encryption": viewer.machine.encryption})
    foreign = await eve.call("POST", f"/{assistant}/runs/{run}/heartbeat", {"seq": 1})
    no_key = await ben.call(
        "POST", f"/{assistant}/runs", {"encryption": {"scheme": "rc-encryption-v1", "publicKey": ""}}
    )
    no_scheme = await ben.call("POST", f"/{assistant}/runs", {"encryption": {"scheme": "plain", "publicKey": ""}})

    assert [answer.status_code for answer in (refused, foreign, no_key, no_scheme)] == [403, 404, 400, 400]


async def test_the_command_line_runs_an_assistant(room, ada, workspace, stranger, tmp_path):
    """`controlroom assistant run` fetches the robot, runs it here, leaves its files and reports the end."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as robot:
        robot.writestr("robot.yaml", "tasks:\n  Greet:\n    shell: sh greet.sh\nartifactsDir: output\n")
        robot.writestr("greet.sh", 'echo "hello $RC_WORKSPACE_ID" > "$ROBOT_ARTIFACTS/said.txt"\n')
    blob = await room.engine.objects.put_bytes(content.getvalue())
    pushed = await push(room.engine, ada.actor, workspace, "greeter", blob)
    await ada.post("/assistants", {"name": "Greeter", "task": {"name": "Greet", "package_id": str(pushed.package.id)}})
    rcc = await new_machine(room, workspace, stranger, Role.OPERATOR)

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "controlroom",
        "assistant",
        "run",
        "Greeter",
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "NO_PROXY": "127.0.0.1",
            "CONTROLROOM_URL": room.url,
            "CONTROLROOM_WORKSPACE": str(workspace),
            "CONTROLROOM_API_KEY": ada.key,
            "CONTROLROOM_CREDENTIALS": f"{rcc.identifier}:{rcc.secret}",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()

    assert process.returncode == 0, said.decode()
    [run] = await ada.every("/assistant-runs")
    assert run["state"] == "completed"
    [artifact] = await ada.every(f"/assistant-runs/{run['id']}/artifacts")
    assert (await ada.http.get(artifact["url"])).text == f"hello {workspace}\n"
