"""What a run defers to: the manifest of the last good run of a job, or of any job on a target."""

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.runs.projects.model import ProjectWork
from controlroom.ids import RunId
from controlroom.postgres.database import Statements
from controlroom.project_plans import FileRef


class Manifest(Struct, frozen=True):
    """A manifest, and the run that has left it."""

    run_id: RunId
    name: str
    hash: str
    size: int

    @property
    def file(self) -> FileRef:
        """The same as a plan names it."""
        return FileRef(self.name, self.hash, self.size)


async def deferred_to(db: Statements, scope: Scope, work: ProjectWork, run: RunId) -> Manifest | None:
    """The manifest that a run defers to as it is now; None if it defers to none, or there is no good run yet.

    A run never defers to itself, nor to a newer one. Tries of changes are good for nobody else on their target.
    """
    if work.defer_to_process is not None:
        return await _last_good(db, scope, "process_id = %(of)s", work.defer_to_process, run)
    if work.defer_to_target is not None:
        return await _last_good(db, scope, "target_id = %(of)s and kind <> 'ci'", work.defer_to_target, run)
    return None


async def _last_good(db: Statements, scope: Scope, which: str, of: object, run: RunId) -> Manifest | None:
    return await db.one_or_none(
        Manifest,
        f"""
        select good.run_id, artifact.name, artifact.hash, artifact.size
          from (select run_id, run_number from project_run
                 where {which} and stage = 'succeeded' and workspace_id = {SEEN}
                   and run_number < (select number from run where id = %(run)s)
                 order by run_number desc
                 limit 20) as good
          join step_run on step_run.run_id = good.run_id
          join artifact on artifact.step_run_id = step_run.id and artifact.attempt = step_run.attempt
                       and artifact.name = 'manifest.json'
         order by good.run_number desc, artifact.phase desc
         limit 1
        """,
        of=of,
        run=run,
        **scope.params,
    )
