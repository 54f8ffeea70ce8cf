"""What no reader could read back is refused at every door by which a payload comes in, and changes nothing there."""

import json
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import httpx2
import pytest

SCHEMA = b'{"type": ["object", "array", "number", "string", "null"], "minProperties": 0}'
NULL = b"null"


class Door(NamedTuple):
    """A way in: give it the JSON of a payload; and a way to see what is there."""

    give: Callable[[bytes], Awaitable[httpx2.Response]]
    seen: Callable[[], Awaitable[object]]


@pytest.fixture(params=["with a schema", "without a schema"])
async def queues(request, ada, process):
    """The queues of both steps, with and without a schema that takes what is refused here."""
    if request.param == "with a schema":
        for step in (await ada.get(f"/processes/{process}"))["steps"]:
            answer = await ada.call("POST", f"/queues/{step['queue']['id']}", content=b'{"schema": %s}' % SCHEMA)
            assert answer.status_code == 200, answer.text


@pytest.fixture(
    params=[
        "an item",
        "an item's payload",
        "an item of a standing queue",
        "a start",
        "a start with two",
        "a default item",
        "a schedule",
        "an integration",
        "an old start",
        "an old batch",
        "an old item",
        "an old item's body",
        "a robot's item",
        "a robot's output",
    ]
)
async def door(request, ada, process, stranger, walt, queues) -> Door:
    """One of them."""
    return await _doors(ada, process, stranger, walt)[request.param]()


def _doors(ada, process, stranger, walt):  # noqa: C901 - one function for each door
    public, old = (
        f"/processes/{process}",
        f"{ada.http.base_url}/process-v1/workspaces/{ada.workspace}/processes/{process}",
    )

    def posted(path: str, body: bytes, params: dict | None = None) -> Door:
        async def give(payload: bytes) -> httpx2.Response:
            return await ada.call("POST", path, content=body.replace(b"PAYLOAD", payload), params=params or {})

        async def seen() -> object:
            return [await ada.every("/work-items"), await ada.every("/process-runs"), await ada.every("/schedules")]

        return Door(give, seen)

    def of(path: str, body: bytes, params: dict | None = None):
        async def made() -> Door:
            return posted(path, body, params)

        return made

    async def item_payload() -> Door:
        item = (await ada.post("/work-items", {"process": {"id": str(process)}, "payload": None}))["id"]
        return Door(
            posted(f"/work-items/{item}/payload", b'{"payload": PAYLOAD}').give, lambda: ada.get(f"/work-items/{item}")
        )

    async def standing() -> Door:
        queue = await ada.post("/queues", {"name": "standing", "schema": json.loads(SCHEMA)})
        return posted("/work-items", b'{"queue": {"id": "%s"}, "payload": PAYLOAD}' % queue["id"].encode())

    async def default_item() -> Door:
        return Door(posted(public, b'{"default_work_item": {"payload": PAYLOAD}}').give, lambda: ada.get(public))

    async def robots(which: str) -> Door:
        await ada.post(f"{public}/process-runs")
        work = await walt.take()
        paths = {
            "item": ("PUT", f"/json-v1/workspaces/{ada.workspace}/workitems/{work.work_item_id}/data", b"PAYLOAD"),
            "output": (
                "POST",
                f"/process-v1/workspaces/{ada.workspace}/processes/{process}/work-items/{work.work_item_id}/output",
                b'{"payload": PAYLOAD}',
            ),
        }
        method, path, body = paths[which]
        credential = {"Authorization": f"Bearer {work.token}"}

        async def give(payload: bytes) -> httpx2.Response:
            return await stranger.request(method, path, content=body.replace(b"PAYLOAD", payload), headers=credential)

        async def seen() -> object:
            rows = await ada.every("/work-items")
            return [await ada.get(f"/work-items/{row['id']}") for row in rows]

        return Door(give, seen)

    rule = b'{"type": "daily", "times": ["07:00"]}'
    schedule = b'{"name": "s", "process": {"id": "%s"}, "rule": %s, "input": {"type": "payload", "payload": PAYLOAD}}'
    return {
        "an item": of("/work-items", b'{"process": {"id": "%s"}, "payload": PAYLOAD}' % str(process).encode()),
        "an item's payload": item_payload,
        "an item of a standing queue": standing,
        "a start": of(f"{public}/process-runs", b'{"payloads": [PAYLOAD]}'),
        "a start with two": of(f"{public}/process-runs", b'{"type": "with_payloads", "payloads": [{"a": 1}, PAYLOAD]}'),
        "a default item": default_item,
        "a schedule": of("/schedules", schedule % (str(process).encode(), rule)),
        "an integration": of(f"{public}/process-runs-integrations", b"PAYLOAD", {"token": ada.key}),
        "an old start": of(f"{old}/runs", b"PAYLOAD"),
        "an old batch": of(f"{old}/runs-batch", b"[1, PAYLOAD]"),
        "an old item": of(f"{old}/work-items", b'{"payload": PAYLOAD}'),
        "an old item's body": of(f"{old}/work-items", b"PAYLOAD", {"bodyAsPayload": "true"}),
        "a robot's item": lambda: robots("item"),
        "a robot's output": lambda: robots("output"),
    }


