"""Runs and their triggers as they are told (§3.8). Their times have a blank: strict clients take no other form."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from controlroom.border.answers import worded
from controlroom.dialects.dbt_cloud.answers import Shape
from controlroom.dialects.dbt_cloud.times import ago, clock, humanized, with_blank
from controlroom.dialects.dbt_cloud.words import told
from controlroom.engine.jobs.model import JobKind
from controlroom.engine.runs.model import StartedBy
from controlroom.engine.runs.projects.listings import ListedRun
from controlroom.engine.runs.projects.model import NO_OVERRIDES, Stage
from controlroom.engine.runs.projects.retry_rules import Retry, RetryRefusal
from controlroom.protocol import ErrorCode

STATUS: Final[Mapping[Stage, int]] = {
    Stage.QUEUED: 1,
    Stage.STARTING: 2,
    Stage.RUNNING: 3,
    Stage.SUCCEEDED: 10,
    Stage.FAILED: 20,
    Stage.CANCELLED: 30,
}
WORDS: Final[Mapping[int, str]] = {
    1: "Queued",
    2: "Starting",
    3: "Running",
    10: "Success",
    20: "Error",
    30: "Cancelled",
}
"""By status; there are clients that stop at any other word."""
REFUSALS: Final = worded(
    RetryRefusal,
    RETRY_NOT_FAILED_RUN="not_failed",
    RETRY_NOT_LATEST_RUN="not_latest",
    RETRY_UNSUPPORTED_VERSION="unsupported_version",
    RETRY_UNSUPPORTED_CMD="unsupported_command",
    RETRY_NO_RUN_RESULTS="no_results",
)
_CATEGORIES: Final[Mapping[StartedBy, str]] = {
    StartedBy.API: "api",
    StartedBy.USER: "api",
    StartedBy.SCHEDULE: "scheduled",
    StartedBy.EMAIL: "api",
    StartedBy.CHAIN: "job completion",
    StartedBy.QUEUE: "api",
}
_CAUSES: Final[Mapping[str, str]] = {
    "api": "Triggered via API",
    "scheduled": "Triggered by schedule",
    "job completion": "Triggered by job completion",
    "rerun": "Triggered by rerun",
    "ci": "Triggered by pull request",
}
"""Where whoever started it has said nothing."""


class TriggerShown(Shape, frozen=True, kw_only=True):
    """Why a run was started, and what it has in place of what its job says."""

    id: int
    cause: str
    job_definition_id: int
    git_branch: str | None
    git_sha: str | None
    azure_pull_request_id: int | None
    github_pull_request_id: int | None
    gitlab_merge_request_id: int | None
    non_native_pull_request_id: int | None
    schema_override: str | None
    dbt_version_override: str | None
    threads_override: int | None
    target_name_override: str | None
    generate_docs_override: bool | None
    timeout_seconds_override: int | None
    steps_override: tuple[str, ...] | None
    cause_category: str
    created_at: str


class ActorShown(Shape, frozen=True, kw_only=True):
    """Somebody who did something."""

    id: int | None
    type: str
    name: str | None


class RunShown(Shape, frozen=True, kw_only=True):
    """A run."""

    id: int
    trigger_id: int
    account_id: int
    environment_id: int
    project_id: int
    job_definition_id: int
    job_id: int
    status: int
    status_humanized: str
    status_message: str | None
    dbt_version: str | None
    git_branch: str | None
    git_sha: str | None
    owner_thread_id: str | None
    executed_by_thread_id: str | None
    deferring_run_id: int | None
    retrying_run_id: int | None
    artifacts_saved: bool
    artifact_s3_path: str | None
    has_docs_generated: bool
    has_sources_generated: bool
    notifications_sent: bool = False
    blocked_by: list[int]
    created_at: str
    updated_at: str
    dequeued_at: str | None
    started_at: str | None
    finished_at: str | None
    last_checked_at: str | None = None
    last_heartbeat_at: str | None = None
    should_start_at: str | None
    in_progress: bool
    is_complete: bool
    is_success: bool
    is_error: bool
    is_cancelled: bool
    is_running: bool | None = None
    duration: str
    queued_duration: str
    run_duration: str
    duration_humanized: str
    queued_duration_humanized: str
    run_duration_humanized: str
    created_at_humanized: str
    finished_at_humanized: str
    can_retry: bool
    retry_not_supported_reason: str | None
    href: str
    trigger: TriggerShown | None = None
    job: Any = None
    environment: Any = None
    repository: Any = None
    audit: Any = None
    run_steps: list[Any] = []  # noqa: RUF012 - a struct's default is made for each
    run_retries: list[Any] | None = None
    deprecation: Any = None
    used_repo_cache: bool | None = None
    repo_cache_restore: Any = None


class _Times:
    """When what of a run was, as this grammar parts it: waiting and preparing is being queued."""

    def __init__(self, run: ListedRun) -> None:
        self.finished = run.ended_at
        self.dequeued = run.dequeued_at or run.ended_at
        self.started = run.began_at or (self.dequeued if run.ended_at else None)
        self.updated = max(filter(None, [run.created_at, run.dequeued_at, run.began_at, run.ended_at]))
        until = run.ended_at or run.asked_at
        self.took = until - run.created_at
        self.ran = timedelta() if self.started is None else until - self.started
        self.queued = (self.started or until) - run.created_at


def category_of(run: ListedRun) -> str:
    """What kind of cause a run has."""
    if run.is_rerun:
        return "rerun"
    if run.kind is JobKind.CI and run.work.pull_request is not None:
        return "ci"
    return _CATEGORIES[run.started_by]


def shown_trigger(run: ListedRun) -> TriggerShown:
    """Its trigger, which has the run's own number."""
    given, category = run.overrides.project or NO_OVERRIDES, category_of(run)
    limit = run.overrides.timeout
    return TriggerShown(
        id=run.number,
        cause=run.cause or _CAUSES[category],
        job_definition_id=run.process_number,
        git_branch=given.git_branch,
        git_sha=given.git_sha,
        azure_pull_request_id=given.azure_pull_request_id,
        github_pull_request_id=given.github_pull_request_id,
        gitlab_merge_request_id=given.gitlab_merge_request_id,
        non_native_pull_request_id=given.non_native_pull_request_id,
        schema_override=given.schema,
        dbt_version_override=given.tool_version,
        threads_override=given.threads,
        target_name_override=given.target_name,
        generate_docs_override=given.generate_docs,
        timeout_seconds_override=None if limit is None else int(limit.total_seconds()),
        steps_override=given.steps,
        cause_category=category,
        created_at=with_blank(run.created_at),
    )


