"""What a robot does with work items, with the token of its step run; also through the vendor's own library."""

import asyncio
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx2
import pytest

from controlroom.protocol import Assignment


class Robot:
    """A robot process, as its libraries call the runtime APIs."""

    def __init__(self, http: httpx2.AsyncClient, assignment: Assignment) -> None:
        self.http = http
        self.assignment = assignment
        self.items = f"/json-v1/workspaces/{assignment.workspace_id}/workitems"
        self.process = f"/process-v1/workspaces/{assignment.workspace_id}/processes/{assignment.process_id}"
        self.step_run = f"{self.process}/runs/{assignment.run_id}/robotRuns/{assignment.step_run_id}"

    async def call(self, method: str, path: str, **options) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.assignment.token}", "Content-Type": "application/json"}
        return await self.http.request(method, path, headers=headers | options.pop("headers", {}), **options)

    async def reserve(self) -> str | None:
        answer = await self.call("POST", f"{self.step_run}/reserve-next-work-item")
        assert answer.status_code == 200, answer.text
        return answer.json()["workItemId"]

    async def release(self, item: str, state: str = "COMPLETED", **exception) -> httpx2.Response:
        body = {"workItemId": item, "state": state} | ({"exception": exception} if exception else {})
        return await self.call("POST", f"{self.step_run}/release-work-item", json=body)

    async def output(self, parent: str, payload) -> httpx2.Response:
        return await self.call("POST", f"{self.process}/work-items/{parent}/output", json={"payload": payload})


@pytest.fixture
async def robot(ada, process, walt, stranger):
    """A robot of the first step, in a run of three items."""
    await ada.post(
        f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": [{"n": 1}, {"n": 2}, {"n": 3}]}
    )
    return Robot(stranger, await walt.take())


async def test_a_robot_drains_its_queue(robot, ada):
    """Reserve gives the item in hand until it is released, then the next, then null."""
    first = await robot.reserve()
    assert first == str(robot.assignment.work_item_id)
    assert await robot.reserve() == first

    seen = []
    item = first
    while item is not None:
        seen.append((await robot.call("GET", f"{robot.items}/{item}/data")).json())
        assert (await robot.release(item)).status_code == 200
        item = await robot.reserve()

    assert seen == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert {row["state"] for row in await ada.every("/work-items")} == {"done"}


async def test_a_release_may_be_repeated_but_not_contradicted(robot):
    """The same release twice is fine; another outcome, or another item, is a conflict."""
    item = await robot.reserve()

    statuses = [
        (await robot.release(item)).status_code,
        (await robot.release(item)).status_code,
        (await robot.release(item, "FAILED")).status_code,
        (await robot.release(str(uuid4()))).status_code,
    ]

    assert statuses == [200, 200, 409, 409]


async def test_a_failure_is_told_by_the_public_api(robot, ada):
    """An exception keeps type, code and message; without one it is unspecified."""
    first = await robot.reserve()
    await robot.release(first, "FAILED", type="BUSINESS", code="NO_INVOICE", message="Where is it?")
    second = await robot.reserve()
    await robot.release(second, "FAILED")

    shown = [(await ada.get(f"/work-items/{item}"))["exception"] for item in (first, second)]

    assert shown == [
        {"type": "business", "code": "NO_INVOICE", "message": "Where is it?"},
        {"type": "unspecified", "code": "", "message": ""},
    ]


@pytest.mark.parametrize("payload", [b'{"a": 1}', b"null", b"[]", b'"\xc3\xa4"', b"0.1"])
async def test_payloads_pass_as_they_are(robot, payload):
    """What is put is what is got; also null, and what a client does not know of."""
    item = await robot.reserve()

    put = await robot.call("PUT", f"{robot.items}/{item}/data", content=payload)
    got = await robot.call("GET", f"{robot.items}/{item}/data")

    assert put.status_code == 200
    assert got.json() == json.loads(payload)
    assert got.headers["content-type"] == "application/json"


