"""The old Process API by key, by query and by a process's secret; also through `RPA.Robocorp.Process`, unmodified."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from controlroom.engine.access.model import Permission
from controlroom.engine.runs import reports
from controlroom.protocol import ErrorCode


@pytest.fixture
def old(ada, process):
    """The addresses of a process in this API."""
    return f"{ada.http.base_url}/process-v1/workspaces/{ada.workspace}/processes/{process}"


async def called(person, method: str, url: str, **options):
    answer = await person.call(method, url, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def item(ada, run: str) -> list:
    rows = await ada.every("/work-items", process_run_id=run)
    return [(await ada.get(f"/work-items/{row['id']}"))["payload"] for row in reversed(rows)]


@pytest.mark.parametrize(
    ("body", "payloads"),
    [
        (b'{"variables": {"a": 1}}', [{"variables": {"a": 1}}]),
        (b"[1, 2]", [[1, 2]]),
        (b"", [{}]),
        (b"[]", [{}]),
    ],
)
async def test_the_whole_body_is_the_payload_of_one_item(ada, old, body, payloads):
    """Whatever the body is, it is one payload; none, and the empty array that clients send, is one empty item."""
    started = await called(ada, "POST", f"{old}/runs", content=body)

    assert await item(ada, started["id"]) == payloads
    assert [row["id"] for row in await ada.every("/work-items", process_run_id=started["id"])] == started["workItemIds"]


async def test_a_batch_is_one_run_with_an_item_for_each_element(ada, old):
    """As many items as elements: one run, in the order of the array."""
    started = await called(ada, "POST", f"{old}/runs-batch", content=b'[{"n": 1}, 2, null]')

    assert len(started["workItemIds"]) == 3
    assert await item(ada, started["id"]) == [{"n": 1}, 2, None]
    refused = await ada.call("POST", f"{old}/runs-batch", content=b'{"n": 1}')
    assert refused.status_code == 400


async def test_a_run_request_is_json_whatever_its_content_type_says(ada, old, process):
    """Configured, with named items or with what waits; labelled as a form, or not at all."""
    waiting = await ada.post("/work-items", {"process": {"id": str(process)}, "payload": 7})

    default = await called(ada, "POST", f"{old}/run-request", content=b'{"type": "default"}')
    named = await called(
        ada,
        "POST",
        f"{old}/run-request",
        content=json.dumps({"type": "workItemIds", "workItemIds": [waiting["id"]]}).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    nothing = await ada.call("POST", f"{old}/run-request", json={"type": "storages", "storages": ["input"]})

    assert await item(ada, default["id"]) == [{}]
    assert named["workItemIds"] == [waiting["id"]]
    assert (nothing.status_code, nothing.json()["error"]["code"]) == (409, "NO_WORK_ITEMS")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("run-request", {"type": "default", "payload": {"order": 7}}),
        ("run-request", {"type": "default", "workItemIds": [str(uuid4())]}),
        ("run-request", {"type": "workItemIds", "workItemIds": [str(uuid4())], "storages": ["input"]}),
        ("work-items", {"order": 7}),
        ("work-items", {"payload": {"order": 7}, "priority": 3}),
    ],
)
async def test_input_is_never_dropped_in_silence(ada, old, path, body):
    """A start or an item with more than it can have is refused: nothing starts, and nothing waits, without it."""
    answer = await ada.call("POST", f"{old}/{path}", json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_BODY"), answer.text
    assert await ada.every("/process-runs") == []
    assert await ada.every("/work-items") == []


async def test_the_key_may_be_in_the_query(ada, ben, cleo, stranger, old):
    """`runs-qs-authorization` looks at the token alone; without a valid one nothing starts."""
    url = f"{old}/runs-qs-authorization"

    started = await stranger.post(url, params={"token": ada.key}, json={"a": 1}, headers={"authorization": "Basic x"})
    missing = await ada.http.post(url, json={})
    foreign = await stranger.post(url, params={"token": cleo.key}, json={})

    assert started.status_code == 200
    assert await item(ada, started.json()["id"]) == [{"a": 1}]
    assert (missing.status_code, foreign.status_code) == (401, 404)


async def test_a_run_is_told_with_the_states_of_old(ada, old, walt):
    """IND until it begins, IP while it runs, PENDING when items failed, COMPL when all are done; results likewise."""
    started = await called(ada, "POST", f"{old}/runs", json={"n": 1})
    run = f"{old}/runs/{started['id']}"
    assert (await called(ada, "GET", run))["state"] in {"IND", "IP"}
    assignment = await walt.take()
    under_way = await called(ada, "GET", run)
    await walt.finish(assignment, ErrorCode.ROBOT_FAILED)
    failed = await called(ada, "GET", run)
    robot_run = await called(ada, "GET", f"{run}/robotRuns/{assignment.step_run_id}")
    await ada.post("/work-items/batch", {"batch_operation": "mark_as_done", "work_item_ids": started["workItemIds"]})

    assert (under_way["state"], under_way["result"], under_way["errorCode"]) == ("IP", None, "")
    assert (failed["state"], failed["result"]) == ("PENDING", "ERR")
    assert failed["workItemStats"] == {"totalCount": 1, "failedCount": 1, "succeededCount": 0}
    assert failed["robotRuns"] == [{"id": str(assignment.step_run_id)}]
    assert (robot_run["state"], robot_run["result"], robot_run["errorCode"]) == ("COMPL", "ERR", "ROBOT_FAILED")


async def test_lists_have_their_forms_of_old(ada, old, walt):
    """Processes, runs and items are in an envelope; runs of the workspace, robot runs and what they left are arrays."""
    started = await called(ada, "POST", f"{old}/runs", json={"n": 1})
    assignment = await walt.take()
    workspace = old.rpartition("/processes/")[0]
    run = f"{old}/runs/{started['id']}"
    robot_run = f"{run}/robotRuns/{assignment.step_run_id}"

    [listed] = (await called(ada, "GET", f"{workspace}/processes"))["data"]
    assert listed["name"] == "Invoices"
    assert [row["id"] for row in (await called(ada, "GET", f"{old}/runs", params={"limit": 10}))["data"]] == [
        started["id"]
    ]
    assert [row["id"] for row in await called(ada, "GET", f"{workspace}/pruns", params={"state": "ip"})] == [
        started["id"]
    ]
    assert await called(ada, "GET", f"{workspace}/pruns", params={"state": "COMPL"}) == []
    assert [row["id"] for row in await called(ada, "GET", f"{run}/robotRuns", params={"limit": 10})] == [
        str(assignment.step_run_id)
    ]
    [event, *_] = await called(ada, "GET", f"{robot_run}/events")
    assert set(event) == {
        "seqNo",
        "timestamp",
        "eventType",
        "data",
    }
    assert await called(ada, "GET", f"{robot_run}/messages", params={"limit": 5}) == []
    assert await called(ada, "GET", f"{robot_run}/artifacts") == []


async def test_the_address_of_an_artifact_is_a_json_string(room, ada, stranger, old, process, walt):
    """In this API and in the oldest one: one string in quotes, that leads to the content."""
    started = await called(ada, "POST", f"{old}/runs", json={"n": 1})
    work = await walt.take()
    blob = await room.engine.objects.put_bytes(b"what happened")
    await reports.add_artifacts(room.engine, walt.actor, work.step_run_id, work.attempt, {'logs/the "log".txt': blob})
    path = f"/runs/{started['id']}/robotRuns/{work.step_run_id}/artifacts"
    [artifact] = await called(ada, "GET", f"{old}{path}")
    secret = {"robocloud-process-secret": (await ada.post(f"/processes/{process}/secret"))["secret"]}

    for get, base in (
        (ada.http.get, old),
        (lambda url: stranger.get(url, headers=secret), old.replace("/process-v1/", "/workspace-v1/")),
    ):
        answer = await get(f"{base}{path}/{artifact['id']}/log.txt")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert isinstance(answer.json(), str)
        assert (await stranger.get(answer.json())).content == b"what happened"


async def test_runs_count_from_one_by_process(ada, old, process):
    """1, 2, 3 of each process, in the run and in its items; a start that failed may leave a gap, and numbers stay."""
    other = await ada.post(
        "/processes", {"name": "Other", "steps": [{"name": "s", "task": {"name": "Read", "package_name": "robot"}}]}
    )
    other_old = old.replace(str(process), other["id"])

    runs = [await called(ada, "POST", f"{old}/runs", json={"n": n}) for n in range(3)]
    other_run = await called(ada, "POST", f"{other_old}/runs")
    assert (await ada.call("POST", f"{old}/run-request", json={"type": "storages", "storages": ["input"]})).is_error
    last = await called(ada, "POST", f"{old}/runs")

    told = [(await called(ada, "GET", f"{old}/runs/{run['id']}"))["runNo"] for run in runs]
    assert told == [1, 2, 3]
    assert (await called(ada, "GET", f"{other_old}/runs/{other_run['id']}"))["runNo"] == 1
    assert (await called(ada, "GET", f"{old}/runs/{last['id']}"))["runNo"] in {4, 5}
    listed = (await called(ada, "GET", f"{old}/runs"))["data"]
    assert [run["runNo"] for run in listed][-3:] == [3, 2, 1]
    items = (await called(ada, "GET", f"{old}/runs/{runs[1]['id']}/work-items"))["data"]
    assert [each["processRunNo"] for each in items] == [2]


async def test_items_are_made_read_and_retried(ada, old, walt):
    """An item is made of an envelope or of the body itself, read with its data, given files, and retried."""
    enveloped = await called(ada, "POST", f"{old}/work-items", json={"payload": {"a": 1}})
    bare = await called(ada, "POST", f"{old}/work-items", params={"bodyAsPayload": "true"}, json={"b": 2})
    form = await called(
        ada,
        "POST",
        f"{old}/work-items/{bare['id']}/files/upload",
        content=json.dumps({"fileName": "a.txt", "fileSize": 2}).encode(),
    )
    posted = await ada.http.post(form["url"], data=form["fields"], files={"file": ("a.txt", b"hi")})
    assert posted.status_code < 400

    with_data = (await called(ada, "GET", f"{old}/work-items", params={"includeData": "true"}))["data"]
    without = (await called(ada, "GET", f"{old}/work-items", params={"includeData": "false"}))["data"]
    assert [(row["state"], row["payload"]) for row in with_data] == [("NEW", {"b": 2}), ("NEW", {"a": 1})]
    assert [file["fileName"] for file in with_data[0]["files"]] == ["a.txt"]
    assert [row["payload"] for row in without] == [None, None]

    started = await called(
        ada, "POST", f"{old}/run-request", json={"type": "workItemIds", "workItemIds": [enveloped["id"]]}
    )
    await walt.finish(await walt.take(), ErrorCode.ROBOT_FAILED)
    [failed] = (await called(ada, "GET", f"{old}/runs/{started['id']}/work-items", params={"sortBy": "createTs"}))[
        "data"
    ]
    assert (failed["state"], failed["exception"]["type"], failed["processName"]) == (
        "FAILED",
        "application",
        "Invoices",
    )
    retried = await called(ada, "POST", f"{old}/work-items/{failed['id']}/retry")
    assert retried["state"] == "PENDING"


async def test_rights_are_those_of_the_key(ada, cleo, hire, old):
    """A key without the permission is told which; another workspace's sees nothing; other ids are not found."""
    reader = await hire("reader", ada.workspace, frozenset({Permission.READ_PROCESSES}))

    refused = await reader.call("POST", f"{old}/runs", json={})
    unseen = await cleo.call("GET", f"{old}/runs")
    absent = [
        await ada.call("GET", f"{old}/runs/{uuid4()}"),
        await ada.call("GET", f"{old}/work-items/{uuid4()}"),
        await ada.call("POST", f"{old.rpartition('/')[0]}/{uuid4()}/runs", json={}),
    ]

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "PERMISSION_MISSING")
    assert unseen.status_code == 404
    assert {answer.status_code for answer in absent} == {404}


