"""Runs, robot runs and work items as the old Process API writes them (§2.1)."""

from datetime import datetime
from typing import Literal, assert_never

from msgspec import Raw, field

from controlroom.dialects.robocorp.answers import Identified, OlderShape, Shape, seconds, shown_as
from controlroom.dialects.robocorp.codes import told_exception
from controlroom.dialects.robocorp.runtime_work_items import FileAnswer, show_file
from controlroom.engine.console.model import Line
from controlroom.engine.runs.model import Artifact, Result, Run, RunState, StepRun, StepRunState
from controlroom.engine.runs.summaries import ItemRun, Summary
from controlroom.engine.work_items.model import ExceptionType, ItemFile, ItemState, WorkItem
from controlroom.ids import ArtifactId, ProcessId, RunId, StepId, StepRunId, WorkItemId, WorkspaceId

Code = Literal["IND", "IP", "PENDING", "COMPL"]
"""Initialising, in progress, ended with failures, completed."""

Outcome = Literal["SUCCESS", "ERR", "TIMEOUT"]
OldItemState = Literal["NEW", "PENDING", "IN_PROGRESS", "FAILED", "COMPLETED"]


class ItemStats(OlderShape, frozen=True):
    """How many items a run has."""

    total_count: int
    failed_count: int
    succeeded_count: int


class OldRun(OlderShape, frozen=True, kw_only=True):
    """A process run."""

    id: RunId
    state: Code
    result: Outcome | None
    error_code: str
    workspace_id: WorkspaceId
    process_id: ProcessId
    process_name: str
    run_no: int
    created_ts: datetime
    start_ts: datetime | None
    end_ts: datetime | None
    duration: float | None
    work_item_stats: ItemStats
    robot_runs: list[Identified]


class OldRobotRun(OlderShape, frozen=True, kw_only=True):
    """A step run."""

    id: StepRunId
    state: Code
    result: Outcome | None
    error_code: str
    process_run_id: RunId
    activity_id: StepId
    activity_name: str
    start_ts: datetime | None
    end_ts: datetime | None
    duration: float | None


class OldException(Shape, frozen=True):
    """Why an item failed."""

    type: ExceptionType
    code: str
    message: str


class OldItem(OlderShape, frozen=True, kw_only=True, omit_defaults=True):
    """A work item; payload and files where they were asked for, an exception where there is one."""

    id: WorkItemId
    state: OldItemState
    state_ts: datetime
    create_ts: datetime
    queue_ts: datetime
    workspace_id: WorkspaceId
    process_id: ProcessId | None
    process_run_id: RunId | None
    activity_id: StepId | None
    activity_run_id: StepRunId | None
    batch_priority: int
    process_run_no: int | None
    process_name: str
    payload: Raw | None
    files: list[FileAnswer]
    exception: OldException | None = None


class OldArtifact(OlderShape, frozen=True):
    """An artifact. Its size was misspelt on the wire, and is written in both ways."""

    id: ArtifactId
    file_name: str
    file_size: int
    file_size_as_it_was: int = field(name="fileSIze")


class OldEvent(OlderShape, frozen=True):
    """Something that happened to a step run."""

    seq_no: int
    timestamp: datetime
    event_type: str
    data: dict[str, object]


class OldMessage(OlderShape, frozen=True):
    """A line of console output."""

    seq_no: int
    message: str
    timestamp: datetime
    line_number: int = field(name="line_number")  # so, though nothing else is: a robot of the community reads it


def show_run(run: Run, summary: Summary) -> OldRun:
    """A run as this API writes it."""
    items = summary.items
    return OldRun(
        id=run.id,
        state=_code(run.state),
        result=_outcome(run.result),
        error_code=_error_code(run.result),
        workspace_id=run.workspace_id,
        process_id=run.process_id,
        process_name=run.process_name,
        run_no=run.run_no,
        created_ts=run.created_at,
        start_ts=run.started_at,
        end_ts=run.ended_at,
        duration=seconds(run.duration),
        work_item_stats=ItemStats(items.total, items.failed, items.done),
        robot_runs=[Identified(step_run) for step_run in summary.step_runs],
    )


