"""What a worker does: it opens a session, claims step runs, keeps their leases and ends them.

A step run is leased to one session of one worker. The claim binds the step run's first item in the same statement, and
raises the attempt; every later call names both, so that a worker that comes back too late changes nothing.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.model import StepRunActor, WorkerActor
from controlroom.engine.access.tokens import mint_step_run_token
from controlroom.engine.engine import Engine
from controlroom.engine.events import store as events
from controlroom.engine.events.store import By
from controlroom.engine.runs.endings import end, event, lock_all_of, lock_attempt, lose
from controlroom.engine.runs.errors import ConsoleIncomplete, Superseded
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items.store import IS_DUE
from controlroom.engine.workers.store import PLACEMENT_MATCHES
from controlroom.errors import Invalid
from controlroom.ids import (
    OrganizationId,
    ProcessId,
    RunId,
    StepId,
    StepRunId,
    WorkerId,
    WorkItemId,
    WorkspaceId,
    uuid7,
)
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements, Tx
from controlroom.protocol import (
    LEASE_SECONDS,
    Assignment,
    Assignments,
    Claim,
    Finish,
    Heartbeat,
    Held,
    OpenSession,
    Order,
    Orders,
    PackageRef,
    PhaseKind,
    PhaseReport,
    PhaseReports,
    Session,
)

_TRIES_A_CLAIM: Final = 20
"""Step runs that are found to have no item left are withdrawn by the claim, which then looks for the next."""


# ---------------------------------------------------------------------------------------------------- sessions
async def open_session(engine: Engine, worker: WorkerActor, info: OpenSession) -> Session:
    """Start a session: what an earlier one of the same worker has in hand is lost, and said so at once."""
    session = uuid7()
    async with engine.database.transaction() as tx:
        await tx.execute(
            """
            update worker
               set session = %(session)s, state = 'idle', slots = %(slots)s, version = %(version)s,
                   platform = %(platform)s, sandbox = %(sandbox)s, sandbox_note = %(note)s, seen_at = clock_now()
             where id = %(worker)s and workspace_id = %(workspace)s and deleted_at is null
            """,
            session=session,
            worker=worker.worker_id,
            workspace=worker.workspace_id,
            slots=info.slots,
            version=info.version,
            platform=info.platform,
            sandbox=info.sandbox,
            note=info.sandbox_note,
        )
        for leased in await lock_all_of(tx, worker.worker_id):
            await lose(engine, tx, leased, "The worker was started anew while the robot was running.")
    return Session(session=session, worker_id=worker.worker_id, workspace_id=worker.workspace_id, name=worker.name)


async def close_session(engine: Engine, worker: WorkerActor, session: UUID) -> None:
    """The worker says good-bye: it is offline, and what it still had in hand is lost."""
    async with engine.database.transaction() as tx:
        closed = await tx.execute(
            """
            update worker set state = 'offline', session = null, seen_at = clock_now()
             where id = %(worker)s and session = %(session)s
            """,
            worker=worker.worker_id,
            session=session,
        )
        if closed:
            for leased in await lock_all_of(tx, worker.worker_id):
                await lose(engine, tx, leased, "The worker was stopped while the robot was running.")


# ---------------------------------------------------------------------------------------------------- claims
class _Claimed(Struct, frozen=True, kw_only=True):
    id: StepRunId
    is_withdrawn: bool
    attempt: int
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    process_id: ProcessId
    process_name: str
    run_id: RunId
    run_is_new: bool
    step_id: StepId
    step_name: str
    bound_item_id: WorkItemId | None
    package_hash: str
    package_size: int
    package_name: str
    task: str
    environment: dict[str, str]
    timeout_seconds: float | None
    share_environments: bool


_ASSIGNMENT: Final = """
    select claimed.id, claimed.state = 'withdrawn' as is_withdrawn, claimed.attempt, claimed.workspace_id,
           workspace.organization_id, process.id as process_id, process.name as process_name, claimed.run_id,
           run.state = 'new' as run_is_new, step.id as step_id, step.name as step_name, claimed.bound_item_id,
           version.hash as package_hash, version.size as package_size, package.name as package_name, task.name as task,
           step.environment, extract(epoch from step.timeout)::float8 as timeout_seconds,
           coalesce((workspace.settings ->> 'share_environments')::boolean, false) as share_environments
      from claimed
      join run on run.id = claimed.run_id
      join step on step.id = claimed.step_id
      join process on process.id = step.process_id
      join task on task.id = step.task_id
      join package on package.id = task.package_id
      join package_version as version on version.id = claimed.package_version_id
      join workspace on workspace.id = claimed.workspace_id
