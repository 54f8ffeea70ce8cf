"""What is sent of a job: whole or in part, with as few keys as four (§0.12). What is left out stays, or is as usual."""

from datetime import timedelta
from typing import Any, Final

from msgspec import UNSET, Raw, Struct, UnsetType, json
from msgspec.structs import replace

from controlroom.dialects.dbt_cloud.answers import ACTIVE, Name, Shape, Text
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.job_answers import ASIDE, Kept, kept_of
from controlroom.dialects.dbt_cloud.job_schedules import ScheduleBody, timetable_of
from controlroom.engine.job_definitions.model import Follows, JobDefinition
from controlroom.engine.jobs.model import JobKind, JobSettings
from controlroom.ids import ProcessId, TargetId

_FOREIGN_KINDS: Final = frozenset({"exposure_sync", "adaptive", "hybrid"})
"""Kinds of jobs that mean nothing here: kept, and otherwise like `other`."""
_KINDS: Final = ", ".join([*JobKind, *sorted(_FOREIGN_KINDS)])
_STATUSES: Final = (10, 20, 30)


class ExecutionBody(Shape, frozen=True, kw_only=True):
    """How long it may take; 0 is as long as it takes."""

    timeout_seconds: int | UnsetType | None = UNSET


class SettingsBody(Shape, frozen=True, kw_only=True):
    """How it is run."""

    threads: int | UnsetType | None = UNSET
    target_name: Text | UnsetType | None = UNSET


class TriggersBody(Shape, frozen=True, kw_only=True):
    """What starts it."""

    github_webhook: bool | UnsetType | None = UNSET
    git_provider_webhook: bool | UnsetType | None = UNSET
    schedule: bool | UnsetType | None = UNSET
    on_merge: bool | UnsetType | None = UNSET
    custom_branch_only: bool | UnsetType | None = UNSET


class ConditionBody(Shape, frozen=True, kw_only=True):
    """Which job's ends start it; without statuses all."""

    job_id: int
    project_id: int | None = None
    statuses: tuple[int, ...] | None = None


class CompletionBody(Shape, frozen=True, kw_only=True):
    """Likewise, as it is wrapped; nothing in it is nothing."""

    condition: ConditionBody | None = None


class JobBody(Shape, frozen=True, kw_only=True):
    """A job, or what of one shall be otherwise."""

    id: int | UnsetType | None = UNSET
    account_id: int | UnsetType | None = UNSET
    project_id: int | UnsetType | None = UNSET
    environment_id: int | UnsetType | None = UNSET
    name: Name | UnsetType | None = UNSET
    description: Text | UnsetType | None = UNSET
    dbt_version: Text | UnsetType | None = UNSET
    execute_steps: tuple[str, ...] | UnsetType | None = UNSET
    execution: ExecutionBody | UnsetType | None = UNSET
    settings: SettingsBody | UnsetType | None = UNSET
    triggers: TriggersBody | UnsetType | None = UNSET
    schedule: ScheduleBody | UnsetType | None = UNSET
    job_type: str | UnsetType | None = UNSET
    state: int = ACTIVE
    generate_docs: bool | UnsetType | None = UNSET
    run_generate_sources: bool | UnsetType | None = UNSET
    generate_sources: bool | UnsetType | None = UNSET
    run_lint: bool | UnsetType | None = UNSET
    errors_on_lint_failure: bool | UnsetType | None = UNSET
    run_compare_changes: bool | UnsetType | None = UNSET
    compare_changes_flags: Text | UnsetType | None = UNSET
    triggers_on_draft_pr: bool | UnsetType | None = UNSET
    deferring_job_definition_id: int | UnsetType | None = UNSET
    deferring_environment_id: int | UnsetType | None = UNSET
    job_completion_trigger_condition: CompletionBody | UnsetType | None = UNSET
    cost_optimization_features: tuple[str, ...] | UnsetType | None = UNSET
    force_node_selection: bool | UnsetType | None = UNSET
    is_fusion_ready_override: bool | UnsetType | None = UNSET
    lifecycle_webhooks: bool | UnsetType | None = UNSET
    lifecycle_webhooks_url: str | UnsetType | None = UNSET
    deactivated: bool | UnsetType | None = UNSET


class Found(Struct, frozen=True, kw_only=True):
    """What the numbers of a body name; UNSET where it names none, and leaves what there is."""

    target: TargetId | UnsetType = UNSET
    defer_to_process: ProcessId | UnsetType | None = UNSET
    defer_to_target: TargetId | UnsetType | None = UNSET
    follows: Follows | UnsetType | None = UNSET


def definition_of(body: JobBody, found: Found) -> JobDefinition:
    """A new job. Raises FieldsWrong for what has to be said and is not."""
    lacking = {
        "name": "what the job is to be called",
        "project_id": "the number of its project",
        "environment_id": "the number of its environment",
    }
    wrong = {field: wanted for field, wanted in lacking.items() if not getattr(body, field)}
    if wrong or not body.name or found.target is UNSET:
        raise FieldsWrong(wrong)
    return changed(JobDefinition(name=body.name.strip(), target=found.target), body, found)


