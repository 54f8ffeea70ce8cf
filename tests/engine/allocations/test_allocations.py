"""Tasks that are kept ready to be called, and the tokens by which one of them is called."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from msgspec import Raw
from msgspec.structs import replace

from controlroom.engine.access import call_tokens, jwts
from controlroom.engine.access.grants.holding import RuntimeMissing
from controlroom.engine.access.model import Permission
from controlroom.engine.allocations import actions, store
from controlroom.engine.allocations.errors import AllocationInvalid, AllocationNotFound
from controlroom.engine.allocations.keeping import kept_by
from controlroom.engine.packages.errors import TaskNotFound
from controlroom.engine.processes import actions as processes
from controlroom.engine.runs import outputs
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.model import RunState
from controlroom.errors import Forbidden, NotFound, Unauthenticated
from controlroom.ids import TaskId, uuid7


@pytest.fixture
async def task(floor) -> TaskId:
    """A task of some package."""
    process = await floor.process({})
    await processes.delete(floor.engine, floor.ada, floor.workspace, process)
    return await floor.engine.database.value("select task_id from step where process_id = %(id)s", id=process)


@asynccontextmanager
async def patiently(watch):
    """Somebody who waits for wake-ups."""

    class Patient:
        async def goes_on(self) -> bool:
            return await watch.wait(20)

    yield Patient()


@asynccontextmanager
async def for_no_time(_watch):
    """Somebody who does not wait at all."""

    class Impatient:
        async def goes_on(self) -> bool:
            return False

    yield Impatient()


async def eventually_dispatched(floor) -> None:
    """What the dispatcher does once it is woken: runs take their locks, begin, and end."""
    while not (runs := await run_store.list_runs(floor.engine.database, floor.scope, limit=9)):
        await asyncio.sleep(0)
    for run in runs:
        await floor.run(run)


async def test_a_task_that_is_kept_ready_answers_like_a_function(floor, ada, ben, root, task):
    """As the user whom its allocation names, whoever calls; one that is not kept ready is not found."""
    calling = (floor.engine, ben, floor.workspace, task, Raw(b'{"a":1}'))
    with pytest.raises(AllocationNotFound):
        await actions.call(*calling, waiting=for_no_time)
    await actions.allocate(floor.engine, ada, floor.workspace, task, run_as=root.id, most=2)

    called = asyncio.create_task(actions.call(*calling, name="mine", waiting=patiently))
    await eventually_dispatched(floor)
    walt = await floor.worker()
    assignment, robot = await walt.take()
    await outputs.output(floor.engine, robot, assignment.work_item_id, Raw(b'{"b":2}'))
    await walt.finish(assignment)
    await eventually_dispatched(floor)
    answer = await asyncio.wait_for(called, 20)

    assert (answer.run.state, answer.run.told.name) == (RunState.COMPLETED, "mine")
    assert answer.outputs.values == {"b": Raw(b"2")}
    [step_run] = await run_store.list_step_runs(floor.engine.database, floor.scope, answer.run.id, limit=9)
    assert step_run.run_as == root.id


async def test_more_calls_than_it_is_kept_ready_for_wait_for_their_turn(floor, ada, task):
    """And get it at once when more of them may run."""
    await actions.allocate(floor.engine, ada, floor.workspace, task, run_as=None, most=1)
    for _ in range(2):
        await actions.call(floor.engine, ada, floor.workspace, task, None, waiting=for_no_time)
    await eventually_dispatched(floor)
    walt = await floor.worker()
    assert len(await walt.claim(free=5)) == 1

    raised = await actions.allocate(floor.engine, ada, floor.workspace, task, run_as=None, most=2)
    await eventually_dispatched(floor)

    assert len(await walt.claim(free=5)) == 1
    assert [one.id for one in await store.list_allocations(floor.engine.database, floor.scope, limit=9)] == [raised.id]


async def test_workers_keep_ready_what_is_allocated_where_they_serve(floor, floors, ada, task):
    """In the latest version; no longer once it is let go, and nothing of other workspaces."""
    made = await actions.allocate(floor.engine, ada, floor.workspace, task, run_as=None, most=3)
    walt = await floor.worker()
    other, *_ = await floors(1)
    stranger = await other.worker("wanda")

    [kept] = (await kept_by(floor.engine, walt.actor)).kept
    assert (kept.task, kept.count, kept.workspace_id) == ("Do", 3, floor.workspace)
    assert (await kept_by(floor.engine, stranger.actor)).kept == ()
    await actions.release(floor.engine, ada, floor.workspace, made.id)
    assert (await kept_by(floor.engine, walt.actor)).kept == ()


async def test_who_may_keep_a_task_ready(floor, ada, ben, cleo, root, task):
    """Who may change the workspace; and nobody for a user who may not be run as, or more calls than there can be."""
    where = (floor.engine, ada, floor.workspace)
    with pytest.raises(Forbidden):
        await actions.allocate(floor.engine, ben, floor.workspace, task, run_as=None, most=1)
    with pytest.raises(NotFound):
        await actions.allocate(floor.engine, cleo, floor.workspace, task, run_as=None, most=1)
    with pytest.raises(RuntimeMissing):
        await actions.allocate(*where, task, run_as=ben.id, most=1)
    with pytest.raises(AllocationInvalid):
        await actions.allocate(*where, task, run_as=None, most=0)
    with pytest.raises(TaskNotFound):
        await actions.allocate(*where, TaskId(uuid7()), run_as=None, most=1)

    made = await actions.allocate(*where, task, run_as=None, most=1)
    await actions.release(*where, made.id)
    assert await store.of_task(floor.engine.database, floor.scope, task) is None


async def test_a_token_for_a_call_opens_the_call_and_nothing_else(floor, ada, task):
    """It says which task it is for; it is no log-in, and ends with its time, its user and their rights."""
    engine = floor.engine
    token = await call_tokens.mint(
        engine, ada, floor.workspace, task, life=timedelta(minutes=15), claims={"botId": 7, "aud": "mine"}
    )
    caller = await call_tokens.authenticate(engine, token)

    assert (caller.task, caller.workspace, caller.actor.id) == (task, floor.workspace, ada.id)
    assert caller.actor.grants == {floor.workspace: frozenset({Permission.START_RUNS, Permission.READ_WORK_ITEMS})}
    with pytest.raises(Unauthenticated):
        await jwts.authenticate(engine, token)
    log_in = await jwts.issue(engine, ada, life=timedelta(minutes=1))
    assert await call_tokens.authenticate(engine, log_in.token) is None
    assert await call_tokens.authenticate(engine, token[:-4] + "AAAA") is None
    over = await call_tokens.mint(engine, ada, floor.workspace, task, life=timedelta())
    with pytest.raises(Unauthenticated):
        await call_tokens.authenticate(engine, over)
    await engine.database.execute("update app_user set disabled_at = clock_now() where id = %(ada)s", ada=ada.id)
    with pytest.raises(Unauthenticated):
        await call_tokens.authenticate(engine, token)


async def test_a_caller_who_lacks_the_right_calls_nothing(floor, ada, task):
    """What a token opens is what its user may do then."""
    await actions.allocate(floor.engine, ada, floor.workspace, task, run_as=None, most=1)
    viewer = replace(ada, grants={floor.workspace: frozenset({Permission.READ_WORK_ITEMS})}, throughout=frozenset())
    with pytest.raises(Forbidden):
        await actions.call(floor.engine, viewer, floor.workspace, task, None, waiting=for_no_time)