async def test_an_empty_body_stores_null(robot):
    """A client that saves no payload sends nothing at all; an item without one answers 404."""
    item = await robot.reserve()

    assert (await robot.call("PUT", f"{robot.items}/{item}/data")).status_code == 200
    assert (await robot.call("GET", f"{robot.items}/{item}/data")).json() is None


async def test_a_payload_that_is_no_json_changes_nothing(robot):
    """Broken JSON, and one above the limit, leave the payload as it was."""
    item = await robot.reserve()

    broken = await robot.call("PUT", f"{robot.items}/{item}/data", content=b'{"a": 1')
    large = await robot.call("PUT", f"{robot.items}/{item}/data", content=b'"' + b"x" * 1_100_000 + b'"')

    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "MALFORMED_JSON")
    assert (large.status_code, large.json()["error"]["code"]) == (400, "PAYLOAD_TOO_LARGE")
    assert (await robot.call("GET", f"{robot.items}/{item}/data")).json() == {"n": 1}


async def test_outputs_reach_the_next_step_when_their_parent_is_released(robot, ada):
    """An output is a draft until its parent is released; then, or made later, it waits for the next step."""
    item = await robot.reserve()
    made = (await robot.output(item, {"from": 1})).json()["id"]
    written = await robot.call("PUT", f"{robot.items}/{made}/data", content=b'{"from": 2}')
    assert written.status_code == 200
    assert made not in [row["id"] for row in await ada.every("/work-items")]

    await robot.release(item)

    shown = await ada.get(f"/work-items/{made}")
    assert (shown["state"], shown["payload"]) == ("pending", {"from": 2})
    report = (await robot.output(item, {"from": 3})).json()["id"]  # as robots do that report after their last item
    assert (await ada.get(f"/work-items/{report}"))["state"] == "pending"


async def test_files_are_added_replaced_fetched_and_removed(robot):
    """A file is posted as a form, replaces one of its name, is fetched without a credential, and removed."""
    item = await robot.reserve()
    files = f"{robot.items}/{item}/files"

    async def add(content: bytes) -> None:
        form = (await robot.call("POST", files, json={"fileName": "a.txt", "fileSize": len(content)})).json()
        posted = await robot.http.post(form["url"], data=form["fields"], files={"file": ("a.txt", content)})
        assert posted.status_code == 204, posted.text

    assert (await robot.call("GET", files)).json() == []
    await add(b"first")
    await add(b"second!")
    [file] = (await robot.call("GET", files)).json()
    assert (file["fileName"], file["fileSize"]) == ("a.txt", 7)

    url = (await robot.call("GET", f"{files}/{file['fileId']}")).json()["url"]
    assert (await robot.http.get(url)).content == b"second!"

    assert (await robot.call("DELETE", f"{files}/{file['fileId']}")).status_code == 200
    assert (await robot.call("DELETE", f"{files}/{file['fileId']}")).status_code == 404
    assert (await robot.call("GET", files)).json() == []
    assert (await robot.http.get(url)).status_code == 404


async def test_an_output_whose_answer_could_not_be_written_is_given_again(robot, room):
    """The client hangs up while the server is at work, and repeats its request: there is one output, not two."""
    parent = await robot.reserve()
    room.engine.answers._started -= 60
    address = urlsplit(room.url)
    body = json.dumps({"payload": {"total": 1}}, separators=(",", ":")).encode()  # as the repetition below
    head = (
        f"POST {robot.process}/work-items/{parent}/output HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {robot.assignment.token}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    async with room.engine.database.transaction() as tx:
        await tx.value("select id from work_item where id = %(id)s for update", id=parent)  # so that the answer waits
        for asked in (1, 2):
            _, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(head + body)
            await writer.drain()
            await until(lambda asked=asked: askers(room) == asked)
            writer.close()
        again = asyncio.create_task(robot.output(parent, {"total": 1}))
        await until(lambda: askers(room) == 3)
    first = (await again).json()["id"]

    assert await made_by(room, robot) == [first]
    equal = [(await robot.output(parent, {"total": 1})).json()["id"] for _ in range(10)]
    assert await made_by(room, robot) == [first, *equal]


def askers(room) -> int:
    """How many requests for outputs are at work."""
    return sum(attempt.askers for attempt in room.engine.answers._attempts.values())


async def until(is_so) -> None:
    """Wait, in turns of the loop."""
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.001)