"""


async def claim(engine: Engine, worker: WorkerActor, request: Claim) -> Assignments:
    """Up to `free` step runs for the worker, the most urgent first; it does not wait.

    What the session has claimed and the worker does not know of (the answer was lost) comes again first. Raises
    Superseded if the session is not the worker's.
    """
    lost = await _claimed_unknown(engine.database, worker, request)
    taken = await _take(engine, worker, request.session, request.free - len(lost))
    return Assignments(tuple(_assignment(engine, one) for one in [*lost, *taken][: request.free]))


async def claim_again(engine: Engine, worker: WorkerActor, request: Claim) -> Assignments:
    """Likewise, while the same request is held: one statement if nothing waits. A session that is over gets nothing."""
    taken = await _take(engine, worker, request.session, request.free)
    return Assignments(tuple(_assignment(engine, one) for one in taken))


async def _take(engine: Engine, worker: WorkerActor, session: UUID, free: int) -> list[_Claimed]:
    claimed: list[_Claimed] = []
    for _ in range(_TRIES_A_CLAIM):
        if len(claimed) >= free:
            break
        taken = await _claim_one(engine.database, worker, session)
        if taken is None:
            break
        if taken.is_withdrawn:
            engine.wakes.wake_here(Topic.RUN, taken.run_id)
            continue
        if taken.run_is_new:
            await _mark_running(engine.database, taken.run_id)
            engine.wakes.wake(Topic.EVENTS)
        claimed.append(taken)
    return claimed


async def _claim_one(db: Statements, worker: WorkerActor, session: UUID) -> _Claimed | None:
    """Take the most urgent step run that the worker may run, and bind its first item; one round trip.

    Safe from any number of workers at once. A step run that finds no item is withdrawn and returned as such.
    """
    return await db.one_or_none(
        _Claimed,
        f"""
        with asking as (
            select id from worker where id = %(worker)s and session = %(session)s and deleted_at is null
        ), candidate as (
            select step_run.id, step_run.run_id, step_run.step_id
              from step_run, asking
             where step_run.workspace_id = %(workspace)s and step_run.state = 'awaiting_worker'
               and {PLACEMENT_MATCHES}
             order by step_run.priority desc, step_run.id
             limit 1
               for no key update of step_run skip locked
        ), item as (
            select work_item.id
              from work_item
             where run_id = (select run_id from candidate) and step_id = (select step_id from candidate)
               and state = 'pending' and {IS_DUE}
               and (deadline is null or deadline > clock_now())
               and (select id from candidate) <> all (tried_by)
             order by priority desc, due, work_item.id
             limit 1
               for update skip locked
        ), bound as (
            update work_item
               set state = 'in_progress', state_at = clock_now(), step_run_id = (select id from candidate),
                   turn = (select coalesce(max(turn), 0) + 1 from work_item
                            where step_run_id = (select id from candidate)),
                   reserved_at = clock_now(), attempt = attempt + 1
             where id = (select id from item)
            returning id
        ), version as (
            select version.id
              from candidate join step on step.id = candidate.step_id
              join task on task.id = step.task_id
              join package_version as version on version.package_id = task.package_id
             order by version.version desc
             limit 1
        ), claimed as (
            update step_run
               set state = case when exists (select from bound) then 'in_progress' else 'withdrawn' end,
                   state_at = clock_now(),
                   ended_at = case when exists (select from bound) then null else clock_now() end,
                   attempt = attempt + 1, bound_item_id = (select id from bound),
                   worker_id = %(worker)s, worker_session = %(session)s, began_at = null,
                   started_at = case when exists (select from bound) then clock_now() end,
                   lease_until = case when exists (select from bound)
                                      then clock_now() + make_interval(secs => %(lease)s) end,
                   package_version_id = (select id from version)
             where id = (select id from candidate)
            returning id, state, attempt, workspace_id, run_id, step_id, bound_item_id, package_version_id
        ), told as (
            insert into event (organization_id, workspace_id, kind, actor_kind, actor_id,
                               process_id, run_id, step_run_id, data)
            select %(organization)s, claimed.workspace_id, 'step_run.started', 'worker', %(worker)s, step.process_id,
                   run_id, claimed.id, jsonb_build_object('attempt', claimed.attempt)
              from claimed join step on step.id = claimed.step_id
             where claimed.state = 'in_progress'
        ), occupied as (
            update worker set state = 'busy' where id = %(worker)s and state <> 'busy' and exists (select from bound)
        )
        {_ASSIGNMENT}
        """,
        worker=worker.worker_id,
        workspace=worker.workspace_id,
        organization=worker.organization_id,
        session=session,
        lease=LEASE_SECONDS,
    )


class _Standing(Struct, frozen=True):
    session: UUID | None
    has_unknown: bool


_UNKNOWN: Final = """step_run.worker_id = %(worker)s and step_run.state = 'in_progress'
    and step_run.worker_session = %(session)s and step_run.began_at is null
    and step_run.id <> all (%(running)s::uuid[])"""


async def _claimed_unknown(db: Statements, worker: WorkerActor, request: Claim) -> list[_Claimed]:
    """Step runs of the session that the worker does not know of and that have not begun; mostly one statement."""
    found = await db.one_or_none(
        _Standing,
        f"""
        select session, exists (select from step_run where {_UNKNOWN}) as has_unknown
          from worker where id = %(worker)s
        """,
        worker=worker.worker_id,
        session=request.session,
        running=list(request.running),
    )
    if found is None or found.session != request.session:
        raise Superseded
    if not found.has_unknown:
        return []
    return await db.all(
        _Claimed,
        f"""
        with claimed as (
            select id, state, attempt, workspace_id, run_id, step_id, bound_item_id, package_version_id
              from step_run
             where {_UNKNOWN}
        )
        {_ASSIGNMENT}
        """,
        worker=worker.worker_id,
        session=request.session,
        running=list(request.running),
    )


async def _mark_running(db: Statements, run: RunId) -> None:
    """A statement of its own after the claim: whoever stops a run locks the run first, and a claim the step run."""
    await db.execute(
        "update run set state = 'in_progress', started_at = clock_now() where id = %(run)s and state = 'new'",
        run=run,
    )


def _assignment(engine: Engine, claimed: _Claimed) -> Assignment:
    robot = StepRunActor(
        step_run_id=claimed.id,
        attempt=claimed.attempt,
        run_id=claimed.run_id,
        step_id=claimed.step_id,
        process_id=claimed.process_id,
        workspace_id=claimed.workspace_id,
        organization_id=claimed.organization_id,
    )
    return Assignment(
        step_run_id=claimed.id,
        attempt=claimed.attempt,
        workspace_id=claimed.workspace_id,
        organization_id=claimed.organization_id,
        process_id=claimed.process_id,
        process_name=claimed.process_name,
        run_id=claimed.run_id,
        step_id=claimed.step_id,
        step_name=claimed.step_name,
        work_item_id=claimed.bound_item_id,
        package=PackageRef(claimed.package_hash, claimed.package_size, claimed.package_name),
        task=claimed.task,
        token=mint_step_run_token(engine.keys, robot),
        variables=claimed.environment,
        timeout_seconds=claimed.timeout_seconds,
        share_environments=claimed.share_environments,
    )


# ---------------------------------------------------------------------------------------------------- leases
class _Kept(Struct, frozen=True, kw_only=True):
    id: UUID
    attempt: int
    is_terminated: bool
    is_paused: bool


async def heartbeat(engine: Engine, worker: WorkerActor, beat: Heartbeat) -> Orders:
    """Prolong the leases the worker names and say what to do with each; raises Superseded for an older session."""
    known = await engine.database.execute(
        """
        update worker
           set seen_at = clock_now(), state = case when %(is_busy)s then 'busy' else 'idle' end
         where id = %(worker)s and session = %(session)s
        """,
        worker=worker.worker_id,
        session=beat.session,
        is_busy=bool(beat.held),
    )
    if not known:
        raise Superseded
    return await orders(engine, worker, beat.session, beat.held)


async def orders(engine: Engine, worker: WorkerActor, session: UUID, held: Sequence[Held]) -> Orders:
    """Prolong leases and say what to do with each step run; what is not the worker's any more is to be abandoned."""
    if not held:
        return Orders(())
    kept = await engine.database.all(
        _Kept,
        """
        update step_run
           set lease_until = clock_now() + make_interval(secs => %(lease)s)
          from unnest(%(ids)s::uuid[], %(attempts)s::int[]) as held (id, attempt)
         where step_run.id = held.id and step_run.attempt = held.attempt and step_run.state = 'in_progress'
           and worker_id = %(worker)s and worker_session = %(session)s
        returning step_run.id, step_run.attempt, termination is not null as is_terminated,
                  paused_at is not null as is_paused
        """,
        lease=LEASE_SECONDS,
        ids=[one.step_run_id for one in held],
        attempts=[one.attempt for one in held],
        worker=worker.worker_id,
        session=session,
    )
    by_id = {(one.id, one.attempt): _order(one) for one in kept}
    return Orders(
        tuple(
            Held(one.step_run_id, one.attempt, by_id.get((one.step_run_id, one.attempt), Order.ABANDON)) for one in held
        )
    )


