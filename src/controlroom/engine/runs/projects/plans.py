"""What a worker is told to do with an attempt of a project's run, secrets included.

A plan is made when it is asked for, and never kept: passwords and variables are what they are then. What it consists
of, and what the run may write, was settled at its start.
"""

from collections.abc import Sequence

from msgspec import Struct

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.connections import files
from controlroom.engine.connections.model import DuckdbSettings, Opened, Overrides, Storage
from controlroom.engine.connections.rules import lock_of
from controlroom.engine.engine import Engine
from controlroom.engine.projects import store as projects
from controlroom.engine.projects.model import Project
from controlroom.engine.runs.model import StartedBy
from controlroom.engine.runs.projects import deferral
from controlroom.engine.runs.projects.attempts import ProjectAttempt, attempt_of
from controlroom.engine.runs.projects.composition import phases_of
from controlroom.engine.runs.projects.model import PullRequestOf, RetryPoint
from controlroom.engine.runs.projects.rules import is_apart
from controlroom.engine.targets import profiles
from controlroom.engine.targets import store as targets
from controlroom.engine.targets.model import Target
from controlroom.engine.variables import store as variables
from controlroom.engine.variables.model import Resolved
from controlroom.errors import ControlRoomError
from controlroom.ids import ConnectionId, RunId, StepRunId
from controlroom.postgres.database import Statements
from controlroom.project_plans import FileRef, ProjectFacts, ProjectPlan, Tool, WorkerFolder
from controlroom.protocol import DatabaseFile
from controlroom.robots.dbt_versions import spoken

_SHORTEST_SECRET = 4
"""Letters. Why: shorter ones would be masked everywhere, and hide nothing."""

_CATEGORIES = {
    PullRequestOf.GITHUB: "github_pull_request",
    PullRequestOf.GITLAB: "gitlab_merge_request",
    PullRequestOf.AZURE: "azure_pull_request",
    PullRequestOf.OTHER: "other",
}


class _Profile(Struct, frozen=True, kw_only=True):
    """What came of opening the target's connection: an output, or why there is none."""

    opened: Opened | None = None
    trouble: str = ""


async def plan_for(engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int) -> ProjectPlan:
    """The plan of an attempt. Raises Superseded."""
    db = engine.database
    of = await attempt_of(engine, worker, step_run, attempt)
    target = await targets.get(db, of.scope, of.target_id, deleted=True)
    project = await projects.find(db, of.scope)
    profile = await _profile(engine, of, target, project)
    found = await variables.resolved(
        db, engine.keys, of.scope, workspace=of.workspace_id, target=of.target_id, process=of.process_id
    )
    manifest = await _deferred(db, of)
    opened = profile.opened
    return ProjectPlan(
        phases=phases_of(of.work),
        tool=Tool(spoken(of.work.tool_version), "duckdb" if opened is None else opened.connection.kind.value),
        subdirectory=(project.subdirectory if project else "") if target.subdirectory is None else target.subdirectory,
        threads=of.work.threads,
        target_name="default" if opened is None else opened.target_name,
        output={} if opened is None else opened.output,
        secrets=_secrets(opened, found),
        variables={each.name: each.value for each in found},
        facts=_facts(of, target),
        database=None if opened is None else await _database(engine, of, opened),
        defer=manifest.file if manifest is not None else None,
        retry=() if of.work.retry is None else await _results(db, of.scope, of.work.retry),
        trouble=profile.trouble,
    )


async def _profile(engine: Engine, of: ProjectAttempt, target: Target, project: Project | None) -> _Profile:
    """The target's connection, opened: the one that the run was started for, or none."""
    overrides = Overrides(schema=of.work.schema, threads=of.work.threads, target_name=of.work.target_name)
    try:
        opened = await profiles.profile_of(
            engine.database,
            engine.keys,
            of.scope,
            target,
            of_project=None
            if project is None or project.connection_id is None
            else ConnectionId(project.connection_id),
            overrides=overrides,
        )
    except ControlRoomError as failed:
        return _Profile(trouble=f"The connection cannot be opened: {failed.message}")
    if lock_of(opened.connection) is not None and opened.connection.id != of.work.database:
        return _Profile(
            trouble=f"The target {target.name} leads to another database than when the run was started: start it anew."
        )
    return _Profile(opened=opened)


def _secrets(opened: Opened | None, found: Sequence[Resolved]) -> tuple[str, ...]:
    """What is to be masked wherever it shows."""
    secrets = set(opened.secrets if opened is not None else ())
    secrets |= {each.value for each in found if each.is_secret and len(each.value) >= _SHORTEST_SECRET}
    return tuple(sorted(secrets))


def _facts(of: ProjectAttempt, target: Target) -> ProjectFacts:
    pull_request = of.work.pull_request
    return ProjectFacts(
        organization=of.organization_number,
        organization_name=of.organization_name,
        project=of.workspace_number,
        project_name=of.workspace_name,
        job=of.process_number,
        job_name=of.process_name,
        run=of.run_number,
        target=target.number,
        target_name=target.name,
        target_kind=target.kind.value,
        target_purpose=None if target.purpose is None else target.purpose.value,
        reason=of.cause or _category(of),
        reason_category=_category(of),
        is_ci=is_apart(of.kind),
        pull_request=None if pull_request is None else pull_request.number,
        sha=of.work.git_sha,
    )


def _category(of: ProjectAttempt) -> str:
    if of.work.pull_request is not None:
        return _CATEGORIES[of.work.pull_request.of]
    return "scheduled" if of.started_by is StartedBy.SCHEDULE else "other"


async def _database(engine: Engine, of: ProjectAttempt, opened: Opened) -> DatabaseFile | WorkerFolder | None:
    settings = opened.connection.settings
    if not isinstance(settings, DuckdbSettings):
        return None
    if settings.storage is Storage.WORKER:
        return WorkerFolder(f"{(settings.folder or '').rstrip('/')}/{settings.path}")
    current = await files.current(engine.database, of.organization_id, opened.connection.id)
    return DatabaseFile(
        connection=opened.connection.number,
        name=settings.path,
        hash=None if current is None else current.hash,
        size=0 if current is None else current.size,
        most_bytes=engine.limits.database_bytes,
    )


async def _deferred(db: Statements, of: ProjectAttempt) -> deferral.Manifest | None:
    manifest = await deferral.deferred_to(db, of.scope, of.work, of.run_id)
    to = None if manifest is None else manifest.run_id
    if to != of.defers_to:
        await _note_deferral(db, of.scope, of.run_id, to)
    return manifest


async def _note_deferral(db: Statements, scope: Scope, run: RunId, to: RunId | None) -> None:
    """Keep to which run a run defers: it is shown."""
    await db.execute(
        f"update project_run set defers_to = %(to)s where run_id = %(run)s and workspace_id = {SEEN}",
        run=run,
        to=to,
        **scope.params,
    )


async def _results(db: Statements, scope: Scope, point: RetryPoint) -> tuple[FileRef, ...]:
    """What the command has left that a retry goes on from."""
    found = await db.all(
        FileRef,
        f"""
        select name, hash, size from artifact
         where workspace_id = {SEEN} and step_run_id = %(of)s and attempt = %(of_attempt)s and phase = %(phase)s
           and name in ('run_results.json', 'manifest.json')
         order by name
        """,
        of=point.step_run,
        of_attempt=point.attempt,
        phase=point.phase,
        **scope.params,
    )
    return tuple(found)
