"""What is too old goes, what is young or needed stays, and objects without a name are freed."""

from datetime import timedelta

import asyncpg
import pytest
from msgspec import Raw
from tests.engine.conftest import Team, new_team, new_user, running_engine
from tests.engine.runs.conftest import Floor, payloads

from controlroom.engine.access.model import Role
from controlroom.engine.access.scope import Of
from controlroom.engine.assistants import actions as assistant_verbs
from controlroom.engine.assistants import store as assistants
from controlroom.engine.retention import actions, references
from controlroom.engine.retention.model import Overrides, OverridesChange
from controlroom.engine.retention.store import Place
from controlroom.engine.runs import held_items
from controlroom.engine.runs.model import Run, WithCopies
from controlroom.engine.work_items import actions as items
from controlroom.engine.work_items.operations import Operation
from controlroom.errors import Forbidden, Invalid, NotFound
from controlroom.ids import AssistantArtifactId, AssistantId, AssistantRunId, PackageVersionId, TaskId, uuid7
from controlroom.maintenance.pruner import Pruner
from controlroom.postgres import backup_lock
from controlroom.postgres.clock import shift_clock


@pytest.fixture
async def dsn(new_database, migrated) -> str:
    """The address of a database in which nobody has done anything yet."""
    return await new_database(migrated)


@pytest.fixture
async def engine(dsn, tmp_path):
    """An engine on it: the pruner works on whole databases."""
    async with running_engine(dsn, tmp_path / "objects") as engine:
        yield engine


@pytest.fixture
async def team(engine) -> Team:
    """A fresh organization and workspace, and those of strangers."""
    return await new_team(engine)


@pytest.fixture
async def floor(engine, team) -> Floor:
    """The shop floor of ada's workspace."""
    ada = await new_user(engine, "ada", team.organization, team.workspace, Role.OWNER)
    return Floor(engine, ada, team.workspace, team.organization)


@pytest.fixture
async def later(dsn):
    """Sets the database's clock ahead, by more each time; right again after the test."""
    offset = timedelta()

    async def shift(**by) -> None:
        nonlocal offset
        offset += timedelta(**by)
        await shift_clock(dsn, offset)

    yield shift
    await shift_clock(dsn, timedelta())


async def count(floor: Floor, table: str) -> int:
    return await floor.engine.database.value(f"select count(*) from {table}")


async def finished_run(floor: Floor) -> Run:
    """A run that has ended, with a console, an artifact, and an item with a file."""
    db = floor.engine.database
    run = await floor.start(await floor.process({}), payloads(1, 2))
    walt = await floor.worker(f"walt {uuid7()}")
    assignment, robot = await walt.take()
    content = await floor.engine.objects.put_bytes(b"a log of the robot")
    paper = await floor.engine.objects.put_bytes(b"a file of an item")
    await db.execute(
        """
        insert into artifact (id, workspace_id, step_run_id, attempt, name, size, hash)
        values (%(id)s, %(workspace)s, %(step_run)s, 1, 'log.html', %(size)s, %(hash)s)
        """,
        id=uuid7(),
        workspace=floor.workspace,
        step_run=robot.step_run_id,
        size=content.size,
        hash=content.hash,
    )
    await db.execute(
        """
        insert into console_chunk (step_run_id, attempt, first_line, line_count, at, body)
        values (%(step_run)s, 1, 0, 1, clock_now(), 'hello')
        """,
        step_run=robot.step_run_id,
    )
    await db.execute(
        """
        insert into work_item_file (id, work_item_id, name, size, hash)
        values (%(id)s, %(item)s, 'a.txt', %(size)s, %(hash)s)
        """,
        id=uuid7(),
        item=assignment.work_item_id,
        size=paper.size,
        hash=paper.hash,
    )
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment)
    return await floor.run(run)


async def blobs(floor: Floor) -> int:
    return len([digest async for digest, _, _ in floor.engine.objects.hashes()])