def _order(kept: _Kept) -> Order:
    if kept.is_terminated:
        return Order.TERMINATE
    return Order.PAUSE if kept.is_paused else Order.CONTINUE


async def mark_silent_offline(db: Statements) -> int:
    """Show workers as offline that have not been heard for as long as a lease; how many."""
    return await db.execute(
        """
        update worker set state = 'offline'
         where state <> 'offline' and seen_at < clock_now() - make_interval(secs => %(silence)s)
        """,
        silence=LEASE_SECONDS,
    )


# ---------------------------------------------------------------------------------------------------- reports
async def report_phases(
    engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int, reports: PhaseReports
) -> None:
    """Write how phases stand; the first one after `environment` marks that robot code may have run."""
    async with engine.database.transaction() as tx:
        leased = await lock_attempt(tx, worker.worker_id, step_run, attempt)
        if leased is None:
            raise Superseded
        if not leased.has_begun and any(_is_robot_code(report) for report in reports.phases):
            await tx.execute("update step_run set began_at = clock_now() where id = %(id)s", id=step_run)
        await _write_phases(tx, step_run, attempt, reports.phases)


def _is_robot_code(report: PhaseReport) -> bool:
    return report.kind is not PhaseKind.ENVIRONMENT


async def add_artifact(
    engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int, name: str, blob: Blob
) -> None:
    """Remember a file that the attempt left. May be repeated: the last content of a name counts.

    Raises Superseded, and Invalid `TOO_MANY_ARTIFACTS` for more than `limits.artifacts`.
    """
    added = await engine.database.execute(
        """
        insert into artifact (id, workspace_id, step_run_id, attempt, name, size, hash)
        select %(id)s, workspace_id, id, attempt, %(name)s, %(size)s, %(hash)s
          from step_run
         where id = %(step_run)s and attempt = %(attempt)s and worker_id = %(worker)s and state = 'in_progress'
           and (select count(*) from artifact as other
                 where other.step_run_id = %(step_run)s and other.attempt = %(attempt)s) < %(most)s
            on conflict (step_run_id, attempt, name) do update set size = excluded.size, hash = excluded.hash
        """,
        id=uuid7(),
        step_run=step_run,
        attempt=attempt,
        worker=worker.worker_id,
        name=name,
        size=blob.size,
        hash=blob.hash,
        most=engine.limits.artifacts,
    )
    if not added:
        if await lock_attempt(engine.database, worker.worker_id, step_run, attempt) is None:
            raise Superseded
        raise Invalid(f"a step run may leave at most {engine.limits.artifacts:,} artifacts", code="TOO_MANY_ARTIFACTS")