async def test_the_oldest_api_takes_the_secret_of_its_process(ada, stranger, old, process, walt):
    """Off by default; on, it starts and tells runs of this process alone, until it is off again."""
    oldest = old.replace("/process-v1/", "/workspace-v1/")
    assert (await ada.call("GET", f"/processes/{process}/secret")).status_code == 404

    secret = (await ada.post(f"/processes/{process}/secret"))["secret"]
    headers = {"robocloud-process-secret": secret}
    started = await stranger.post(f"{oldest}/runs", json={"variables": {"a": 1}}, headers=headers)
    assert started.status_code == 200, started.text
    answer = started.json()
    assert answer["message"] == "OK"
    await walt.finish(await walt.take())
    told = await stranger.get(f"{oldest}/runs/{answer['processRunId']}", headers=headers)
    step = told.json()["robotRuns"][0]["id"]
    artifacts = await stranger.get(
        f"{oldest}/runs/{answer['processRunId']}/robotRuns/{step}/artifacts", headers=headers
    )
    other = await stranger.get(f"{oldest.rpartition('/')[0]}/{uuid4()}/runs/{uuid4()}", headers=headers)
    wrong = await stranger.post(f"{oldest}/runs", headers={"robocloud-process-secret": "0" * 32})

    assert len(secret) == 32
    assert told.json()["state"] in {"IP", "COMPL"}
    assert artifacts.json() == []
    assert (other.status_code, wrong.status_code) == (401, 401)
    assert (await ada.post(f"/processes/{process}/secret/reveal"))["secret"] == secret

    assert (await ada.call("DELETE", f"/processes/{process}/secret")).status_code == 200
    assert (await stranger.post(f"{oldest}/runs", headers=headers)).status_code == 401


