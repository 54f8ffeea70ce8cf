"""Runs and their step runs."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from msgspec import Raw, Struct

from controlroom.engine.console.model import OPEN, Range
from controlroom.engine.locks.model import LockState
from controlroom.engine.processes.model import Place
from controlroom.engine.runs.projects.model import ProjectOverrides, Retrying
from controlroom.ids import (
    ArtifactId,
    PackageVersionId,
    PhaseId,
    ProcessId,
    QueueId,
    RunId,
    StepId,
    StepRunId,
    TaskId,
    UserId,
    WorkerId,
    WorkItemId,
    WorkspaceId,
)
from controlroom.protocol import ErrorCode, PhaseState


class RunState(StrEnum):
    """Where a run is; `rules.RUN_EDGES` says from where to where."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    STOPPING = "stopping"
    COMPLETED = "completed"
    UNRESOLVED = "unresolved"
    """Nothing is left to do, but some items failed."""


class StepRunState(StrEnum):
    """Where a step run is; `rules.STEP_RUN_EDGES` says from where to where."""

    NEW = "new"
    AWAITING_WORKER = "awaiting_worker"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    """Its items were done by others, or the run was stopped, before it began."""


class Result(StrEnum):
    """How it ended, apart from the state."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"
    LOST = "lost"


class StartedBy(StrEnum):
    """What caused a run."""

    API = "api"
    USER = "user"
    SCHEDULE = "schedule"
    EMAIL = "email"
    CHAIN = "chain"
    QUEUE = "queue"


class Termination(StrEnum):
    """Why a worker is told to end a step run."""

    TERMINATED = "terminated"
    TIMED_OUT = "timed_out"


class DefaultInput(Struct, frozen=True, tag="default"):
    """The process's default item if it has one, else one empty item."""


class WithItems(Struct, frozen=True, tag="with_items"):
    """Items that wait in the input queue, named."""

    items: tuple[WorkItemId, ...]


class WithWaiting(Struct, frozen=True, tag="with_waiting"):
    """Whatever waits in the input queue; if nothing does, no run is started."""


class WithPayloads(Struct, frozen=True, tag="with_payloads"):
    """One new item for each payload: `array` is the JSON array of them, `count` its length."""

    array: Raw
    count: int


class WithCopies(Struct, frozen=True, tag="with_copies"):
    """One new item for each of these, with its payload and files: outputs of another run, items to be run again."""

    sources: tuple[WorkItemId, ...]


class OneEmptyItem(Struct, frozen=True, tag="one_empty_item"):
    """One item without payload, whatever the process's default item is."""


class FromQueue(Struct, frozen=True, tag="from_queue"):
    """The most urgent due items of another queue, up to `limit`; if there is none, no run is started."""

    queue: QueueId
    limit: int
    is_ordered: bool = False
    """Whether the queue says by what its items are taken."""


class OfProcess(Struct, frozen=True, tag="process"):
    """A process, to be started."""

    id: ProcessId


class OfTask(Struct, frozen=True, tag="task"):
    """A bare task, to be started by the process that is its own."""

    id: TaskId


Inputs = DefaultInput | OneEmptyItem | WithItems | WithWaiting | WithPayloads | WithCopies | FromQueue


class Cause(Struct, frozen=True):
    """What starts a run."""

    kind: StartedBy
    id: UUID | None
    """The user, API key, schedule, chain or consumer."""
    chain_depth: int = 0
    """How many runs stand before it in its chain."""
    rerun_of: RunId | None = None
    """The run that this one repeats."""
    retry: Retrying | None = None
    """Where another run failed, from where this one goes on."""


