"""The files that pass between the room and the worker of a project's run: what its plan names, and its database."""

from collections.abc import AsyncIterator

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import SEEN, Scope, scoped
from controlroom.engine.connections import files
from controlroom.engine.engine import Engine
from controlroom.engine.runs.endings import lock_attempt
from controlroom.engine.runs.errors import Superseded
from controlroom.engine.runs.projects.attempts import ProjectAttempt, attempt_of
from controlroom.errors import Conflict, NotFound
from controlroom.ids import StepRunId
from controlroom.postgres.database import Statements


async def size_of(engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int, digest: str) -> int:
    """How large a file is that an attempt may have: files and artifacts of its project, and its database.

    Raises Superseded, NotFound `FILE_NOT_FOUND`.
    """
    of = await attempt_of(engine, worker, step_run, attempt)
    size = await _size(engine.database, of.scope, of, digest)
    if size is None or await engine.objects.size(digest) is None:
        raise NotFound("there is no such file for this run", code="FILE_NOT_FOUND")
    return size


async def bring_database(
    engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int, content: AsyncIterator[bytes], *, size: int
) -> None:
    """Keep the database as an attempt leaves it: the commit that ends the attempt makes it the next version.

    May be repeated: the last counts. Raises Superseded, Conflict `NO_DATABASE`, DatabaseTooLarge, and Invalid for a
    content of another size.
    """
    of = await attempt_of(engine, worker, step_run, attempt)
    connection = of.work.database
    if connection is None:
        raise Conflict("the run writes no file that the room keeps", code="NO_DATABASE")
    most = engine.limits.database_bytes
    files.ensure_fits(size, most)
    blob = await engine.objects.put(content, expected_size=size, max_size=most)
    async with scoped(engine.database, of.scope) as tx:
        if await lock_attempt(tx, of.scope, worker.worker_id, step_run, attempt) is None:
            raise Superseded
        await files.bring(
            tx,
            connection=connection,
            run=of.run_id,
            step_run=step_run,
            attempt=attempt,
            hash_=blob.hash,
            size=blob.size,
        )


async def _size(db: Statements, scope: Scope, of: ProjectAttempt, digest: str) -> int | None:
    size: int | None = await db.value(
        f"""
        select size from package_version join package on package.id = package_version.package_id
         where package_version.hash = %(hash)s and package.workspace_id = {SEEN}
        union all
        select size from package_commit where hash = %(hash)s and workspace_id = {SEEN}
        union all
        select size from artifact where hash = %(hash)s and workspace_id = {SEEN}
        union all
        select size from connection_file join connection on connection.id = connection_file.connection_id
         where connection_file.hash = %(hash)s and connection.organization_id = %(organization)s
           and connection.id = %(database)s
         limit 1
        """,
        hash=digest,
        database=of.work.database,
        **scope.params,
    )
    return size
