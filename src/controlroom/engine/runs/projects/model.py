"""Runs of projects: what a start may say in place of its job, what the run goes by, and how far it is."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from controlroom.engine.jobs.model import JobKind
from controlroom.ids import ConnectionId, ProcessId, RunId, StepRunId, TargetId, WorkspaceId
from controlroom.protocol import Command


class ProjectOverrides(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one start of a job has in place of what the job says; None: as that says. Stored in `run.parameters`."""

    git_sha: str | None = None
    git_branch: str | None = None
    azure_pull_request_id: int | None = None
    github_pull_request_id: int | None = None
    gitlab_merge_request_id: int | None = None
    non_native_pull_request_id: int | None = None
    """Of any other host of repositories."""
    schema: str | None = None
    schema_prefix: str | None = None
    """How the schema of a pull request begins where `schema` says none: `<prefix>_pr_<job>_<pull request>`."""
    tool_version: str | None = None
    threads: int | None = None
    target_name: str | None = None
    generate_docs: bool | None = None
    steps: tuple[str, ...] | None = None
    """Lines as they are typed, in place of the job's commands."""


NO_OVERRIDES: Final = ProjectOverrides()


class PullRequestOf(StrEnum):
    """Who keeps a pull request."""

    GITHUB = "github"
    GITLAB = "gitlab"
    AZURE = "azure"
    OTHER = "other"


class PullRequest(Struct, frozen=True):
    """A change that is proposed, and tried out by the run."""

    of: PullRequestOf
    number: int


class RetryPoint(Struct, frozen=True, kw_only=True):
    """Where a run goes on from that retries another one."""

    run: RunId
    step_run: StepRunId
    attempt: int
    phase: int
    """Position of the phase that failed, whose results the retry begins with."""


class Retrying(Struct, frozen=True):
    """That a run goes on where another one failed: with the command that failed, and those that were skipped."""

    point: RetryPoint
    commands: tuple[Command, ...]


class ProjectWork(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run goes by, settled at its start: its job may be changed meanwhile. Stored in `project_run.work`."""

    commands: tuple[Command, ...]
    """Of a retry: the one that failed, and those that were skipped."""
    connection_name: str
    threads: int
    target_name: str | None = None
    """None: what the log-in says."""
    tool_version: str | None = None
    generates_docs: bool = False
    checks_freshness: bool = False
    schema: str | None = None
    """None: the log-in's."""
    git_sha: str | None = None
    git_branch: str | None = None
    pull_request: PullRequest | None = None
    defer_to_process: ProcessId | None = None
    defer_to_target: TargetId | None = None
    database: ConnectionId | None = None
    """The connection whose file the run writes, and holds the lock of."""
    retry: RetryPoint | None = None


class Stage(StrEnum):
    """How far a run of a project is."""

    QUEUED = "queued"
    STARTING = "starting"
    """A worker has it, and fetches what it needs."""
    RUNNING = "running"
    """The first command that is the project's own has begun."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Or its worker was lost."""
    CANCELLED = "cancelled"
    """It was stopped, or took too long."""


IN_PROGRESS: Final = frozenset({Stage.QUEUED, Stage.STARTING, Stage.RUNNING})


class ProjectRun(Struct, frozen=True, kw_only=True):
    """What is known of a run because it is a project's."""

    run_id: RunId
    number: int
    workspace_id: WorkspaceId
    process_id: ProcessId
    target_id: TargetId
    kind: JobKind
    """The job's, at the start."""
    stage: Stage
    work: ProjectWork
    tool_version: str | None
    commit: str | None
    """What was fetched of a repository; None before that, and for a zip."""
    branch: str | None
    retry_of: RunId | None
    """The run that this one goes on from."""
    defers_to: RunId | None
    """The run whose manifest it defers to."""
    has_docs: bool
    has_sources: bool
    created_at: datetime
    dequeued_at: datetime | None
    """When a worker took it."""
    began_at: datetime | None
    ended_at: datetime | None


class Slots(Struct, frozen=True):
    """How many runs of projects an organization may have at once."""

    capacity: int
    follows_workers: bool
    """Nobody has said a number: it is that of the workers' slots."""
