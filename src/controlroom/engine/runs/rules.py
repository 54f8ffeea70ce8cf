"""What a run should do next. Pure: a picture of the run goes in, a decision comes out."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import Final, assert_never

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.runs.model import Result, RunState, StepRunState
from controlroom.engine.work_items.model import ExceptionType, ItemException
from controlroom.ids import StepId
from controlroom.protocol import ErrorCode

RUN_BEGINS: Final[Mapping[RunState, str]] = {RunState.NEW: "started"}

RUN_EDGES: Final[Mapping[RunState, Mapping[RunState, str]]] = {
    RunState.NEW: {
        RunState.IN_PROGRESS: "first claim",
        RunState.STOPPING: "stop",
        RunState.COMPLETED: "all items done, by hand",
        RunState.UNRESOLVED: "nothing left, some failed",
    },
    RunState.IN_PROGRESS: {
        RunState.STOPPING: "stop",
        RunState.COMPLETED: "all items done",
        RunState.UNRESOLVED: "nothing left, some failed",
    },
    RunState.STOPPING: {
        RunState.COMPLETED: "nothing left, all done",
        RunState.UNRESOLVED: "nothing left, some failed",
    },
    RunState.UNRESOLVED: {
        RunState.IN_PROGRESS: "an item is retried",
        RunState.COMPLETED: "items resolved",
    },
    RunState.COMPLETED: {},
}
"""From which state a run may go to which, and by what."""

STEP_RUN_BEGINS: Final[Mapping[StepRunState, str]] = {
    StepRunState.NEW: "created, placed on demand",
    StepRunState.AWAITING_WORKER: "created",
}

STEP_RUN_EDGES: Final[Mapping[StepRunState, Mapping[StepRunState, str]]] = {
    StepRunState.NEW: {
        StepRunState.AWAITING_WORKER: "a worker was asked for",
        StepRunState.FAILED: "nobody to ask, or ended for one user",
        StepRunState.WITHDRAWN: "no item left, or stop",
    },
    StepRunState.AWAITING_WORKER: {
        StepRunState.IN_PROGRESS: "claimed",
        StepRunState.FAILED: "the worker that was asked for never came, or ended for one user",
        StepRunState.WITHDRAWN: "no item left, or stop",
    },
    StepRunState.IN_PROGRESS: {
        StepRunState.COMPLETED: "robot succeeded",
        StepRunState.FAILED: "error code",
        StepRunState.AWAITING_WORKER: "worker lost before the robot began",
        StepRunState.WITHDRAWN: "likewise, of a stopped run",
    },
    StepRunState.COMPLETED: {},
    StepRunState.FAILED: {},
    StepRunState.WITHDRAWN: {},
}
"""From which state a step run may go to which, and by what."""


class StepLoad(Struct, frozen=True, kw_only=True):
    """A step of a run as the dispatcher sees it. Steps come in the order of the process."""

    id: StepId
    max_parallel: int
    starts_after_previous: bool
    asks_person: bool = False
    """It waits for people: its items are set aside for them, and no robot works on them."""
    active: int
    """Step runs that have not ended."""
    waiting: int
    """Those of them that no worker has taken yet."""
    ready: int
    """Items that are pending and due; counted no further than `max_parallel + 1`."""
    unfinished: int
    """1 if any item is pending (due or not), in progress or held, else 0."""


class RunLoad(Struct, frozen=True, kw_only=True):
    """A run as the dispatcher sees it."""

    state: RunState
    was_stopped: bool
    has_failed_items: bool
    steps: tuple[StepLoad, ...]


class CreateStepRuns(Struct, frozen=True):
    """So many more step runs, by step; perhaps none, and the run goes on."""

    counts: tuple[tuple[StepId, int], ...]
    asking: tuple[StepId, ...] = ()
    """Steps whose items are to be set aside for people."""


class EndRun(Struct, frozen=True):
    """Nothing is left to do."""

    state: RunState
    result: Result


def is_idle(steps: Sequence[StepLoad]) -> bool:
    """Whether nothing is left to do, and nothing being done."""
    return not any(step.active or step.unfinished for step in steps)


def next_for(run: RunLoad) -> CreateStepRuns | EndRun:
    """What a run that has not ended, or has got work again, should do."""
    if is_idle(run.steps):
        return _end(run)
    if run.state is RunState.STOPPING:
        return CreateStepRuns(())
    wanted = _wanted(run.steps)
    asking = {step.id for step in run.steps if step.asks_person}
    counts = tuple((step, count) for step, count in wanted if step not in asking)
    return CreateStepRuns(counts, tuple(step for step, _ in wanted if step in asking))


def _wanted(steps: Sequence[StepLoad]) -> list[tuple[StepId, int]]:
    """One step run for each item that none is waiting for, as many as may run side by side."""
    wanted = []
    previous_are_done = True
    for step in steps:
        if previous_are_done or not step.starts_after_previous:
            count = min(step.max_parallel - step.active, step.ready - step.waiting)
            if count > 0:
                wanted.append((step.id, count))
        previous_are_done = previous_are_done and not step.active and not step.unfinished
    return wanted


def _end(run: RunLoad) -> EndRun:
    state = RunState.UNRESOLVED if run.has_failed_items else RunState.COMPLETED
    if run.was_stopped:
        return EndRun(state, Result.STOPPED)
    return EndRun(state, Result.FAILED if run.has_failed_items else Result.SUCCEEDED)


def merged(payloads: Iterable[Raw | None]) -> dict[str, Raw]:
    """The outputs of a task by their names: all fields of the payloads of its output items, the last of a name.

    What is no object has no names, and adds nothing; nor has an item without a payload.
    """
    found: dict[str, Raw] = {}
    for payload in payloads:
        if payload is not None and bytes(payload).lstrip()[:1] == b"{":
            found |= msgspec.json.decode(payload, type=dict[str, Raw])
    return found


class Turn(Enum):
    """What becomes of it when somebody wants a step run paused, or to go on."""

    DONE = auto()
    ALREADY = auto()
    """It is as they want it."""
    REFUSED = auto()


def on_pause(state: StepRunState, *, is_paused: bool, is_ending: bool) -> Turn:
    """Whether a step run may be paused: only one that a worker has, and that is not being ended.

    Why not one that waits for a worker: it is as good as any other that its run may get. Its items are held instead.
    """
    if state is not StepRunState.IN_PROGRESS or is_ending:
        return Turn.REFUSED
    return Turn.ALREADY if is_paused else Turn.DONE


def on_resume(state: StepRunState, *, is_paused: bool) -> Turn:
    """Whether a step run may go on: one that is paused, also while it waits for another worker, its own being lost."""
    if state is not StepRunState.IN_PROGRESS and not (state is StepRunState.AWAITING_WORKER and is_paused):
        return Turn.REFUSED
    return Turn.DONE if is_paused else Turn.ALREADY


def result_of(code: ErrorCode) -> Result:
    """The result of a step run that failed with the code."""
    match code:
        case ErrorCode.TIMEOUT:
            return Result.TIMED_OUT
        case ErrorCode.TERMINATED:
            return Result.STOPPED
        case ErrorCode.WORKER_LOST:
            return Result.LOST
        case (
            ErrorCode.ROBOT_FAILED
            | ErrorCode.ENVIRONMENT_FAILED
            | ErrorCode.PACKAGE_INVALID
            | ErrorCode.TASK_NOT_FOUND
            | ErrorCode.PRE_RUN_SCRIPT_FAILED
        ):
            return Result.FAILED
        case _:
            assert_never(code)


def exception_of(code: ErrorCode, message: str) -> ItemException:
    """Why the item that a failed step run still holds failed: the robot's fault, or the platform's."""
    match code:
        case ErrorCode.ROBOT_FAILED | ErrorCode.TIMEOUT:
            kind = ExceptionType.APPLICATION
        case (
            ErrorCode.TERMINATED
            | ErrorCode.WORKER_LOST
            | ErrorCode.ENVIRONMENT_FAILED
            | ErrorCode.PACKAGE_INVALID
            | ErrorCode.TASK_NOT_FOUND
            | ErrorCode.PRE_RUN_SCRIPT_FAILED
        ):
            kind = ExceptionType.ORCHESTRATOR
        case _:
            assert_never(code)
    return ItemException(kind, code.value, message)