async def made_by(room, robot) -> list[str]:
    """The ids of the outputs that a robot has made, in order."""
    made = await room.engine.database.all(
        UUID,
        "select id from work_item where created_by_step_run = %(step_run)s order by id",
        step_run=robot.assignment.step_run_id,
    )
    return list(map(str, made))


async def test_a_robots_file_with_a_long_name_is_shortened(robot):
    """Whoever takes the item next can write it to a disk; its extension stays."""
    item = await robot.reserve()
    files = f"{robot.items}/{item}/files"

    for name in ("x" * 300 + ".xlsx", "x" * 301 + ".xlsx"):
        form = (await robot.call("POST", files, json={"fileName": name, "fileSize": 1})).json()
        assert (await robot.http.post(form["url"], data=form["fields"], files={"file": b"x"})).status_code == 204

    names = {file["fileName"] for file in (await robot.call("GET", files)).json()}
    assert [(len(name), name[-5:]) for name in names] == [(255, ".xlsx")] * 2


async def test_a_token_opens_only_its_own_work(robot, ada, cleo, process):
    """Another workspace, process, run or step run in the address is refused; other items are not found."""
    foreign = await ada.post("/work-items", {"process": {"id": str(process)}, "payload": "not yours"})
    mine = robot.assignment
    here = f"/process-v1/workspaces/{mine.workspace_id}/processes"
    end = "reserve-next-work-item"

    refused = [
        await robot.call("GET", f"/json-v1/workspaces/{cleo.workspace}/workitems/{mine.work_item_id}/data"),
        await robot.call("POST", f"{here}/{uuid4()}/runs/{mine.run_id}/robotRuns/{mine.step_run_id}/{end}"),
        await robot.call("POST", f"{here}/{process}/runs/{uuid4()}/robotRuns/{mine.step_run_id}/{end}"),
        await robot.call("POST", f"{here}/{process}/runs/{mine.run_id}/robotRuns/{uuid4()}/{end}"),
        await robot.call("GET", f"/api/v1/workspaces/{mine.workspace_id}/work-items"),
    ]
    unseen = [
        await robot.call("GET", f"{robot.items}/{foreign['id']}/data"),
        await robot.call("PUT", f"{robot.items}/{foreign['id']}/data", content=b"1"),
        await robot.call("GET", f"{robot.items}/{foreign['id']}/files"),
    ]

    assert {answer.status_code for answer in refused} == {403}
    assert {answer.status_code for answer in unseen} == {404}


async def test_a_token_dies_with_its_step_run(robot, walt):
    """When the step run has ended, its token opens nothing any more."""
    item = await robot.reserve()
    await walt.finish(robot.assignment)

    answers = [
        await robot.call("POST", f"{robot.step_run}/reserve-next-work-item"),
        await robot.release(item),
        await robot.call("GET", f"{robot.items}/{item}/data"),
        await robot.call("PUT", f"{robot.items}/{item}/data", content=b"1"),
        await robot.call("GET", f"{robot.items}/{item}/files"),
        await robot.call("POST", f"{robot.items}/{item}/files", json={"fileName": "a", "fileSize": 1}),
        await robot.output(item, None),
    ]

    assert [answer.status_code for answer in answers] == [401] * len(answers)


