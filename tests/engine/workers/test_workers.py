"""Workers and their groups are named, joined, parted and removed; placements say who may run what."""

import pytest

from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import (
    ANYWHERE,
    Group,
    Placement,
    ProcessDefinition,
    StepDefinition,
    Workers,
)
from controlroom.engine.workers import actions, link_tokens, linking, store
from controlroom.engine.workers.errors import (
    WorkerGroupInUse,
    WorkerGroupNameTaken,
    WorkerGroupNotFound,
    WorkerNotFound,
)
from controlroom.errors import Forbidden, NotFound


def seen(actor, workspace):
    """What somebody may read of the workers there."""
    return scope_of(actor, Permission.READ_WORKERS, workspace)


@pytest.fixture
def may_run(engine, ada, workspace):
    """Whether a worker may run a step run of a step that is placed so."""

    async def asked(placement, worker) -> bool:
        definition = ProcessDefinition(name="p", steps=(StepDefinition(name="s", placement=placement),))
        process = await processes.create(engine, ada, workspace, definition)
        return await engine.database.value(
            f"""
            select {store.placement_matches("%(worker)s")}
              from (select placement, workspace_id from step where process_id = %(process)s) as step_run
            """,
            process=process.id,
            worker=worker,
        )

    return asked


@pytest.fixture
def idle(engine):
    """Makes a worker idle."""

    async def change(worker) -> None:
        await engine.database.execute("update worker set state = 'idle' where id = %(worker)s", worker=worker)

    return change


async def test_a_worker_is_renamed(engine, ada, workspace, walt):
    """A worker's name can be changed to one that can be read."""
    assert (await actions.rename(engine, ada, workspace, walt, "Walter")).name == "Walter"


async def test_a_removed_worker_is_in_no_list_and_no_group(engine, ada, workspace, walt, wanda):
    """After a deletion the worker is gone, also from its groups."""
    group = await actions.create_group(engine, ada, workspace, "fast ones")
    for worker in (walt, wanda):
        await actions.add_member(engine, ada, workspace, group.id, worker)

    await actions.delete(engine, ada, workspace, walt)

    mine = seen(ada, workspace)
    assert [worker.id for worker in await store.list_workers(engine.database, mine, limit=10)] == [wanda]
    assert [worker.id for worker in await store.list_members(engine.database, mine, group.id, limit=10)] == [wanda]
    with pytest.raises(WorkerNotFound):
        await actions.delete(engine, ada, workspace, walt)


async def test_joining_and_parting_tell_all_groups_of_the_worker(engine, ada, workspace, walt):
    """Each answer has every group that the worker is in then; doing it twice is fine."""
    fast = await actions.create_group(engine, ada, workspace, "fast ones")
    big = await actions.create_group(engine, ada, workspace, "big ones")

    assert await actions.add_member(engine, ada, workspace, fast.id, walt) == [fast]
    assert await actions.add_member(engine, ada, workspace, big.id, walt) == [fast, big]
    assert await actions.add_member(engine, ada, workspace, big.id, walt) == [fast, big]
    assert await actions.remove_member(engine, ada, workspace, fast.id, walt) == [big]
    assert await actions.remove_member(engine, ada, workspace, fast.id, walt) == [big]


async def test_group_names_are_unique_in_a_workspace(engine, ada, workspace):
    """Neither a new nor a renamed group may have the name of another; that of a deleted one is free."""
    fast = await actions.create_group(engine, ada, workspace, "fast ones")
    big = await actions.create_group(engine, ada, workspace, "big ones")

    with pytest.raises(WorkerGroupNameTaken):
        await actions.create_group(engine, ada, workspace, "fast ones")
    with pytest.raises(WorkerGroupNameTaken):
        await actions.rename_group(engine, ada, workspace, big.id, "fast ones")
    await actions.delete_group(engine, ada, workspace, fast.id)
    assert (await actions.rename_group(engine, ada, workspace, big.id, "fast ones")).id == big.id


