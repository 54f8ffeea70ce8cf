"""Steps that work on the file of a connection: who gets it, one at a time, and what becomes of what they bring."""

import hashlib

import pytest
from msgspec.structs import replace
from tests.engine.runs.conftest import expire_leases

from controlroom.engine.access.model import Permission
from controlroom.engine.connections import actions as connections
from controlroom.engine.connections import files
from controlroom.engine.connections.errors import ConnectionNotFound, ConnectionUsed, DatabaseUnfit
from controlroom.engine.connections.model import Connection, DuckdbSettings, PostgresSettings, Settings, Storage
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes import store as process_store
from controlroom.engine.processes.errors import ProcessRunning, StepInvalid
from controlroom.engine.processes.model import Placement, ProcessChange, ProcessDefinition, StepDefinition
from controlroom.engine.runs import databases
from controlroom.engine.runs.errors import Superseded
from controlroom.engine.runs.locks import wanted_by
from controlroom.errors import Conflict, Invalid, NotFound
from controlroom.ids import WorkerId, uuid7
from controlroom.protocol import Ability, ErrorCode


@pytest.fixture
def root(floor):
    """Ada, who may make connections, too."""
    governs = frozenset({Permission.READ_CONNECTIONS, Permission.WRITE_CONNECTIONS})
    return replace(floor.ada, throughout=floor.ada.throughout | governs)


@pytest.fixture
async def warehouse(engine, root):
    """A file that the room keeps."""
    return await connections.create(engine, root, name="Warehouse", settings=DuckdbSettings(path="dw.duckdb"))


@pytest.fixture
async def task(floor):
    """A task that a step may run."""
    process = await floor.process({})
    [step] = await process_store.list_steps(floor.engine.database, floor.scope, process)
    return step.work.id


@pytest.fixture
async def load(floor, root, warehouse, task):
    """A process whose only step works on the file."""
    step = StepDefinition(name="load", work=task, database=warehouse.id)
    definition = ProcessDefinition(name="Load", steps=(step,))
    return (await processes.create(floor.engine, root, floor.workspace, definition)).id


async def content(data: bytes):
    yield data


async def bring(floor, worker, assignment, data: bytes) -> None:
    """What the robot of an attempt made of the file."""
    of = assignment.step_run_id, assignment.attempt
    await databases.bring(floor.engine, worker.actor, *of, content(data), size=len(data))


async def test_each_run_begins_with_what_the_last_one_left(floor, warehouse, load):
    """Also with what one left that failed; the file is told by its hash, and fetched by nothing else."""
    walt = await floor.worker()
    told = []
    for data, error in ((b"one", None), (b"two", ErrorCode.ROBOT_FAILED), (b"three", None)):
        run = await floor.run(await floor.start(load))
        [assignment] = await walt.claim()
        told.append(assignment.database)
        await walt.begin(assignment)
        await bring(floor, walt, assignment, data)
        if assignment.database.hash is not None:
            of = assignment.step_run_id, assignment.attempt
            assert await databases.size_of(floor.engine, walt.actor, *of, assignment.database.hash) == told[-1].size
            with pytest.raises(NotFound):
                await databases.size_of(floor.engine, walt.actor, *of, hashlib.sha256(data).hexdigest())
        await walt.finish(assignment, error)
        await floor.run(run)

    assert [(each.connection, each.name, each.size) for each in told] == [
        (warehouse.number, "dw.duckdb", size) for size in (0, 3, 3)
    ]
    assert [each.hash for each in told] == [None, *(hashlib.sha256(data).hexdigest() for data in (b"one", b"two"))]
    kept = await files.versions(floor.engine.database, floor.organization, warehouse.id)
    assert (kept[0].version, kept[0].hash) == (3, hashlib.sha256(b"three").hexdigest())


async def test_one_run_at_a_time_works_on_a_file(floor, warehouse, load):
    """Whichever process it is of: the run holds the lock of the file from its first step run to its end."""
    walt = await floor.worker()
    first = await floor.start(load)
    second = await floor.start(load)
    for run in (first, second):
        await floor.run(run)

    [assignment] = await walt.claim(free=2)
    [lock] = await wanted_by(floor.engine.database, floor.scope, second.id)
    await walt.finish(assignment)
    await floor.run(first)
    await floor.run(second)

    assert lock.name == f"database:{warehouse.number}"
    assert assignment.run_id == first.id
    assert [each.run_id for each in await walt.claim(free=2)] == [second.id]


async def test_what_a_lost_attempt_has_brought_is_forgotten(floor, warehouse, load):
    """And it brings nothing any more."""
    walt = await floor.worker()
    await floor.run(await floor.start(load))
    [assignment] = await walt.claim()
    await bring(floor, walt, assignment, b"half")
    await walt.begin(assignment)

    await expire_leases(floor)

    with pytest.raises(Superseded):
        await bring(floor, walt, assignment, b"late")
    assert await files.current(floor.engine.database, floor.organization, warehouse.id) is None


