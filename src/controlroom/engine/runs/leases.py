"""A worker's session and the leases on what it runs.

A step run is leased to one session of one worker: claimed in `claims`, kept by heartbeats here, reported on and ended
in `reports`. Every call names session or attempt, so that a worker that comes back too late changes nothing.
"""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.credentials import forget_workers
from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import Of, Room, ScopedTx, scope_of_worker, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.runs.endings import OF_WORKER, lock_all_of, lose
from controlroom.engine.runs.errors import Superseded
from controlroom.engine.runs.projects.rules import SLOTS
from controlroom.engine.runs.projects.store import follow_workers
from controlroom.engine.workers import serving
from controlroom.engine.workers.errors import SandboxMissing
from controlroom.engine.workers.store import WORKER
from controlroom.ids import WorkerId, uuid7
from controlroom.postgres.database import Statements
from controlroom.protocol import (
    ABILITIES,
    LEASE_SECONDS,
    Heartbeat,
    Held,
    OpenSession,
    Order,
    Orders,
    SandboxKind,
    Session,
)


async def open_session(engine: Engine, worker: WorkerActor, info: OpenSession) -> Session:
    """Start a session: what an earlier one of the same worker has in hand is lost, and said so at once.

    Raises SandboxMissing for a worker that encloses no robots, serves several workspaces and was not told to mix them.
    """
    session = uuid7()
    scope = scope_of_worker(worker)
    async with scoped(engine.database, scope) as tx:
        is_refused = await _mixes_unasked(tx, worker, info)
        if is_refused:
            await _note_refusal(tx, scope, worker.worker_id, info)
        else:
            await _begin(tx, scope, worker.worker_id, session, info)
            await follow_workers(tx, scope.organization, SLOTS)
            for leased in await lock_all_of(tx, scope, worker.worker_id):
                await lose(engine, tx, leased, "The worker was started anew while the robot was running.")
        tx.after_commit(lambda: forget_workers(engine))  # what it serves depends on what encloses its robots
    if is_refused:
        raise SandboxMissing
    return Session(
        session=session,
        worker_id=worker.worker_id,
        workspace_id=worker.workspaces[0],
        name=worker.name,
        artifact_bytes=engine.limits.artifact_bytes,
    )


async def _mixes_unasked(tx: ScopedTx, worker: WorkerActor, info: OpenSession) -> bool:
    """Whether a worker would run robots of several workspaces that nothing keeps apart, and nobody has allowed it."""
    if info.mixes or info.sandbox is SandboxKind.BWRAP:
        return False
    return len((await serving.now(tx, WORKER, worker.worker_id)).workspaces) > 1


async def _note_refusal(tx: Statements, scope: Of, worker: WorkerId, info: OpenSession) -> None:
    """Let those who look at the worker see why it does not come."""
    await tx.execute(
        """
        update worker set sandbox = %(sandbox)s, sandbox_note = %(note)s, mixes = false
         where id = %(worker)s and organization_id = %(organization)s and deleted_at is null
        """,
        worker=worker,
        sandbox=info.sandbox,
        note=SandboxMissing().message,
        organization=scope.organization,
    )


async def _begin(tx: Statements, scope: Of, worker: WorkerId, session: UUID, info: OpenSession) -> None:
    await tx.execute(
        """
        update worker
           set session = %(session)s,
               state = case when rests_since is null then 'idle' else 'resting' end,
               slots = %(slots)s, version = %(version)s,
               platform = %(platform)s, sandbox = %(sandbox)s, sandbox_note = %(note)s, mixes = %(mixes)s, trouble = '',
               abilities = %(abilities)s::text[],
               seen_at = clock_now()
         where id = %(worker)s and organization_id = %(organization)s and deleted_at is null
        """,
        session=session,
        worker=worker,
        slots=info.slots,
        version=info.version,
        platform=info.platform,
        sandbox=info.sandbox,
        note=info.sandbox_note,
        mixes=info.mixes,
        abilities=[ability for ability in info.abilities if ability in ABILITIES],
        organization=scope.organization,
    )