async def test_consoles_and_artifacts_go_before_their_runs(floor, later):
    """After 30 days console and artifacts are gone and the run is there; after 90 nothing of it is left."""
    await finished_run(floor)
    pruner = Pruner(floor.engine)
    await later(days=29)
    await pruner.prune()
    assert (await count(floor, "console_chunk"), await count(floor, "artifact")) == (1, 1)

    await later(days=2)
    await pruner.prune()
    assert (await count(floor, "console_chunk"), await count(floor, "artifact")) == (0, 0)
    assert (await count(floor, "run"), await count(floor, "work_item")) == (1, 2)

    await later(days=60)
    await pruner.prune()
    for table in ("run", "step_run", "work_item", "work_item_file", "work_item_attempt", "phase"):
        assert await count(floor, table) == 0, table


async def assistant_run(floor: Floor) -> AssistantRunId:
    """A run of an assistant that goes on, and has left a file."""
    db = floor.engine.database
    task = await db.one(TaskId, "select id from task")
    version = await db.one(PackageVersionId, "select id from package_version")
    scope = Of(floor.organization, (floor.workspace,))
    assistant, run = AssistantId(uuid7()), AssistantRunId(uuid7())
    await assistants.add(db, scope, assistant, name=f"Helper {assistant}", task=task)
    made = await assistants.get(db, scope, assistant)
    await assistants.add_run(db, run, made, user=floor.ada.id, version=version)
    content = await floor.engine.objects.put_bytes(b"what an assistant left")
    await assistants.put_artifact(
        db,
        scope,
        run,
        AssistantArtifactId(uuid7()),
        name="log.html",
        size=content.size,
        digest=content.hash,
    )
    return run


async def test_runs_of_assistants_go_too(floor, later):
    """What they left after 30 days, they themselves after 90; one that goes on stays, however old."""
    await floor.process({})
    ended, going_on = await assistant_run(floor), await assistant_run(floor)
    await assistant_verbs.complete(floor.engine, floor.ada, floor.workspace, ended, None)
    pruner = Pruner(floor.engine)
    for days, artifacts, runs in ((29, 2, 2), (2, 1, 2), (58, 1, 2), (2, 1, 1), (1000, 1, 1)):
        await later(days=days)
        await pruner.prune()
        assert (await count(floor, "assistant_artifact"), await count(floor, "assistant_run")) == (artifacts, runs)

    await assistant_verbs.complete(floor.engine, floor.ada, floor.workspace, going_on, None)
    await actions.change(floor.engine, floor.ada, floor.workspace, OverridesChange(assistant_run_days=7))
    await later(days=8)
    await pruner.prune()
    assert (await count(floor, "assistant_artifact"), await count(floor, "assistant_run")) == (0, 0)


async def test_what_goes_on_stays_however_old(floor, later):
    """A run that has not ended, and items that wait, are never too old."""
    process = await floor.process({})
    run = await floor.start(process)
    await items.create(floor.engine, floor.ada, floor.workspace, process, Raw(b"1"))
    gone = await items.create(floor.engine, floor.ada, floor.workspace, process, Raw(b"2"))
    await items.change(floor.engine, floor.ada, floor.workspace, Operation.DELETE, [gone.id])

    await later(days=1000)
    await Pruner(floor.engine).prune()

    assert (await count(floor, "run"), await count(floor, "work_item")) == (1, 2)
    assert (await floor.run(run)).ended_at is None


async def test_nothing_goes_while_a_backup_reads(floor, later, dsn):
    """Neither runs nor objects; afterwards they do, and so they do when the backup was killed."""
    await finished_run(floor)
    await floor.engine.objects.put_bytes(b"nobody names me")
    await later(days=100)
    pruner = Pruner(floor.engine)
    connection = await asyncpg.connect(dsn)
    await backup_lock.hold(connection)

    assert (await pruner.prune(), await pruner.sweep()) == (0, 0)

    connection.terminate()
    while (await pruner.sweep(), await blobs(floor)) != (0, 0):  # the database notices in a moment
        await pruner.prune()


