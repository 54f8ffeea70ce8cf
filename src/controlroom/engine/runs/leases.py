"""A worker's session and the leases on what it runs.

A step run is leased to one session of one worker: claimed in `claims`, kept by heartbeats here, reported on and ended
in `reports`. Every call names session or attempt, so that a worker that comes back too late changes nothing.
"""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import SEEN, Of, Room, scope_of_worker, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.runs.endings import OF_WORKER, lock_all_of, lose
from controlroom.engine.runs.errors import Superseded
from controlroom.ids import WorkerId, uuid7
from controlroom.postgres.database import Statements
from controlroom.protocol import (
    LEASE_SECONDS,
    Heartbeat,
    Held,
    OpenSession,
    Order,
    Orders,
    Session,
)


async def open_session(engine: Engine, worker: WorkerActor, info: OpenSession) -> Session:
    """Start a session: what an earlier one of the same worker has in hand is lost, and said so at once."""
    session = uuid7()
    scope = scope_of_worker(worker)
    async with scoped(engine.database, scope) as tx:
        await _begin(tx, scope, worker.worker_id, session, info)
        for leased in await lock_all_of(tx, scope, worker.worker_id):
            await lose(engine, tx, leased, "The worker was started anew while the robot was running.")
    return Session(
        session=session,
        worker_id=worker.worker_id,
        workspace_id=worker.workspace_id,
        name=worker.name,
        artifact_bytes=engine.limits.artifact_bytes,
    )


async def _begin(tx: Statements, scope: Of, worker: WorkerId, session: UUID, info: OpenSession) -> None:
    await tx.execute(
        f"""
        update worker
           set session = %(session)s, state = 'idle', slots = %(slots)s, version = %(version)s,
               platform = %(platform)s, sandbox = %(sandbox)s, sandbox_note = %(note)s, trouble = '',
               seen_at = clock_now()
         where id = %(worker)s and workspace_id = {SEEN} and deleted_at is null
        """,
        session=session,
        worker=worker,
        slots=info.slots,
        version=info.version,
        platform=info.platform,
        sandbox=info.sandbox,
        note=info.sandbox_note,
        **scope.params,
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
            f"""
            update worker set state = 'offline', session = null, seen_at = clock_now()
             where id = %(worker)s and workspace_id = {SEEN} and session = %(session)s
            """,
            worker=worker,
            session=session,
            **scope.params,
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
    """Note that a worker lives, and how it is; False if the session is not its own."""
    return bool(
        await db.execute(
            f"""
            update worker
               set seen_at = clock_now(), trouble = left(%(trouble)s, 500),
                   state = case when %(is_busy)s then 'busy' when %(trouble)s <> '' then 'resting' else 'idle' end
             where id = %(worker)s and workspace_id = {SEEN} and session = %(session)s
            """,
            worker=worker,
            session=beat.session,
            is_busy=bool(beat.held),
            trouble=beat.trouble.replace("\0", ""),
            **scope.params,
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
        **scope.params,
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