async def close_session(engine: Engine, worker: WorkerActor, session: UUID) -> None:
    """The worker says good-bye: it is offline, and what it still had in hand is lost."""
    scope = scope_of_worker(worker)
    async with scoped(engine.database, scope) as tx:
        if await _end(tx, scope, worker.worker_id, session):
            for leased in await lock_all_of(tx, scope, worker.worker_id):
                await lose(engine, tx, leased, "The worker was stopped while the robot was running.")


async def _end(tx: Statements, scope: Of, worker: WorkerId, session: UUID) -> bool:
    """End a session, if it is the worker's; whether it was."""
    return bool(
        await tx.execute(
            """
            update worker set state = 'offline', session = null, seen_at = clock_now()
             where id = %(worker)s and organization_id = %(organization)s and session = %(session)s
            """,
            worker=worker,
            session=session,
            organization=scope.organization,
        )
    )


class _Kept(Struct, frozen=True, kw_only=True):
    id: UUID
    attempt: int
    is_terminated: bool
    is_paused: bool


async def heartbeat(engine: Engine, worker: WorkerActor, beat: Heartbeat) -> Orders:
    """Prolong the leases the worker names and say what to do with each; raises Superseded for an older session."""
    scope = scope_of_worker(worker)
    if not await _hear(engine.database, scope, worker.worker_id, beat):
        raise Superseded
    return await _orders(engine.database, scope, worker.worker_id, beat.session, beat.held)


async def _hear(db: Statements, scope: Of, worker: WorkerId, beat: Heartbeat) -> bool:
    """Note that a worker lives, and how it is; False if the session is not its own.

    Whether it is busy is asked of the rows: a heartbeat that is held, or late, says what the worker held long ago, and
    steps are placed by who is idle.
    """
    return bool(
        await db.execute(
            """
            update worker
               set seen_at = clock_now(), trouble = left(%(trouble)s, 500),
                   state = case when exists (select from step_run
                                              where step_run.worker_id = worker.id and step_run.state = 'in_progress'
                                                and step_run.worker_session = %(session)s) then 'busy'
                                when %(trouble)s <> '' or rests_since is not null then 'resting'
                                else 'idle' end
             where id = %(worker)s and organization_id = %(organization)s and session = %(session)s
            """,
            worker=worker,
            session=beat.session,
            trouble=beat.trouble.replace("\0", ""),
            organization=scope.organization,
        )
    )


async def _orders(db: Statements, scope: Of, worker: WorkerId, session: UUID, held: Sequence[Held]) -> Orders:
    """Prolong leases and say what to do with each step run; what is not the worker's any more is to be abandoned."""
    if not held:
        return Orders(())
    kept = await db.all(
        _Kept,
        f"""
        update step_run
           set lease_until = clock_now() + make_interval(secs => %(lease)s)
          from unnest(%(ids)s::uuid[], %(attempts)s::int[]) as held (id, attempt)
         where step_run.id = held.id and step_run.attempt = held.attempt and step_run.state = 'in_progress'
           and {OF_WORKER} and worker_session = %(session)s
        returning step_run.id, step_run.attempt, termination is not null as is_terminated,
                  paused_at is not null as is_paused
        """,
        lease=LEASE_SECONDS,
        ids=[one.step_run_id for one in held],
        attempts=[one.attempt for one in held],
        worker=worker,
        session=session,
        **scope.each,
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


async def mark_silent_offline(db: Statements, _room: Room) -> int:
    """Show workers as offline that have not been heard for as long as a lease; how many."""
    return await db.execute(
        """
        update worker set state = 'offline'
         where state <> 'offline' and seen_at < clock_now() - make_interval(secs => %(silence)s)
        """,
        silence=LEASE_SECONDS,
    )
