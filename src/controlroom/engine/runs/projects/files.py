"""The files that the worker of a project's run fetches: what its plan names, and its database."""

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.engine import Engine
from controlroom.engine.runs.projects.attempts import attempt_of
from controlroom.errors import NotFound
from controlroom.ids import StepRunId
from controlroom.postgres.database import Statements


async def size_of(engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int, digest: str) -> int:
    """How large a file is that an attempt may have: files and artifacts of its project.

    Raises Superseded, NotFound `FILE_NOT_FOUND`.
    """
    of = await attempt_of(engine, worker, step_run, attempt)
    size = await _size(engine.database, of.scope, digest)
    if size is None or await engine.objects.size(digest) is None:
        raise NotFound("there is no such file for this run", code="FILE_NOT_FOUND")
    return size


async def _size(db: Statements, scope: Scope, digest: str) -> int | None:
    size: int | None = await db.value(
        f"""
        select size from package_version join package on package.id = package_version.package_id
         where package_version.hash = %(hash)s and package.workspace_id = {SEEN}
        union all
        select size from package_commit where hash = %(hash)s and workspace_id = {SEEN}
        union all
        select size from artifact where hash = %(hash)s and workspace_id = {SEEN}
         limit 1
        """,
        hash=digest,
        **scope.params,
    )
    return size
