"""Starts that wait for the end of their run (DESIGN §4.11)."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from msgspec import Raw
from tests.engine.conftest import running_engine
from tests.engine.runs.conftest import payloads

from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.scope import Room
from controlroom.engine.runs import held_items, outputs, store
from controlroom.engine.runs.calls import Called, start_and_wait
from controlroom.engine.runs.dispatch import dispatch
from controlroom.engine.runs.held_items import Done, Failed
from controlroom.engine.runs.model import OfProcess, OfTask, Result, RunState, WithWaiting
from controlroom.engine.work_items.model import ExceptionType, ItemException
from controlroom.errors import Forbidden, NotFound
from controlroom.ids import uuid7


class Watching:
    """Waits for wake-ups alone, and counts how often it was asked to: never without one, never for ever."""

    def __init__(self, watch) -> None:
        self._watch = watch
        self.begun = asyncio.Event()
        self.looks = 0

    async def goes_on(self) -> bool:
        self.begun.set()
        self.looks += 1
        return await self._watch.wait(20)


@pytest.fixture
def call(floor, ada):
    """Calls a process or a task; gives the call under way, and how it waits once it does."""

    async def begin(what, inputs, engine=None):
        made = asyncio.get_running_loop().create_future()

        @asynccontextmanager
        async def waiting(watch):
            watching = Watching(watch)
            made.set_result(watching)
            yield watching

        calling = start_and_wait(engine or floor.engine, ada, floor.workspace, what, inputs, waiting=waiting)
        task = asyncio.create_task(calling)
        watching = await asyncio.wait_for(made, 20)
        await asyncio.wait_for(watching.begun.wait(), 20)
        return task, watching

    return begin


@asynccontextmanager
async def for_no_time(_watch):
    """Somebody who does not wait at all."""

    class Impatient:
        async def goes_on(self) -> bool:
            return False

    yield Impatient()


async def put_out(floor, robot, item, *values: bytes, end=None) -> None:
    for value in values:
        await outputs.output(floor.engine, robot, item, Raw(value))
    await held_items.release(floor.engine, robot, item, end or Done())


async def test_a_process_is_called_like_a_function(floor, call):
    """The answer comes with the end of the run, by one wake-up, and has what all of its outputs say by name."""
    process = await floor.process({})
    task, watching = await call(OfProcess(process), payloads({"n": 1}, {"n": 2}))
    walt = await floor.worker()
    assignment, robot = await walt.take()
    await put_out(floor, robot, assignment.work_item_id, b'{"sum": 1, "first": true}', b'"no name"')
    second = await held_items.reserve(floor.engine, robot)
    await put_out(floor, robot, second, b'{"sum": 3}')
    await walt.finish(assignment)
    assert not task.done()
    await dispatch(floor.engine, Room(), assignment.run_id)

    called = await asyncio.wait_for(task, 20)
    assert (called.run.state, called.run.result, called.exception) == (RunState.COMPLETED, Result.SUCCEEDED, None)
    assert {name: bytes(value) for name, value in called.outputs.values.items()} == {"sum": b"3", "first": b"true"}
    assert called.outputs.is_whole
    assert watching.looks == 1


async def test_who_waits_hears_from_another_server(floor, call, engine_dsn, tmp_path):
    """The run may end by any server of the room."""
    process = await floor.process({})
    async with running_engine(engine_dsn, tmp_path / "objects", keys=floor.engine.keys) as other:
        task, watching = await call(OfProcess(process), payloads(1), engine=other)
        walt = await floor.worker()
        assignment, robot = await walt.take()
        await put_out(floor, robot, assignment.work_item_id, b'{"a": 1}')
        await walt.finish(assignment)
        await dispatch(floor.engine, Room(), assignment.run_id)
        called = await asyncio.wait_for(task, 20)
    assert (called.run.state, watching.looks) == (RunState.COMPLETED, 1)


async def test_an_unresolved_run_tells_why(floor, call):
    """With the exception of an item that failed, and what was put out nevertheless."""
    process = await floor.process({})
    task, _ = await call(OfProcess(process), payloads(1))
    walt = await floor.worker()
    assignment, robot = await walt.take()
    bad = ItemException(ExceptionType.BUSINESS, "BAD", "no such customer")
    await put_out(floor, robot, assignment.work_item_id, b'{"seen": 1}', end=Failed(bad))
    await walt.finish(assignment)
    await dispatch(floor.engine, Room(), assignment.run_id)

    called = await asyncio.wait_for(task, 20)
    assert (called.run.state, called.exception) == (RunState.UNRESOLVED, bad)
    assert list(called.outputs.values) == ["seen"]


async def test_a_run_goes_on_without_who_called(floor, ada, call):
    """Whether they leave, or wait no longer: then they are told which run it is, and nothing of outputs."""
    process = await floor.process({})
    gone, _ = await call(OfProcess(process), payloads(1))
    gone.cancel()
    where = (floor.engine, ada, floor.workspace)
    called = await start_and_wait(*where, OfProcess(process), payloads(2), waiting=for_no_time)
    assert called == Called(called.run)
    assert called.run.state is RunState.NEW

    walt = await floor.worker()
    for _ in range(2):
        assignment, robot = await walt.take()
        await floor.drain(robot, assignment.work_item_id)
        await walt.finish(assignment)
        assert (await floor.run(assignment.run_id)).state is RunState.COMPLETED


async def test_a_bare_task_is_called_and_nothing_that_waits_is_no_call(floor, ada):
    """A task by its own process; with nothing to take, nothing is started."""
    process = await floor.process({})
    task = await floor.engine.database.value("select task_id from step where process_id = %(id)s", id=process)
    where = (floor.engine, ada, floor.workspace)
    called = await start_and_wait(*where, OfTask(task), payloads(1), waiting=for_no_time)
    assert called.run.process_id != process
    assert await start_and_wait(*where, OfTask(task), WithWaiting(), waiting=for_no_time) is None


async def test_more_outputs_than_an_answer_holds_are_said_to_be_more(floor, call, monkeypatch):
    """The first are merged; that there are others is told."""
    process = await floor.process({})
    monkeypatch.setattr("controlroom.engine.runs.calls._MOST_OUTPUTS", 2)
    task, _ = await call(OfProcess(process), payloads(1))
    walt = await floor.worker()
    assignment, robot = await walt.take()
    await put_out(floor, robot, assignment.work_item_id, b'{"a": 1}', b'{"b": 1}', b'{"c": 1}')
    await walt.finish(assignment)
    await dispatch(floor.engine, Room(), assignment.run_id)
    called = await asyncio.wait_for(task, 20)
    assert (sorted(called.outputs.values), called.outputs.is_whole) == (["a", "b"], False)


async def test_who_may_not_read_what_is_put_out_starts_nothing(floor, ada, cleo):
    """Asked before the start; outsiders find nothing."""
    process = await floor.process({})
    of = frozenset({Permission.START_RUNS})
    kind, organization = ActorKind.API_KEY, floor.organization
    limited = Actor(kind=kind, id=uuid7(), name="x", organization_id=organization, grants={floor.workspace: of})
    with pytest.raises(Forbidden):
        await start_and_wait(
            floor.engine, limited, floor.workspace, OfProcess(process), payloads(1), waiting=for_no_time
        )
    with pytest.raises(NotFound):
        await start_and_wait(floor.engine, cleo, floor.workspace, OfProcess(process), payloads(1), waiting=for_no_time)
    with pytest.raises(NotFound):
        await start_and_wait(floor.engine, ada, floor.workspace, OfTask(uuid7()), payloads(1), waiting=for_no_time)
    assert await store.list_runs(floor.engine.database, floor.scope, limit=10) == []
