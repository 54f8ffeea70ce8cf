"""Runs (§3.2, §3.3, §3.8, §4): list, one, trigger, cancel, retry, rerun."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from controlroom.border.columns import As, Words
from controlroom.dialects.dbt_cloud.answers import Listed, Shape, Text
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, find
from controlroom.dialects.dbt_cloud.lists import EVERY, Columns, Numbered, page
from controlroom.dialects.dbt_cloud.routing import get, post
from controlroom.dialects.dbt_cloud.run_audit import audits_of
from controlroom.dialects.dbt_cloud.run_related import beside_runs
from controlroom.dialects.dbt_cloud.run_shapes import REFUSALS, STATUS, RunShown, shown_run, shown_trigger
from controlroom.dialects.dbt_cloud.run_steps import MOST_LOG, MOST_LOG_OF_LISTED, steps_of
from controlroom.engine.access.scope import Scope
from controlroom.engine.jobs.store import JOB
from controlroom.engine.lists.model import equal
from controlroom.engine.nouns import ever
from controlroom.engine.processes.rules import LONGEST_TIMEOUT
from controlroom.engine.runs import actions
from controlroom.engine.runs.model import DefaultInput, Overrides, Run, StopRequest
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.runs.projects import blocking, listings, retries
from controlroom.engine.runs.projects.errors import RetryRefused
from controlroom.engine.runs.projects.listings import PROJECT_RUNS, ListedRun
from controlroom.engine.runs.projects.model import ProjectOverrides, Stage
from controlroom.engine.runs.projects.retry_rules import RetryRefusal
from controlroom.engine.runs.store import RUN
from controlroom.engine.targets.store import TARGET
from controlroom.engine.tenancy import Of
from controlroom.errors import Conflict
from controlroom.ids import RunId

SCHEMA_PREFIX: Final = "dbt_cloud"
"""How the schema of a pull request begins (§4)."""
_LONGEST_SECONDS: Final = int(LONGEST_TIMEOUT.total_seconds())
_CANCELLED: Final = "The run was cancelled."

_RUNS: Final = Columns(
    PROJECT_RUNS,
    {
        "id": "id",
        "job_definition_id": Numbered("process_id", ever(JOB), is_beside=True),
        "job_id": Numbered("process_id", ever(JOB), is_beside=True),
        "environment_id": Numbered("target_id", ever(TARGET), is_beside=True),
        "status": Words({str(status): equal(stage=stage) for stage, status in STATUS.items()}),
        "created_at": As("created_at", sort="id"),
        "finished_at": "ended_at",
        "dbt_version": "tool_version",
        "deferring_run_id": Numbered("defers_to", RUN),
        "has_docs_generated": "has_docs",
        "has_sources_generated": "has_sources",
        "state": EVERY,
    },
    state="all",
)


class Trigger(Shape, frozen=True, kw_only=True):
    """Why a job shall run, and what it shall have in place of what it says; each part may be null or left out."""

    cause: Text = ""
    git_sha: Text = ""
    git_branch: Text = ""
    azure_pull_request_id: int | None = None
    github_pull_request_id: int | None = None
    gitlab_merge_request_id: int | None = None
    non_native_pull_request_id: int | None = None
    schema_override: Text = ""
    dbt_version_override: Text = ""
    threads_override: int | None = None
    target_name_override: Text = ""
    generate_docs_override: bool | None = None
    timeout_seconds_override: int | None = None
    steps_override: tuple[str, ...] = ()

    def parameters(self) -> RunParameters:
        """The same in the engine's words."""
        project = ProjectOverrides(
            git_sha=self.git_sha or None,
            git_branch=self.git_branch or None,
            azure_pull_request_id=self.azure_pull_request_id,
            github_pull_request_id=self.github_pull_request_id,
            gitlab_merge_request_id=self.gitlab_merge_request_id,
            non_native_pull_request_id=self.non_native_pull_request_id,
            schema=self.schema_override or None,
            schema_prefix=SCHEMA_PREFIX,
            tool_version=self.dbt_version_override or None,
            threads=self.threads_override,
            target_name=self.target_name_override or None,
            generate_docs=self.generate_docs_override,
            steps=self.steps_override or None,
        )
        limit = self.timeout_seconds_override
        if limit and abs(limit) > _LONGEST_SECONDS:
            raise FieldsWrong({"timeout_seconds_override": f"at most {_LONGEST_SECONDS:,} seconds"})
        overrides = Overrides(project=project, timeout=timedelta(seconds=limit) if limit else None)
        return RunParameters(cause=self.cause, overrides=overrides)


class RetryShown(Shape, frozen=True, kw_only=True):
    """With what a retry would begin, and what was skipped behind it."""

    failed_step: str
    skipped_steps: list[str]


@get("/accounts/{account}/runs", needs=Permission.READ_RUNS, rows=_RUNS)
async def list_runs(request: Asking) -> Listed[RunShown]:
    """The runs of all jobs that the token sees."""
    found = await page(request, ListedRun)
    return found.shown(await told(request, found.rows, request.related, most=MOST_LOG_OF_LISTED))


@get("/accounts/{account}/runs/{run}", needs=Permission.READ_RUNS)
async def get_run(request: Asking, run: Id) -> RunShown:
    """A run, with its steps."""
    located = await find(request, RUN, run)
    return await _one(request, await listings.listed(request.db, located.scope, located.id))


