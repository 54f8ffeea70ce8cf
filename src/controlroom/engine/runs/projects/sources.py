"""Where the files of a project's run are: fetched when a worker asks, and the same for every attempt of the run."""

from datetime import datetime

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.engine import Engine
from controlroom.engine.packages.fetches import RefKind
from controlroom.engine.packages.source_store import Ref
from controlroom.engine.projects import sources
from controlroom.engine.projects import store as projects
from controlroom.engine.projects.model import NotYet, Ready, Unobtainable
from controlroom.engine.runs.projects.attempts import ProjectAttempt, attempt_of
from controlroom.engine.targets import store as targets
from controlroom.engine.targets.model import Target
from controlroom.ids import RunId, StepRunId
from controlroom.postgres.database import Statements
from controlroom.project_plans import ProjectSource, SourceComing, SourceHere, SourceRefused

_AGAIN_SECONDS = 0.5
"""After which a worker asks again. Why: a fetch takes seconds, and somebody may wait for the run."""


async def source_for(engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int) -> ProjectSource:
    """The files of an attempt, or when to ask for them again, or why there are none. Raises Superseded."""
    of = await attempt_of(engine, worker, step_run, attempt)
    project = await projects.find(engine.database, of.scope)
    if project is None:
        return SourceRefused("The workspace is no project any more.")
    target = await targets.get(engine.database, of.scope, of.target_id, deleted=True)
    since = of.source_asked_at or await _ask(engine.database, of.scope, of.run_id)
    ref = _ref(of, target)
    match await sources.source_of(engine, of.scope, project, ref, since=since, subdirectory=target.subdirectory):
        case Ready(package, commit, note):
            branch = ref.name if ref is not None and ref.kind is RefKind.BRANCH else of.work.git_branch
            await _found(engine.database, of.scope, of.run_id, commit=commit, branch=branch)
            return SourceHere(package=package, commit=commit or "", branch=branch or "", note=note)
        case NotYet():
            return SourceComing(_AGAIN_SECONDS)
        case Unobtainable(why):
            return SourceRefused(why)


def _ref(of: ProjectAttempt, target: Target) -> Ref | None:
    """What of a repository: what an earlier attempt had, what was asked for, the target's branch, else its own."""
    if (commit := of.commit or of.work.git_sha) is not None:
        return Ref(RefKind.COMMIT, commit.lower())
    branch = of.work.git_branch or (target.branch if target.uses_branch else None)
    return Ref(RefKind.BRANCH, branch) if branch else None


async def _ask(db: Statements, scope: Scope, run: RunId) -> datetime:
    """From when on the files are to be: since a worker has asked for them first."""
    since: datetime = await db.value(
        f"""
        update project_run set source_asked_at = coalesce(source_asked_at, clock_now())
         where run_id = %(run)s and workspace_id = {SEEN}
        returning source_asked_at
        """,
        run=run,
        **scope.params,
    )
    return since


async def _found(db: Statements, scope: Scope, run: RunId, *, commit: str | None, branch: str | None) -> None:
    """Keep what was fetched: it is shown, and a further attempt has the same."""
    await db.execute(
        f"""
        update project_run set commit = %(commit)s, branch = coalesce(branch, %(branch)s)
         where run_id = %(run)s and workspace_id = {SEEN}
           and (commit is distinct from %(commit)s or branch is distinct from coalesce(branch, %(branch)s))
        """,
        run=run,
        commit=commit,
        branch=branch,
        **scope.params,
    )
