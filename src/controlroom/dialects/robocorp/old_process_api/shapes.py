"""Runs, robot runs and work items as the old Process API writes them (§2.1)."""

from datetime import datetime
from typing import Generic, Literal

from msgspec import Raw, Struct, field

from controlroom.border.answers import worded
from controlroom.dialects.robocorp.answers import Identified, OlderShape, Shape, Shown, shown_as, shown_with
from controlroom.dialects.robocorp.codes import told_exception
from controlroom.dialects.robocorp.runtime_work_items import FileAnswer, show_file
from controlroom.engine.console.model import Line
from controlroom.engine.runs.model import Artifact, Result, Run, RunState, StepRun, StepRunState
from controlroom.engine.runs.summaries import ItemRun, Summary
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemFile, ItemState, WorkItem
from controlroom.ids import ArtifactId, ProcessId, RunId, StepId, StepRunId, WorkItemId, WorkspaceId

Code = Literal["IND", "IP", "PENDING", "COMPL"]
"""Initialising, in progress, ended with failures, completed."""

Outcome = Literal["SUCCESS", "ERR", "TIMEOUT"]
OldItemState = Literal["NEW", "PENDING", "IN_PROGRESS", "FAILED", "COMPLETED"]


class Data(Struct, Generic[Shown], frozen=True):
    """A list in its envelope."""

    data: list[Shown]


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


_CODES = worded(RunState, IND="new", IP="in_progress stopping", PENDING="unresolved", COMPL="completed")
_STEP_CODES = worded(  # the result tells apart what has ended
    StepRunState, IND="new awaiting_worker", IP="in_progress", COMPL="completed failed withdrawn"
)
_OUTCOMES = worded(Result, SUCCESS="succeeded", TIMEOUT="timed_out", ERR="failed stopped lost")
_ITEM_STATES = worded(
    ItemState,
    NEW="new draft",
    PENDING="pending held",
    IN_PROGRESS="in_progress",
    FAILED="failed invalid",
    COMPLETED="done deleted",
)

_show_run = shown_with(
    ("work_item_stats", "robot_runs"),
    OldRun,
    Run,
    state=("state", _CODES.__getitem__),
    result=("result", _OUTCOMES.__getitem__),
    error_code=lambda run: "" if run.result in {None, Result.SUCCEEDED} else run.result.name,  # its length is looked at
)


def show_run(run: Run, summary: Summary) -> OldRun:
    """A run as this API writes it."""
    items = summary.items
    stats, robot_runs = ItemStats(items.total, items.failed, items.done), list(map(Identified, summary.step_runs))
    return _show_run(run, work_item_stats=stats, robot_runs=robot_runs)


show_robot_run = shown_as(
    OldRobotRun,
    StepRun,
    state=("state", _STEP_CODES.__getitem__),
    result=("result", _OUTCOMES.__getitem__),
    error_code=lambda row: row.error_code or "",
)
"""A step run as this API writes it."""

show_artifact = shown_as(OldArtifact, Artifact, file_name="name", file_size="size", file_size_as_it_was="size")
"""An artifact as this API writes it."""

show_line = shown_as(OldMessage, Line, seq_no="place", message="text", timestamp="at", line_number="place")
"""A line of console output as this API writes it."""


_show_exception = shown_as(OldException, ItemException)
_show_item = shown_with(
    ("process_run_no", "process_name", "payload", "files"),
    OldItem,
    WorkItem,
    state=("state", _ITEM_STATES.__getitem__),
    queue_ts="due",
    batch_priority="priority",
    exception=("exception", lambda exception: _show_exception(told_exception(exception))),
)


def show_item(item: WorkItem, *, of: ItemRun, payload: Raw | None, files: list[ItemFile]) -> OldItem:
    """An item as this API writes it."""
    shown = [show_file(file) for file in files]
    return _show_item(item, process_run_no=of.run_no, process_name=of.process_name, payload=payload, files=shown)


def run_state(code: str) -> tuple[RunState, ...]:
    """The states behind a code, in any case; none for a code that there is not."""
    return tuple(state for state in RunState if _CODES[state] == code.upper() or (code.upper(), state) == _OTHER_NEW)


_OTHER_NEW = ("INI", RunState.NEW)  # the second spelling that clients know