class Overrides(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run has in place of its steps' settings. Stored in `run.parameters`; claims read that form."""

    variables: dict[str, str] = {}
    """Of its robots' environment, over those of the steps. Everybody who may see the run sees them: no secrets."""
    version: PackageVersionId | None = None
    """The version of its package that steps run, in place of the latest."""
    label: str | None = None
    """The version that steps run: the one which has this label, in the package of each, at the start."""
    timeout: timedelta | None = None
    """The time limit of each step run."""
    project: ProjectOverrides | None = None
    """Of a job: what its run goes by in place of what the job says."""


AS_THE_STEPS_SAY: Final = Overrides()


class Told(Struct, frozen=True, kw_only=True):
    """What the start of a run has said of it."""

    name: str = ""
    """What this run is called; "" if its start has not said it."""
    cause: str = ""
    """Why it was started, in the words of whoever started it."""
    rerun_of: RunId | None = None
    """The run that this one repeats."""
    retry_of: RunId | None = None
    """The run that failed, and from where this one goes on."""
    overrides: Overrides = AS_THE_STEPS_SAY


class StopRequest(Struct, frozen=True):
    """How to stop a run: end robots at once, or let them finish the item in hand; what remains is done, or failed."""

    terminate: bool
    remaining_done: bool
    reason: str = ""


class Run(Struct, frozen=True, kw_only=True):
    """One execution of a process."""

    id: RunId
    number: int
    run_no: int
    """Which one of its process it is, counted from 1; starts that failed leave gaps."""
    workspace_id: WorkspaceId
    process_id: ProcessId
    process_name: str
    state: RunState
    result: Result | None
    started_by: StartedBy
    started_by_id: UUID | None
    starter_first_name: str | None = None
    starter_last_name: str | None = None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    priority: int
    stop: StopRequest | None
    told: Told | None
    """None for the most: a start that has said nothing beside its input."""
    lock_state: LockState | None = None
    """None: it wants no locks."""

    @property
    def duration(self) -> timedelta | None:
        """From start to end; None while it runs."""
        return None if self.started_at is None or self.ended_at is None else self.ended_at - self.started_at


class Progress(Struct, frozen=True, kw_only=True):
    """How far a robot is, as it has said last, and when that was."""

    done: int | float
    total: int | float | None
    """None: it does not know how much there is."""
    message: str
    at: datetime

    @property
    def share(self) -> float | None:
        """How much of all is done, from 0 to 1; None where that is not known."""
        return min(1.0, self.done / self.total) if self.total else None


class StepRun(Struct, frozen=True, kw_only=True):
    """One robot process of a run."""

    id: StepRunId
    number: int
    workspace_id: WorkspaceId
    run_id: RunId
    step_id: StepId
    step_name: str
    state: StepRunState
    state_at: datetime
    result: Result | None
    error_code: ErrorCode | None
    error_message: str
    attempt: int
    worker_id: WorkerId | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    paused_at: datetime | None
    exit_code: int | None
    places: tuple[Place, ...]
    """Where it may run; none: on any worker."""
    run_as: UserId | None
    """The user whose run it is."""
    progress: Progress | None = None
    """What its robot has said last of how far it is."""

    @property
    def duration(self) -> timedelta | None:
        """From start to end; None while it runs."""
        return None if self.started_at is None or self.ended_at is None else self.ended_at - self.started_at


class Phase(Struct, frozen=True, kw_only=True):
    """An ordered section of a step run's attempt."""

    id: PhaseId
    number: int
    attempt: int
    position: int
    kind: str
    name: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    first_line: int | None
    last_line: int | None
    message: str
    exit_code: int | None

    @property
    def duration(self) -> timedelta | None:
        """From start to end; None while it runs, and for one that never did."""
        return None if self.started_at is None or self.ended_at is None else self.ended_at - self.started_at

    @property
    def lines(self) -> Range:
        """Its part of the console; without an end while it runs."""
        if self.first_line is None:
            return Range(self.attempt, 0, 0)
        if self.state == PhaseState.IN_PROGRESS:
            return Range(self.attempt, self.first_line, OPEN)
        return Range(self.attempt, self.first_line, self.first_line if self.last_line is None else self.last_line + 1)

    @property
    def line_count(self) -> int | None:
        """How many lines it has; None while it runs."""
        lines = self.lines
        return None if lines.end == OPEN else lines.end - lines.first


class Artifact(Struct, frozen=True, kw_only=True):
    """A file that a step run left: `size` in bytes, `hash` names the blob."""

    id: ArtifactId
    number: int
    step_run_id: StepRunId
    attempt: int
    phase: int | None
    """Position of the phase that left it; None for the step run as a whole."""
    phase_id: PhaseId | None
    phase_name: str | None
    name: str
    size: int
    hash: str
    created_at: datetime


class RunEvent(Struct, frozen=True, kw_only=True):
    """Something that happened to a step run or a run."""

    id: int
    at: datetime
    kind: str
    data: dict[str, Any]