async def test_objects_without_a_name_are_freed_a_day_after_they_came(floor, later):
    """Named objects stay; a young one stays, for its row may be coming; what is freed first loses its rows."""
    await finished_run(floor)
    await floor.engine.objects.put_bytes(b"nobody names me")
    pruner = Pruner(floor.engine)
    assert (await pruner.sweep(), await blobs(floor)) == (0, 3)

    await later(hours=25)
    assert (await pruner.sweep(), await blobs(floor)) == (1, 2)

    await later(days=31)
    await pruner.prune()
    assert (await pruner.sweep(), await blobs(floor)) == (1, 1)
    await later(days=60)
    await pruner.prune()
    assert (await pruner.sweep(), await blobs(floor)) == (1, 0)


async def test_every_table_that_names_objects_is_known(floor):
    """Whoever adds a table with hashes of objects must say so, or the sweeper would free them."""
    found = await floor.engine.database.all(
        str,
        """
        select table_name::text from information_schema.columns
         where table_schema = 'public' and column_name = 'hash'
        """,
    )
    assert sorted(found) == sorted([*references.NAMING, *references.NOT_NAMING])


async def test_events_go_once_they_are_old_and_read(floor, later):
    """Old events stay until every reader has read them, and young ones stay."""
    await finished_run(floor)
    pruner = Pruner(floor.engine)
    before = await count(floor, "event")
    assert before > 0
    await later(days=181)
    await pruner.prune()
    assert await count(floor, "event") == before

    last = await floor.engine.database.one(Place, "select xid, id from event order by xid desc, id desc limit 1")
    await floor.engine.database.execute(
        "update event_cursor set xid = %(xid)s::xid8, id = %(id)s", xid=last.xid, id=last.id
    )
    await finished_run(floor)
    young = await count(floor, "event") - before
    await pruner.prune()
    assert await count(floor, "event") == young


async def test_old_uploads_are_forgotten(floor, later):
    """An upload that was promised long ago is no longer remembered."""
    process = await floor.process({})
    item = await items.create(floor.engine, floor.ada, floor.workspace, process, None)
    await items.promise_file(floor.engine, floor.ada, floor.workspace, item.id, "a.txt", 5)
    pruner = Pruner(floor.engine)
    await pruner.prune()
    assert await count(floor, "upload") == 1
    await later(days=8)
    await pruner.prune()
    assert await count(floor, "upload") == 0


async def test_a_workspace_may_keep_things_for_longer_or_for_ever(floor, later, team):
    """Overrides are for one workspace; None goes back to the installation; others may not change them."""
    await finished_run(floor)
    wanted = OverridesChange(run_days=0, console_days=0, artifact_days=10)
    assert await actions.change(floor.engine, floor.ada, floor.workspace, wanted) == Overrides(
        run_days=0, console_days=0, artifact_days=10
    )
    await later(days=400)
    await Pruner(floor.engine).prune()
    assert [await count(floor, table) for table in ("run", "console_chunk", "artifact")] == [1, 1, 0]

    after = await actions.change(floor.engine, floor.ada, floor.workspace, OverridesChange(run_days=None))
    assert after == Overrides(console_days=0, artifact_days=10)
    await Pruner(floor.engine).prune()
    assert await count(floor, "run") == 0
    ben = await new_user(floor.engine, "ben", team.organization, team.workspace, Role.OPERATOR)
    cleo = await new_user(floor.engine, "cleo", team.elsewhere, team.other_workspace, Role.OWNER)
    for who, error in ((ben, Forbidden), (cleo, NotFound)):
        with pytest.raises(error):
            await actions.change(floor.engine, who, floor.workspace, OverridesChange(run_days=1))
    with pytest.raises(Invalid):
        await actions.change(floor.engine, floor.ada, floor.workspace, OverridesChange(run_days=-1))


async def test_outputs_copied_to_another_run_keep_their_files(floor, later):
    """A file whose first run is gone stays, as long as a copy of its item names it."""
    run = await finished_run(floor)

    [first, _] = await floor.items(run)
    other = await floor.process({})
    await later(days=95)
    copy = await floor.start(other, WithCopies((first.id,)))
    pruner = Pruner(floor.engine)
    await pruner.prune()
    await pruner.sweep()

    assert (await blobs(floor), await count(floor, "run")) == (1, 1)
    walt = await floor.worker("wanda")
    _, robot = await walt.take()
    [item] = await floor.items(copy)
    assert [file.name for file in await held_items.files(floor.engine, robot, item.id)] == ["a.txt"]
