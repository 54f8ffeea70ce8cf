"""Chains: the end of a run starts the next process with what was put out, once."""

import asyncio

import pytest
from msgspec import Raw
from tests.engine.conftest import running_engine
from tests.engine.runs.conftest import Floor, payloads

from controlroom.engine.access.scope import Of, scoped
from controlroom.engine.access.tokens import read_step_run_token
from controlroom.engine.chains import actions, store
from controlroom.engine.chains.errors import ChainNotFound
from controlroom.engine.chains.model import Chain, ChainChange, ChainDefinition, ChainLink, Empty, End
from controlroom.engine.chains.rules import ends_of
from controlroom.engine.engine import Engine
from controlroom.engine.events import cursor
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import held_items, outputs
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.held_items import Done, Failed
from controlroom.engine.runs.model import Result, Run, RunState, StartedBy, StopRequest
from controlroom.engine.work_items import actions as items
from controlroom.engine.work_items import store as item_store
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState
from controlroom.engine.work_items.operations import Operation
from controlroom.errors import Invalid, NotFound
from controlroom.ids import ChainId, ProcessId, WorkspaceId, uuid7
from controlroom.maintenance import chainer
from controlroom.protocol import ErrorCode

BAD = Failed(ItemException(ExceptionType.BUSINESS, "BAD", "no such customer"))


async def chain(floor: Floor, first: ProcessId, second: ProcessId, **of) -> Chain:
    """Let the second process follow the first."""
    return await actions.create(
        floor.engine, floor.ada, floor.workspace, first, ChainDefinition(next_process=second, **of)
    )


async def work(floor: Floor, run: Run, *made: bytes, fails: int = 0) -> Run:
    """A worker works on all items of a run; the first puts out what is made, and the last few fail."""
    walt = await floor.worker(f"walt {uuid7()}")
    assignment, robot = await walt.take()
    assert assignment.run_id == run.id
    item = assignment.work_item_id
    left = len(await floor.items(run))
    for output in made:
        await outputs.output(floor.engine, robot, item, Raw(output))
    while item is not None:
        await held_items.release(floor.engine, robot, item, BAD if left <= fails else Done())
        left -= 1
        item = await held_items.reserve(floor.engine, robot)
    await walt.finish(assignment)
    return await floor.run(run)


async def follow(engine: Engine) -> None:
    """Follow all ends that there are, those too that an older transaction of the server hides for a moment."""
    for _ in range(1000):
        await chainer.follow(engine)
        async with engine.database.transaction() as tx:
            position = await cursor.hold(tx, "chains")
            if position is not None and not await cursor.has_more(tx, position, ["run.completed", "run.unresolved"]):
                return
    raise AssertionError("the reader does not reach the last end")


async def runs_of(floor: Floor, process: ProcessId) -> list[Run]:
    """The runs of a process, oldest first."""
    return (await run_store.list_runs(floor.engine.database, floor.scope, process=process, limit=100))[::-1]


async def given(floor: Floor, run: Run) -> list[bytes]:
    """The payloads of a run's items."""
    return [bytes((await floor.item(item.id)).payload or b"nothing") for item in await floor.items(run)]


async def became(floor: Floor, made: Chain) -> list[str]:
    """What became of the ends of runs, in order."""
    return [link.state.value for link in (await links(floor, made, limit=100))[::-1]]


async def links(floor: Floor, made: Chain, *, limit: int) -> list[ChainLink]:
    return await store.list_links(floor.engine.database, floor.scope, made.process_id, made.id, limit=limit)


async def test_outputs_become_inputs(floor):
    """When the run completes, the next process starts with a copy of each output; the outputs stay."""
    first, second = await floor.process({}), await floor.process({})
    made = await chain(floor, first, second)
    run = await floor.start(first, priority=3)
    await work(floor, run, b"1", b'"two"')

    await follow(floor.engine)
    await follow(floor.engine)

    [followed] = await runs_of(floor, second)
    assert (followed.started_by, followed.started_by_id, followed.priority) == (StartedBy.CHAIN, made.id, 3)
    assert sorted(await given(floor, followed)) == [b'"two"', b"1"]
    assert await became(floor, made) == ["started"]


async def test_files_go_along(floor):
    """A copy has the files of the output."""
    first, second = await floor.process({}), await floor.process({})
    await chain(floor, first, second)
    run = await floor.start(first)
    walt = await floor.worker()
    assignment, robot = await walt.take()
    output = await outputs.output(floor.engine, robot, assignment.work_item_id, None)
    await floor.engine.database.execute(
        "insert into work_item_file (id, work_item_id, name, size, hash) values (%(id)s, %(item)s, 'a.txt', 4, 'beef')",
        id=uuid7(),
        item=output,
    )
    await walt.finish(assignment)
    await floor.run(run)

    await follow(floor.engine)

    [followed] = await runs_of(floor, second)
    [item] = await floor.items(followed)
    [file] = await item_store.list_files(floor.engine.database, floor.scope, [item.id])
    assert (file.name, file.size, file.hash) == ("a.txt", 4, "beef")


