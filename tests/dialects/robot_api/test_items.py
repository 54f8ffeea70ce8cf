"""What a robot does with work items by our own API: whole items, releases that bring all along, outputs once by key."""

import asyncio
import base64
import json
from uuid import uuid4

import pytest
import structlog

from controlroom.engine.runs.robot_items import MOST_OUTPUTS
from robot_calls import Robot


@pytest.fixture
async def robot(ada, process, walt, stranger):
    """A robot of the first of two steps, in a run of three items."""
    payloads = [{"n": 1}, {"n": 2}, {"n": 3}]
    await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": payloads})
    return Robot(stranger, await walt.take())


def file(name: str, content: bytes) -> dict[str, str]:
    """A file as it comes with an output."""
    return {"name": name, "content": base64.b64encode(content).decode()}


async def test_a_robot_drains_its_queue(robot, ada):
    """Reserve gives the whole item in hand until it is released, then the next, then null."""
    first = await robot.reserve()
    assert first == {"id": str(robot.assignment.work_item_id), "files": [], "payload": {"n": 1}}
    assert await robot.reserve() == first

    seen, item = [], first
    while item is not None:
        seen.append(item["payload"])
        assert (await robot.release(item["id"])).json() == {"outputs": []}
        item = await robot.reserve()

    assert seen == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert {row["state"] for row in await ada.every("/work-items")} == {"done"}


async def test_no_item_is_handed_out_before_it_is_asked_for(robot, ada):
    """A release takes nothing: what waits goes on to wait until the robot reserves."""
    item = await robot.reserve()

    await robot.release(item["id"])

    assert sorted(row["state"] for row in await ada.every("/work-items")) == ["done", "pending", "pending"]


@pytest.mark.parametrize("brought", [{}, {"outputs": [{"key": "k", "payload": "out"}]}])
async def test_a_release_takes_the_next_item_if_it_is_asked_to(robot, ada, brought):
    """One call an item: the next comes whole, null when none is left; a failure may ask as well."""
    item = await robot.reserve()
    first = (await robot.release(item["id"], reserve=True, **brought)).json()
    taken = [row["state"] for row in await ada.every("/work-items") if row["id"] not in first["outputs"]]
    assert sorted(taken) == ["done", "in_progress", "pending"]
    second = (await robot.release(first["item"]["id"], "failed", reserve=True)).json()
    third = (await robot.release(second["item"]["id"], reserve=True)).json()

    assert [each["item"] and each["item"]["payload"] for each in (first, second, third)] == [{"n": 2}, {"n": 3}, None]
    assert (first["item"]["files"], len(first["outputs"]), third["outputs"]) == ([], len(brought), [])
    assert await robot.reserve() is None


async def test_a_repeated_release_gives_the_same_item(robot, ada):
    """After a lost answer, and at once; the item that is held by then is the one that was taken."""
    item = (await robot.reserve())["id"]
    asked = {"reserve": True, "outputs": [{"key": "k"}]}

    answers = [await robot.release(item, **asked)]
    answers += await asyncio.gather(*(robot.release(item, **asked) for _ in range(4)))

    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["item"]["payload"] == {"n": 2}
    states = sorted(row["state"] for row in await ada.every("/work-items"))
    assert states == ["done", "in_progress", "pending", "pending"]


async def test_a_release_that_is_refused_takes_nothing(robot, ada):
    """Neither one of an item that it does not hold, nor one that contradicts, nor one that brings what may not be."""
    item = (await robot.reserve())["id"]
    too_large = await robot.release(item, reserve=True, payload="x" * 1_100_000)
    wrong = await robot.release(item, reserve="maybe")
    foreign = await robot.release(str(uuid4()), reserve=True)
    assert (await robot.reserve())["id"] == item
    await robot.release(item)
    contradicting = await robot.release(item, "failed", reserve=True)

    assert [answer.status_code for answer in (too_large, wrong, foreign, contradicting)] == [400, 400, 409, 409]
    assert sorted(row["state"] for row in await ada.every("/work-items")) == ["done", "pending", "pending"]


