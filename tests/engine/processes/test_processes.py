"""Processes are made of tasks, edited while they run, and removed when nothing needs them."""

import asyncio
from datetime import timedelta

import pytest
from msgspec import Raw

from controlroom.engine.access.scope import scoped
from controlroom.engine.packages import actions as package_actions
from controlroom.engine.packages import store as packages
from controlroom.engine.packages.errors import PackageInUse, PackageNotFound, TaskNotFound
from controlroom.engine.processes import actions, store
from controlroom.engine.processes.errors import (
    ItemsWaiting,
    ProcessNotConfigured,
    ProcessNotFound,
    ProcessRunning,
)
from controlroom.engine.processes.model import (
    ANYWHERE,
    Group,
    NamedTask,
    PackageCommands,
    Placement,
    ProcessChange,
    ProcessDefinition,
    StepCommands,
    StepDefinition,
    Workers,
)
from controlroom.engine.work_items.model import ExceptionType
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.engine.workers import actions as workers
from controlroom.engine.workers.errors import WorkerGroupNotFound, WorkerNotFound
from controlroom.errors import Invalid, NotFound
from controlroom.ids import TaskId, WorkerGroupId, WorkerId, uuid7
from controlroom.protocol import Command, OnFailure

PRODUCE = StepDefinition(name="produce", work=NamedTask("robots", "Produce"))
CONSUME = StepDefinition(name="consume", work=NamedTask("robots", "Consume"), max_parallel=4)


@pytest.fixture
def steps_of(engine, workspace, seen):
    """The steps of a process."""
    return lambda process: store.list_steps(engine.database, seen, process.id)


async def create(engine, ada, workspace, *steps, name="Invoices", **settings):
    """A process with these steps."""
    return await actions.create(engine, ada, workspace, ProcessDefinition(name=name, steps=steps, **settings))


async def edit(engine, ada, workspace, process, **change):
    """Change a process."""
    return await actions.update(engine, ada, workspace, process.id, ProcessChange(**change))


async def test_a_process_keeps_all_that_its_steps_were_given(engine, ada, workspace, package, steps_of, seen):
    """Every setting of a step is read back as it was given; each step has a queue of its own."""
    group = await workers.create_group(engine, ada, workspace, "fast ones")
    given = StepDefinition(
        name="consume",
        work=NamedTask(package.id, "Consume"),
        max_parallel=7,
        timeout=timedelta(minutes=5),
        starts_after_previous=True,
        one_item_per_step_run=True,
        environment={"LANG": "de_AT.UTF-8"},
        retry=RetryPolicy(max_attempts=3, delay_seconds=2, exception_types=(ExceptionType.APPLICATION,)),
        placement=Placement((Group(group.id),)),
    )

    process = await create(engine, ada, workspace, PRODUCE, given, default_item=Raw(b'{"a": 1}'))
    first, second = await steps_of(process)

    assert (first.name, first.placement, first.retry, first.max_parallel) == ("produce", ANYWHERE, RetryPolicy(), 1)
    assert (second.work.name, second.work.package_name, second.work.package_id) == ("Consume", "robots", package.id)
    for field in ("max_parallel", "timeout", "starts_after_previous", "one_item_per_step_run", "environment", "retry"):
        assert getattr(second, field) == getattr(given, field)
    assert second.placement == given.placement
    assert first.queue_id != second.queue_id
    assert bytes(process.default_item) == b'{"a": 1}'
    assert await store.first_step(engine.database, seen, process.id) == first
    assert await store.get_step(engine.database, seen, second.id) == second


async def test_a_process_without_steps_has_no_input_queue(engine, ada, workspace, seen):
    """A process may be made before its steps; until then nothing can be put into it."""
    process = await create(engine, ada, workspace)

    with pytest.raises(ProcessNotConfigured):
        await store.first_step(engine.database, seen, process.id)
    with pytest.raises(ProcessNotFound):
        await store.first_step(engine.database, seen, uuid7())


async def test_an_edit_keeps_what_it_does_not_name(engine, ada, workspace, package, steps_of):
    """Name, default item, state and steps are changed one by one."""
    process = await create(engine, ada, workspace, PRODUCE, default_item=Raw(b"1"))
    before = await steps_of(process)

    renamed = await edit(engine, ada, workspace, process, name="Orders")
    disabled = await edit(engine, ada, workspace, process, is_enabled=False)
    emptied = await edit(engine, ada, workspace, process, default_item=None)

    assert (renamed.name, renamed.is_enabled, bytes(renamed.default_item)) == ("Orders", True, b"1")
    assert (disabled.name, disabled.is_enabled) == ("Orders", False)
    assert emptied.default_item is None
    assert await steps_of(process) == before


