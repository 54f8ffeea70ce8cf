"""Every door of the room, tried by those who have no business behind it."""

import asyncio
import hashlib
import hmac

import pytest

from controlroom.engine.access.model import Permission
from controlroom.protocol import ErrorCode
from doors import doors

_OPEN = {"/api/v1/login", "/worker/v1/link"}
"""Doors that read what strangers send: a little of it."""


async def test_no_door_reads_much_of_a_stranger(room, stranger, workspace):
    """Whatever a stranger sends, 64 KB are the most that is taken: refused everywhere, nowhere a bug."""
    ids = {"workspace_id": workspace}
    body = b'{"a": "' + b"a" * 70_000 + b'"}'
    for door in doors(room.room):
        if door.method in {"POST", "PUT"}:
            answer = await stranger.request(door.method, door.address(**ids), content=body)
            wanted = {413} if door.path in _OPEN else {401, 403, 404, 405, 413}
            assert answer.status_code in wanted, (door, answer.text)
            assert answer.json()["error"]["code"]


async def test_a_wrong_credential_opens_no_more_than_none(room, stranger, workspace, ada):
    """With a made-up credential of each kind, the same: nobody is known by its form."""
    body = b'{"a": "' + b"a" * 70_000 + b'"}'
    made_up = ("RC-WSKEY crk" + "a" * 102, "Bearer crr_" + "a" * 180, "Bearer crs_" + "a" * 40, "Basic YTpi",
               "robocloud-hmac 1 c2lnbmF0dXJl", f"RC-WSKEY {ada.key[:-1]}")  # fmt: skip
    for number, door in enumerate(doors(room.room)):
        if door.method in {"POST", "PUT"}:
            headers = {"authorization": made_up[number % len(made_up)]}
            answer = await stranger.request(
                door.method, door.address(workspace_id=workspace), content=body, headers=headers
            )
            assert 400 < answer.status_code < 500, (door, answer.text)


@pytest.fixture
async def dead(ada, walt, assignment):
    """An assignment whose attempt has ended."""
    await walt.finish(assignment, ErrorCode.ROBOT_FAILED)
    return assignment


async def test_a_dead_token_opens_nothing(room, stranger, ada, dead):
    """Over every door, under either scheme: not the workspace's name nor the vault's key, and no large body is read."""
    name = (await ada.get(""))["name"]
    ids = {
        "workspace_id": ada.workspace,
        "process_id": dead.process_id,
        "run_id": dead.run_id,
        "step_run_id": dead.step_run_id,
        "item_id": dead.work_item_id,
        "parent_id": dead.work_item_id,
        "work_item_id": dead.work_item_id,
        "name": "made-up",
    }
    for door in doors(room.room):
        for scheme in ("Bearer", "RC-WSKEY"):
            headers = {"authorization": f"{scheme} {dead.token}"}
            content = b"{}" if door.method in {"POST", "PUT"} else None
            answer = await stranger.request(door.method, door.address(**ids), content=content, headers=headers)
            assert 400 <= answer.status_code < 500, (door, answer.text)
            assert name not in answer.text, door
            if content is not None:
                large = b'{"a": "' + b"a" * 70_000 + b'"}'
                answer = await stranger.request(door.method, door.address(**ids), content=large, headers=headers)
                assert answer.status_code in {401, 403, 404, 405, 413}, (door, answer.text)


async def test_a_living_robot_sends_as_much_as_it_likes(room, stranger, ada, assignment):
    """Payloads of more than a stranger may send, announced or in pieces; the vault and the workspace tell it, too."""
    headers = {"authorization": f"Bearer {assignment.token}"}
    item = assignment.work_item_id
    address = f"/json-v1/workspaces/{ada.workspace}/workitems/{item}/data"
    payload = b'{"a": "' + b"a" * 200_000 + b'"}'

    async def pieces():
        for start in range(0, len(payload), 10_000):
            yield payload[start : start + 10_000]

    whole = await stranger.put(address, content=payload, headers=headers)
    pieced = await stranger.put(address, content=pieces(), headers=headers)
    key = await stranger.get(f"/secrets-v1/workspaces/{ada.workspace}/secrets/publicKey", headers=headers)
    workspace = await stranger.get(f"/api/v1/workspaces/{ada.workspace}", headers=headers)

    assert [each.status_code for each in (whole, pieced, key, workspace)] == [200] * 4


# ---------------------------------------------------------------------------------------------------- push hooks
@pytest.fixture
async def hook(ada, process):
    """A package's push hook."""
    [package] = await ada.every("/task-packages")
    path = f"/task-packages/{package['id']}/source"
    return (await ada.post(path, {"url": "https://git.invalid/robot.git", "branch": "main"}))["push_hook"]


def signed(secret: str, body: bytes) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


async def test_a_push_is_signed_as_a_whole(stranger, hook):
    """A large one is read and compared; one that is too large is refused, and a token needs no reading."""
    body = b"a" * 2_500_000
    large = await stranger.post(hook["url"], content=body, headers=signed(hook["secret"], body))
    forged = await stranger.post(hook["url"], content=body + b"a", headers=signed(hook["secret"], body))
    token = await stranger.post(hook["url"], content=body, headers={"x-gitlab-token": hook["secret"]})
    wrong = await stranger.post(hook["url"], content=body, headers={"x-gitlab-token": "made up"})
    too_large = await stranger.post(hook["url"], content=b"a" * 4_000_000, headers=signed(hook["secret"], body))

    assert [each.status_code for each in (large, forged, token, wrong, too_large)] == [200, 401, 200, 401, 413]


async def test_an_unknown_hook_is_not_found_unread(room, workspace):
    """404, and the body that was announced is not asked for."""
    host, port = room.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /api/v1/git-hooks/{workspace} HTTP/1.1\r\nhost: {host}\r\nx-hub-signature-256: sha256=00\r\n"
        "content-length: 20000000\r\nexpect: 100-continue\r\n\r\n".encode()
    )
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 404 ")
    writer.close()


async def test_few_pushes_are_read_at_once(room, stranger, hook):
    """Four; a fifth waits for its turn."""
    host, port = room.url.removeprefix("http://").split(":")
    path = hook["url"].removeprefix(room.url)
    body = b"a" * 100_000
    signature = signed(hook["secret"], body)["x-hub-signature-256"]
    lines = []
    for _ in range(5):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST {path} HTTP/1.1\r\nhost: {host}\r\nx-hub-signature-256: {signature}\r\n"
            f"content-length: {len(body)}\r\nexpect: 100-continue\r\n\r\n".encode()
        )
        lines.append((reader, writer))
    asked = [asyncio.create_task(reader.readuntil(b"\r\n\r\n")) for reader, _ in lines]
    while sum(task.done() for task in asked) < 4:
        await asyncio.wait([task for task in asked if not task.done()], return_when=asyncio.FIRST_COMPLETED)
    [waits] = [number for number, task in enumerate(asked) if not task.done()]
    first = 0 if waits else 1

    lines[first][1].write(body)
    assert (await lines[first][0].readuntil(b"\r\n")).startswith(b"HTTP/1.1 200 ")
    assert (await asked[waits]).startswith(b"HTTP/1.1 100 ")
    for _, writer in lines:
        writer.transport.abort()


async def test_a_key_may_send_more(ada, process):
    """A known caller's body is as large as the API takes it."""
    assert ada.actor.grants[ada.workspace] >= {Permission.START_RUNS}
    started = await ada.call(
        "POST",
        f"/processes/{process}/process-runs",
        json={"type": "with_payloads", "payloads": [{"a": "a" * 500_000}]},
    )
    assert started.status_code == 200, started.text
