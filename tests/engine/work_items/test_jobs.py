"""Operations on all items that a filter finds, as jobs of the room."""

import pytest
from tests.engine.runs.conftest import payloads

from controlroom.engine.access.scope import Room
from controlroom.engine.lists.model import EVERYTHING, AllOf, Compare, Inside, OneOf, Operator, equal
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import StopRequest
from controlroom.engine.work_items import actions, bulk, jobs, store
from controlroom.engine.work_items.jobs import JobState
from controlroom.engine.work_items.operations import Operation
from controlroom.errors import Conflict, Invalid, NotFound
from controlroom.maintenance import item_jobs


@pytest.fixture
async def failed(floor):
    """A process of which five items have failed; they have numbers."""
    process = await floor.process({})
    run = await floor.start(process, payloads(*({"n": n} for n in range(5))))
    await runs.stop(floor.engine, floor.ada, floor.workspace, run.id, StopRequest(terminate=True, remaining_done=False))
    await floor.run(run)
    return process


async def done(floor, job):
    """The job, once the loop has done it."""
    while not (now := await jobs.get(floor.engine.database, floor.scope, job.id)).is_over:
        await item_jobs.work(floor.engine)
    return now


async def test_a_job_does_what_its_preview_says_and_reports(floor, ada, failed):
    """To what was there when it was asked for: what comes later is not meant."""
    which = equal(process_id=failed)
    for _ in range(2):
        await actions.create(floor.engine, ada, floor.workspace, failed, None)
    job = await jobs.ask(floor.engine, ada, floor.workspace, Operation.HOLD, which, said="Process Invoices")
    assert (job.state, job.matched, job.fit, job.touched, job.said) == (JobState.WAITING, 7, 0, 0, "Process Invoices")
    job = await jobs.ask(floor.engine, ada, floor.workspace, Operation.DELETE, which)
    later = await actions.create(floor.engine, ada, floor.workspace, failed, None)

    over = await done(floor, job)

    assert (over.state, over.matched, over.fit, over.touched, over.left_out) == (JobState.COMPLETED, 7, 7, 7, 0)
    assert [
        each.id for each in await store.list_items(floor.engine.database, floor.scope, process=failed, limit=9)
    ] == [later.id]


async def test_a_job_goes_on_behind_its_last_batch(floor, ada, failed, monkeypatch):
    """Another server that read it before finds that it has gone on, and touches nothing."""
    monkeypatch.setattr(bulk, "BATCH", 2)
    job = await jobs.ask(floor.engine, ada, floor.workspace, Operation.MARK_DONE, equal(process_id=failed))
    after = await jobs.work(floor.engine, Room(), job)
    assert (after.touched, after.state) == (2, JobState.IN_PROGRESS)
    assert await jobs.work(floor.engine, Room(), job) is None
    assert (await done(floor, job)).touched == 5


async def test_what_changed_meanwhile_is_left_out_and_told(floor, ada, failed):
    """The report says how many were fit and are not any more."""
    job = await jobs.ask(floor.engine, ada, floor.workspace, Operation.RETRY, equal(process_id=failed))
    items = await store.list_items(floor.engine.database, floor.scope, process=failed, limit=2)
    await actions.change(floor.engine, ada, floor.workspace, Operation.DELETE, [each.id for each in items])
    over = await done(floor, job)
    assert (over.fit, over.touched, over.left_out) == (5, 3, 2)


async def test_a_job_is_stopped_between_batches(floor, ada, failed, monkeypatch):
    """What is done stays done; a job that is over is not stopped."""
    monkeypatch.setattr(bulk, "BATCH", 2)
    job = await jobs.ask(floor.engine, ada, floor.workspace, Operation.MARK_DONE, equal(process_id=failed))
    after = await jobs.work(floor.engine, Room(), job)
    assert (await jobs.stop(floor.engine, ada, floor.workspace, job.id)).state is JobState.STOPPED
    assert await jobs.work(floor.engine, Room(), after) is None
    with pytest.raises(Conflict):
        await jobs.stop(floor.engine, ada, floor.workspace, job.id)


async def test_ticked_items_and_payloads_are_filters_too(floor, ada, failed):
    """By id, and by what their payload says."""
    items = await store.list_items(floor.engine.database, floor.scope, process=failed, limit=9)
    ticked = OneOf("id", tuple(each.id for each in items[:3]))
    job = await jobs.ask(
        floor.engine, ada, floor.workspace, Operation.RETRY, AllOf((ticked, Inside("payload", "$.n > 2")))
    )
    assert (job.matched, (await done(floor, job)).touched) == (2, 2)


async def test_a_job_is_asked_for_by_who_may_and_seen_by_its_workspace(floor, ada, cleo, failed):
    """Everything at once is nobody's wish; nor is what the list cannot be asked."""
    job = await jobs.ask(floor.engine, ada, floor.workspace, Operation.RETRY, equal(process_id=failed))
    [theirs] = cleo.grants
    with pytest.raises(NotFound):
        await jobs.stop(floor.engine, cleo, theirs, job.id)
    with pytest.raises(NotFound):
        await jobs.ask(floor.engine, cleo, floor.workspace, Operation.RETRY, equal(process_id=failed))
    for wrong in (EVERYTHING, Compare("nonsense", Operator.EQ, 1)):
        with pytest.raises(Invalid):
            await jobs.ask(floor.engine, ada, floor.workspace, Operation.RETRY, wrong)