async def test_a_group_that_a_step_is_placed_on_stays(engine, ada, workspace):
    """Deleting a group would leave such a step without workers for ever; its tokens go with it otherwise."""
    group = await actions.create_group(engine, ada, workspace, "fast ones")
    await linking.create_group_link_token(engine, ada, workspace, group.id, name="rack 4")
    step = StepDefinition(name="s", placement=Placement((Group(group.id),)))
    process = await processes.create(engine, ada, workspace, ProcessDefinition(name="Daily", steps=(step,)))

    with pytest.raises(WorkerGroupInUse) as refused:
        await actions.delete_group(engine, ada, workspace, group.id)
    assert refused.value.fields["processes"] == ["Daily"]

    await processes.delete(engine, ada, workspace, process.id)
    await actions.delete_group(engine, ada, workspace, group.id)
    assert await link_tokens.list_tokens(engine.database, seen(ada, workspace), limit=10) == []
    with pytest.raises(WorkerGroupNotFound):
        await store.get_group(engine.database, seen(ada, workspace), group.id)


async def test_pages_go_on_behind_the_last_row(engine, ada, workspace, new_worker):
    """Workers and groups are listed in the order of their making, page by page."""
    workers = [await new_worker(f"worker {n}") for n in range(3)]
    groups = [(await actions.create_group(engine, ada, workspace, f"group {n}")).id for n in range(3)]

    rest = await store.list_workers(engine.database, seen(ada, workspace), after=workers[0], limit=2)
    others = await store.list_groups(engine.database, seen(ada, workspace), after=groups[0], limit=2)

    assert [worker.id for worker in rest] == workers[1:]
    assert [group.id for group in others] == groups[1:]


async def test_any_worker_may_run_what_is_not_placed(may_run, walt):
    """A step without placement is for everybody."""
    assert await may_run(ANYWHERE, walt)


async def test_named_workers_alone_may_run_their_steps(may_run, walt, wanda):
    """A step that names workers is for them."""
    assert await may_run(Placement((Workers((walt,)),)), walt)
    assert await may_run(Placement((Workers((wanda, walt)),)), walt)
    assert not await may_run(Placement((Workers((wanda,)),)), walt)


async def test_workers_of_a_group_may_run_its_steps(engine, ada, workspace, may_run, walt, wanda):
    """A step that is placed on groups is for the workers in them, whether idle or not."""
    group = await actions.create_group(engine, ada, workspace, "fast ones")
    await actions.add_member(engine, ada, workspace, group.id, walt)

    assert await may_run(Placement((Group(group.id),)), walt)
    assert not await may_run(Placement((Group(group.id),)), wanda)


async def test_a_later_group_helps_while_nobody_of_an_earlier_one_is_idle(
    engine, ada, workspace, may_run, walt, wanda, idle
):
    """Groups are asked in their order: the second waits while the first has somebody free."""
    first = await actions.create_group(engine, ada, workspace, "first")
    second = await actions.create_group(engine, ada, workspace, "second")
    await actions.add_member(engine, ada, workspace, first.id, walt)
    await actions.add_member(engine, ada, workspace, second.id, wanda)
    placement = Placement((Group(first.id), Group(second.id)))

    assert await may_run(placement, wanda)
    await idle(walt)
    assert not await may_run(placement, wanda)
    assert await may_run(placement, walt)
    await idle(wanda)
    assert await may_run(Placement((Group(second.id), Group(first.id))), wanda)


async def test_outsiders_see_no_workers(engine, ada, cleo, root, workspace, team, walt):
    """Another organization's user or admin neither finds nor changes a worker or group, nor joins foreign ones."""
    group = await actions.create_group(engine, ada, workspace, "fast ones")
    theirs = await actions.create_group(engine, cleo, team.other_workspace, "theirs")
    other = team.other_workspace

    for attempt in (
        actions.rename(engine, cleo, other, walt, "x"),
        actions.delete(engine, cleo, other, walt),
        actions.rename_group(engine, cleo, other, group.id, "x"),
        actions.delete_group(engine, cleo, other, group.id),
        actions.add_member(engine, cleo, other, theirs.id, walt),
        actions.add_member(engine, cleo, other, group.id, walt),
        actions.create_group(engine, root, other, "x"),
        store.get(engine.database, seen(cleo, other), walt),
        store.get_group(engine.database, seen(cleo, other), group.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await store.groups_of(engine.database, seen(cleo, other), walt) == []


async def test_operators_do_not_change_workers(engine, ben, workspace, walt):
    """Workers are the owner's to change: others are told which permission is missing."""
    with pytest.raises(Forbidden) as refused:
        await actions.delete(engine, ben, workspace, walt)

    assert refused.value.fields["permission"] == "workers.write"