@pytest.mark.parametrize(("empty", "runs", "state"), [(Empty.SKIP, 0, "empty"), (Empty.ONE_ITEM, 1, "started")])
async def test_without_outputs(floor, empty, runs, state):
    """Without outputs nothing is started, or a run with one empty item."""
    first, second = await floor.process({}), await floor.process({})
    made = await chain(floor, first, second, empty=empty)
    await work(floor, await floor.start(first))
    await follow(floor.engine)

    followed = await runs_of(floor, second)
    assert ([await given(floor, run) for run in followed], await became(floor, made)) == (
        [[b"nothing"]] * runs,
        [state],
    )


async def test_only_the_ends_that_were_asked_for(floor):
    """A chain after `unresolved` is not started by a completed run, nor one after `completed` by an unresolved one."""
    first, good, bad = [await floor.process({}) for _ in range(3)]
    await chain(floor, first, good, empty=Empty.ONE_ITEM)
    await chain(floor, first, bad, ends=(End.UNRESOLVED,), empty=Empty.ONE_ITEM)

    assert (await work(floor, await floor.start(first), fails=1)).state is RunState.UNRESOLVED
    await follow(floor.engine)
    assert (len(await runs_of(floor, good)), len(await runs_of(floor, bad))) == (0, 1)


async def test_a_run_that_ends_again_hands_on_what_is_new(floor, ada):
    """Unresolved, mended and completed: each end is followed, and no output is handed on twice."""
    first, second = await floor.process({}), await floor.process({})
    made = await chain(floor, first, second, ends=(End.COMPLETED, End.UNRESOLVED), empty=Empty.ONE_ITEM)
    run = await work(floor, await floor.start(first, payloads(1, 2)), b'"first"', fails=1)
    await follow(floor.engine)
    [failed] = [item for item in await floor.items(run) if item.state is ItemState.FAILED]
    await items.change(floor.engine, ada, floor.workspace, Operation.RETRY, [failed.id])
    await floor.run(run)
    walt = await floor.worker("wanda")
    # the followers wait, too
    for assignment in await walt.claim(free=10):
        if assignment.run_id == run.id:
            robot = read_step_run_token(floor.engine.keys, assignment.token)
            await outputs.output(floor.engine, robot, assignment.work_item_id, Raw(b'"second"'))
            await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.COMPLETED
    await follow(floor.engine)

    assert [await given(floor, each) for each in await runs_of(floor, second)] == [[b'"first"'], [b'"second"']]
    assert await became(floor, made) == ["started", "started"]


async def test_a_stopped_run_starts_nothing(floor, ada):
    """Who stops a run wants no more of it."""
    first, second = await floor.process({}), await floor.process({})
    await chain(floor, first, second, ends=(End.COMPLETED, End.UNRESOLVED), empty=Empty.ONE_ITEM)
    run = await floor.start(first)
    await runs.stop(floor.engine, ada, floor.workspace, run.id, StopRequest(terminate=True, remaining_done=True))
    assert (await floor.run(run)).state is RunState.COMPLETED
    await follow(floor.engine)
    assert await runs_of(floor, second) == []


async def test_who_asks_for_stopped_runs_follows_them(floor, ada):
    """A chain after `stopped` starts when a run was stopped, and not when one completes or fails."""
    first, second = await floor.process({}), await floor.process({})
    await chain(floor, first, second, ends=(End.STOPPED,), empty=Empty.ONE_ITEM)
    await work(floor, await floor.start(first))
    await work(floor, await floor.start(first), fails=1)
    run = await floor.start(first)
    await runs.stop(floor.engine, ada, floor.workspace, run.id, StopRequest(terminate=True, remaining_done=True))
    await floor.run(run)

    await follow(floor.engine)

    [followed] = await runs_of(floor, second)
    assert followed.started_by is StartedBy.CHAIN


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.UNRESOLVED])
@pytest.mark.parametrize("result", Result)
def test_every_end_has_a_name_of_its_own(state, result):
    """Stopped runs are only that; one that is unresolved has failed or timed out, too."""
    ends = ends_of(state, result)

    assert (End.STOPPED in ends) == (result is Result.STOPPED) == (ends == {End.STOPPED})
    if result is not Result.STOPPED:
        assert (End.COMPLETED in ends) == (state is RunState.COMPLETED)
        assert (End.UNRESOLVED in ends) == (len(ends & {End.FAILED, End.TIMED_OUT}) == 1)


