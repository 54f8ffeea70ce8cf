"""Executions, as this grammar tells step runs of tasks: their words, their ids, and the rows of its lists (§2.25)."""

import re
from typing import Any, Final

from msgspec import Struct

from controlroom.border.columns import As, Words
from controlroom.dialects.automation360.answers import Shape, moment, moment_or_empty
from controlroom.dialects.automation360.columns import Columns, alike, constants
from controlroom.dialects.automation360.ids import shown
from controlroom.dialects.automation360.paths import PATHS, path_of, path_read
from controlroom.engine.lists.model import AnyOf, Compare, Direction, Filter, OneOf, Operator, Sort
from controlroom.engine.lists.words import PATH
from controlroom.engine.runs.model import StartedBy
from controlroom.engine.runs.stages import AT_STAGE, Stage, stage_of
from controlroom.engine.runs.task_run_listings import TASK_RUNS, TaskRun, with_paths
from controlroom.ids import StepRunId, as_uuid

STATUSES: Final[dict[Stage, str]] = {
    Stage.QUEUED: "QUEUED",
    Stage.PREPARING: "DEPLOYED",
    Stage.RUNNING: "RUNNING",
    Stage.PAUSED: "RUN_PAUSED",
    Stage.SUCCEEDED: "COMPLETED",
    Stage.UNPREPARED: "DEPLOY_FAILED",
    Stage.FAILED: "RUN_FAILED",
    Stage.STOPPED: "RUN_ABORTED",
    Stage.TIMED_OUT: "RUN_TIMED_OUT",
}
"""DESIGN §14. Never UNKNOWN, on which clients wait: a lost device is RUN_FAILED."""

_WORDS: Final[dict[str, Filter]] = {STATUSES[stage]: found for stage, found in AT_STAGE.items()}
_WITHOUT: Final = ("UPDATE", "PENDING_EXECUTION", "UNKNOWN")

_INITIATIONS: Final[dict[StartedBy, str]] = {
    StartedBy.API: "API",
    StartedBy.USER: "RUN_NOW",
    StartedBy.SCHEDULE: "SCHEDULED",
    StartedBy.EMAIL: "TRIGGER",
    StartedBy.CHAIN: "TRIGGER",
    StartedBy.QUEUE: "WLM",
}
_TYPES: Final[dict[StartedBy, str]] = {
    StartedBy.API: "RUN_NOW",
    StartedBy.USER: "RUN_NOW",
    StartedBy.SCHEDULE: "SCHEDULED",
    StartedBy.EMAIL: "TRIGGER",
    StartedBy.CHAIN: "TRIGGER",
    StartedBy.QUEUE: "WLM_TASK",
}

PRIORITIES: Final = {"PRIORITY_LOW": -10, "PRIORITY_MEDIUM": 0, "PRIORITY_HIGH": 10}


def priority_word(priority: int) -> str:
    """How urgent something is."""
    return "PRIORITY_HIGH" if priority > 0 else "PRIORITY_LOW" if priority < 0 else "PRIORITY_MEDIUM"


# ---------------------------------------------------------------------------------------------------- ids
def execution_id(step_run: StepRunId, number: int) -> str:
    """`<uuid>_<16 hex>`: both are the step run's."""
    return f"{step_run}_{number:016x}"


def request_ref(process: int, run_no: int) -> str:
    """By what people call a request of Process Composer: the process, and which of its runs it is."""
    return f"{process}-{run_no}"


_EXECUTION: Final = re.compile(r"([0-9A-Fa-f-]{36})(_[0-9A-Fa-f]{1,16})?", re.ASCII)


def step_run_in(execution: Any) -> StepRunId | None:
    """The step run that an execution id names; None for what is none."""
    matched = _EXECUTION.fullmatch(str(execution).strip().strip('"'))
    found = None if matched is None else as_uuid(matched[1])
    return None if found is None else StepRunId(found)


def _by_id(execution: Any) -> StepRunId:
    found = step_run_in(execution)
    if found is None:
        raise ValueError(execution)
    return found


class ExecutionError(Shape, frozen=True):
    """What went wrong, once more; all empty when nothing did."""

    message: str = ""
    details: str = ""
    corrective_action: str = ""
    code: str = ""
    message_values: tuple[str, ...] = ()
    details_values: tuple[str, ...] = ()
    corrective_action_values: tuple[str, ...] = ()


class Execution(Shape, frozen=True, kw_only=True):
    """A bot that runs, has run, or waits to."""

    id: str
    automation_name: str
    file_name: str
    file_path: str
    type: str
    start_date_time: str
    end_date_time: str
    command: str = ""
    status: str
    progress: int
    automation_id: str = ""
    user_id: str
    device_id: str
    current_line: int
    total_lines: int
    file_id: str
    modified_by: str
    created_by: str
    created_on: str
    modified_on: str
    deployment_id: str
    queue_name: str = ""
    queue_id: str = ""
    using_rdp: bool = False
    message: str
    can_manage: bool = True
    device_name: str
    user_name: str
    tenant_uuid: str
    automation_priority: str
    run_elevated: bool = False
    bot_label: str
    current_bot_name: str
    callback_info: str = ""
    roles_with_access: tuple[str, ...] = ()
    workspace_type: str = "PUBLIC"
    parent_id: str = ""
    initiation_type: str
    activity_type: str = "TASK_BOT"
    device_host_type: str = "CUSTOMER_WINDOWS"
    ref_id: str = ""
    user_group_name: str = ""
    error: ExecutionError


class Outputs(Struct, frozen=True):
    """What a bot has put out."""

    values: dict[str, Any]


