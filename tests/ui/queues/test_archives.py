"""Archives in the browser: queues leave a workspace as a file, and are made of it in another."""

import re

from msgspec import Raw

from controlroom.engine.access.model import Role
from controlroom.engine.queues import actions as queues
from delivering import until

HERE = "/queues/archives"


async def has(browser, pattern):
    """What the page has once it has what is looked for: a loop of the room does the work."""

    async def look():
        return re.search(pattern, await browser.get(f"{HERE}?part=latest"))

    return await until(look, 30)


async def test_queues_leave_a_workspace_and_come_to_another(room, visit, workspace, ada, cleo):
    """With their schemas and what waits in them; who may not govern queues neither exports nor imports nor sees it."""
    schema = Raw(b'{"type": "object", "required": ["customer"]}')
    made = await queues.create(room.engine, ada.actor, workspace, name="orders", schema=schema)
    free = await queues.create(room.engine, ada.actor, workspace, name="whatever")
    await queues.put(room.engine, ada.actor, workspace, made.id, Raw(b'{"customer": "\xc3\x85se"}'))
    await queues.put(room.engine, ada.actor, workspace, free.id, Raw(b"[1, 2]"))
    browser, viewer, other = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    assert "None yet" in await browser.get(HERE)
    assert f'value="{made.id}" checked' in await browser.get(f"{HERE}?queue={made.id}")
    assert "New export" not in await viewer.get(HERE)
    await viewer.post(f"{HERE}/export", status=403, queue=str(made.id))
    await viewer.send(f"{HERE}/import", "archive", "out.zip", b"", 403)
    assert "No queue is chosen" in (await browser.post(f"{HERE}/export", status=422)).text
    assert "There is no" in (await other.post(f"{HERE}/export", status=422, queue=str(made.id))).text

    both = [str(made.id), str(free.id)]
    answer = await browser.http.post(
        browser.path(f"{HERE}/export"),
        data={"queue": both, "name": "mine", "items": "on", "password": "hush"},
        headers={"Origin": str(browser.http.base_url).rstrip("/")},
    )
    assert answer.status_code == 303
    address = (await has(browser, rf"{HERE}/[0-9a-f-]{{36}}"))[0]
    archive = await browser.http.get(browser.path(address))
    assert archive.headers["content-disposition"] == "attachment; filename*=UTF-8''mine.zip"
    assert "mine.zip" not in await viewer.get(HERE)
    await viewer.get(address, status=404)
    await other.get(address, status=404)

    assert "Choose an archive" in (await other.send(f"{HERE}/import", "archive", "", b"", 422)).text
    await other.send(f"{HERE}/import", "archive", "x.zip", archive.content, password="wrong")
    await has(other, "the password of the archive is another one")
    await other.send(f"{HERE}/import", "archive", "in.zip", archive.content, password="hush")
    await has(other, "2 made")
    await other.send(f"{HERE}/import", "archive", "in.zip", archive.content, password="hush", existing="skip")
    await has(other, "2 there already")

    come = await room.engine.database.all(
        str,
        """
        select concat_ws(' ', queue.name, queue.is_draft, queue.schema is null, work_item.payload)
          from queue join work_item on work_item.queue_id = queue.id
         where queue.workspace_id = %(workspace)s and queue.name in ('orders', 'whatever') order by queue.name
        """,
        workspace=cleo.workspace,
    )
    assert come == ['orders f f {"customer": "Åse"}', "whatever f t [1, 2]"]


async def test_a_broken_archive_says_so(visit, workspace):
    """Nothing is made of it."""
    browser = await visit(workspace)

    await browser.send(f"{HERE}/import", "archive", "in.zip", b"no archive")

    await has(browser, "the file is no archive of queues")