show_robot_run = shown_as(
    OldRobotRun,
    StepRun,
    state=lambda row: _step_code(row.state),
    result=lambda row: _outcome(row.result),
    error_code=lambda row: row.error_code or "",
    process_run_id="run_id",
    activity_id="step_id",
    activity_name="step_name",
    start_ts="started_at",
    end_ts="ended_at",
    duration=lambda row: seconds(row.duration),
)
"""A step run as this API writes it."""

show_artifact = shown_as(OldArtifact, Artifact, file_name="name", file_size="size", file_size_as_it_was="size")
"""An artifact as this API writes it."""

show_line = shown_as(OldMessage, Line, seq_no="place", message="text", timestamp="at", line_number="place")
"""A line of console output as this API writes it."""


def show_item(item: WorkItem, *, of: ItemRun, payload: Raw | None, files: list[ItemFile]) -> OldItem:
    """An item as this API writes it."""
    failure = item.exception and told_exception(item.exception)
    return OldItem(
        id=item.id,
        state=_item_state(item.state),
        state_ts=item.state_at,
        create_ts=item.created_at,
        queue_ts=item.due,
        workspace_id=item.workspace_id,
        process_id=item.process_id,
        process_run_id=item.run_id,
        activity_id=item.step_id,
        activity_run_id=item.step_run_id,
        batch_priority=item.priority,
        process_run_no=of.run_no,
        process_name=of.process_name,
        payload=payload,
        files=[show_file(file) for file in files],
        exception=None if failure is None else OldException(failure.type, failure.code, failure.message),
    )


def run_state(code: str) -> tuple[RunState, ...]:
    """The states behind a code, in any case; none for a code that there is not."""
    return tuple(state for state in RunState if _code(state) == code.upper() or (code.upper(), state) == _OTHER_NEW)


_OTHER_NEW = ("INI", RunState.NEW)  # the second spelling that clients know


def _code(state: RunState) -> Code:
    match state:
        case RunState.NEW:
            return "IND"
        case RunState.IN_PROGRESS | RunState.STOPPING:
            return "IP"
        case RunState.UNRESOLVED:
            return "PENDING"
        case RunState.COMPLETED:
            return "COMPL"
        case _:
            assert_never(state)


def _step_code(state: StepRunState) -> Code:
    match state:
        case StepRunState.NEW | StepRunState.AWAITING_WORKER:
            return "IND"
        case StepRunState.IN_PROGRESS:
            return "IP"
        case StepRunState.COMPLETED | StepRunState.FAILED | StepRunState.WITHDRAWN:  # the result tells them apart
            return "COMPL"
        case _:
            assert_never(state)


def _outcome(result: Result | None) -> Outcome | None:
    match result:
        case None:
            return None
        case Result.SUCCEEDED:
            return "SUCCESS"
        case Result.TIMED_OUT:
            return "TIMEOUT"
        case Result.FAILED | Result.STOPPED | Result.LOST:
            return "ERR"
        case _:
            assert_never(result)


def _error_code(result: Result | None) -> str:
    """Empty when there is no error: early clients look at its length."""
    return "" if result is None or result is Result.SUCCEEDED else result.name


def _item_state(state: ItemState) -> OldItemState:
    match state:
        case ItemState.NEW | ItemState.DRAFT:
            return "NEW"
        case ItemState.PENDING | ItemState.HELD:
            return "PENDING"
        case ItemState.IN_PROGRESS:
            return "IN_PROGRESS"
        case ItemState.FAILED | ItemState.INVALID:
            return "FAILED"
        case ItemState.DONE | ItemState.DELETED:
            return "COMPLETED"
        case _:
            assert_never(state)
