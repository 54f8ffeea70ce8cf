"""The file of a database, as an attempt works on it: which one it gets, and what it brings back.

A step says on whose file it works, a project's run by its target. Either run holds the lock of the file from its start
to its end (`connections.rules.lock_of`), so that nobody else has written a version when it brings the next.
"""

from collections.abc import AsyncIterator
from typing import Final

from msgspec import Struct

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import SEEN, Of, ScopedTx, scope_of_worker, scoped
from controlroom.engine.connections import files
from controlroom.engine.connections.model import DuckdbSettings
from controlroom.engine.engine import Engine
from controlroom.engine.runs.endings import OF_WORKER, Leased, lock_attempt
from controlroom.engine.runs.errors import Superseded
from controlroom.errors import Conflict, NotFound
from controlroom.ids import ConnectionId, OrganizationId, RunId, StepRunId, WorkerId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.protocol import DatabaseFile

_HOLDS_ITS_LOCK: Final = """run.parameters -> 'locks' @> jsonb_build_array(
               jsonb_build_object('name', 'database:' || connection.number, 'of', 'organization'))"""
"""The condition that a run began with the lock of a connection: a step may name another one since."""


class _Current(Struct, frozen=True):
    number: int
    settings: DuckdbSettings
    hash: str | None
    size: int


async def given(engine: Engine, scope: Of, step_run: StepRunId) -> DatabaseFile | None:
    """The file that a step run works on, as the one before has left it.

    None where its run does not hold the lock of it, because its step has named another since that was started.
    """
    found = await engine.database.one_or_none(
        _Current,
        f"""
        select connection.number, connection.settings, current.hash, coalesce(current.size, 0) as size
          from step_run join run on run.id = step_run.run_id join step on step.id = step_run.step_id
          join connection on connection.id = step.database_id
          left join lateral (select hash, size from connection_file
                              where connection_file.connection_id = connection.id and version is not null
                              order by version desc
                              limit 1) as current on true
         where step_run.id = %(of)s and step_run.workspace_id = {SEEN} and connection.deleted_at is null
           and {_HOLDS_ITS_LOCK}
        """,
        of=step_run,
        **scope.params,
    )
    if found is None:
        return None
    return DatabaseFile(
        connection=found.number,
        name=found.settings.path,
        hash=found.hash,
        size=found.size,
        most_bytes=engine.limits.database_bytes,
    )


async def size_of(engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int, digest: str) -> int:
    """How large a version of its database is that an attempt fetches. Raises Superseded, NotFound `FILE_NOT_FOUND`."""
    of = await _working(engine.database, scope_of_worker(worker), worker.worker_id, step_run, attempt)
    current = None
    if of.connection_id is not None:
        current = await files.current(engine.database, of.organization_id, of.connection_id)
    if current is None or current.hash != digest or await engine.objects.size(digest) is None:
        raise NotFound("there is no such file for this run", code="FILE_NOT_FOUND")
    return current.size


async def bring(
    engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int, content: AsyncIterator[bytes], *, size: int
) -> None:
    """Keep the database as an attempt leaves it: the commit that ends the attempt makes it the next version.

    May be repeated: the last counts. Raises Superseded, Conflict `NO_DATABASE`, DatabaseTooLarge, and Invalid for a
    content of another size.
    """
    of = await _working(engine.database, scope_of_worker(worker), worker.worker_id, step_run, attempt)
    if of.connection_id is None:
        raise Conflict("the run writes no file that the room keeps", code="NO_DATABASE")
    most = engine.limits.database_bytes
    files.ensure_fits(size, most)
    blob = await engine.objects.put(content, expected_size=size, max_size=most)
    async with scoped(engine.database, of.scope) as tx:
        if await lock_attempt(tx, of.scope, worker.worker_id, step_run, attempt) is None:
            raise Superseded
        await files.bring(
            tx,
            connection=of.connection_id,
            run=of.run_id,
            step_run=step_run,
            attempt=attempt,
            hash_=blob.hash,
            size=blob.size,
        )


async def publish(engine: Engine, tx: ScopedTx, leased: Leased) -> None:
    """What a locked attempt has brought is what the next run begins with, however it ended."""
    await files.publish(tx, leased.id, leased.attempt, most=engine.limits.database_versions)


class _Working(Struct, frozen=True):
    run_id: RunId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    connection_id: ConnectionId | None

    @property
    def scope(self) -> Of:
        return Of(self.organization_id, (self.workspace_id,))


async def _working(db: Statements, scope: Of, worker: WorkerId, step_run: StepRunId, attempt: int) -> _Working:
    """An attempt that the worker has, and whose file it writes. Raises Superseded."""
    found = await db.one_or_none(
        _Working,
        f"""
        select run.id as run_id, step_run.workspace_id, workspace.organization_id,
               coalesce((project_run.work ->> 'database')::uuid,
                        (select connection.id from connection
                          where connection.id = step.database_id and connection.deleted_at is null
                            and {_HOLDS_ITS_LOCK})) as connection_id
          from step_run
          join run on run.id = step_run.run_id
          join step on step.id = step_run.step_id
          join workspace on workspace.id = step_run.workspace_id
          left join project_run on project_run.run_id = run.id
         where step_run.id = %(of)s and step_run.attempt = %(of_attempt)s and step_run.state = 'in_progress'
           and {OF_WORKER}
        """,
        of=step_run,
        of_attempt=attempt,
        worker=worker,
        **scope.each,
    )
    if found is None:
        raise Superseded
    return found