async def test_a_release_into_a_run_that_stops_takes_nothing(robot, ada):
    """It stands, and nothing is left for the robot."""
    item = await robot.reserve()
    run = robot.assignment.run_id
    wish = {"set_remaining_work_items_as_done": False, "terminate_ongoing_activity_runs": False}
    await ada.post(f"/process-runs/{run}/stop", wish)

    answer = await robot.release(item["id"], reserve=True)

    assert answer.json() == {"outputs": [], "item": None}
    assert (await ada.get(f"/work-items/{item['id']}"))["state"] == "done"


async def test_a_release_brings_payload_and_outputs_with_files(robot, ada):
    """All of it is there when the release is answered: the payload, the outputs for the next step, their files."""
    item = (await robot.reserve())["id"]
    outputs = [
        {"key": "a", "payload": {"out": 1}, "files": [file("ä.txt", b"content"), file("empty", b"")]},
        {"key": "b", "payload": [2]},
    ]

    made = (await robot.release(item, payload={"n": "ä"}, outputs=outputs)).json()["outputs"]

    shown = [await ada.get(f"/work-items/{each}") for each in (item, *made)]
    assert [(each["state"], each["payload"]) for each in shown] == [
        ("done", {"n": "ä"}),
        ("pending", {"out": 1}),
        ("pending", [2]),
    ]
    files = {each["name"]: (await ada.http.get(each["download"]["url"])).content for each in shown[1]["files"]}
    assert files == {"ä.txt": b"content", "empty": b""}


async def test_a_release_without_a_payload_leaves_it(robot, ada):
    """Left out, the item keeps what it has; null is a payload."""
    first = (await robot.reserve())["id"]
    await robot.release(first)
    second = (await robot.reserve())["id"]
    await robot.release(second, payload=None, outputs=[{"key": "a"}])

    assert (await robot.told("GET", f"/{first}"))["payload"] == {"n": 1}
    assert (await robot.told("GET", f"/{second}"))["payload"] is None
    assert (await ada.get(f"/work-items/{first}"))["payload"] == {"n": 1}


async def test_a_repeated_release_changes_nothing_and_a_contradicting_one_is_refused(robot, ada):
    """The same again is told the same outputs; another outcome, or another item, is a conflict and puts nothing out."""
    item = (await robot.reserve())["id"]
    asked = {"payload": {"saved": 1}, "outputs": [{"key": "a", "payload": 1}, {"key": "b", "payload": 2}]}

    first = (await robot.release(item, **asked)).json()
    again = (await robot.release(item, **asked)).json()
    contradicting = await robot.release(item, "failed", outputs=[{"key": "c"}])
    foreign = await robot.release(str(uuid4()), outputs=[{"key": "d"}])

    assert first == again
    assert [contradicting.status_code, foreign.status_code] == [409, 409]
    assert len(await ada.every("/work-items")) == 5