@post("/accounts/{account}/jobs/{job}/run", needs=Permission.START_RUNS, any_ids=True)
async def trigger_job_run(request: Asking, job: Id, data: Body[Trigger | None] = None) -> RunShown:
    """Let a job run."""
    located = await find(request, JOB, job)
    workspace = located.scope.workspace
    asked = (data or Trigger()).parameters()
    run = await actions.start(request.engine, request.actor, workspace, located.id, DefaultInput(), asked)
    assert run is not None  # noqa: S101 - it has an item of its own
    return await _started(request, located.scope, run)


@post("/accounts/{account}/jobs/{job}/rerun", needs=Permission.START_RUNS)
async def rerun_job(request: Asking, job: Id) -> RunShown:
    """Let a job go on where its last run failed; if that has not, let it run anew."""
    located = await find(request, JOB, job)
    run = await retries.rerun(request.engine, request.actor, located.scope.workspace, located.id)
    return await _started(request, located.scope, run)


@post("/accounts/{account}/runs/{run}/cancel", needs=Permission.START_RUNS)
async def cancel_run(request: Asking, run: Id) -> RunShown:
    """End a run, wherever it is; one that has ended stays as it is."""
    located = await find(request, RUN, run)
    found = await listings.listed(request.db, located.scope, located.id)
    if found.ended_at is None:
        stop = StopRequest(terminate=True, remaining_done=False, reason=_CANCELLED)
        await actions.stop(request.engine, request.actor, located.scope.workspace, located.id, stop)
        found = await listings.listed(request.db, located.scope, located.id)
    return await _one(request, found)


@get("/accounts/{account}/runs/{run}/retry", needs=Permission.READ_RUNS)
async def get_retry(request: Asking, run: Id) -> RetryShown:
    """With what a retry of the run would begin. Raises what the retry would be refused for."""
    located = await find(request, RUN, run)
    found = await listings.listed(request.db, located.scope, located.id)
    retry = (await retries.standings(request.db, located.scope, [found.run_id]))[found.run_id]
    if isinstance(retry, RetryRefusal):
        raise _refused(run, retry)
    return RetryShown(failed_step=retry.failed.line, skipped_steps=[each.line for each in retry.skipped])


@post("/accounts/{account}/runs/{run}/retry", needs=Permission.START_RUNS)
async def retry_run(request: Asking, run: Id) -> RunShown:
    """Start a run that goes on where another one failed."""
    located = await find(request, RUN, run)
    try:
        started = await retries.retry(request.engine, request.actor, located.scope.workspace, located.id)
    except RetryRefused as refused:
        raise _refused(run, refused.reason) from refused
    return await _started(request, located.scope, started)


def _refused(run: str, refusal: RetryRefusal) -> Conflict:
    """Why a run cannot be retried, by the word that its `retry_not_supported_reason` has."""
    reason = str(REFUSALS[refusal])
    why = RetryRefused.why(refusal)
    return Conflict(f"run {run} cannot be retried: {why} ({reason})", code=reason, retry_not_supported_reason=reason)


async def _started(request: Asking, scope: Scope, run: Run) -> RunShown:
    found = await listings.listed(request.db, scope, run.id)
    [shown] = await told(request, [found], {"trigger", "job"}, most=MOST_LOG)  # Dagster reads the job's schedule here
    return shown


async def _one(request: Asking, run: ListedRun) -> RunShown:
    """A run, always with its steps."""
    [shown] = await told(request, [run], request.related | {"run_steps"}, most=MOST_LOG)
    return shown


async def told(
    request: Asking, runs: Sequence[ListedRun], related: AbstractSet[str] = frozenset(), *, most: int = 0
) -> list[RunShown]:
    """Runs, with what is asked for beside them; of each step's log so many bytes."""
    if not runs:
        return []
    seen = request.seen
    assert isinstance(seen, Of)  # noqa: S101 - it is no robot's
    retry = await retries.standings(request.db, seen, [run.run_id for run in runs])
    waits = await _blocked(request, seen, [run for run in runs if run.stage is Stage.QUEUED])
    steps = await steps_of(request, runs, most=most) if related & {"run_steps", "debug_logs"} else {}
    audits = await audits_of(request, runs) if "audit" in related else {}
    beside = await beside_runs(request, seen, runs, related)
    return [
        replace(
            shown_run(
                run,
                account=request.account,
                origin=request.origin,
                retry=retry.get(run.run_id),
                blocked_by=waits.get(run.run_id, []),
            ),
            trigger=shown_trigger(run) if "trigger" in related else None,
            job=beside.jobs.get(run.process_id),
            environment=beside.environments.get(run.target_id),
            repository=beside.repositories.get(run.workspace_id),
            run_steps=steps.get(run.number, []),
            audit=audits.get(run.run_id),
            run_retries=_retries(request, beside.retries, run),
        )
        for run in runs
    ]


def _retries(request: Asking, of: Mapping[int, list[ListedRun]] | None, run: ListedRun) -> list[RunShown] | None:
    """The runs that have gone on where a run failed, if they are asked for."""
    if of is None:
        return None
    account, origin = request.account, request.origin
    return [
        shown_run(each, account=account, origin=origin, retry=None, blocked_by=[]) for each in of.get(run.number, [])
    ]


async def _blocked(request: Asking, seen: Of, runs: Sequence[ListedRun]) -> dict[RunId, list[int]]:
    """The numbers of the runs for which queued ones wait, workspace by workspace: a line is one workspace's, mostly."""
    found: dict[RunId, list[int]] = {}
    for workspace in dict.fromkeys(run.workspace_id for run in runs):
        of = Of(seen.organization, (workspace,))
        queued = [run.run_id for run in runs if run.workspace_id == workspace]
        found |= await blocking.blocked_by(request.db, of, queued, seen=seen)
    return found
