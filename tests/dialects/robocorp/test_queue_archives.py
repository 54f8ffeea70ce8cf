"""Archives of queues by our own management API: asked for, fetched, sent, and seen."""

from datetime import timedelta

import pytest

from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Role
from controlroom.engine.access.scope import Room
from controlroom.engine.queues import archives
from controlroom.ids import uuid7
from delivering import until

HERE = "/queue-archives"


async def ended(person, job):
    """An export or import once it has ended."""

    async def look():
        told = await person.get(f"{HERE}/{job['id']}")
        return told if told["ended_at"] else None

    return await until(look, 30)


async def sent(person, job, archive: bytes) -> int:
    """Post an archive where an import says; the status."""
    to = job["upload"]
    answer = await person.http.post(to["url"], data=to["form_data"], files={"file": ("in.zip", archive)})
    return answer.status_code


@pytest.fixture
async def orders(ada):
    """A queue with a schema, in which an item waits."""
    name = f"orders {uuid7()}"
    queue = await ada.post("/queues", {"name": name, "schema": {"type": "object", "required": ["customer"]}})
    await ada.post("/work-items", {"queue": {"id": queue["id"]}, "payload": {"customer": "Åse"}})
    return queue


async def test_queues_leave_a_workspace_and_come_to_another(ada, cleo, orders):
    """As files behind links, opened by their password alone; what is there is passed over, or made beside it."""
    made = await ada.post(
        f"{HERE}/export", {"queues": [{"id": orders["id"]}], "name": "mine", "items": True, "password": "hush"}
    )
    assert (made["kind"], made["download"], made["name"]) == ("queue_export", None, "mine")
    done = await ended(ada, made)
    assert (done["state"], done["name"]) == ("completed", "mine.zip")
    assert done["id"] in [each["id"] for each in await ada.every(HERE)]
    fetched = await ada.http.get(done["download"]["url"])
    assert (fetched.headers["content-type"], len(fetched.content)) == ("application/zip", done["size"])

    wrong = await cleo.post(f"{HERE}/import", {"password": "other"})
    assert (wrong["kind"], wrong["state"]) == ("queue_import", "waiting")
    assert await sent(cleo, wrong, fetched.content) == 204
    assert (await ended(cleo, wrong))["error"] == "the password of the archive is another one"
    for existing, (count, passed_over) in (("skip", (1, 0)), ("skip", (0, 1)), ("copy", (1, 0))):
        job = await cleo.post(f"{HERE}/import", {"password": "hush", "existing": existing})
        assert await sent(cleo, job, fetched.content) == 204
        told = await ended(cleo, job)
        assert (told["state"], told["made"], told["passed_over"]) == ("completed", count, passed_over), told
        assert (told["size"], told["download"]) == (done["size"], None)
        assert await sent(cleo, job, fetched.content) == 204, "an answer may be lost"
        assert await sent(cleo, job, b"other") == 409
    come = [each for each in await cleo.every("/queues") if each["name"].startswith(orders["name"])]
    assert [each["schema"] for each in come] == [orders["schema"]] * 2
    waiting = [one["id"] for each in come for one in await cleo.every("/work-items", queue_id=each["id"])]
    assert [(await cleo.get(f"/work-items/{one}"))["payload"] for one in waiting] == [{"customer": "Åse"}] * 2


async def test_archives_are_of_who_asked_and_who_governs(ada, hire, cleo, orders):
    """Who governs no queues has none made or read; to an outsider there is neither queue nor archive."""
    vera = await hire("vera", ada.workspace, PERMISSIONS_OF_ROLE[Role.VIEWER])
    body = {"queues": [{"id": orders["id"]}]}
    job = await ada.post(f"{HERE}/export", body)
    assert (await vera.call("POST", f"{HERE}/export", json=body)).status_code == 403
    assert (await vera.call("POST", f"{HERE}/import", json={})).status_code == 403
    assert (await vera.call("GET", f"{HERE}/{job['id']}")).status_code == 404
    assert job["id"] not in [each["id"] for each in await vera.every(HERE)]
    assert (await cleo.call("POST", f"{HERE}/export", json=body)).status_code == 404
    assert (await cleo.call("GET", f"{HERE}/{job['id']}")).status_code == 404
    assert (await ada.call("POST", f"{HERE}/export", json={"queues": []})).status_code == 400
    assert (await ada.call("POST", f"{HERE}/import", json={"existing": "replace"})).status_code == 400
    assert (await ada.call("POST", f"{HERE}/import", json={"password": "x" * 1025})).status_code == 400


async def test_an_archive_that_never_comes_is_given_up(ada, room):
    """Nobody waits for it for ever, and what comes afterwards is not taken."""
    job = await ada.post(f"{HERE}/import", {})
    await room.engine.database.execute(
        "update queue_job set created_at = created_at - interval '1 day' where id = %(job)s", job=job["id"]
    )

    await archives.give_up(room.engine.database, Room(), link_life=timedelta(hours=1))

    told = await ada.get(f"{HERE}/{job['id']}")
    assert (told["state"], told["error"]) == ("failed", "no archive came before the link expired")
    assert await sent(ada, job, b"late") in {404, 409}
