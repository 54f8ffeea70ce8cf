"""A release that takes the next item: it stands by itself, whatever becomes of the claim."""

import asyncio

import pytest
from msgspec import UNSET
from tests.engine.runs.conftest import payloads

from controlroom.engine.access.errors import AttemptOver
from controlroom.engine.runs import robot_items
from controlroom.engine.runs.held_items import Done, Failed
from controlroom.engine.runs.robot_items import Brought
from controlroom.engine.work_items.model import ExceptionType, ItemException
from controlroom.engine.work_items.rules import RetryPolicy


async def test_a_release_stands_though_its_attempt_ends_before_the_claim(floor):
    """The item is done, nothing is taken, and asking again says why."""
    run = await floor.start(await floor.process({}), payloads(1, 2))
    assignment, robot = await (await floor.worker()).take()
    db = floor.engine.database
    async with db.transaction() as tx:
        await tx.execute("select from step_run where id = %(id)s for no key update", id=robot.step_run_id)
        passing = asyncio.create_task(
            robot_items.release_and_reserve(floor.engine, robot, assignment.work_item_id, Done(), Brought())
        )
        while (await floor.item(assignment.work_item_id)).state != "done":
            await asyncio.sleep(0.01)
        await tx.execute("update step_run set attempt = attempt + 1 where id = %(id)s", id=robot.step_run_id)

    passed = await passing

    assert (passed.outputs, passed.item) == ([], UNSET)
    assert sorted(item.state for item in await floor.items(run)) == ["done", "pending"]
    with pytest.raises(AttemptOver):
        await robot_items.reserve(floor.engine, robot)


async def test_several_pass_on_at_once_and_each_gets_another(floor):
    """No item is lost or handed out twice, however they go together."""
    process = await floor.process({"max_parallel": 4})
    workers = [await floor.worker(f"worker {n}") for n in range(4)]
    run = await floor.start(process, payloads(*range(40)))
    taken = [await worker.take() for worker in workers]
    seen = []

    async def work(assignment, robot):
        item = assignment.work_item_id
        while item is not None:
            seen.append(item)
            passed = await robot_items.release_and_reserve(floor.engine, robot, item, Done(), Brought())
            item = passed.item and passed.item.id

    await asyncio.gather(*(work(*each) for each in taken))

    assert len(seen) == len(set(seen)) == 40
    assert {item.state for item in await floor.items(run)} == {"done"}


async def test_what_is_retried_is_not_taken_by_the_release_that_failed_it(floor):
    """Never twice to the same step run, also where the item is due again at once."""
    run = await floor.start(await floor.process({"retry": RetryPolicy(max_attempts=3)}), payloads(1))
    assignment, robot = await (await floor.worker()).take()
    failed = Failed(ItemException(ExceptionType.APPLICATION, "TRY", "again"))

    passed = await robot_items.release_and_reserve(floor.engine, robot, assignment.work_item_id, failed, Brought())

    assert passed.item is None
    assert [item.state for item in await floor.items(run)] == ["pending"]
