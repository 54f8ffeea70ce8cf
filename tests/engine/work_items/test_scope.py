"""Items are found and taken by who sees their workspace, and by nobody else."""

import pytest
from msgspec import Raw

from controlroom.engine.access.scope import Of, ScopedTx, scoped
from controlroom.engine.lists.written import Plain
from controlroom.engine.work_items import actions, copies, store
from controlroom.engine.work_items.errors import WorkItemNotFound
from controlroom.engine.work_items.listings import written_items
from controlroom.engine.work_items.model import ItemState, WorkItem
from controlroom.ids import FileId, RunId, uuid7


@pytest.fixture
async def item(floor, ada) -> WorkItem:
    """One that waits in the input queue of a process, with a file."""
    made = await actions.create(floor.engine, ada, floor.workspace, await floor.process({}), Raw(b"1"))
    async with scoped(floor.engine.database, floor.scope) as tx:
        await store.put_file(tx, made.id, FileId(uuid7()), name="a.txt", size=1, digest="0" * 64)
    return made


async def test_an_item_is_read_by_who_sees_its_workspace(floor, item, strange):
    """Its ids help an outsider to nothing, by whatever list or look-up."""
    database, ids = floor.engine.database, [item.id]

    assert await store.get(database, floor.scope, item.id) == item
    assert await store.payloads_of(database, floor.scope, ids, most_bytes=10) == {item.id: Raw(b"1")}
    assert [file.name for file in await store.list_files(database, floor.scope, ids)] == ["a.txt"]

    with pytest.raises(WorkItemNotFound):
        await store.get(database, strange, item.id)
    assert await store.payloads_of(database, strange, ids, most_bytes=10) == dict.fromkeys(ids)
    assert await store.list_files(database, strange, ids) == []
    assert await store.history(database, strange, item.id) == []
    assert await store.list_items(database, strange, process=item.process_id, limit=10) == []
    listing = written_items({"id": Plain("id")})
    written = await store.list_written(database, strange, listing, process=item.process_id, limit=10, most_bytes=10)
    assert written.ids == []
    assert await store.lock(database, strange, ids) == []


async def test_an_item_is_taken_into_a_run_of_its_own_workspace_only(floor, item, strange):
    """Who names it by an outsider's scope takes none, and it waits on."""

    async def adopt(tx: ScopedTx, scope: Of) -> list:
        step = await tx.value("select id from step where process_id = %(process)s", process=item.process_id)
        run = RunId(uuid7())
        return await copies.adopt(tx, scope, queue=item.queue_id, items=[item.id], run=run, step=step)

    async with scoped(floor.engine.database, strange) as tx:
        assert await adopt(tx, strange) == []

    assert (await floor.item(item.id)).state is ItemState.NEW


async def test_a_deleted_workspace_shows_no_items(floor, item):
    """The scope yields no workspace then, in the very statement that asks for the item."""
    await floor.engine.database.execute(
        "update workspace set deleted_at = clock_now() where id = %(id)s", id=floor.workspace
    )

    with pytest.raises(WorkItemNotFound):
        await store.get(floor.engine.database, floor.scope, item.id)
