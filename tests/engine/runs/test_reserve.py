"""Law 4: reserve and release are idempotent and fenced, and no item is handed out twice (DESIGN §4)."""

import asyncio

import pytest
from tests.engine.runs.conftest import payloads

from controlroom.engine.runs import held_items
from controlroom.engine.runs.held_items import Done, Failed
from controlroom.engine.runs.model import (
    RunState,
)
from controlroom.engine.work_items.errors import NotHolding
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.ids import WorkItemId, uuid7

BUSINESS = Failed(ItemException(ExceptionType.BUSINESS, "BAD", "no such customer"))
APPLICATION = Failed(ItemException(ExceptionType.APPLICATION, "NET", "timeout"))


async def test_reserve_gives_each_item_to_one_step_run(floor):
    """Many step runs asking at once never get the same item, and get all of them."""
    process = await floor.process({"max_parallel": 8})
    workers = [await floor.worker(f"worker {n}") for n in range(8)]
    run = await floor.start(process, payloads(*range(100)))
    taken = [await worker.take() for worker in workers]

    done = await asyncio.gather(*(floor.drain(robot, one.work_item_id) for one, robot in taken))

    everything = [item for items in done for item in items]
    assert len(everything) == len(set(everything)) == 100
    assert set(await floor.states(run)) == {"done"}


async def test_asking_again_returns_the_item_in_hand(floor):
    """Reserve is idempotent, also when the same step run asks several times at once."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process, payloads(1, 2, 3))
    assignment, robot = await walt.take()
    assert await held_items.reserve(floor.engine, robot) == assignment.work_item_id
    await held_items.release(floor.engine, robot, assignment.work_item_id, Done())

    answers = await asyncio.gather(*(held_items.reserve(floor.engine, robot) for _ in range(8)))

    assert len(set(answers)) == 1


async def test_the_same_release_twice_is_fine_and_a_conflicting_one_is_not(floor):
    """At most one release of an attempt counts."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    item = assignment.work_item_id

    await held_items.release(floor.engine, robot, item, Done())
    await held_items.release(floor.engine, robot, item, Done())
    with pytest.raises(NotHolding):
        await held_items.release(floor.engine, robot, item, BUSINESS)
    assert (await floor.item(item)).state is ItemState.DONE

    item = await held_items.reserve(floor.engine, robot)
    await held_items.release(floor.engine, robot, item, BUSINESS)
    await held_items.release(floor.engine, robot, item, BUSINESS)
    with pytest.raises(NotHolding):
        await held_items.release(floor.engine, robot, item, Done())
    with pytest.raises(NotHolding):
        await held_items.release(floor.engine, robot, WorkItemId(uuid7()), Done())


async def test_an_item_is_never_handed_twice_to_one_step_run(floor):
    """A retried item waits for another step run, even if the same one asks for it."""
    process = await floor.process({"retry": RetryPolicy(max_attempts=3)})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1))
    assignment, robot = await walt.take()
    await held_items.release(floor.engine, robot, assignment.work_item_id, APPLICATION)

    assert await held_items.reserve(floor.engine, robot) is None
    await walt.finish(assignment)
    await floor.run(run)
    again, _ = await walt.take()
    assert again.work_item_id == assignment.work_item_id
    assert again.step_run_id != assignment.step_run_id


async def test_the_most_urgent_due_item_comes_first(floor, ada):
    """Priority decides, then the due time, then age; what is not due waits."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads("a", "b", "c", "d"))
    a, b, c, d = [item.id for item in await floor.items(run)]
    db = floor.engine.database
    await db.execute("update work_item set priority = 5 where id = %(id)s", id=c)
    await db.execute(
        "update work_item set due = clock_now() + interval '1 hour', is_postponed = true where id = %(id)s", id=a
    )

    assignment, robot = await walt.take()

    assert await floor.drain(robot, assignment.work_item_id) == [c, b, d]
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.IN_PROGRESS
    await db.execute("update work_item set due = clock_now() where id = %(id)s", id=a)
    await floor.run(run)
    assert (await walt.take())[0].work_item_id == a


async def test_a_clock_that_is_put_back_halts_nothing(floor):
    """Items that nobody has postponed are due at once, whatever the clock said when they were made."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    await floor.engine.database.execute("update work_item set due = due + interval '2 hours'")

    assignment, robot = await walt.take()

    assert len(await floor.drain(robot, assignment.work_item_id)) == 2
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.COMPLETED
