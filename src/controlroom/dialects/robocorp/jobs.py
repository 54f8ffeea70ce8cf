"""Jobs of a project (our own management API): processes that run dbt commands against a target."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.border.links import download_url
from controlroom.dialects.robocorp.answers import Deleted, Identified, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.process_runs import NotStarted
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.access.scope import Scope, scope_of, within
from controlroom.engine.chains.model import End
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.engine import Engine
from controlroom.engine.job_definitions import actions, store
from controlroom.engine.job_definitions.listings import JOBS
from controlroom.engine.job_definitions.model import Follows, JobDefinition, ListedJob
from controlroom.engine.jobs import store as jobs
from controlroom.engine.jobs.model import CustomCron, JobKind, JobSettings, Timetable
from controlroom.engine.jobs.store import JOB
from controlroom.engine.jobs.timetables import cron_of
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, Asked, Compare, Operator, behind, equal
from controlroom.engine.nouns import Noun
from controlroom.engine.references import locate, resolve
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import DefaultInput, Overrides
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.runs.projects import left
from controlroom.engine.runs.projects.errors import NoDocs
from controlroom.engine.runs.projects.model import ProjectOverrides
from controlroom.engine.schedules.words import in_words
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Target, TargetKind
from controlroom.engine.targets.store import TARGET
from controlroom.errors import Invalid
from controlroom.ids import ProcessId, RunId, TargetId

_LONGEST_SECONDS = 1e9  # far beyond what a job may ask for, and what a timedelta holds
Seconds = Annotated[float, Meta(ge=0, le=_LONGEST_SECONDS)]


class JobTarget(Shape, frozen=True):
    """What a job works on."""

    id: TargetId
    number: int
    name: str


class FollowedJob(Shape, frozen=True):
    """The job whose ends start this one, in which workspace it is, and which ends."""

    job: Identified
    workspace: Identified
    after: tuple[End, ...]


class JobAnswer(Shape, frozen=True, kw_only=True):
    """A job. As a process it has the same id."""

    id: ProcessId
    number: int
    name: str
    description: str
    kind: JobKind
    target: JobTarget
    commands: list[str]
    timeout_seconds: float | None
    threads: int
    target_name: str
    tool_version: str | None
    """None: the target's."""
    generates_docs: bool
    checks_freshness: bool
    defer_to_job: Identified | None
    defer_to_target: Identified | None
    enabled: bool
    scheduled: bool
    cron: str
    """When it is due while it is scheduled; of UTC."""
    cron_in_words: str
    next_due: datetime | None
    follows: FollowedJob | None
    failures: int
    """How many of its last runs have failed, one after the other."""
    created_at: datetime
    updated_at: datetime


class FollowsBody(OwnBody, frozen=True, kw_only=True):
    """The job whose ends shall start this one (by id, number or name, of any workspace that you see), and which."""

    job: str
    after: tuple[End, ...] = (End.COMPLETED,)


class CreateJob(OwnBody, frozen=True, kw_only=True):
    """A new job of the project that the workspace is. Without `cron` it would be due every hour.

    Targets and jobs are named by id, number or name; the target need not be if there is only one for jobs.
    """

    name: str
    target: str | None = None
    commands: tuple[str, ...] = ()
    description: str = ""
    kind: JobKind | None = None
    timeout_seconds: Seconds | None = None
    threads: int = JobSettings().threads
    target_name: str = JobSettings().target_name
    tool_version: str | None = None
    generates_docs: bool = False
    checks_freshness: bool = False
    defer_to_job: str | None = None
    defer_to_target: str | None = None
    enabled: bool = True
    scheduled: bool = False
    cron: str | None = None
    follows: FollowsBody | None = None