async def test_workers_that_know_nothing_of_files_are_not_given_them(floor, load):
    """One of the release before would run the robot without its database."""
    old = await floor.worker("old", abilities=(Ability.COMMANDS, Ability.PROJECTS))
    walt = await floor.worker()
    await floor.run(await floor.start(load))

    assert await old.claim() == []
    assert len(await walt.claim()) == 1


async def test_other_robots_are_told_of_no_file_and_bring_none(floor, root, task):
    """What no step names belongs to nobody."""
    walt = await floor.worker()
    definition = ProcessDefinition(name="Plain", steps=(StepDefinition(name="do", work=task),))
    made = await processes.create(floor.engine, root, floor.workspace, definition)
    await floor.run(await floor.start(made.id))
    [assignment] = await walt.claim()

    assert assignment.database is None
    with pytest.raises(Conflict):
        await bring(floor, walt, assignment, b"x")


async def test_a_step_gets_another_file_when_no_run_is_under_way(floor, root, load, task):
    """Else a run would write a file whose lock it does not hold."""
    other = await connections.create(floor.engine, root, name="Other", settings=DuckdbSettings())
    steps = (StepDefinition(name="load", work=task, database="Other"),)
    walt = await floor.worker()
    await floor.run(await floor.start(load))
    [assignment] = await walt.claim()

    with pytest.raises(ProcessRunning):
        await processes.update(floor.engine, root, floor.workspace, load, ProcessChange(steps=steps))

    await walt.finish(assignment)
    await floor.run(assignment.run_id)
    await processes.update(floor.engine, root, floor.workspace, load, ProcessChange(steps=steps))
    [step] = await process_store.list_steps(floor.engine.database, floor.scope, load)
    assert step.database is not None
    assert step.database.number == other.number


async def test_who_may_not_see_a_connection_names_none(floor, warehouse, load, task):
    """As with targets: those that workspaces of theirs use, and what stands there already may stay."""
    steps = (StepDefinition(name="load", work=task, database=warehouse.id),)
    await processes.update(floor.engine, floor.ada, floor.workspace, load, ProcessChange(steps=steps))

    unseen = await _made(floor, warehouse.settings)
    definition = ProcessDefinition(name="x", steps=(replace(steps[0], database=unseen.id),))
    with pytest.raises(ConnectionNotFound):
        await processes.create(floor.engine, floor.ada, floor.workspace, definition)


@pytest.mark.parametrize(
    "settings",
    [
        PostgresSettings(host="db.example.org", database="dw"),
        DuckdbSettings(storage=Storage.WORKER, folder="/data", worker_id=WorkerId(uuid7())),
    ],
)
async def test_only_a_file_of_the_room_is_handed_over(floor, root, task, settings):
    """A server is reached by an address, and a worker's own disk is a matter of its operator."""
    made = await connections.create(floor.engine, root, name="Elsewhere", settings=settings)
    definition = ProcessDefinition(name="x", steps=(StepDefinition(name="s", work=task, database=made.id),))

    with pytest.raises(DatabaseUnfit):
        await processes.create(floor.engine, root, floor.workspace, definition)


async def test_a_file_has_one_writer_within_a_run_too(floor, root, warehouse, load, task):
    """No step that runs several robots at once, no second step on it, and no run that is shared out."""
    step = StepDefinition(name="load", work=task, database=warehouse.id)
    wrong = [
        (replace(step, max_parallel=2),),
        (replace(step, one_item_per_step_run=True),),
        (step, replace(step, name="again")),
        (step, replace(step, name="again", database=warehouse.name)),
        (replace(step, work=None),),
    ]
    for steps in wrong:
        with pytest.raises(StepInvalid):
            await processes.create(floor.engine, root, floor.workspace, ProcessDefinition(name="x", steps=steps))

    with pytest.raises(Invalid, match="shared out"):
        await floor.start(load, shares=(Placement(), Placement()))


async def test_a_file_that_a_process_works_on_stays(floor, root, warehouse, load):
    """Until that process is gone."""
    with pytest.raises(ConnectionUsed, match="Load"):
        await connections.delete(floor.engine, root, warehouse.id)

    await processes.delete(floor.engine, root, floor.workspace, load)
    await connections.delete(floor.engine, root, warehouse.id)


async def _made(floor, settings: Settings) -> Connection:
    """A connection of the organization that nobody uses yet."""
    governs = frozenset({Permission.WRITE_CONNECTIONS})
    return await connections.create(
        floor.engine, replace(floor.ada, throughout=governs), name="Unseen", settings=settings
    )