async def test_steps_keep_their_ids_when_they_are_moved_or_renamed(engine, ada, workspace, package, steps_of):
    """After an edit the same steps have the same ids and queues, whatever their order."""
    process = await create(engine, ada, workspace, PRODUCE, CONSUME)
    first, second = await steps_of(process)

    await edit(engine, ada, workspace, process, steps=(CONSUME, PRODUCE, StepDefinition(name="report")))
    moved = await steps_of(process)
    await edit(
        engine, ada, workspace, process, steps=(CONSUME, StepDefinition(name="make"), StepDefinition(name="report"))
    )
    renamed = await steps_of(process)

    assert [step.id for step in moved[:2]] == [second.id, first.id]
    assert [step.id for step in renamed] == [step.id for step in moved]
    assert [(step.position, step.name) for step in renamed] == [(0, "consume"), (1, "make"), (2, "report")]
    assert renamed[1].queue_id == first.queue_id
    assert renamed[1].work is None


async def test_steps_of_a_run_under_way_are_neither_removed_nor_moved(
    engine, ada, workspace, package, steps_of, open_run
):
    """While a run is open only settings and names of its steps change, and steps are added behind them."""
    process = await create(engine, ada, workspace, PRODUCE, CONSUME)
    await open_run(process.id)

    for steps in ((PRODUCE,), (CONSUME, PRODUCE), (PRODUCE, StepDefinition(name="between"), CONSUME)):
        with pytest.raises(ProcessRunning):
            await edit(engine, ada, workspace, process, steps=steps)
    with pytest.raises(ProcessRunning):
        await actions.delete(engine, ada, workspace, process.id)

    await edit(engine, ada, workspace, process, steps=(PRODUCE, CONSUME, StepDefinition(name="report")))
    assert len(await steps_of(process)) == 3


async def test_a_step_with_waiting_items_is_not_removed(engine, ada, workspace, package, steps_of, waiting_item, seen):
    """Items that wait in an input queue are never orphaned by an edit, which then changes nothing."""
    process = await create(engine, ada, workspace, PRODUCE, CONSUME)
    first, _ = before = await steps_of(process)
    await waiting_item(first.queue_id)

    with pytest.raises(ItemsWaiting) as refused:
        await edit(engine, ada, workspace, process, name="Other", steps=(CONSUME,))

    assert refused.value.fields["steps"] == ["produce"]
    assert await steps_of(process) == before
    assert (await store.get(engine.database, seen, process.id)).name == "Invoices"


@pytest.mark.parametrize(
    ("step", "failure"),
    [
        (StepDefinition(name="s", work=NamedTask("robots", "Consum")), TaskNotFound),
        (StepDefinition(name="s", work=NamedTask("robot", "Consume")), PackageNotFound),
        (StepDefinition(name="s", work=TaskId(uuid7())), TaskNotFound),
        (StepDefinition(name="s", placement=Placement((Workers((WorkerId(uuid7()),)),))), WorkerNotFound),
        (StepDefinition(name="s", placement=Placement((Group(WorkerGroupId(uuid7())),))), WorkerGroupNotFound),
        (StepDefinition(name=""), Invalid),
    ],
)
async def test_a_step_names_only_what_is_there(engine, ada, workspace, package, step, failure, seen):
    """A definition with an unknown task, package, worker or group is refused whole."""
    with pytest.raises(failure):
        await create(engine, ada, workspace, PRODUCE, step)
    assert await store.list_processes(engine.database, seen, limit=10) == []


async def test_a_wrong_task_is_answered_with_the_ones_there_are(engine, ada, workspace, package):
    """Whoever mistypes a task's name is told the names."""
    with pytest.raises(TaskNotFound, match="Produce, Consume"):
        await create(engine, ada, workspace, StepDefinition(name="s", work=NamedTask("robots", "Consum")))