async def finish(engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int, report: Finish) -> None:
    """End the attempt. May be repeated after a lost answer; raises Superseded, ConsoleIncomplete."""
    async with engine.database.transaction() as tx:
        leased = await lock_attempt(tx, worker.worker_id, step_run, attempt)
        if leased is None:
            if await _has_ended(tx, worker.worker_id, step_run, attempt):
                return
            raise Superseded
        have = await _console_lines(tx, step_run, attempt)
        if have < report.console_lines:
            raise ConsoleIncomplete(have)
        await _write_phases(tx, step_run, attempt, report.phases)
        by = By("worker", worker.worker_id)
        if report.error is not None:
            await events.append(tx, by, event(leased, "step_run.error", {"code": report.error.code.value}))
        await end(engine, tx, leased, report.error, exit_code=report.exit_code, by=by)


async def _has_ended(tx: Statements, worker: WorkerId, step_run: StepRunId, attempt: int) -> bool:
    return bool(
        await tx.value(
            """
            select state in ('completed', 'failed') and coalesce(error_code, '') <> 'WORKER_LOST'
              from step_run
             where id = %(step_run)s and attempt = %(attempt)s and worker_id = %(worker)s
            """,
            step_run=step_run,
            attempt=attempt,
            worker=worker,
        )
    )


