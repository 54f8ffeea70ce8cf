"""What belongs to one workspace is nobody else's, whatever ids a stranger knows."""

import pytest
from msgspec.structs import replace

from controlroom.engine.access.errors import AttemptOver
from controlroom.engine.access.scope import Of
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import claims, held_items, leases, outputs, reports, store
from controlroom.engine.runs.errors import ArtifactNotFound, RunNotFound, StepRunNotFound, Superseded
from controlroom.engine.runs.held_items import Done
from controlroom.engine.runs.model import DefaultInput, StopRequest
from controlroom.engine.runs.summaries import input_ids, runs_of_items, summaries
from controlroom.errors import NotFound
from controlroom.ids import ArtifactId, uuid7
from controlroom.protocol import Claim, Finish, Heartbeat, Held, Order
from engine.runs.conftest import payloads

STOP = StopRequest(terminate=True, remaining_done=True)


@pytest.fixture
def strange(team) -> Of:
    """What cleo sees."""
    return Of(team.elsewhere, (team.other_workspace,))


async def test_a_stranger_finds_no_run_and_nothing_of_one(floor, strange):
    """Lists are empty, and what is asked for by its id is not there."""
    walt = await floor.worker()
    process = await floor.process({})
    run = await floor.start(process)
    assignment, _ = await walt.take()
    await walt.begin(assignment)
    db, step_run = floor.engine.database, assignment.step_run_id

    for found in (
        store.list_runs(db, strange, process=process, limit=10),
        store.list_step_runs(db, strange, run.id, limit=10),
        store.list_phases(db, strange, step_run),
        store.list_events(db, strange, step_run, limit=10),
        store.list_artifacts(db, strange, step_run, limit=10),
        input_ids(db, strange, run.id),
        summaries(db, strange, [run]),
        runs_of_items(db, strange, process, [assignment.work_item_id]),
    ):
        assert not await found
    with pytest.raises(RunNotFound):
        await store.get(db, strange, run.id)
    with pytest.raises(StepRunNotFound):
        await store.get_step_run(db, strange, step_run)
    with pytest.raises(ArtifactNotFound):
        await store.get_artifact(db, strange, step_run, ArtifactId(uuid7()))
    assert await store.list_phases(db, floor.scope, step_run)


async def test_a_stranger_starts_stops_and_deletes_nothing(floor, cleo, team):
    """Neither in the workspace, nor from their own by the ids of ours."""
    process = await floor.process({})
    run = await floor.start(process)

    for workspace in (floor.workspace, team.other_workspace):
        for forbidden in (
            runs.start(floor.engine, cleo, workspace, process, DefaultInput()),
            runs.stop(floor.engine, cleo, workspace, run.id, STOP),
            runs.delete(floor.engine, cleo, workspace, run.id),
        ):
            with pytest.raises(NotFound):
                await forbidden
    assert len(await store.list_runs(floor.engine.database, floor.scope, process=process, limit=10)) == 1


async def test_a_worker_of_another_workspace_has_nothing_in_hand(floor, team):
    """Even with the ids of the worker, its session and the attempt."""
    walt = await floor.worker()
    await floor.start(await floor.process({}), payloads(1))
    assignment, _ = await walt.take()
    elsewhere = replace(walt.actor, workspaces=(team.other_workspace,), organization_id=team.elsewhere)
    engine, session = floor.engine, walt.session.session

    for refused in (
        reports.finish(engine, elsewhere, assignment.step_run_id, assignment.attempt, Finish(exit_code=0)),
        reports.give_back(engine, elsewhere, assignment.step_run_id, assignment.attempt, "no"),
        reports.add_artifacts(engine, elsewhere, assignment.step_run_id, assignment.attempt, {}),
        claims.claim(engine, elsewhere, Claim(session=session, free=1, wait_seconds=0)),
        leases.heartbeat(engine, elsewhere, Heartbeat(session, (Held(assignment.step_run_id, assignment.attempt),))),
    ):
        with pytest.raises(Superseded):
            await refused
    await leases.close_session(engine, elsewhere, session)

    assert await walt.beat(assignment) == [Order.CONTINUE]


async def test_a_robots_token_is_for_its_workspace(floor, team):
    """One that named another would hold nothing there."""
    walt = await floor.worker()
    await floor.start(await floor.process({}), payloads(1))
    assignment, robot = await walt.take()
    item, engine = assignment.work_item_id, floor.engine
    elsewhere = replace(robot, workspace_id=team.other_workspace, organization_id=team.elsewhere)

    for refused in (
        held_items.payload(engine, elsewhere, item),
        held_items.set_payload(engine, elsewhere, item, None),
        held_items.files(engine, elsewhere, item),
        held_items.promise_file(engine, elsewhere, item, "a.txt", 1),
        held_items.release(engine, elsewhere, item, Done()),
        outputs.output(engine, elsewhere, item, None),
    ):
        with pytest.raises(AttemptOver):
            await refused
    assert bytes(await held_items.payload(engine, robot, item)) == b"1"


async def test_nothing_is_found_in_a_workspace_that_was_deleted(floor):
    """Neither by people nor by robots: both see it no more."""
    walt = await floor.worker()
    run = await floor.start(await floor.process({}), payloads(1))
    assignment, robot = await walt.take()
    db = floor.engine.database
    await db.execute("update workspace set deleted_at = clock_now() where id = %(id)s", id=floor.workspace)

    assert await store.list_runs(db, floor.scope, limit=10) == []
    with pytest.raises(RunNotFound):
        await store.get(db, floor.scope, run.id)
    with pytest.raises(AttemptOver):
        await held_items.payload(floor.engine, robot, assignment.work_item_id)