def nest(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


REFUSED = {
    "an endless number": b"9" * 5000,
    "a long number": b"9" * 400_000,
    "beyond a double": b"1e309",
    "far beyond a double": b'{"a": [1e131000]}',
    "further": b"-1e99999999999",
    "of long digits": b"9" * 320 + b".5",
    "too small": b"1e-20000",
    "many of them": b"[" + b",".join([b"1e131000"] * 1000) + b"]",
    "told in a hundred times as much": b"[" + b",".join([b"1e99"] * 50_000) + b"]",
    "told with spaces": b"[" + b",".join([b"1"] * 450_000) + b"]",
    "a deep nest": nest(201),
    "a nest that PostgreSQL takes": nest(6_000),
    "a nest that overflows": b'{"a": ' * 60_000 + b"1" + b"}" * 60_000,
    "surrogates alone": b'"\\ud800"',
    "NUL": b'"\\u0000"',
}
TAKEN = [
    b"1e308",
    b"-1.5e-300",
    b"9" * 4300,
    nest(200),
    b'{"a": "1e131000"}',
    b"12345678901234567890",
    b"[1e22, 5e-324]",
]


async def test_what_cannot_be_read_back_is_refused(door: Door):
    """400 with the reason, whatever the queue's schema says, and nothing is there that was not before."""
    before = await door.seen()
    answers = {what: await door.give(payload) for what, payload in REFUSED.items()}

    statuses = {what: (answer.status_code, answer.json()["error"]["code"]) for what, answer in answers.items()}
    assert {what: told for what, told in statuses.items() if told[0] != 400} == {}
    assert {told[1] for told in statuses.values()} <= {
        *("NUMBER_UNREADABLE", "JSON_TOO_COMPLEX", "PAYLOAD_TOO_LARGE", "UNSTORABLE_CHARACTER", "INVALID_BODY"),
        "MALFORMED_JSON",
    }
    assert all(len(answer.content) < 2000 for answer in answers.values())
    assert await door.seen() == before


async def test_what_can_be_read_back_is_taken(door: Door):
    """Every double, long integers and nests below the limit."""
    answers = {payload: await door.give(payload) for payload in TAKEN}

    assert {payload[:20]: answer.text for payload, answer in answers.items() if answer.status_code != 200} == {}


async def test_what_is_told_is_what_came(ada, process):
    """A payload is read back as the value that was written, by Python's own reader."""
    for payload in TAKEN[1:]:
        body = b'{"process": {"id": "%s"}, "payload": %s}' % (str(process).encode(), payload)
        made = json.loads((await ada.call("POST", "/work-items", content=body)).content)

        assert made["payload"] == json.loads(payload)
        assert json.loads((await ada.call("GET", f"/work-items/{made['id']}")).content) == made


@pytest.mark.parametrize(
    "refused", [b'{"minimum": 1e131000}', b'{"const": %s}' % (b"9" * 5000), b'{"allOf": %s}' % nest(300)]
)
async def test_a_schema_is_no_other_door(ada, refused):
    """The schema of a queue is JSON that is read back, too."""
    answer = await ada.call("POST", "/queues", content=b'{"name": "q", "schema": %s}' % refused)

    assert answer.status_code == 400, answer.text
    assert await ada.every("/queues") == []


async def test_a_secret_is_no_other_door(ada):
    """Neither are the values of a secret: what cannot be read is refused, what can is told as it came."""
    bad = [b'{"values": {"a": %s}}' % value for value in (b"1e400", b"9" * 5000, nest(300), nest(9000))]
    answers = [await ada.call("POST", "/secrets/login", content=body) for body in bad]

    assert [answer.status_code for answer in answers] == [400] * 4
    assert await ada.every("/secrets") == []