async def test_a_package_is_named_by_id_or_name(engine, ada, workspace, package, seen):
    """In one process some steps may name a package by its id, others by its name; one that is not there is told."""
    steps = [
        StepDefinition(name=f"step {place}", work=NamedTask(named, "Produce"))
        for place, named in enumerate((package.id, "robots", str(package.id).upper()))
    ]

    made = await create(engine, ada, workspace, *steps)

    tasks = [step.work.id for step in await store.list_steps(engine.database, seen, made.id)]
    assert len(set(tasks)) == 1
    with pytest.raises(PackageNotFound, match=r"robot$"):
        await create(engine, ada, workspace, StepDefinition(name="s", work=NamedTask("robot", "Produce")))


async def test_a_deleted_process_is_gone_from_lists(engine, ada, workspace, seen):
    """After its deletion a process is neither listed nor found."""
    kept, gone = await create(engine, ada, workspace, name="kept"), await create(engine, ada, workspace, name="gone")

    await actions.delete(engine, ada, workspace, gone.id)

    assert await store.list_processes(engine.database, seen, limit=10) == [kept]
    with pytest.raises(ProcessNotFound):
        await actions.delete(engine, ada, workspace, gone.id)


async def test_a_bare_task_has_one_process(engine, ada, workspace, package, seen):
    """Any number of first runs of a task at once go through one process, which is in no list."""
    task, _ = await packages.list_tasks(engine.database, seen, package.id)

    async def run():
        async with scoped(engine.database, seen) as tx:
            return await actions.implicit_process(tx, seen, task.id)

    processes = await asyncio.gather(*(run() for _ in range(5)))

    assert len(set(processes)) == 1
    assert (await store.first_step(engine.database, seen, processes[0])).work.id == task.id
    assert await store.list_processes(engine.database, seen, limit=10) == []
    await package_actions.delete(engine, ada, workspace, package.id)  # such a process does not hold its package
    with pytest.raises(TaskNotFound):
        await run()


async def test_outsiders_see_nothing(engine, ada, cleo, root, workspace, team, package, seen, strange):
    """Another organization's user or admin neither finds nor writes a process, nor uses foreign tasks."""
    process = await create(engine, ada, workspace, PRODUCE)
    [task, *_] = await packages.list_tasks(engine.database, seen, package.id)
    theirs = ProcessDefinition(name="theirs", steps=(StepDefinition(name="s", work=task.id),))

    for attempt in (
        create(engine, cleo, workspace),
        create(engine, root, team.other_workspace),
        actions.update(engine, cleo, workspace, process.id, ProcessChange(name="x")),
        actions.delete(engine, cleo, team.other_workspace, process.id),
        actions.create(engine, cleo, team.other_workspace, theirs),
        store.get(engine.database, strange, process.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await store.list_steps(engine.database, strange, process.id) == []


COMMANDS = (
    Command(name="deps", words=("tool", "deps")),
    Command(name="build", words=("tool", "build"), variables={"A": "b"}, on_failure=OnFailure.IGNORE, always_run=True),
)


async def test_a_step_may_run_commands_in_place_of_a_task(engine, ada, workspace, package, steps_of):
    """They are read back as they were given; an edit makes one kind of work the other."""
    process = await create(engine, ada, workspace, StepDefinition(name="s", work=PackageCommands("robots", COMMANDS)))

    [step] = await steps_of(process)
    assert step.work == StepCommands(package.id, "robots", COMMANDS)

    await edit(engine, ada, workspace, process, steps=(StepDefinition(name="s", work=PRODUCE.work),))
    [changed] = await steps_of(process)
    assert (changed.id, changed.work.name) == (step.id, "Produce")
    await edit(engine, ada, workspace, process, steps=(StepDefinition(name="s"),))
    [nothing] = await steps_of(process)
    assert nothing.work is None


async def test_a_package_whose_commands_are_run_stays(engine, ada, workspace, package):
    """It cannot be deleted while a step names it, and afterwards it can."""
    step = StepDefinition(name="s", work=PackageCommands(package.id, COMMANDS))
    process = await create(engine, ada, workspace, step)

    with pytest.raises(PackageInUse, match="Invoices"):
        await package_actions.delete(engine, ada, workspace, package.id)
    await actions.delete(engine, ada, workspace, process.id)
    await package_actions.delete(engine, ada, workspace, package.id)

    with pytest.raises(PackageNotFound):
        await create(engine, ada, workspace, step, name="another")
