"""The job object (§3.7), whole: strict clients miss fields, and refuse further ones."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, TypeVar

from msgspec import UNSET, Raw, UnsetType, json
from msgspec.structs import replace

from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Shape
from controlroom.dialects.dbt_cloud.job_schedules import FlatSchedule, Schedule, flat, schedule_of
from controlroom.dialects.dbt_cloud.times import humanized, with_t
from controlroom.engine.chains.model import End
from controlroom.engine.job_definitions.model import ListedJob
from controlroom.engine.jobs.timetables import cron_of
from controlroom.engine.schedules.words import in_words

ASIDE: Final = "dbt_cloud"
"""By which name a job keeps what only this grammar says of it."""

_ENDS: Final = {10: {End.COMPLETED}, 20: {End.FAILED}, 30: {End.STOPPED, End.TIMED_OUT}}
"""Statuses of runs, and what they are to those who follow."""

When = TypeVar("When", Schedule, FlatSchedule)


class Execution(Shape, frozen=True, kw_only=True):
    """How long it may take."""

    timeout_seconds: int = 0


class JobSettingsShown(Shape, frozen=True, kw_only=True):
    """How it is run."""

    threads: int
    target_name: str


class Triggers(Shape, frozen=True, kw_only=True):
    """What starts it."""

    github_webhook: bool
    git_provider_webhook: bool
    schedule: bool
    on_merge: bool
    custom_branch_only: bool | UnsetType = UNSET


class Condition(Shape, frozen=True, kw_only=True):
    """Which job's ends start it."""

    job_id: int
    project_id: int
    statuses: tuple[int, ...]


class CompletionTrigger(Shape, frozen=True, kw_only=True):
    """Likewise, as it is wrapped."""

    condition: Condition


