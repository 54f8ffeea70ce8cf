"""Figures: how many runs, step runs and items ended in an hour, how long they took, and why they failed."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from msgspec import Struct

from controlroom.engine.statistics.errors import PeriodWrong
from controlroom.ids import ProcessId, QueueId, StepId, StepRunId, TaskId, UserId, WorkerId, WorkspaceId

HOUR: Final = timedelta(hours=1)
LONGEST_PERIOD: Final = timedelta(days=400)
"""How far apart two ends of a period may be, and how long figures are kept: a year, and a month to compare it with."""

ENOUGH: Final = 5
"""Of fewer runs a median says little."""


class Noun(StrEnum):
    """What is counted."""

    RUN = "run"
    """Those that ended, by when they began; results are those of runs, causes what started them."""
    STEP_RUN = "step_run"
    """Likewise."""
    WORK_ITEM = "work_item"
    """Those that were given back, by when they were; results `done`, `failed`, `retried`, and by hand `completed` and
    `resolved`; causes are kinds of exceptions."""


class Key(StrEnum):
    """By what figures are told apart."""

    HOUR = "hour"
    DAY = "day"
    WORKSPACE = "workspace"
    PROCESS = "process"
    STEP = "step"
    TASK = "task"
    WORKER = "worker"
    USER = "user"
    """As whom it ran, else who started it."""
    RESULT = "result"
    CAUSE = "cause"


class Period(Struct, frozen=True):
    """From a moment on, until another."""

    since: datetime
    until: datetime

    def checked(self) -> Self:
        """Itself; raises PeriodWrong if it ends before it begins, or is longer than figures are kept."""
        if not timedelta() <= self.until - self.since <= LONGEST_PERIOD:
            raise PeriodWrong
        return self


class Figure(Struct, frozen=True, kw_only=True):
    """What ended and agrees in all that was asked for; what was not asked for is None."""

    hour: datetime | None
    """The beginning of the hour, or of the day in UTC."""
    workspace_id: WorkspaceId | None
    process_id: ProcessId | None
    process_name: str | None
    step_id: StepId | None
    step_name: str | None
    task_id: TaskId | None
    task_number: int | None
    task_name: str | None
    workspace_name: str | None
    """Of the task's package."""
    folders: list[str]
    """In which that lies, below its workspace; if it was deleted, those in which it lay last."""
    package_name: str | None
    worker_id: WorkerId | None
    worker_number: int | None
    worker_name: str | None
    user_id: UserId | None
    user_number: int | None
    user_name: str | None
    result: str | None
    cause: str | None
    count: int
    milliseconds: int
    """All of them together."""
    longest: int
    """Milliseconds."""
    longest_id: UUID | None
    latest_at: datetime
    """When the last of them ended."""
    latest_id: UUID | None


class FailureGroup(Struct, frozen=True, kw_only=True):
    """Failures that differ in nothing but numbers, ids, paths, quoted texts and times."""

    workspace_id: WorkspaceId
    fingerprint: str
    noun: Noun
    process_id: ProcessId | None
    process_name: str | None
    type: str
    code: str
    pattern: str
    message: str
    """As it was said last."""
    count: int
    """Since there are figures; `recent` are those of the period that was asked for."""
    recent: int
    first_at: datetime
    last_at: datetime
    last_id: UUID


class FailureHour(Struct, frozen=True):
    """How many failures of a group there were in an hour."""

    hour: datetime
    count: int


class FailureTrend(Struct, frozen=True, kw_only=True):
    """Likewise, with how it went in a period."""

    workspace_id: WorkspaceId
    fingerprint: str
    noun: Noun
    process_id: ProcessId | None
    process_name: str | None
    process_number: int | None
    type: str
    code: str
    pattern: str
    message: str
    recent: int
    first_at: datetime
    last_at: datetime
    last_id: UUID
    parts: list[tuple[int, int]]
    """Which of the thirty parts of the period, from 0, had how many; those without any are left out."""

    @property
    def line(self) -> list[int]:
        """How many in each part."""
        known = dict(self.parts)
        return [known.get(part, 0) for part in range(30)]


class Depth(Struct, frozen=True, kw_only=True):
    """What waits in a queue now."""

    workspace_id: WorkspaceId
    queue_id: QueueId
    name: str
    process_id: ProcessId | None
    step_id: StepId | None
    waiting: int
    oldest_at: datetime | None
    """Since when the one that has waited longest does."""


class QueueHour(Struct, frozen=True, kw_only=True):
    """What went through a queue in an hour."""

    hour: datetime
    depth: int
    """How many waited at its end, or when it was looked at last."""
    deepest: int
    arrived: int
    gone: int


class Usual(Struct, frozen=True, kw_only=True):
    """How long the last ones that succeeded took."""

    process_id: ProcessId
    step_id: StepId | None
    """None: the run as a whole."""
    count: int
    """Of so many, twenty at most; of less than five it says little."""
    median_milliseconds: int

    @property
    def median(self) -> timedelta:
        """As a duration."""
        return timedelta(milliseconds=self.median_milliseconds)

    @property
    def says_something(self) -> bool:
        """Whether there are enough of them to say how long the next one takes."""
        return self.count >= ENOUGH


class Failed(Struct, frozen=True, kw_only=True):
    """A failure as it is folded."""

    at: datetime
    workspace_id: WorkspaceId
    noun: Noun
    id: UUID
    process_id: ProcessId | None
    type: str
    code: str
    message: str


class Extreme(Struct, frozen=True, kw_only=True):
    """The one that a figure names, if it is still there."""

    id: StepRunId
    number: int
    started_at: datetime | None
    ended_at: datetime | None
    worker_number: int | None
    worker_name: str | None
    error_code: str | None
    error_message: str
