"""In which order runs of projects come, and which end others."""

import pytest
from tests.engine.runs.conftest import Floor, payloads
from tests.engine.runs.projects.conftest import Shop, command

from controlroom.engine.access.model import system
from controlroom.engine.access.scope import scoped
from controlroom.engine.connections.model import ConnectionKind
from controlroom.engine.jobs.model import JobKind
from controlroom.engine.locks.model import LockState
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import Cause, DefaultInput, Result, RunState, StartedBy, StopRequest, WithWaiting
from controlroom.engine.runs.parameters import AS_USUAL
from controlroom.engine.runs.projects import blocking
from controlroom.engine.runs.projects.errors import JobTakesNoItems, NotOfJob, ProjectNotReady
from controlroom.engine.runs.projects.model import Slots, Stage
from controlroom.engine.work_items.schemas import settled
from controlroom.ids import uuid7


async def by_schedule(floor: Floor, job):
    """A run that a schedule starts."""

    async def begin():
        async with scoped(floor.engine.database, floor.scope) as tx:
            cause = Cause(StartedBy.SCHEDULE, uuid7())
            who = system(floor.organization)
            return await runs.start_in(
                tx, floor.engine, who, floor.workspace, job.process, DefaultInput(), AS_USUAL, cause=cause
            )

    return await floor.run(await settled(floor.engine, begin))


async def blockers(shop, *asked):
    """The numbers of the runs that each of some runs waits for."""
    floor = shop.floor
    found = await blocking.blocked_by(floor.engine.database, floor.scope, [run.id for run in asked], seen=floor.scope)
    return [found.get(run.id, []) for run in asked]


async def test_runs_of_one_job_come_one_after_the_other(shop):
    """Whoever starts them; the second one tells whom it waits for, and no worker sees it before."""
    walt, wanda = await shop.floor.worker("walt"), await shop.floor.worker("wanda")
    job = await shop.job()
    first, second = await shop.start(job), await by_schedule(shop.floor, job)

    assert await blockers(shop, first, second) == [[], [first.number]]
    assert (await shop.known(second)).stage is Stage.QUEUED
    [taken] = await walt.claim()
    assert (taken.run_id, await wanda.claim()) == (first.id, [])
    assert (await shop.known(first)).stage is Stage.STARTING
    await walt.finish(taken)
    assert (await shop.known(first)).stage is Stage.SUCCEEDED
    await shop.floor.run(second)
    [taken] = await wanda.claim()
    assert taken.run_id == second.id
    assert await blockers(shop, second) == [[]]


async def test_an_organization_has_as_many_slots_as_its_workers(shop, root):
    """Runs of other jobs wait for a slot; more workers are more slots, unless somebody has said a number."""
    first, second = [await shop.start(await shop.job()) for _ in range(2)]
    assert [run.lock_state for run in (first, second)] == [LockState.HELD, LockState.WAITING]

    await shop.floor.worker("walt")
    await shop.floor.worker("wanda")

    assert (await shop.floor.run(second)).lock_state is LockState.HELD
    third = await shop.start(await shop.job())
    assert third.lock_state is LockState.WAITING
    assert await blocking.set_slots(shop.engine, root, 3) == Slots(3, follows_workers=False)
    await shop.floor.worker("wilma")
    assert (await shop.floor.run(third)).lock_state is LockState.HELD
    assert await blocking.slots(shop.engine.database, shop.floor.organization) == Slots(3, follows_workers=False)


async def test_tries_of_changes_wait_for_nobody(shop):
    """CI runs take no slot and do not wait for their job, which runs meanwhile."""
    walt = await shop.floor.worker()
    postgres = await shop.connection()
    job = await shop.job(kind=JobKind.CI, connection=postgres)
    other = await shop.start(await shop.job(connection=postgres))

    tries = [await shop.start(job, github_pull_request_id=each) for each in (1, 2)]

    assert [run.lock_state for run in tries] == [None, None]
    assert len(await walt.claim(free=5)) == 3
    assert other.lock_state is LockState.HELD


async def test_one_run_at_a_time_writes_a_file(shop):
    """Of several jobs, also of CI and of other projects: they are queued, and never find it locked."""
    file = await shop.connection(ConnectionKind.DUCKDB)
    await shop.floor.worker()
    await shop.floor.worker("wanda")
    await shop.floor.worker("wilma")
    first = await shop.start(await shop.job(connection=file))
    second = await shop.start(await shop.job(connection=file, kind=JobKind.CI), github_pull_request_id=1)
    third = await shop.start(await shop.job(connection=file))

    states = [run.lock_state for run in (first, second, third)]

    assert states == [LockState.HELD, LockState.WAITING, LockState.WAITING]
    assert await blockers(shop, second, third) == [[first.number], [first.number]]


