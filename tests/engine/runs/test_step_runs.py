"""Law 3: step runs drain the queue of their own run (DESIGN §4)."""

import dataclasses
import datetime as dt

from msgspec import Raw
from tests.engine.runs.conftest import payloads

from controlroom.engine.access.tokens import read_step_run_token
from controlroom.engine.processes.model import Placement, Workers
from controlroom.engine.runs import held_items, outputs
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.held_items import Done
from controlroom.engine.runs.model import (
    RunState,
)


async def test_step_runs_are_as_many_as_items_and_capacity(floor):
    """A run gets a step run for each pending item, and never more than `max_parallel` at once."""
    process = await floor.process({"max_parallel": 3})
    walt = await floor.worker()

    few = await floor.start(process, payloads(1, 2))
    many = await floor.start(process, payloads(*range(10)))

    assert len(await walt.claim(free=100)) == 5
    assert len(await run_store.list_step_runs(floor.engine.database, floor.scope, few.id, limit=100)) == 2
    await floor.run(many)
    assert len(await run_store.list_step_runs(floor.engine.database, floor.scope, many.id, limit=100)) == 3


async def test_a_step_run_without_items_is_withdrawn_and_never_started(floor):
    """If the items were done by others, the claim withdraws the step run."""
    process = await floor.process({"max_parallel": 2})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    await floor.drain(robot, assignment.work_item_id)

    assert await walt.claim() == []
    await walt.finish(assignment)

    assert (await floor.run(run)).state is RunState.COMPLETED
    [only] = await run_store.list_step_runs(floor.engine.database, floor.scope, run.id, limit=10)
    assert only.id == assignment.step_run_id


async def test_a_step_run_reserves_only_items_of_its_own_run(floor):
    """Two runs of one process never work on each other's items."""
    process = await floor.process({})
    walt = await floor.worker()
    first = await floor.start(process, payloads(1))
    second = await floor.start(process, payloads(2, 3))

    assignment, robot = await walt.take()

    assert assignment.run_id == first.id
    assert len(await floor.drain(robot, assignment.work_item_id)) == 1
    assert await floor.states(second) == ["pending", "pending"]


async def test_one_item_per_step_run(floor):
    """Such a step gets a step run for each item, and each reserves no second one."""
    process = await floor.process({"max_parallel": 5, "one_item_per_step_run": True})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2, 3))

    for assignment in await walt.claim(free=10):
        robot = read_step_run_token(floor.engine.keys, assignment.token)
        assert len(await floor.drain(robot, assignment.work_item_id)) == 1
        await walt.finish(assignment)

    assert (await floor.run(run)).state is RunState.COMPLETED


async def test_a_step_may_wait_for_the_previous_ones(floor):
    """`starts_after_previous` keeps a step's items waiting until the steps before have nothing in hand."""
    process = await floor.process({"max_parallel": 1}, {"starts_after_previous": True})
    walt, wanda = await floor.worker("walt"), await floor.worker("wanda")
    run = await floor.start(process, payloads(1, 2))
    first, robot = await walt.take()
    await outputs.output(floor.engine, robot, first.work_item_id, Raw(b'"report"'))
    await held_items.release(floor.engine, robot, first.work_item_id, Done())

    await floor.run(run)
    assert await wanda.claim() == []

    await floor.drain(robot, await held_items.reserve(floor.engine, robot))
    await walt.finish(first)
    await floor.run(run)
    second, robot = await wanda.take()
    await floor.drain(robot, second.work_item_id)
    await wanda.finish(second)
    assert (await floor.run(run)).state is RunState.COMPLETED


async def test_placement_decides_who_may_run(floor):
    """A step run for a named worker or group is claimed by nobody else."""
    walt, wanda = await floor.worker("walt"), await floor.worker("wanda")
    process = await floor.process({"placement": Placement((Workers((wanda.actor.worker_id,)),))})
    await floor.start(process)

    assert await walt.claim() == []
    assert len(await wanda.claim()) == 1


async def test_a_worker_is_told_how_new_the_world_may_be(floor):
    """The package's moment wins over the room's; without both there is none."""
    process = await floor.process({})
    engine, walt = floor.engine, await floor.worker()
    old, newer = dt.datetime(2023, 5, 2, tzinfo=dt.UTC), dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    for of_package, of_room, told in (
        (None, None, None),
        (None, newer, "2024-01-01T00:00:00Z"),
        (old, newer, "2023-05-02T00:00:00Z"),
    ):
        await engine.database.execute(
            "update package set exclude_newer = %(moment)s where workspace_id = %(ws)s",
            moment=of_package,
            ws=floor.workspace,
        )
        walt.engine = dataclasses.replace(engine, exclude_newer=of_room)
        await floor.start(process)

        assignment, _ = await walt.take()

        assert assignment.exclude_newer == told
        await walt.begin(assignment)
        await walt.finish(assignment)


async def test_a_phase_keeps_its_id_and_number(floor):
    """However often its worker tells how it stands."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process, payloads(1))
    assignment, robot = await walt.take()

    await walt.begin(assignment)
    [begun] = await run_store.list_phases(floor.engine.database, floor.scope, robot.step_run_id)
    await walt.begin(assignment)

    [told_again] = await run_store.list_phases(floor.engine.database, floor.scope, robot.step_run_id)
    assert begun.id.version == 7
    assert (begun.id, begun.number) == (told_again.id, told_again.number)