class Kept(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """What has no effect here, and is told as it was sent."""

    job_type: str | None = None
    """One of those kinds that only this grammar has."""
    custom_branch_only: bool | None = None
    run_compare_changes: bool = False
    compare_changes_flags: str = "--select state:modified"
    cost_optimization_features: tuple[str, ...] = ()
    force_node_selection: bool | None = None
    is_fusion_ready_override: bool | None = None
    lifecycle_webhooks: bool = False
    lifecycle_webhooks_url: str | None = None


class _Job(Shape, frozen=True, kw_only=True):
    id: int
    account_id: int
    project_id: int
    environment_id: int
    name: str
    description: str
    dbt_version: str | None
    raw_dbt_version: str | None
    execute_steps: tuple[str, ...]
    execution: Execution
    settings: JobSettingsShown
    triggers: Triggers
    job_type: str
    state: int
    generate_docs: bool
    run_generate_sources: bool
    generate_sources: bool
    run_lint: bool
    errors_on_lint_failure: bool
    run_compare_changes: bool
    compare_changes_flags: str
    triggers_on_draft_pr: bool
    deferring_job_definition_id: int | None
    deferring_environment_id: int | None
    is_deferrable: bool
    job_completion_trigger_condition: CompletionTrigger | None
    cost_optimization_features: tuple[str, ...]
    force_node_selection: bool | None
    is_fusion_ready_override: bool | None
    fusion_readiness: None = None
    lifecycle_webhooks: bool
    lifecycle_webhooks_url: str | None
    run_failure_count: int
    deactivated: bool
    deactivation_reason: str | None
    is_system: bool = False
    cron_humanized: str
    next_run: str | None
    next_run_humanized: str | None
    created_at: str
    updated_at: str
    account: Any = None
    project: Any = None
    environment: Any = None
    most_recent_run: Any = None
    most_recent_completed_run: Any = None
    custom_environment_variables: list[Any] | UnsetType = UNSET


class JobShown(_Job, frozen=True, kw_only=True):
    """A job."""

    schedule: Schedule


class JobOfRun(_Job, frozen=True, kw_only=True):
    """A job, as a run tells it."""

    schedule: FlatSchedule


def shown(job: ListedJob, *, account: int, now: datetime) -> JobShown:
    """A job as it is told: next times are counted from now."""
    return JobShown(**_told(job, account, now), schedule=schedule_of(job.definition.settings.timetable))


def shown_in_run(job: ListedJob, *, account: int, now: datetime) -> JobOfRun:
    """A job as one of its runs tells it."""
    return JobOfRun(**_told(job, account, now), schedule=flat(job.definition.settings.timetable))


def deleted(job: JobShown) -> JobShown:
    """What a job is told as once it is deleted."""
    return replace(job, state=DELETED, next_run=None, next_run_humanized=None)


def _told(job: ListedJob, account: int, now: datetime) -> dict[str, Any]:
    settings, kept = job.definition.settings, kept_of(job.asides)
    return {
        "id": job.number,
        "account_id": account,
        "project_id": job.workspace_number,
        "environment_id": job.target_number,
        "name": job.name,
        "description": job.description,
        "dbt_version": settings.tool_version,
        "raw_dbt_version": settings.tool_version,
        "execute_steps": tuple(command.name for command in job.commands),
        "execution": Execution(timeout_seconds=int(job.timeout.total_seconds()) if job.timeout else 0),
        "settings": JobSettingsShown(threads=settings.threads, target_name=settings.target_name),
        "triggers": Triggers(
            github_webhook=settings.on_pull_request,
            git_provider_webhook=settings.on_push,
            schedule=settings.is_scheduled,
            on_merge=settings.on_merge,
            custom_branch_only=UNSET if kept.custom_branch_only is None else kept.custom_branch_only,
        ),
        "job_type": kept.job_type or job.kind.value,
        "state": ACTIVE if job.deleted_at is None else DELETED,
        "generate_docs": settings.generates_docs,
        "run_generate_sources": settings.checks_freshness,
        "generate_sources": settings.checks_freshness,
        "run_lint": settings.lints,
        "errors_on_lint_failure": settings.fails_on_lint,
        "triggers_on_draft_pr": settings.on_draft,
        "deferring_job_definition_id": job.defers_to_number,
        "deferring_environment_id": job.defers_to_target_number,
        "is_deferrable": job.has_succeeded,
        "job_completion_trigger_condition": _condition(job),
        "run_failure_count": job.failures,
        "deactivated": not job.is_enabled,
        "deactivation_reason": None if job.is_enabled else "The job was disabled.",
        "cron_humanized": in_words(cron_of(settings.timetable)),
        "next_run": None if job.next_due is None else with_t(job.next_due),
        "next_run_humanized": None if job.next_due is None else humanized(job.next_due - now),
        "created_at": with_t(job.created_at),
        "updated_at": with_t(job.updated_at),
        "run_compare_changes": kept.run_compare_changes,
        "compare_changes_flags": kept.compare_changes_flags,
        "cost_optimization_features": kept.cost_optimization_features,
        "force_node_selection": kept.force_node_selection,
        "is_fusion_ready_override": kept.is_fusion_ready_override,
        "lifecycle_webhooks": kept.lifecycle_webhooks,
        "lifecycle_webhooks_url": kept.lifecycle_webhooks_url,
    }


def kept_of(asides: dict[str, Raw]) -> Kept:
    """What a job keeps for this grammar."""
    return json.decode(asides[ASIDE], type=Kept) if ASIDE in asides else Kept()


# ---------------------------------------------------------------------------------------------------- completion
def statuses_of(ends: Iterable[End]) -> tuple[int, ...]:
    """The statuses of runs that are such ends."""
    found = {End.FAILED if end is End.UNRESOLVED else end for end in ends}
    return tuple(status for status, meant in _ENDS.items() if meant & found)


def ends_of(statuses: Iterable[int]) -> tuple[End, ...]:
    """The ends that runs of these statuses have had; raises KeyError for one that no run ends with."""
    return tuple(sorted({end for status in statuses for end in _ENDS[status]}))


def _condition(job: ListedJob) -> CompletionTrigger | None:
    if job.follows_number is None or job.follows_workspace_number is None or job.follows_ends is None:
        return None
    return CompletionTrigger(
        condition=Condition(
            job_id=job.follows_number,
            project_id=job.follows_workspace_number,
            statuses=statuses_of(job.follows_ends),
        )
    )