class ExecutionWithOutputs(Execution, frozen=True, kw_only=True):
    """One bot's run, with its outputs."""

    bot_out_variables: Outputs


_LINE: Final = re.compile(r"\bline (\d{1,7})\b")


def fields_of(run: TaskRun, tenant: str) -> dict[str, Any]:
    """What an execution tells, by the names of its fields."""
    stage = stage_of(run)
    message = message_of(run)
    return {
        "id": execution_id(run.id, run.number),
        "automation_name": run.run_name or "",
        "file_name": run.task_name or run.process_name,
        "file_path": path_of(run.workspace_name, *run.folders, run.package_name, run.task_name),
        "type": _TYPES[run.started_by],
        "start_date_time": moment(run.started_at or run.created_at),
        "end_date_time": moment_or_empty(run.ended_at),
        "status": STATUSES[stage],
        "progress": progress_of(run),
        "automation_id": shown(run.cause_number),
        "user_id": shown(run.user_number),
        "device_id": shown(run.worker_number),
        "current_line": line_in(message),
        "total_lines": 0,
        "file_id": shown(run.task_number),
        "modified_by": shown(run.starter_number),
        "created_by": shown(run.starter_number),
        "created_on": moment(run.created_at),
        "modified_on": moment(run.state_at),
        "deployment_id": str(run.run_id),
        "message": message,
        "device_name": run.worker_name or "",
        "user_name": run.user_name or "",
        "tenant_uuid": tenant,
        "automation_priority": priority_word(run.priority),
        "bot_label": run.label or "",
        "current_bot_name": run.task_name or "",
        "initiation_type": _INITIATIONS[run.started_by],
        "ref_id": "" if run.is_of_task else request_ref(run.process_number, run.run_no),
        "error": ExecutionError(code="" if run.error_code is None else run.error_code.value),
    }


def show(run: TaskRun, tenant: str) -> Execution:
    """An execution as lists have it."""
    return Execution(**fields_of(run, tenant))


def message_of(run: TaskRun) -> str:
    """Why it failed, with the line where that is known, in the words that clients look for; empty if it did not."""
    message = run.error_message
    line = line_in(message)
    return f"{message} (at line {line})" if line and f"at line {line}" not in message else message


_SAID: Final = re.compile(r" \(at line \d{1,7}\)$")


def _without_line(message: Any) -> str:
    """What is kept of a message that is told with its line."""
    return _SAID.sub("", str(message))


def line_in(message: str) -> int:
    """The line at which a bot failed, as the message says it; 0 if it does not."""
    found = _LINE.findall(message)
    return int(found[-1]) if found else 0


_PROGRESS: Final = {Stage.QUEUED: 0, Stage.PREPARING: 10, Stage.RUNNING: 50, Stage.PAUSED: 50}


def progress_of(run: TaskRun) -> int:
    """How far it has come, in hundredths: a guess, but for 100, which every one has that has ended, and no other."""
    return _progress(stage_of(run))


def _progress(stage: Stage) -> int:
    return _PROGRESS.get(stage, 100)


# ---------------------------------------------------------------------------------------------------- lists
EXECUTIONS: Final = Columns(
    with_paths(TASK_RUNS, PATHS),
    {
        **constants(Execution),
        "id": As("id", read=_by_id),
        "deploymentId": As("run_id", sort=""),
        "automationName": As("run_name"),
        "name": As("run_name"),
        "automationId": As("cause_number", sort=""),
        "fileId": As("task_number", sort="task_number"),
        "fileName": "task_name",
        "currentBotName": "task_name",
        "path": As(PATH, read=path_read),
        "filePath": As(PATH, read=path_read),
        "deviceId": As("worker_number", sort="worker_name"),
        "deviceName": "worker_name",
        "userId": As("user_number", sort="user_name"),
        "userName": "user_name",
        "createdBy": As("starter_number", sort=""),
        "modifiedBy": As("starter_number", sort=""),
        "status": Words(_WORDS | dict.fromkeys(_WITHOUT, OneOf("id", ())), sort="stage"),
        "startDateTime": As("started_at", instead="created_at"),
        "endDateTime": "ended_at",
        "createdOn": As("created_at", sort="id"),
        "modifiedOn": "state_at",
        "message": As("error_message", read=_without_line, sort=""),
        "currentLine": As("line", sort=""),
        "refId": As("run_of_process", sort=""),
        "botLabel": As("label", sort=""),
        "automationPriority": Words(
            {
                "PRIORITY_HIGH": Compare("priority", Operator.GT, 0),
                "PRIORITY_MEDIUM": Compare("priority", Operator.EQ, 0),
                "PRIORITY_LOW": Compare("priority", Operator.LT, 0),
            },
            sort="priority",
        ),
        "progress": Words(
            {
                str(progress): AnyOf(tuple(found for stage, found in AT_STAGE.items() if _progress(stage) == progress))
                for progress in sorted({_progress(stage) for stage in AT_STAGE})
            },
            are_numbers=True,
        ),
        "totalLines": alike(0),
        "initiationType": Words(
            {
                word: OneOf("started_by", tuple(kind for kind, named in _INITIATIONS.items() if named == word))
                for word in dict.fromkeys(_INITIATIONS.values())
            }
        ),
        "type": Words(
            {
                word: OneOf("started_by", tuple(kind for kind, named in _TYPES.items() if named == word))
                for word in dict.fromkeys(_TYPES.values())
            }
        ),
    },
    length=1000,
    order=(Sort("id", Direction.DESCENDING),),
)