class UpdateJob(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays."""

    name: str | UnsetType = UNSET
    target: str | UnsetType = UNSET
    commands: tuple[str, ...] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    kind: JobKind | UnsetType = UNSET
    timeout_seconds: Seconds | UnsetType | None = UNSET
    threads: int | UnsetType = UNSET
    target_name: str | UnsetType = UNSET
    tool_version: str | UnsetType | None = UNSET
    generates_docs: bool | UnsetType = UNSET
    checks_freshness: bool | UnsetType = UNSET
    defer_to_job: str | UnsetType | None = UNSET
    defer_to_target: str | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    scheduled: bool | UnsetType = UNSET
    cron: str | UnsetType = UNSET
    follows: FollowsBody | UnsetType | None = UNSET


class StartedJob(Shape, frozen=True):
    """The run that was started."""

    id: RunId
    number: int
    """By which the dbt Cloud grammar, and the commands that speak it, know the run."""
    started: Literal[True] = True


class JobRun(Shape, frozen=True):
    """A run of a job."""

    id: RunId
    number: int


class JobDocs(Shape, frozen=True):
    """Documentation of a project: which run has made it, and where it may be looked at for an hour."""

    url: str
    run: JobRun


class StartJob(OwnBody, frozen=True, kw_only=True):
    """What one run has in place of what its job says."""

    cause: str = ""
    idempotency_key: str | None = None
    timeout_seconds: Seconds | None = None
    git_branch: str | None = None
    git_sha: str | None = None
    pull_request: int | None = None
    """Of a change that is tried out; its schema is its own, if no other is named."""
    schema: str | None = None
    threads: int | None = None
    target_name: str | None = None
    tool_version: str | None = None
    generates_docs: bool | None = None
    commands: tuple[str, ...] | None = None


@get("/jobs", needs=Permission.READ_PROCESSES)
async def list_jobs(request: Asking, paging: Pages) -> Page[JobAnswer]:
    """List the jobs of the workspace, oldest first."""
    position = paging.after(ProcessId)
    there = AllOf((Compare("is_there", Operator.EQ, value=True),))
    asked = Asked(filter=there, start=behind(position["after"]), length=position["limit"])
    rows = await pages.rows(request.db, ListedJob, JOBS, within(request.seen), asked)
    return paging.page(rows, _show)


@post("/jobs")
async def create_job(request: Asking, data: Body[CreateJob]) -> JobAnswer:
    """Make a job."""
    asked = _as_change(data)
    found = await _found(request, asked)
    target = await _only_target(request) if found.target is UNSET else found.target
    new = JobDefinition(name=data.name, target=target)
    return _show(await actions.create(*request.acting, _changed(new, asked, found)))


@get("/jobs/{job_id:uuid}", needs=Permission.READ_PROCESSES)
async def get_job(request: Asking, job_id: Path[ProcessId]) -> JobAnswer:
    """Get a job."""
    return _show(await store.get(*request.reading, job_id))


@update("/jobs/{job_id:uuid}")
async def update_job(request: Asking, job_id: Path[ProcessId], data: Body[UpdateJob]) -> JobAnswer:
    """Change a job. Runs under way go on as they were started."""
    found = await _found(request, data)
    return _show(await actions.change(*request.acting, job_id, lambda before: _changed(before, data, found)))


@delete("/jobs/{job_id:uuid}")
async def delete_job(request: Asking, job_id: Path[ProcessId]) -> Deleted:
    """Delete a job. Its runs that are under way are stopped; all stay readable."""
    return await Deleted.after(job_id, actions.delete(*request.acting, job_id))


@post("/jobs/{job_id:uuid}/process-runs")
async def start_job(
    request: Asking, job_id: Path[ProcessId], data: Body[StartJob | None] = None
) -> StartedJob | NotStarted:
    """Start a job, as it says or otherwise for this one run."""
    engine, actor, workspace = request.acting
    await jobs.get(engine.database, scope_of(actor, Permission.START_RUNS, workspace), job_id)
    run = await runs.start(engine, actor, workspace, job_id, DefaultInput(), _parameters_of(data or StartJob()))
    return NotStarted() if run is None else StartedJob(run.id, run.number)


@get("/jobs/{job_id:uuid}/docs", needs=Permission.READ_RUN_OUTPUTS)
async def get_job_docs(request: Asking, job_id: Path[ProcessId]) -> JobDocs:
    """Get the address of the documentation that the last good run has made of the project: a page of its own."""
    await jobs.get(*request.reading, job_id)
    page = await left.file_of_job(*request.reading, job_id, left.DOCS_PAGE)
    if page is None:
        raise NoDocs
    url = download_url(request, DownloadKind.ARTIFACT, page.id, file_name=f"docs-{page.run_number}.html")
    return JobDocs(url, JobRun(page.run_id, page.run_number))


# ---------------------------------------------------------------------------------------------------- telling
def _identified(id_: Any) -> Identified | None:
    return None if id_ is None else Identified(id_)


def _followed(job: ListedJob) -> FollowedJob | None:
    if job.follows is None:
        return None
    return FollowedJob(Identified(job.follows.process), Identified(job.follows.workspace), job.follows.ends)


def _cron(job: ListedJob) -> str:
    return cron_of(job.definition.settings.timetable)


_show = shown_as(
    JobAnswer,
    ListedJob,
    target=lambda job: JobTarget(job.target_id, job.target_number, job.target_name),
    commands=lambda job: [command.name for command in job.commands],
    timeout_seconds=lambda job: job.timeout.total_seconds() if job.timeout else None,
    threads=lambda job: job.settings.threads,
    target_name=lambda job: job.settings.target_name,
    tool_version=lambda job: job.settings.tool_version,
    generates_docs=lambda job: job.settings.generates_docs,
    checks_freshness=lambda job: job.settings.checks_freshness,
    defer_to_job=lambda job: _identified(job.settings.defer_to_process),
    defer_to_target=lambda job: _identified(job.settings.defer_to_target),
    enabled="is_enabled",
    scheduled="is_scheduled",
    cron=_cron,
    cron_in_words=lambda job: in_words(_cron(job)),
    follows=_followed,
)


# ---------------------------------------------------------------------------------------------------- reading
class _Found(Struct, frozen=True, kw_only=True):
    """What a body names; UNSET where it names nothing, and leaves what there is."""

    target: TargetId | UnsetType = UNSET
    defer_to_process: ProcessId | UnsetType | None = UNSET
    defer_to_target: TargetId | UnsetType | None = UNSET
    follows: Follows | UnsetType | None = UNSET


async def _found(request: Asking, data: UpdateJob) -> _Found:
    """Raises NotFound for what the caller does not see."""
    engine, actor, workspace = request.acting
    here = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    readable = scope_of(actor, Permission.READ_PROCESSES)
    follows: Follows | UnsetType | None = UNSET
    if data.follows is None:
        follows = None
    elif data.follows is not UNSET:
        first = await locate(engine.database, readable, JOB, data.follows.job)
        follows = Follows(process=first.id, workspace=first.scope.workspace, ends=data.follows.after)
    target = await _named(engine, here, TARGET, data.target)
    return _Found(
        target=UNSET if target is None else target,
        defer_to_process=await _named(engine, readable, JOB, data.defer_to_job),
        defer_to_target=await _named(engine, here, TARGET, data.defer_to_target),
        follows=follows,
    )


async def _named(engine: Engine, seen: Scope, noun: Noun[Any], text: str | UnsetType | None) -> Any:
    """The id of what a text names; nothing, or UNSET, as it is."""
    return text if text is None or text is UNSET else await resolve(engine.database, seen, noun, text)


async def _only_target(request: Asking) -> TargetId:
    engine, actor, workspace = request.acting
    here = within(scope_of(actor, Permission.WRITE_PROCESSES, workspace))
    asked = Asked(filter=equal(kind=TargetKind.DEPLOYMENT.value, is_there=True), length=2)
    found = await pages.rows(engine.database, Target, TARGETS, here, asked)
    if len(found) != 1:
        why = "there is none yet" if not found else "there are several"
        raise Invalid(f"which target? {why}: name one", code="JOB_INVALID", field="target")
    return found[0].id


def _as_change(data: CreateJob) -> UpdateJob:
    said = {field: getattr(data, field) for field in data.__struct_fields__}
    return UpdateJob(**{name: value for name, value in said.items() if value is not None})


def _changed(before: JobDefinition, data: UpdateJob, found: _Found) -> JobDefinition:
    """What a job was, with all that is said."""
    names = ("name", "commands", "description", "kind")
    changes: dict[str, Any] = {name: value for name in names if (value := getattr(data, name)) is not UNSET}
    if data.timeout_seconds is not UNSET:
        changes["timeout"] = timedelta(seconds=data.timeout_seconds) if data.timeout_seconds else None
    if data.enabled is not UNSET:
        changes["is_enabled"] = data.enabled
    changes |= {name: value for name in ("target", "follows") if (value := getattr(found, name)) is not UNSET}
    return replace(before, **changes, settings=_settings(before.settings, data, found))


def _settings(before: JobSettings, data: UpdateJob, found: _Found) -> JobSettings:
    names = ("threads", "target_name", "tool_version", "generates_docs", "checks_freshness")
    changes: dict[str, Any] = {name: value for name in names if (value := getattr(data, name)) is not UNSET}
    if data.scheduled is not UNSET:
        changes["is_scheduled"] = data.scheduled
    if data.cron is not UNSET:
        changes["timetable"] = Timetable(CustomCron(data.cron.strip()))
    named = ("defer_to_process", "defer_to_target")
    changes |= {name: value for name in named if (value := getattr(found, name)) is not UNSET}
    return replace(before, **changes)


def _parameters_of(asked: StartJob) -> RunParameters:
    project = ProjectOverrides(
        git_branch=asked.git_branch,
        git_sha=asked.git_sha,
        non_native_pull_request_id=asked.pull_request,
        schema=asked.schema,
        threads=asked.threads,
        target_name=asked.target_name,
        tool_version=asked.tool_version,
        generate_docs=asked.generates_docs,
        steps=asked.commands,
    )
    timeout = timedelta(seconds=asked.timeout_seconds) if asked.timeout_seconds else None
    return RunParameters(
        cause=asked.cause,
        idempotency_key=asked.idempotency_key,
        overrides=Overrides(timeout=timeout, project=None if project == ProjectOverrides() else project),
    )