async def test_a_process_of_another_workspace_follows(floor, engine, ada, team):
    """It starts there with one empty item: what was put out stays in its workspace, and its name is not told here."""
    first, second = await floor.process({}), await floor.process({})
    beyond = WorkspaceId(uuid7())
    await engine.database.execute(
        "insert into workspace (id, organization_id, name) values (%(id)s, %(organization)s, 'Beyond')",
        id=beyond,
        organization=team.organization,
    )
    for statement in (
        "update process set workspace_id = %(beyond)s where id = %(second)s",
        "update step set workspace_id = %(beyond)s where process_id = %(second)s",
        """
        update queue set workspace_id = %(beyond)s
         where id in (select queue_id from step where process_id = %(second)s)
        """,
    ):
        await engine.database.execute(statement, beyond=beyond, second=second)
    made = ChainId(uuid7())
    async with scoped(engine.database, floor.scope) as tx:
        assert await store.insert(
            tx,
            floor.scope,
            made,
            first,
            second,
            ends=[End.COMPLETED],
            empty=Empty.ONE_ITEM,
            is_enabled=True,
            created_by=ada.id,
            beyond=Of(team.organization, (beyond,)),
        )

    await work(floor, await floor.start(first), b"1")
    await follow(engine)

    [followed] = await run_store.list_runs(engine.database, Of(team.organization, (beyond,)), process=second, limit=100)
    assert followed.started_by_id == made
    seen = await store.get(engine.database, floor.scope, first, made)
    assert (seen.next_process_id, seen.next_process_name) == (second, "")
    items = await engine.database.all(
        str, "select coalesce(payload::text, 'nothing') from work_item where run_id = %(run)s", run=followed.id
    )
    assert items == ["nothing"]


async def test_each_end_is_followed_once_by_any_number_of_servers(floor, engine_dsn, tmp_path):
    """Several servers at once start one run for each end."""
    first, second = await floor.process({}), await floor.process({})
    await chain(floor, first, second, empty=Empty.ONE_ITEM)
    for _ in range(5):
        await work(floor, await floor.start(first))

    async with running_engine(engine_dsn, tmp_path, keys=floor.engine.keys) as other:
        await asyncio.gather(*(follow(server) for server in (floor.engine, other) * 3))

    assert len(await runs_of(floor, second)) == 5


async def test_a_circle_ends(floor):
    """A process that follows itself goes on up to the limit, and the end of it is told with the reason."""
    process = await floor.process({})
    made = await chain(floor, process, process, empty=Empty.ONE_ITEM)
    await floor.start(process)
    walt = await floor.worker("wendy")
    for _ in range(floor.engine.limits.chain_depth + 3):
        for assignment in await walt.claim():
            await walt.finish(assignment)
            await floor.run(assignment.run_id)
        await follow(floor.engine)

    assert len(await runs_of(floor, process)) == floor.engine.limits.chain_depth + 1
    [last, *_] = await links(floor, made, limit=1)
    assert (last.state.value, "follow each other" in last.reason) == ("failed", True)


async def test_a_process_that_cannot_be_started_holds_up_nobody(floor):
    """A disabled next process is a failed link with the reason; other chains go on."""
    first, disabled, healthy = [await floor.process({}) for _ in range(3)]
    await floor.engine.database.execute("update process set is_enabled = false where id = %(id)s", id=disabled)
    broken = await chain(floor, first, disabled, empty=Empty.ONE_ITEM)
    await chain(floor, first, healthy, empty=Empty.ONE_ITEM)
    await work(floor, await floor.start(first))
    await follow(floor.engine)

    assert await became(floor, broken) == ["failed"]
    assert len(await runs_of(floor, healthy)) == 1


async def test_a_failed_robot_is_no_other_end(floor):
    """A robot that fails leaves its item failed and the run unresolved, which a chain may follow."""
    first, second = await floor.process({}), await floor.process({})
    await chain(floor, first, second, ends=(End.UNRESOLVED,), empty=Empty.ONE_ITEM)
    run = await floor.start(first)
    walt = await floor.worker("wilma")
    assignment, _ = await walt.take()
    await walt.finish(assignment, ErrorCode.ROBOT_FAILED)
    await floor.run(run)
    await follow(floor.engine)
    assert len(await runs_of(floor, second)) == 1


async def test_chains_are_changed_and_deleted_by_their_workspace_alone(floor, ada, cleo):
    """A disabled or deleted chain starts nothing; outsiders find neither chain nor processes."""
    first, second = await floor.process({}), await floor.process({})
    made = await chain(floor, first, second, empty=Empty.ONE_ITEM)
    [theirs] = cleo.grants
    with pytest.raises(NotFound):
        await actions.delete(floor.engine, cleo, floor.workspace, first, made.id)
    with pytest.raises(ChainNotFound):
        await actions.delete(floor.engine, cleo, theirs, first, made.id)
    with pytest.raises(ProcessNotFound):
        await actions.create(floor.engine, cleo, theirs, first, ChainDefinition(next_process=second))
    with pytest.raises(Invalid):
        await chain(floor, first, second, ends=())

    await actions.update(floor.engine, ada, floor.workspace, first, made.id, ChainChange(is_enabled=False))
    await work(floor, await floor.start(first))
    await follow(floor.engine)
    assert await runs_of(floor, second) == []
    await actions.delete(floor.engine, ada, floor.workspace, first, made.id)
    assert await store.list_chains(floor.engine.database, floor.scope, first, limit=10) == []
