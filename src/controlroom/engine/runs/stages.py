"""How far a step run has come, and how it has ended: as it is told, and as a list finds it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from controlroom.engine.lists.model import (
    AllOf,
    Compare,
    Filter,
    Not,
    OneOf,
    Operator,
    Unset,
)
from controlroom.engine.lists.words import literal
from controlroom.engine.runs.model import Result, StepRunState
from controlroom.protocol import ErrorCode


class Stage(StrEnum):
    """How far a step run has come, and how it has ended."""

    QUEUED = "queued"
    PREPARING = "preparing"
    """A worker has it, and makes its environment."""
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    UNPREPARED = "unprepared"
    """It failed before its task began."""
    FAILED = "failed"
    """Also: its worker was lost."""
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"


_BEFORE_ITS_TASK: Final = (
    ErrorCode.ENVIRONMENT_FAILED,
    ErrorCode.PACKAGE_INVALID,
    ErrorCode.TASK_NOT_FOUND,
    ErrorCode.PRE_RUN_SCRIPT_FAILED,
)


_UNPREPARED: Final = ", ".join(literal(each.value) for each in _BEFORE_ITS_TASK)


STAGE: Final = f"""(case when step_run.state in ('new', 'awaiting_worker') then 'queued'
                when step_run.state = 'in_progress' and step_run.paused_at is not null then 'paused'
                when step_run.state = 'in_progress' and step_run.began_at is null then 'preparing'
                when step_run.state = 'in_progress' then 'running'
                when step_run.state = 'completed' then 'succeeded'
                when step_run.result in ('stopped', 'timed_out') then step_run.result
                when step_run.error_code in ({_UNPREPARED}) then 'unprepared' else 'failed' end)"""
"""As `stage_of` says it; a condition of its own (`AT_STAGE`) finds each by an index."""


class Staged(Protocol):
    """What says how far a step run has come."""

    @property
    def state(self) -> StepRunState: ...  # noqa: D102
    @property
    def result(self) -> Result | None: ...  # noqa: D102
    @property
    def error_code(self) -> ErrorCode | None: ...  # noqa: D102
    @property
    def began_at(self) -> datetime | None: ...  # noqa: D102
    @property
    def paused_at(self) -> datetime | None: ...  # noqa: D102


def stage_of(run: Staged) -> Stage:
    """How far a step run has come; `AT_STAGE` finds those that have."""
    match run.state:
        case StepRunState.NEW | StepRunState.AWAITING_WORKER:
            return Stage.QUEUED
        case StepRunState.IN_PROGRESS if run.paused_at is not None:
            return Stage.PAUSED
        case StepRunState.IN_PROGRESS:
            return Stage.PREPARING if run.began_at is None else Stage.RUNNING
        case StepRunState.COMPLETED:
            return Stage.SUCCEEDED
        case _:
            return failure_of(run.result, run.error_code)


def failure_of(result: Result | None, code: ErrorCode | None) -> Stage:
    """How a step run has ended that did not succeed."""
    match result:
        case Result.STOPPED:
            return Stage.STOPPED
        case Result.TIMED_OUT:
            return Stage.TIMED_OUT
        case _:
            return Stage.UNPREPARED if code in _BEFORE_ITS_TASK else Stage.FAILED


def _is(field: str, value: object) -> Compare:
    return Compare(field, Operator.EQ, value)


_AT_WORK: Final = _is("state", StepRunState.IN_PROGRESS)


_HAS_FAILED: Final = _is("state", StepRunState.FAILED)


_BY_ITSELF: Final = OneOf("result", (Result.FAILED, Result.LOST))


_IS_UNPREPARED: Final = OneOf("error_code", _BEFORE_ITS_TASK)


_GOES_ON: Final = Unset("paused_at")


_PREPARES: Final = Unset("began_at")


AT_STAGE: Final[Mapping[Stage, Filter]] = {
    Stage.QUEUED: OneOf("state", (StepRunState.NEW, StepRunState.AWAITING_WORKER)),
    Stage.PREPARING: AllOf((_AT_WORK, _GOES_ON, _PREPARES)),
    Stage.RUNNING: AllOf((_AT_WORK, _GOES_ON, Not(_PREPARES))),
    Stage.PAUSED: AllOf((_AT_WORK, Not(_GOES_ON))),
    Stage.SUCCEEDED: _is("state", StepRunState.COMPLETED),
    Stage.UNPREPARED: AllOf((_HAS_FAILED, _BY_ITSELF, _IS_UNPREPARED)),
    Stage.FAILED: AllOf((_HAS_FAILED, _BY_ITSELF, Not(_IS_UNPREPARED))),
    Stage.STOPPED: AllOf((_HAS_FAILED, _is("result", Result.STOPPED))),
    Stage.TIMED_OUT: AllOf((_HAS_FAILED, _is("result", Result.TIMED_OUT))),
}
"""The condition that a step run has come so far."""