@pytest.mark.parametrize("asked", [{}, {"outputs": [{"key": "a", "payload": "of a failure"}]}])
async def test_a_failure_has_its_exception(robot, ada, asked):
    """Type, code and message are kept; what it put out before is published as well."""
    item = (await robot.reserve())["id"]
    exception = {"type": "business", "code": "NO_INVOICE", "message": "Where is it?"}

    answers = [await robot.release(item, "failed", exception=exception, **asked) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    shown = await ada.get(f"/work-items/{item}")
    assert (shown["state"], shown["exception"]) == ("failed", exception)
    made = answers[0].json()["outputs"]
    assert [(await ada.get(f"/work-items/{each}"))["state"] for each in made] == ["pending"] * len(made)


async def test_a_release_that_is_refused_leaves_all_as_it_was(robot, ada):
    """A payload that is too large, a file without a name, too many outputs: the item is in hand as before."""
    item = (await robot.reserve())["id"]
    large = "x" * 1_100_000

    refused = [
        await robot.release(item, payload=large, outputs=[{"key": "a"}]),
        await robot.release(item, payload=large),
        await robot.release(item, outputs=[{"key": "a"}, {"key": "b", "payload": large}]),
        await robot.release(item, outputs=[{"key": "a", "files": [file("../x", b"")]}]),
        await robot.release(item, outputs=[{"key": str(each)} for each in range(MOST_OUTPUTS + 1)]),
        await robot.release(item, outputs=[{"payload": 1}]),
        await robot.release(item, "finished"),
    ]

    codes = [(answer.status_code, answer.json()["error"]["code"]) for answer in refused]
    assert codes == [
        *[(400, "PAYLOAD_TOO_LARGE")] * 3,
        (400, "FILE_NAME"),
        (400, "TOO_MANY_OUTPUTS"),
        *[(400, "INVALID_BODY")] * 2,
    ]
    assert (await robot.reserve())["payload"] == {"n": 1}
    assert len(await ada.every("/work-items")) == 3


async def test_an_output_is_made_once_by_its_key(robot, ada):
    """Asked for again, one after another or at once, also when it is published, the first is told."""
    item = (await robot.reserve())["id"]
    whole = {"payload": {"out": 1}, "files": [file("a.txt", b"first")]}

    at_once = await asyncio.gather(*(robot.output(item, "k", **whole) for _ in range(6)))
    other = await robot.output(item, "l", {"out": 1})
    await robot.release(item)
    later = await robot.output(item, "k", {"out": 2})
    report = await robot.output(item, "m", "a report, as robots write that have no more items")

    assert {answer.status_code for answer in [*at_once, other, later, report]} == {200}
    assert len({answer.json()["id"] for answer in [*at_once, later]}) == 1
    items = {row["id"]: row["state"] for row in await ada.every("/work-items")}
    assert len(items) == 3 + 3
    assert {items[answer.json()["id"]] for answer in (later, other, report)} == {"pending"}


async def test_a_key_of_another_item_is_refused(robot, ada):
    """A key is good for the whole step run: what it has made belongs to one item."""
    first = (await robot.reserve())["id"]
    await robot.release(first, outputs=[{"key": "k"}])
    second = (await robot.reserve())["id"]

    refused = [await robot.output(second, "k"), await robot.release(second, outputs=[{"key": "k"}])]

    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in refused] == [
        (409, "OUTPUT_KEY_REUSED"),
        (409, "OUTPUT_KEY_REUSED"),
    ]
    assert (await robot.reserve())["id"] == second


async def test_files_are_put_replaced_fetched_and_removed(robot):
    """By their names, in one call each, without a form or a link."""
    item = (await robot.reserve())["id"]
    content = bytes(range(256)) * 6000  # more than a stranger may send

    await robot.told("PUT", f"/{item}/files/a%20ä.bin", content=b"first")
    await robot.told("PUT", f"/{item}/files/a%20ä.bin", content=content)
    await robot.told("PUT", f"/{item}/files/none", content=b"")

    assert (await robot.reserve())["files"] == [{"name": "a ä.bin", "size": len(content)}, {"name": "none", "size": 0}]
    got = await robot.call("GET", f"/{item}/files/a%20ä.bin")
    assert (got.status_code, got.content) == (200, content)
    assert (await robot.call("GET", f"/{item}/files/none")).content == b""
    await robot.told("DELETE", f"/{item}/files/none")
    missing = [await robot.call(method, f"/{item}/files/none") for method in ("DELETE", "GET")]
    assert [(each.status_code, each.json()["error"]["code"]) for each in missing] == [(404, "FILE_NOT_FOUND")] * 2