async def test_only_the_newest_scheduled_run_stays_queued(shop):
    """What a schedule has queued before is cancelled with a message; what an API has asked for never is."""
    walt = await shop.floor.worker()
    job = await shop.job()
    running = await by_schedule(shop.floor, job)
    assert len(await walt.claim()) == 1
    asked = await shop.start(job)
    older = await by_schedule(shop.floor, job)

    newer = await by_schedule(shop.floor, job)

    older = await shop.floor.run(older)
    assert (older.result, older.lock_state) == (Result.STOPPED, LockState.RELEASED)
    assert "newest scheduled run" in older.stop.reason
    assert (await shop.known(older)).stage is Stage.CANCELLED
    stages = [(await shop.known(run)).stage for run in (running, asked, newer)]
    assert stages == [Stage.STARTING, Stage.QUEUED, Stage.QUEUED]


async def test_a_newer_commit_ends_the_older_try(shop):
    """Of the same pull request of the same job, also if a worker has it; no other."""
    walt = await shop.floor.worker()
    job = await shop.job(kind=JobKind.CI, connection=await shop.connection())
    older = await shop.start(job, github_pull_request_id=1, git_sha="aaaa")
    [taken] = await walt.claim()
    others = [
        await shop.start(job, github_pull_request_id=2, git_sha="aaaa"),
        await shop.start(job, gitlab_merge_request_id=1, git_sha="aaaa"),
        await shop.start(job, git_sha="aaaa"),
    ]

    newer = await shop.start(job, github_pull_request_id=1, git_sha="bbbb")

    assert [order.value for order in await walt.beat(taken)] == ["terminate"]
    assert (await shop.floor.run(older)).state is RunState.STOPPING
    assert "newer commit" in (await shop.floor.run(older)).stop.reason
    assert [(await shop.floor.run(run)).state for run in (*others, newer)] == [RunState.NEW] * 4


@pytest.mark.parametrize("at", ["waiting", "queued", "claimed", "begun"])
async def test_a_run_is_cancelled_in_each_state(shop, at):
    """Queued ones at once, others when their worker has ended them; what they held is free again."""
    walt = await shop.floor.worker()
    job = await shop.job()
    front = await shop.start(job) if at == "waiting" else None
    run = await shop.start(job)
    taken = None
    if at in {"claimed", "begun"}:
        [taken] = await walt.claim()
    if at == "begun":
        await walt.begin(taken)

    gently = StopRequest(terminate=True, remaining_done=False)
    assert await runs.stop(shop.engine, shop.floor.ada, shop.floor.workspace, run.id, gently)

    if taken is not None:
        assert (await shop.known(run)).stage is (Stage.RUNNING if at == "begun" else Stage.STARTING)
        await shop.engine.database.execute(
            "update step_run set lease_until = clock_now() - interval '1 s' where id = %(id)s", id=taken.step_run_id
        )
        await walt.restart()
    known = await shop.known(run)
    assert (known.stage, known.ended_at is not None) == (Stage.CANCELLED, True)
    assert (await shop.floor.run(run)).lock_state is LockState.RELEASED
    if front is not None:
        assert (await shop.known(front)).stage is Stage.QUEUED
    again = await shop.start(job)
    assert again.lock_state is (LockState.WAITING if front is not None else LockState.HELD)


async def test_a_job_without_a_connection_is_not_started(shop):
    """And nothing is left of the start; overrides of a project mean nothing for other processes."""
    job = await shop.job(target=await shop.target(None))
    plain = await shop.floor.process({})

    with pytest.raises(ProjectNotReady):
        await shop.start(job)
    with pytest.raises(NotOfJob):
        await shop.start(type(job)(plain, job.target, job.connection), threads=2)


async def test_a_run_of_a_job_does_its_work_once(shop):
    """However many payloads it is started with; work items that wait are nothing for it, nor are other steps."""
    walt = await shop.floor.worker()
    job = await shop.job()
    run = await shop.floor.run(await shop.floor.start(job.process, payloads(1, 2, 3)))
    assert len(await shop.floor.items(run)) == 1
    assert len(await walt.claim(free=5)) == 1

    with pytest.raises(JobTakesNoItems):
        await shop.floor.start(job.process, WithWaiting())
    other = await shop.floor.process({"commands": [command("dbt build")]}, {})
    await shop.engine.database.execute(
        "update job set process_id = %(other)s where process_id = %(job)s", other=other, job=job.process
    )
    with pytest.raises(ProjectNotReady):
        await shop.floor.start(other)


async def test_an_outsider_starts_no_job(shop, cleo):
    """They are told that there is none."""
    job = await shop.job()
    stranger = Shop(Floor(shop.engine, cleo, shop.floor.workspace, shop.floor.organization))

    with pytest.raises(Exception, match="there is no"):
        await stranger.start(job)
