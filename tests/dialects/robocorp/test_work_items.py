"""Work items by the public API."""

from urllib.parse import quote
from uuid import uuid4

import pytest

from controlroom.dialects.robocorp.work_items import OPERATIONS, STATES
from controlroom.engine.work_items.model import ItemState
from controlroom.engine.work_items.operations import Operation


async def _item(ada, process, payload=None) -> str:
    return (await ada.post("/work-items", {"process": {"id": str(process)}, "payload": payload}))["id"]


async def test_a_new_item_waits_in_the_input_queue(ada, process):
    """A created item is told whole, and waits as `new` without a run."""
    item = await ada.post("/work-items", {"process": {"id": str(process)}, "payload": {"n": 1}})

    assert item == {
        "id": item["id"],
        "created_at": item["created_at"],
        "state": "new",
        "state_updated_at": item["state_updated_at"],
        "process": {"id": str(process)},
        "process_run": None,
        "step": None,
        "step_run": None,
        "exception": None,
        "held": False,
        "priority": 0,
        "due_at": item["due_at"],
        "deadline": None,
        "reference": None,
        "payload": {"n": 1},
        "files": [],
    }
    assert await ada.get(f"/work-items/{item['id']}") == item
    [listed] = await ada.every("/work-items")
    assert listed == {key: value for key, value in item.items() if key not in {"payload", "files"}}


PAYLOADS = (
    {"n": 12345678901234567890123, "f": 1.10, "e": 1e300, "z": '😀 \u2028 "quoted" \\ \u0001'},
    {"": None, "b": "x" * 3_000, "é": [[], {}, True]},
    "text",
    None,
    [1, "2"],
    0,
)


async def test_a_list_with_data_tells_each_item_as_it_is_told_by_itself(ada, process):
    """Key by key in the same order, whoever has written it: some are long, one has a file, some wait, some are held."""
    terms = {"priority": -3, "due_at": "2031-02-03T04:05:06.7Z", "deadline": "2032-01-01T00:00:00.000001+02:00"}
    made = [
        (await ada.post("/work-items", {"process": {"id": str(process)}, "payload": payload, **more}))["id"]
        for number, payload in enumerate(PAYLOADS)
        for more in ({}, {**terms, "reference": f'an "order" \\ ß {number}'})
    ]
    await ada.post(f"/work-items/{made[0]}/files", {"file_name": "a.txt", "file_size": 1})
    await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": PAYLOADS})
    pending = [item["id"] for item in await ada.every("/work-items", state="pending")]
    await ada.post("/work-items/batch", {"batch_operation": "hold", "work_item_ids": pending[1:]})
    made += pending

    told = {item["id"]: item for item in await ada.every("/work-items", include_data="true")}

    assert {item["state"] for item in told.values()} == {"new", "pending"}
    assert sum(item["held"] for item in told.values()) == len(PAYLOADS) - 1
    for each in made:
        alone = await ada.get(f"/work-items/{each}")
        for one in (alone, told[each]):  # a link to a file is new each time
            one["files"] = [{**file, "download": None} for file in one["files"]]
        assert list(told[each]) == list(alone)
        assert told[each] == alone


