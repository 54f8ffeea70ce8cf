"""A worker of several workspaces takes the most urgent of all that waits there, and nothing of any other."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.engine.runs.conftest import payloads

from controlroom.engine.access import store
from controlroom.engine.runs import awaiting, claims
from controlroom.engine.runs.errors import Superseded
from controlroom.protocol import LEASE_SECONDS, Order

WORKSPACES, WORKERS = 5, 20


async def test_the_most_urgent_comes_first_whichever_workspace_it_is_of(floors):
    """By priority, then by age, as in one workspace."""
    first, second, third = await floors(3)
    walt = await first.worker("walt", second, third)
    old, urgent, young = [
        (await floor.start(await floor.process({}), payloads(1), priority=priority)).id
        for floor, priority in ((second, 0), (third, 5), (first, 0))
    ]

    assert [assignment.run_id for assignment in await walt.claim(free=5)] == [urgent, old, young]
    assert await walt.claim() == []


async def test_many_workers_at_once_all_get_something_else(floors):
    """Nobody goes away empty while something waits, and nothing goes to two."""
    rooms = await floors(WORKSPACES)
    workers = [await rooms[0].worker(f"worker {n}", *rooms[1:]) for n in range(WORKERS)]
    for room in rooms:
        process = await room.process({"max_parallel": WORKERS})
        await room.start(process, payloads(*range(WORKERS // WORKSPACES)))

    taken = await asyncio.gather(*(worker.claim() for worker in workers))

    assert [len(each) for each in taken] == [1] * WORKERS
    assert len({assignment.step_run_id for [assignment] in taken}) == WORKERS
    assert await workers[0].claim() == []


async def test_no_more_is_locked_than_is_taken(engine, floors):
    """While a claim is not committed, everything else can be had."""
    rooms = await floors(WORKSPACES)
    walt = await rooms[0].worker("walt", *rooms[1:])
    for room in rooms:
        await room.start(await room.process({"max_parallel": 2}), payloads(1, 2))
    asked = dict.fromkeys(("step_run", "attempt")) | {"organization": rooms[0].organization}

    async with engine.database.transaction() as tx:
        taken = await tx.one_or_none(
            claims._Claimed,
            claims._CLAIM_OF_SEVERAL,
            worker=walt.actor.worker_id,
            session=walt.session.session,
            lease=LEASE_SECONDS,
            workspaces=list(walt.actor.workspaces),
            **asked,
        )
        free = await engine.database.all(
            str,
            """
            select id::text from step_run
             where workspace_id = any(%(workspaces)s::uuid[]) and state = 'awaiting_worker'
               for update skip locked
            """,
            workspaces=list(walt.actor.workspaces),
        )

    assert taken is not None
    assert len(free) == 2 * WORKSPACES - 1


async def test_who_looks_again_and_again_sees_what_waits_where_it_serves(engine, floors, monkeypatch):
    """And nothing of what others take, or of workspaces that are not its own."""
    monkeypatch.setattr(awaiting, "GOOD_FOR", 0)
    first, second, other = await floors(3)
    walt = await first.worker("walt", second)
    looked = [await awaiting.something_waits(engine, walt.actor)]
    for floor in (other, second):
        await floor.start(await floor.process({}), payloads(1))
        looked.append(await awaiting.something_waits(engine, walt.actor))

    [assignment] = await walt.claim()

    assert (looked, assignment.workspace_id) == ([False, False, True], second.workspace)
    assert not await awaiting.something_waits(engine, walt.actor)


async def test_who_serves_the_same_shares_a_look(engine, floors, monkeypatch):
    """However many ask, the database is asked once; who serves something else, or asks later, looks anew."""
    first, second = await floors(2)
    workers = [await first.worker(f"worker {n}", second) for n in range(WORKERS)]
    alone, asked = await second.worker("alone"), []
    monkeypatch.setattr(awaiting, "_waits", _counted(awaiting._waits, asked))

    found = await asyncio.gather(*(awaiting.something_waits(engine, each.actor) for each in [*workers, alone]))
    monkeypatch.setattr(awaiting, "GOOD_FOR", -1)
    await awaiting.something_waits(engine, alone.actor)

    assert (found, len(asked)) == ([False] * (WORKERS + 1), 3)


def _counted(look, asked):
    async def looking(db, scope):
        asked.append(scope)
        return await look(db, scope)

    return looking


async def test_what_is_not_served_is_not_taken(floors):
    """Of three workspaces the worker has two; what waits in the third waits on."""
    first, second, other = await floors(3)
    walt = await first.worker("walt", second)
    await other.start(await other.process({}))

    assert await walt.claim() == []


async def test_what_is_served_no_more_is_abandoned(floors):
    """When the service of a workspace ends the worker is told to leave what it runs there, and may report nothing."""
    first, second = await floors(2)
    walt = await first.worker("walt", second)
    for floor in (first, second):
        await floor.start(await floor.process({}))
    here, there = await walt.claim(free=2)
    assert [here.workspace_id, there.workspace_id] == [first.workspace, second.workspace]

    walt.actor = replace(walt.actor, workspaces=(first.workspace,))

    assert await walt.beat(here, there) == [Order.CONTINUE, Order.ABANDON]
    await walt.finish(here)
    with pytest.raises(Superseded):
        await walt.finish(there)


async def test_who_serves_all_serves_those_that_are_made_later(engine, floors):
    """The next look at the worker's token finds them; who serves some has those alone."""
    [first] = await floors(1)
    walt, wanda = await first.worker("walt"), await first.worker("wanda")
    for worker, serves_all in ((walt, True), (wanda, False)):
        await engine.database.execute(
            "update worker set serves_all = %(all)s, mixes = true, lookup = %(lookup)s where id = %(id)s",
            all=serves_all,
            lookup=engine.keys.lookup(worker.actor.name + "x" * 40),
            id=worker.actor.worker_id,
        )
    [later] = await floors(1)

    found = await _authenticated(engine, walt), await _authenticated(engine, wanda)

    assert found[0].workspaces[-1] == later.workspace
    assert first.workspace in found[0].workspaces
    assert found[1].workspaces == (first.workspace,)


async def _authenticated(engine, worker):
    return await store.worker_by_lookup(engine.database, engine.keys.lookup(worker.actor.name + "x" * 40))