async def _console_lines(tx: Statements, step_run: StepRunId, attempt: int) -> int:
    """How many lines have come without a gap: chunks are only ever appended where the last one ended."""
    return int(
        await tx.value(
            """
            select first_line + line_count from console_chunk
             where step_run_id = %(step_run)s and attempt = %(attempt)s
             order by first_line desc
             limit 1
            """,
            step_run=step_run,
            attempt=attempt,
        )
        or 0
    )


async def _write_phases(tx: Tx, step_run: StepRunId, attempt: int, phases: Sequence[PhaseReport]) -> None:
    for phase in phases:
        await tx.execute(
            """
            insert into phase (step_run_id, attempt, position, kind, name, state, started_at, ended_at,
                               first_line, last_line, message)
            values (%(step_run)s, %(attempt)s, %(position)s, %(kind)s, %(name)s, %(state)s,
                    to_timestamp(%(started)s::float8), to_timestamp(%(ended)s::float8),
                    %(first)s, %(last)s, %(message)s)
                on conflict (step_run_id, attempt, position) do update
               set state = excluded.state, ended_at = excluded.ended_at, message = excluded.message,
                   first_line = coalesce(excluded.first_line, phase.first_line), last_line = excluded.last_line,
                   started_at = coalesce(excluded.started_at, phase.started_at)
            """,
            step_run=step_run,
            attempt=attempt,
            position=phase.position,
            kind=phase.kind,
            name=phase.name,
            state=phase.state,
            started=phase.started_at,
            ended=phase.ended_at,
            first=phase.first_line,
            last=phase.last_line,
            message=phase.message,
        )