async def test_a_list_with_data_tells_why_an_item_failed_as_it_is_told_by_itself(ada, stranger, process, walt):
    """In a robot's own words, and in this grammar's where the room itself has said so."""
    run = (await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": [1, 2]}))["id"]
    work = await walt.take()
    reason = {"type": "BUSINESS", "code": 'NO "ORDER"', "message": "line 1\n\tline 2 \\ ß"}
    await stranger.post(
        f"/process-v1/workspaces/{work.workspace_id}/processes/{process}/runs/{run}"
        f"/robotRuns/{work.step_run_id}/release-work-item",
        json={"workItemId": str(work.work_item_id), "state": "FAILED", "exception": reason},
        headers={"Authorization": f"Bearer {work.token}"},
    )
    await ada.post(
        f"/process-runs/{run}/stop",
        {"set_remaining_work_items_as_done": False, "terminate_ongoing_activity_runs": True},
    )

    told = {item["id"]: item for item in await ada.every("/work-items", include_data="true", state="failed")}
    assert told == {each: await ada.get(f"/work-items/{each}") for each in told}
    await ada.post("/work-items/batch", {"batch_operation": "mark_as_done", "work_item_ids": list(told)})
    done = {item["id"]: item for item in await ada.every("/work-items", include_data="true", state="done")}

    assert {item["exception"]["code"] for item in told.values()} == {'NO "ORDER"', "PROCESS_RUN_STOPPED"}
    assert done == {each: await ada.get(f"/work-items/{each}") for each in told}


def test_every_state_and_operation_has_a_word():
    """What the engine may add is missed here first."""
    assert set(STATES) == set(ItemState)
    assert sorted(OPERATIONS.values()) == sorted(Operation)


@pytest.mark.parametrize("verb", ["POST", "PUT"])
async def test_a_payload_is_replaced(ada, process, verb):
    """The payload of a waiting item may be replaced, by either verb; the answer repeats it."""
    item = await _item(ada, process)

    answer = await ada.call(verb, f"/work-items/{item}/payload", json={"payload": [1, {"ä": None}]})

    assert answer.json() == {"payload": [1, {"ä": None}]}
    assert (await ada.get(f"/work-items/{item}"))["payload"] == [1, {"ä": None}]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"payload": 1}, 400, "INVALID_BODY"),
        ({"process": {"id": "odd"}, "payload": 1}, 400, "INVALID_BODY"),
        ({"process": {"id": str(uuid4())}, "payload": 1}, 404, "PROCESS_NOT_FOUND"),
    ],
)
async def test_a_wrong_item_is_refused(ada, body, status, code):
    """A body without process or with one that is not there makes no item."""
    answer = await ada.call("POST", "/work-items", json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_payload_has_a_limit(ada, process):
    """A payload above the limit is refused with the sizes."""
    answer = await ada.call("POST", "/work-items", json={"process": {"id": str(process)}, "payload": "x" * 1_000_000})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize("payload", [b'"\\ud800"', b"1e999999", b'"\\u0000"', b"NaN", b"[" * 9000 + b"]" * 9000])
async def test_json_that_cannot_be_stored_is_refused(ada, process, payload):
    """What is JSON by its syntax and no value in the database is a bad request, not a failure of ours."""
    body = b'{"process":{"id":"' + str(process).encode() + b'"},"payload":' + payload + b"}"

    answer = await ada.call("POST", "/work-items", content=body)

    assert answer.status_code == 400, answer.text


async def test_batches_work_on_all_or_none(ada, process, walt):
    """Failed items are retried, resolved and deleted together; one unfit item, and nothing happens."""
    run = (await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": [1, 2]}))["id"]
    wish = {"set_remaining_work_items_as_done": False, "terminate_ongoing_activity_runs": True}
    await ada.post(f"/process-runs/{run}/stop", wish)
    failed = [row["id"] for row in await ada.every("/work-items", state="failed")]
    waiting = await _item(ada, process)

    async def batch(operation: str, items: list) -> int:
        body = {"batch_operation": operation, "work_item_ids": items}
        return (await ada.call("POST", "/work-items/batch", json=body)).status_code

    assert len(failed) == 2
    assert await batch("retry", [*failed, waiting]) == 409
    assert await batch("mark_as_done", [failed[0], str(uuid4())]) == 404
    assert await batch("explode", failed) == 400
    assert len(await ada.every("/work-items", state="failed")) == 2

    assert await batch("mark_as_done", failed[:1]) == 200
    assert await batch("delete", [*failed[1:], waiting]) == 200
    assert [row["state"] for row in await ada.every("/work-items")] == ["done"]


@pytest.mark.parametrize("path", ["/files", "/files/upload"])
async def test_a_file_is_posted_as_a_form_and_fetched(ada, process, stranger, path):
    """A promised file is posted as a form, listed with its size, and fetched by its link."""
    item = await _item(ada, process)
    answer = await ada.post(f"/work-items/{item}{path}", {"file_name": "größe.txt", "file_size": 5})
    form = answer.get("upload", answer)

    done = await stranger.post(form["url"], data=form["form_data"], files={"file": ("größe.txt", b"hello")})

    assert done.status_code == 204, done.text
    [file] = (await ada.get(f"/work-items/{item}"))["files"]
    assert (file["name"], file["size"]) == ("größe.txt", 5)
    fetched = await stranger.get(file["download"]["url"])
    assert fetched.text == "hello"
    assert fetched.headers["content-type"] == "text/plain; charset=utf-8"


async def test_names_that_file_systems_bend_stay_apart(ada, process, stranger):
    """Long ones are shortened with their extension kept, each to a name of its own; the others stay as they are."""
    item = await _item(ada, process)
    plain = [
        "a\tb.txt",
        "a\nb.txt",
        "a_b.txt",
        "A_B.txt",
        "a_b.txt.",
        "a_b.txt ",
        "e\u0301.txt",
        "é.txt",
        "x" * 251 + ".txt",
    ]
    long = ["x" * 300 + ".pdf", "x" * 301 + ".pdf", "漢" * 100 + ".tar.gz"]

    for name in [*plain, *long, long[0]]:  # the last one replaces the first of its name
        form = (await ada.post(f"/work-items/{item}/files", {"file_name": name, "file_size": 5}))["upload"]
        assert (await stranger.post(form["url"], data=form["form_data"], files={"file": b"hello"})).status_code == 204

    files = (await ada.get(f"/work-items/{item}"))["files"]
    names = {file["name"] for file in files}
    assert len(files) == len(names) == len(plain) + len(long)
    assert set(plain) <= names
    shortened = sorted(names - set(plain))
    assert [name[-4:] for name in shortened] == [".pdf", ".pdf", "r.gz"]
    assert all(len(name.encode()) <= 255 for name in names)
    for file in files:
        fetched = await stranger.get(file["download"]["url"])
        assert f"filename*=UTF-8''{quote(file['name'], safe='')}" in fetched.headers["content-disposition"]


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\u0000b"])
async def test_a_file_needs_a_name_and_a_size_within_the_limit(ada, process, name):
    """A name that no file can have, and a size above the limit, are refused."""
    item = await _item(ada, process)

    wrong = await ada.call("POST", f"/work-items/{item}/files", json={"file_name": name, "file_size": 1})
    large = await ada.call("POST", f"/work-items/{item}/files", json={"file_name": "a", "file_size": 10**12})

    assert {wrong.status_code, large.status_code} == {400}


async def test_outsiders_touch_no_item(ada, cleo, process):
    """Another workspace's key sees and changes no item of ours."""
    item = await _item(ada, process, {"secret": 1})

    answers = [
        await cleo.call("GET", f"/work-items/{item}"),
        await cleo.call("POST", f"/work-items/{item}/payload", json={"payload": 2}),
        await cleo.call("POST", f"/work-items/{item}/files", json={"file_name": "a", "file_size": 1}),
        await cleo.call("POST", "/work-items/batch", json={"batch_operation": "delete", "work_item_ids": [item]}),
        await cleo.call("POST", "/work-items", json={"process": {"id": str(process)}, "payload": 1}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert (await ada.get(f"/work-items/{item}"))["payload"] == {"secret": 1}