@pytest.mark.parametrize("payload", [b'{"a": 1}', b"null", b"[]", b'"\xc3\xa4"', b"0.1"])
async def test_payloads_pass_as_they_are(robot, payload):
    """What is put is what the item has when it is asked for, or reserved again."""
    item = (await robot.reserve())["id"]

    await robot.told("PUT", f"/{item}/payload", content=payload)

    assert (await robot.told("GET", f"/{item}"))["payload"] == json.loads(payload)
    assert (await robot.reserve())["payload"] == json.loads(payload)


async def test_a_token_dies_with_its_step_run(robot, walt):
    """When the step run has ended, its token opens nothing any more."""
    item = (await robot.reserve())["id"]
    await walt.finish(robot.assignment)

    answers = [
        await robot.call("POST", "/reserve"),
        await robot.release(item),
        await robot.release(item, outputs=[{"key": "a"}]),
        await robot.output(item, "a"),
        await robot.call("GET", f"/{item}"),
        await robot.call("PUT", f"/{item}/payload", content=b"1"),
        await robot.call("PUT", f"/{item}/files/a", content=b"1"),
        await robot.call("GET", f"/{item}/files/a"),
        await robot.call("DELETE", f"/{item}/files/a"),
    ]

    assert [answer.status_code for answer in answers] == [401] * len(answers)


async def test_only_a_robots_token_opens_it_and_only_its_own_items(robot, ada, process):
    """An API key, a changed token and none at all are refused; items of others are not found."""
    token = robot.assignment.token
    changed = token[:-3] + ("aaa" if token[-3:] != "aaa" else "bbb")
    for credential in ("", f"RC-WSKEY {ada.key}", f"Bearer {ada.key}", f"Bearer {changed}"):
        answer = await robot.call("POST", "/reserve", headers={"Authorization": credential})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), credential

    foreign = (await ada.post("/work-items", {"process": {"id": str(process)}, "payload": "not yours"}))["id"]
    unseen = [
        await robot.call("GET", f"/{foreign}"),
        await robot.call("PUT", f"/{foreign}/payload", content=b"1"),
        await robot.call("PUT", f"/{foreign}/files/a", content=b"1"),
        await robot.call("GET", "/no-id"),
        await robot.call("GET", f"/{foreign}/nothing"),
    ]
    assert [answer.status_code for answer in unseen] == [404] * 5
    wrong = await robot.call("DELETE", "/reserve")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


async def test_calls_that_go_well_are_told_together_and_failures_by_themselves(robot, room):
    """A second of a robot is one line of the log, saying how often it called what; a refusal is told alone."""
    lines: list[dict] = []
    structlog.configure(
        processors=[lambda _, __, event: lines.append(event) or str(event)], cache_logger_on_first_use=False
    )
    try:
        for _ in range(5):
            await robot.reserve()
        await robot.call("GET", f"/{uuid4()}")
        async with asyncio.timeout(60):
            while sum(line["requests"] for line in mine(lines, robot) if "requests" in line) < 5:
                await asyncio.sleep(0.01)
    finally:
        structlog.reset_defaults()

    together = [line for line in mine(lines, robot) if "requests" in line]
    alone = [line for line in mine(lines, robot) if "requests" not in line]
    assert sum(line["routes"]["POST /robot/v1/items/reserve"] for line in together) == 5
    assert [line["status"] for line in alone] == [404]


def mine(lines: list[dict], robot: Robot) -> list[dict]:
    """The lines of one robot."""
    return [line for line in lines if line.get("who") == f"step_run:{robot.assignment.step_run_id}"]


async def test_what_one_api_holds_the_other_sees(robot, room):
    """A robot may use the vendor's calls beside ours: the item in hand is one."""
    item = await robot.reserve()
    headers = {"Authorization": f"Bearer {robot.assignment.token}"}
    mine = robot.assignment
    path = f"/json-v1/workspaces/{mine.workspace_id}/workitems/{item['id']}/data"

    assert (await robot.http.get(path, headers=headers)).json() == item["payload"]
