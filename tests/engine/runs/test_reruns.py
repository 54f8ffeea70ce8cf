"""Running a run again, with what it began with."""

import asyncio

import pytest
from msgspec import Raw
from tests.engine.runs.conftest import payloads

from controlroom.engine.access.model import StepRunActor
from controlroom.engine.processes.model import Placement
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import held_items, outputs, reruns
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.errors import ProcessDisabled, RunHasNoInputs, RunNotEnded, RunNotFound
from controlroom.engine.runs.model import Overrides, RunState
from controlroom.engine.work_items import actions as items
from controlroom.engine.work_items.bulk import ItemFilter
from controlroom.engine.work_items.operations import Operation
from controlroom.errors import NotFound
from controlroom.ids import uuid7


@pytest.fixture
def work(floor):
    """Has a worker work until nothing is left, each robot putting out as many items as it had."""

    async def until_nothing_is_left(run, walt):
        while taken := await walt.claim():
            [assignment] = taken
            robot = StepRunActor(
                step_run_id=assignment.step_run_id,
                attempt=assignment.attempt,
                run_id=assignment.run_id,
                step_id=assignment.step_id,
                process_id=assignment.process_id,
                workspace_id=assignment.workspace_id,
                organization_id=assignment.organization_id,
            )
            item = assignment.work_item_id
            while item is not None:
                await outputs.output(floor.engine, robot, item, Raw(b'"made"'))
                await held_items.release(floor.engine, robot, item, held_items.Done())
                item = await held_items.reserve(floor.engine, robot)
            await walt.finish(assignment)
            await floor.run(run)
        return await floor.run(run)

    return until_nothing_is_left


async def payloads_of(floor, run) -> list[bytes]:
    return sorted([bytes((await floor.item(one.id)).payload) for one in await floor.items(run)])


async def test_a_run_is_run_again_with_its_inputs_and_parameters(floor, ada, work):
    """Copies of what it began with, not of what its robots made; name, overrides and priority are its own."""
    process = await floor.process({}, {})
    walt = await floor.worker()
    overrides = Overrides(variables={"LEVEL": "debug"})
    run = await floor.start(process, payloads(1, 2), name="March", cause="month's end", overrides=overrides, priority=4)
    with pytest.raises(RunNotEnded):
        await reruns.rerun_run(floor.engine, ada, floor.workspace, run.id)
    assert (await work(run, walt)).state is RunState.COMPLETED

    again = await reruns.rerun_run(floor.engine, ada, floor.workspace, run.id, cause="the books were wrong")

    assert (again.process_id, again.told.name, again.told.cause) == (process, "March", "the books were wrong")
    assert (again.told.overrides, again.priority, again.told.rerun_of) == (overrides, 4, run.id)
    assert await payloads_of(floor, again) == [b"1", b"2"]
    keyed = [await reruns.rerun_run(floor.engine, ada, floor.workspace, run.id, key="once") for _ in range(2)]
    assert keyed[0].id == keyed[1].id != again.id
    [assignment] = await walt.claim()
    assert (assignment.run_id, assignment.variables) == (again.id, {"LEVEL": "debug"})
    assert (await floor.run(run)).told.rerun_of is None


async def test_items_of_one_run_are_run_again_as_it_was(floor, ada, work):
    """Single items keep the overrides and the placement of their run; those of several runs are run as usual."""
    process, walt = await floor.process({}), await floor.worker()
    asked = {"overrides": Overrides(variables={"LEVEL": "debug"}), "placement": Placement(run_as=ada.id)}
    run = await floor.start(process, payloads(1), **asked)
    await work(run, walt)
    await work(await floor.start(process, payloads(2)), walt)

    of_one = await reruns.rerun(floor.engine, ada, floor.workspace, process, ItemFilter(run=run.id))
    [step_run] = await run_store.list_step_runs(floor.engine.database, floor.scope, of_one.id, limit=9)
    of_all = await reruns.rerun(floor.engine, ada, floor.workspace, process, ItemFilter(process=process))

    assert (of_one.told.overrides, step_run.run_as) == (asked["overrides"], ada.id)
    assert of_all.told is None


async def test_a_rerun_may_be_run_again(floor, ada, work):
    """Its inputs are copies, and are copied like others."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads("x"))
    for _ in range(2):
        await work(run, walt)
        run = await reruns.rerun_run(floor.engine, ada, floor.workspace, run.id)
    assert await payloads_of(floor, run) == [b'"x"']


async def test_what_cannot_be_run_again_is_a_conflict(floor, ada, work):
    """Inputs that are deleted, a process that is disabled, a run that there is not."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    await work(run, walt)
    await floor.engine.database.execute("update process set is_enabled = false where id = %(id)s", id=process)
    with pytest.raises(ProcessDisabled):
        await reruns.rerun_run(floor.engine, ada, floor.workspace, run.id)

    inputs = [item.id for item in await floor.items(run)]
    await items.change(floor.engine, ada, floor.workspace, Operation.DELETE, inputs)
    with pytest.raises(RunHasNoInputs):
        await reruns.rerun_run(floor.engine, ada, floor.workspace, run.id)
    with pytest.raises(RunNotFound):
        await reruns.rerun_run(floor.engine, ada, floor.workspace, uuid7())


async def test_a_rerun_and_a_deletion_at_once(floor, ada, work):
    """Either the run is copied whole before it goes, or it is gone."""
    process = await floor.process({})
    walt = await floor.worker()
    for _ in range(5):
        run = await floor.start(process, payloads(1, 2, 3))
        await work(run, walt)
        again, _ = await asyncio.gather(
            reruns.rerun_run(floor.engine, ada, floor.workspace, run.id),
            runs.delete(floor.engine, ada, floor.workspace, run.id),
            return_exceptions=True,
        )
        if not isinstance(again, NotFound):
            assert await payloads_of(floor, again) == [b"1", b"2", b"3"]
            await work(again, walt)


async def test_outsiders_run_nothing_again(floor, cleo, work):
    """To them there is no such run."""
    process = await floor.process({})
    run = await floor.start(process)
    await work(run, await floor.worker())
    [theirs] = cleo.grants
    for where in (floor.workspace, theirs):
        with pytest.raises(NotFound):
            await reruns.rerun_run(floor.engine, cleo, where, run.id)