def shown_run(
    run: ListedRun, *, account: int, origin: str, retry: Retry | RetryRefusal | None, blocked_by: list[int]
) -> RunShown:
    """A run, without what is told only where it is asked for."""
    times, status = _Times(run), STATUS[run.stage]
    refusal = retry if isinstance(retry, RetryRefusal) else None
    return RunShown(
        id=run.number,
        trigger_id=run.number,
        account_id=account,
        environment_id=run.target_number,
        project_id=run.workspace_number,
        job_definition_id=run.process_number,
        job_id=run.process_number,
        status=status,
        status_humanized=WORDS[status],
        status_message=_message(run),
        dbt_version=run.tool_version,
        git_branch=run.branch,
        git_sha=run.commit or run.work.git_sha,
        owner_thread_id=run.worker_name,
        executed_by_thread_id=run.worker_name,
        deferring_run_id=run.defers_to_number,
        retrying_run_id=run.retry_of_number,
        artifacts_saved=run.has_artifacts,
        artifact_s3_path=f"accounts/{account}/runs/{run.number}/artifacts/target" if run.has_artifacts else None,
        has_docs_generated=run.has_docs,
        has_sources_generated=run.has_sources,
        blocked_by=blocked_by,
        created_at=with_blank(run.created_at),
        updated_at=with_blank(times.updated),
        dequeued_at=_or_none(times.dequeued),
        started_at=_or_none(times.started),
        finished_at=_or_none(times.finished),
        should_start_at=with_blank(run.created_at),
        in_progress=run.ended_at is None,
        is_complete=run.ended_at is not None,
        is_success=run.stage is Stage.SUCCEEDED,
        is_error=run.stage is Stage.FAILED,
        is_cancelled=run.stage is Stage.CANCELLED,
        duration=clock(times.took),
        queued_duration=clock(times.queued),
        run_duration=clock(times.ran),
        duration_humanized=humanized(times.took),
        queued_duration_humanized=humanized(times.queued),
        run_duration_humanized=humanized(times.ran),
        created_at_humanized=ago(run.created_at, run.asked_at),
        finished_at_humanized=ago(run.ended_at, run.asked_at),
        can_retry=isinstance(retry, Retry),
        retry_not_supported_reason=None if refusal is None else str(REFUSALS[refusal]),
        href=f"{origin}/deploy/{account}/projects/{run.workspace_number}/runs/{run.number}/",
    )


def _or_none(at: datetime | None) -> str | None:
    return None if at is None else with_blank(at)


def _message(run: ListedRun) -> str | None:
    """Why it ended as it did: what the room says of it in this grammar's words, what dbt has said as it was."""
    said = run.error_message if run.error_code is ErrorCode.ROBOT_FAILED else told(run.error_message)
    match run.stage:
        case Stage.CANCELLED:
            return (run.stop.reason if run.stop is not None else "") or said or None
        case Stage.FAILED:
            return said or None
        case _:
            return None