def changed(before: JobDefinition, body: JobBody, found: Found) -> JobDefinition:
    """What a job was, with all that is said. Raises FieldsWrong."""
    name = body.name.strip() if body.name else before.name
    kept = _kept(kept_of(before.asides), body)
    kind = _kind(body.job_type) if body.job_type else before.kind
    return replace(
        before,
        name=name,
        target=before.target if found.target is UNSET else found.target,
        commands=before.commands if body.execute_steps is UNSET else body.execute_steps or (),
        description=_or(body.description, before.description, ""),
        kind=kind,
        timeout=_timeout(body.execution, before.timeout),
        settings=_settings(before.settings, body, found, name),
        follows=before.follows if found.follows is UNSET else found.follows,
        is_enabled=before.is_enabled if body.deactivated in {UNSET, None} else not body.deactivated,
        asides=before.asides | {ASIDE: Raw(json.encode(kept))} if kept != Kept() else _without(before.asides),
    )


def _or(value: Any, before: Any, usual: Any) -> Any:
    """What is said; what was, where nothing is; what is usual, where it is said that there is nothing."""
    return before if value is UNSET else usual if value is None else value


def _settings(before: JobSettings, body: JobBody, found: Found, name: str) -> JobSettings:
    settings, triggers = body.settings or SettingsBody(), body.triggers or TriggersBody()
    freshness = body.generate_sources if body.run_generate_sources is UNSET else body.run_generate_sources
    timetable = timetable_of(body.schedule, before.timetable, name=name) if body.schedule else before.timetable
    usual = JobSettings()
    return JobSettings(
        threads=_or(settings.threads, before.threads, usual.threads),
        target_name=_or(settings.target_name, before.target_name, usual.target_name) or usual.target_name,
        tool_version=_or(body.dbt_version, before.tool_version, None) or None,
        generates_docs=_or(body.generate_docs, before.generates_docs, usual.generates_docs),
        checks_freshness=_or(freshness, before.checks_freshness, usual.checks_freshness),
        lints=_or(body.run_lint, before.lints, usual.lints),
        fails_on_lint=_or(body.errors_on_lint_failure, before.fails_on_lint, usual.fails_on_lint),
        defer_to_process=_or(found.defer_to_process, before.defer_to_process, None),
        defer_to_target=_or(found.defer_to_target, before.defer_to_target, None),
        on_pull_request=_or(triggers.github_webhook, before.on_pull_request, usual.on_pull_request),
        on_push=_or(triggers.git_provider_webhook, before.on_push, usual.on_push),
        on_merge=_or(triggers.on_merge, before.on_merge, usual.on_merge),
        on_draft=_or(body.triggers_on_draft_pr, before.on_draft, usual.on_draft),
        is_scheduled=_or(triggers.schedule, before.is_scheduled, usual.is_scheduled),
        timetable=timetable,
    )


def _kept(before: Kept, body: JobBody) -> Kept:
    usual, triggers = Kept(), body.triggers or TriggersBody()
    said = {
        name: _or(getattr(body, name), getattr(before, name), getattr(usual, name))
        for name in Kept.__struct_fields__
        if name not in {"job_type", "custom_branch_only"}
    }
    kind = before.job_type
    if body.job_type:
        kind = body.job_type if body.job_type in _FOREIGN_KINDS else None
    return Kept(
        **said, job_type=kind, custom_branch_only=_or(triggers.custom_branch_only, before.custom_branch_only, None)
    )


def _without(asides: dict[str, Raw]) -> dict[str, Raw]:
    return {name: value for name, value in asides.items() if name != ASIDE}


def _kind(word: str) -> JobKind:
    if word in _FOREIGN_KINDS:
        return JobKind.OTHER
    try:
        return JobKind(word)
    except ValueError:
        raise FieldsWrong({"job_type": f"one of {_KINDS}"}) from None


def _timeout(body: ExecutionBody | UnsetType | None, before: timedelta | None) -> timedelta | None:
    if not body or body.timeout_seconds is UNSET:
        return before
    try:
        return timedelta(seconds=body.timeout_seconds) if body.timeout_seconds else None
    except OverflowError:
        raise FieldsWrong({"execution.timeout_seconds": "a number of seconds, or 0"}) from None


def statuses_in(condition: ConditionBody) -> tuple[int, ...]:
    """The statuses that a condition names, or all. Raises FieldsWrong for others."""
    statuses = condition.statuses or _STATUSES
    if not set(statuses) <= set(_STATUSES):
        raise FieldsWrong({"job_completion_trigger_condition.condition.statuses": "10, 20 or 30"})
    return statuses