async def test_a_build_uploads_a_robot_by_the_old_robot_api(ada, process):
    """The link's fields and the zip are posted as a form, and the package has a new version."""
    [package] = await ada.every("/task-packages")
    link = await called(
        ada, "GET", f"{ada.http.base_url}/robot-v2/workspaces/{ada.workspace}/robots/{package['id']}/file/uploadlink"
    )

    posted = await ada.http.post(link["url"], data=link["fields"], files={"file": ("robot.zip", b"no zip")})

    assert posted.status_code == 400  # a zip is looked at before it becomes a version
    assert posted.json()["error"]["code"] == "PACKAGE_INVALID"


# ---------------------------------------------------------------------------------------------------- the library
_SCRIPT = Path(__file__).with_name("old_process_client.py")


@pytest.fixture(scope="session")
def rpa_python(request) -> str:
    """A Python that has `rpaframework`, in an environment of the tests' cache, because it fits into no other."""
    folder = Path(request.config.cache.mkdir("rpaframework"))
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        uv = Path(sys.executable).with_name("uv")
        made = subprocess.run([uv, "venv", "--quiet", folder / "venv"], check=False)
        packages = [uv, "pip", "install", "--quiet", "--python", python, "rpaframework>=33,<34"]
        if made.returncode or subprocess.run(packages, check=False).returncode:
            pytest.skip("rpaframework could not be installed")
    return str(python)


