"""Starting a task that no process was made for."""

import asyncio

import pytest
from msgspec import Raw
from tests.engine.runs.conftest import payloads

from controlroom.engine.packages.errors import TaskNotFound
from controlroom.engine.processes import actions as process_actions
from controlroom.engine.processes import store as processes
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import DefaultInput, Overrides, RunState, WithItems
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.work_items import actions as items
from controlroom.errors import NotFound
from controlroom.ids import TaskId, uuid7


@pytest.fixture
async def task(floor) -> TaskId:
    """A task of some package."""
    process = await floor.process({})
    await process_actions.delete(floor.engine, floor.ada, floor.workspace, process)
    return await floor.engine.database.value("select task_id from step where process_id = %(id)s", id=process)


async def test_a_bare_task_runs_by_a_process_of_its_own(floor, ada, task):
    """With payloads and parameters like any process; which is in no list, and is the same for every run."""
    parameters = RunParameters(name="once", overrides=Overrides(variables={"A": "1"}), priority=3)
    run = await runs.start_task(floor.engine, ada, floor.workspace, task, payloads(1, 2), parameters)
    again = await runs.start_task(floor.engine, ada, floor.workspace, task, DefaultInput())

    assert (run.process_id, run.told.name, run.priority) == (again.process_id, "once", 3)
    assert run.process_name == "Do"
    assert await processes.list_processes(floor.engine.database, floor.scope, limit=10) == []
    walt = await floor.worker()
    assignment, robot = await walt.take()
    assert (assignment.run_id, assignment.variables) == (run.id, {"A": "1"})
    assert len(await floor.drain(robot, assignment.work_item_id)) == 2
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.COMPLETED


async def test_first_starts_at_once_make_one_process(floor, ada, task):
    """However many come at once, each gets a run, all of one process with one step."""
    started = await asyncio.gather(
        *(runs.start_task(floor.engine, ada, floor.workspace, task, payloads(n)) for n in range(8))
    )

    [process] = {run.process_id for run in started}
    assert len(await processes.list_steps(floor.engine.database, floor.scope, process)) == 1
    assert sorted(run.run_no for run in started) == list(range(1, 9))


async def test_a_start_that_is_refused_makes_no_process(floor, ada, task):
    """Process and run are one commit, or none."""
    with pytest.raises(NotFound):
        await runs.start_task(floor.engine, ada, floor.workspace, task, WithItems((uuid7(),)))
    assert await processes.implicit_of(floor.engine.database, floor.scope, task) is None


async def test_items_wait_for_a_bare_task(floor, ada, task):
    """What was put into its queue before its first run is started by name, as with a process."""
    item = await items.create_for_task(floor.engine, ada, floor.workspace, task, Raw(b"7"))
    run = await runs.start_task(floor.engine, ada, floor.workspace, task, WithItems((item.id,)))
    assert [each.id for each in await floor.items(run)] == [item.id]


async def test_a_process_of_a_bare_task_that_was_deleted_is_there_again(floor, ada, task):
    """The next start of the task needs it, and goes on counting its runs."""
    first = await runs.start_task(floor.engine, ada, floor.workspace, task, DefaultInput())
    walt = await floor.worker()
    assignment, robot = await walt.take()
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment)
    await floor.run(first)
    await process_actions.delete(floor.engine, ada, floor.workspace, first.process_id)

    second = await runs.start_task(floor.engine, ada, floor.workspace, task, DefaultInput())
    assert (second.process_id, second.run_no) == (first.process_id, 2)


async def test_outsiders_start_no_task(floor, cleo, task):
    """To them there is none, in the workspace or in their own."""
    [theirs] = cleo.grants
    for where in (floor.workspace, theirs):
        with pytest.raises(NotFound):
            await runs.start_task(floor.engine, cleo, where, task, DefaultInput())
        with pytest.raises(NotFound):
            await items.create_for_task(floor.engine, cleo, where, task, None)
    with pytest.raises(TaskNotFound):
        await runs.start_task(floor.engine, floor.ada, floor.workspace, uuid7(), DefaultInput())
