"""Exports and imports outlive the servers that die over them."""

import pytest
from msgspec.structs import replace
from tests.engine.packages.conftest import robot_yaml, zipped

from controlroom.engine.access.scope import Room, scoped
from controlroom.engine.packages.actions import push
from controlroom.engine.repository import nodes
from controlroom.engine.repository.actions import create_file, delete
from controlroom.engine.repository.contents import put
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.transfers import actions, store
from controlroom.engine.transfers.errors import TransferInProgress, TransferNotFound
from controlroom.engine.transfers.model import TransferState
from controlroom.ids import uuid7
from controlroom.maintenance.transfers import Transfers, prune
from controlroom.outgoing import Outgoing


@pytest.fixture
async def bot(engine, ada, workspace):
    """A bot of ada's."""
    blob = await engine.objects.put_bytes(zipped(robot_yaml=robot_yaml("Main"), tasks_py="print()"))
    package = (await push(engine, ada, workspace, "Bills", blob)).package
    return await nodes.get(engine.database, await rights_of(engine.database, ada), package.id)


@pytest.fixture
async def server(engine):
    """A server's service."""
    async with Outgoing() as outgoing:
        yield Transfers(engine, outgoing, None)


async def _die(engine):
    """A server claims one and is killed."""
    async with scoped(engine.database, Room()) as tx:
        claimed = await store.claim(tx, Room())
    assert claimed is not None
    return claimed


async def test_another_server_goes_on_when_the_lease_is_over(engine, ada, bot, server, later):
    """Not before; what the dead one had in hand it cannot end any more."""
    asked = await actions.export(engine, ada, "nightly", [(bot.id, None)], password="sesame")
    dead = await _die(engine)
    assert await server.one() is False

    await later(seconds=61)
    assert await server.one() is True

    ended = await store.get(engine.database, ada, asked.id)
    assert (ended.state, ended.done) == (TransferState.COMPLETED, 1)
    async with scoped(engine.database, Room()) as tx:
        assert not await store.fail(tx, dead, "late")


async def test_what_kills_every_server_fails(engine, ada, bot, server, later):
    """After three it has ended, and says why; it is never in progress for ever."""
    asked = await actions.export(engine, ada, "nightly", [(bot.id, None)])
    for _ in range(3):
        await _die(engine)
        await later(seconds=61)

    await server.one()

    ended = await store.get(engine.database, ada, asked.id)
    assert (ended.state, "again and again" in ended.reason) == (TransferState.FAILED, True)


async def test_it_is_done_by_the_rights_that_who_asked_has_then(engine, ada, bot, server):
    """Who is disabled meanwhile exports nothing."""
    asked = await actions.export(engine, ada, "nightly", [(bot.id, None)])
    await engine.database.execute("update app_user set disabled_at = clock_now() where id = %(id)s", id=ada.id)

    await server.one()

    assert (await store.get(engine.database, ada, asked.id)).state is TransferState.FAILED


async def test_what_ended_a_month_ago_is_forgotten(engine, ada, bot, workspace, server, later):
    """Archives, and what was in files that were deleted; nothing that is there."""
    kept = await create_file(engine, ada, workspace, "kept.txt")
    gone = await create_file(engine, ada, workspace, "gone.txt")
    for file in (kept, gone):
        await put(engine, ada, file.id, await engine.objects.put_bytes(b"text"))
    await delete(engine, ada, gone.id)
    await actions.export(engine, ada, "nightly", [(bot.id, None)])
    await server.one()
    await prune(engine)

    async def kept_rows():
        transfers = await engine.database.value("select count(*) from transfer where user_id = %(id)s", id=ada.id)
        return transfers, await engine.database.value("select count(*) from repository_file_version")

    assert await kept_rows() == (1, 2)

    await later(days=31)
    await prune(engine)

    assert await kept_rows() == (0, 1)


async def test_the_password_is_gone_with_the_end(engine, ada, bot, server):
    """It is stored sealed, and no longer than it is needed."""
    asked = await actions.export(engine, ada, "nightly", [(bot.id, None)], password="sesame")
    sealed = "select sealed from transfer where id = %(id)s"
    assert b"sesame" not in await engine.database.value(sealed, id=asked.id)

    await server.one()

    assert await engine.database.value(sealed, id=asked.id) is None


async def test_what_has_ended_is_forgotten_by_who_asked(engine, ada, bot, server):
    """Not while it is in progress, and not by others, who do not find it."""
    asked = await actions.export(engine, ada, "nightly", [(bot.id, None)])
    with pytest.raises(TransferInProgress):
        await actions.forget(engine, ada, asked.id)
    assert await server.one() is True
    with pytest.raises(TransferNotFound):
        await actions.forget(engine, replace(ada, id=uuid7(), throughout=frozenset()), asked.id)

    assert (await actions.forget(engine, ada, asked.id)).state is TransferState.COMPLETED
    with pytest.raises(TransferNotFound):
        await store.get(engine.database, ada, asked.id)