@pytest.mark.network
@pytest.mark.slow
async def test_the_vendors_library_works_unmodified(rpa_python, room, ada, process, walt, tmp_path):
    """`RPA.Robocorp.Process` starts, lists, reads, retries, uploads and finds artifacts as it is."""
    upload = tmp_path / "note.txt"
    upload.write_text("hello")
    script = await asyncio.create_subprocess_exec(
        rpa_python,
        str(_SCRIPT),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={
            "PATH": os.environ["PATH"],
            "NO_PROXY": "127.0.0.1",
            "SERVER": f"{room.url}/process-v1",
            "WORKSPACE": str(ada.workspace),
            "KEY": ada.key,
            "UPLOAD": str(upload),
            "HOME": str(tmp_path),
        },
    )
    assert script.stdout is not None
    assert script.stdin is not None
    told = json.loads(await script.stdout.readline())
    work = await walt.take()
    blob = await room.engine.objects.put_bytes(b"what happened")
    await reports.add_artifacts(room.engine, walt.actor, work.step_run_id, work.attempt, {"log.txt": blob})
    await walt.finish(work, ErrorCode.ROBOT_FAILED)
    script.stdin.write(b"failed\n")
    rest, _ = await script.communicate()

    assert script.returncode == 0, rest.decode()
    assert told["process"] == str(process)
    found = json.loads(rest.splitlines()[-1])
    assert found["failed"] == [told["item"]]
    assert found["retried"] == "PENDING"
    assert found["state"] == "PENDING"
    assert (await ada.http.get(found["artifact"])).content == b"what happened"
    shown = await ada.get(f"/work-items/{found['uploaded']}")
    assert [file["name"] for file in shown["files"]] == ["note.txt"]