async def test_only_a_robots_token_opens_the_runtime_apis(robot, ada):
    """An API key, a changed token and none at all are refused."""
    path = f"{robot.step_run}/reserve-next-work-item"
    token = robot.assignment.token
    changed = token[:-3] + ("aaa" if token[-3:] != "aaa" else "bbb")

    for credential in ("", f"RC-WSKEY {ada.key}", f"Bearer {ada.key}", f"Bearer {changed}", f"RC-WSKEY {token}"):
        answer = await robot.call("POST", path, headers={"Authorization": credential})
        assert answer.status_code == 401, credential


_ROBOT = Path(__file__).with_name("items_robot.py")


async def test_the_vendors_library_works_unmodified(room, ada, process, walt, tmp_path):
    """A robot written for `robocorp-workitems` reads, writes, fails and passes on items and files of a run."""
    pytest.importorskip("robocorp.workitems", reason="robocorp-workitems is not installed")
    payloads = [{"name": "ä"}, {"name": "bad"}, {"name": "worse"}]
    run = await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": payloads})
    assignment = await walt.take()
    first = str(assignment.work_item_id)
    form = (await ada.every("/work-items", process_run_id=run["id"]))[-1]
    assert form["id"] == first
    environment = {
        "PATH": os.environ["PATH"],
        "RC_WORKSPACE_ID": str(assignment.workspace_id),
        "RC_PROCESS_ID": str(assignment.process_id),
        "RC_PROCESS_RUN_ID": str(assignment.run_id),
        "RC_ACTIVITY_RUN_ID": str(assignment.step_run_id),
        "RC_ROBOT_RUN_ID": str(assignment.step_run_id),
        "RC_WORKITEM_ID": first,
        "RC_API_WORKITEM_HOST": room.url,
        "RC_API_WORKITEM_TOKEN": assignment.token,
        "RC_API_PROCESS_HOST": room.url + "/",
        "RC_API_PROCESS_TOKEN": assignment.token,
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(_ROBOT),
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode == 0, said.decode()

    items = [await ada.get(f"/work-items/{row['id']}") for row in await ada.every("/work-items")]
    by_name = {item["payload"]["name"]: item for item in items}
    assert {name: item["state"] for name, item in by_name.items()} == {
        "ä": "done",
        "bad": "failed",
        "worse": "failed",
        "output of ä": "pending",
    }
    assert by_name["bad"]["exception"] == {"type": "business", "code": "NO", "message": "no good"}
    assert by_name["worse"]["exception"]["type"] == "application"
    [file] = by_name["output of ä"]["files"]
    assert (await ada.http.get(file["download"]["url"])).text == "content of ä"


async def test_what_robots_say_beside_is_ignored(robot):
    """Libraries of other generations may send more than we know of: robots go on."""
    item = await robot.reserve()

    output = await robot.call(
        "POST", f"{robot.process}/work-items/{item}/output", json={"payload": 1, "surely_unknown": True}
    )
    file = await robot.call(
        "POST", f"{robot.items}/{item}/files", json={"fileName": "a", "fileSize": 1, "surelyUnknown": {}}
    )
    released = await robot.call(
        "POST",
        f"{robot.step_run}/release-work-item",
        json={"workItemId": item, "state": "FAILED", "exception": {"type": "BUSINESS", "why": 1}, "surelyUnknown": 1},
    )

    assert [answer.status_code for answer in (output, file, released)] == [200] * 3


@pytest.mark.parametrize("body", [b"1, 2", b"1]", b"],[", b"  ", b"{} {}", b'{"a": }', b"nul", b'{"a": "\n"}'])
async def test_what_is_not_one_value_is_no_payload(robot, body):
    """A body is one JSON value, whole: 400 with the reason, and the item keeps what it has."""
    item = await robot.reserve()

    refused = await robot.call("PUT", f"{robot.items}/{item}/data", content=body)

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "MALFORMED_JSON"), refused.text
    assert (await robot.call("GET", f"{robot.items}/{item}/data")).json() == {"n": 1}
