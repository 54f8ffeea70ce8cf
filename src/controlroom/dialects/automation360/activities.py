"""Activities (§2.25): step runs of tasks, whoever started them. An execution is there before its deploy is answered.

Who lacks the permission to see everyone's activity sees their own: what they have started, and what runs as them.
`auditunknown` moves nothing: an execution whose device was lost has ended here, and is in the history already.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from controlroom.border.asking import Body
from controlroom.border.lenient import moment as read_moment
from controlroom.dialects.automation360.answers import Shape, moment, moment_or_empty
from controlroom.dialects.automation360.asking import Asking
from controlroom.dialects.automation360.columns import Columns, constants
from controlroom.dialects.automation360.executions import (
    EXECUTIONS,
    STATUSES,
    Execution,
    ExecutionWithOutputs,
    Outputs,
    fields_of,
    progress_of,
    show,
    step_run_in,
)
from controlroom.dialects.automation360.ids import Id, shown
from controlroom.dialects.automation360.lists import Found, Listed, PageTold, Search, Sought, asked_of
from controlroom.dialects.automation360.paths import PATHS
from controlroom.dialects.automation360.routing import Pair, Superseded, get, post, put
from controlroom.dialects.automation360.values import values_of
from controlroom.engine.lists.model import EVERYTHING, AllOf, Compare, Operator
from controlroom.engine.runs import pauses, stops, task_run_listings, task_runs
from controlroom.engine.runs.errors import StepRunNotFound
from controlroom.engine.runs.rules import merged
from controlroom.engine.runs.stages import AT_STAGE
from controlroom.engine.runs.task_run_listings import TaskRun
from controlroom.engine.runs.task_runs import seen_by
from controlroom.errors import ControlRoomError, Invalid
from controlroom.ids import StepRunId

_PAIR: Final = Pair("taskscheduling", "everyoneschedule")
_MANAGE: Final = Pair("taskscheduling", "managemyschedule")


async def found_by(request: Asking, search: Search | None, columns: Columns = EXECUTIONS) -> Found[TaskRun]:
    """The page of executions that was asked for, of those that the caller sees."""
    seen = await seen_by(request.db, request.actor)
    asking = columns.telling(tenantUuid=str(request.actor.organization_id))
    listed = msgspec.structs.replace(asking, listing=await task_run_listings.listing_of(request.db, seen.scope, PATHS))
    asked, offset = asked_of(search or Search(), listed, seen.own)
    is_all = asked.filter is seen.own
    found = await task_runs.page(request.engine, msgspec.structs.replace(seen, own=EVERYTHING), asked, PATHS)
    matched = len(found.rows) if found.total is None else found.total.rows
    everything = matched if is_all else max(matched, await task_runs.about_all(request.engine, seen))
    return Found(found.rows, PageTold(offset, everything, matched))


@post("/v3/activity/list", pair=_PAIR)
async def list_activities(request: Asking, data: Sought = None) -> Listed[Execution]:
    """Search activities, newest first; at most 10,000 at once."""
    return await _listed(request, data)


@post("/v2/activity/list", pair=_PAIR, deprecated=Superseded("/v3/activity/list"))
async def list_activities_v2(request: Asking, data: Sought = None) -> Listed[Execution]:
    """Search activities, as v3 does."""
    return await _listed(request, data)


async def _listed(request: Asking, data: Search | None) -> Listed[Execution]:
    found, tenant = await found_by(request, data), str(request.actor.organization_id)
    return found.shown([show(each, tenant) for each in found.rows])


@get("/v3/activity/execution/{execution:str}", pair=_PAIR)
async def get_execution(request: Asking, execution: Id) -> ExecutionWithOutputs:
    """One execution, with what its bot has put out."""
    return await execution_with_outputs(request, execution)


async def execution_with_outputs(request: Asking, execution: str) -> ExecutionWithOutputs:
    """One execution. Raises StepRunNotFound."""
    seen, step_run = await seen_by(request.db, request.actor), _step_run(execution)
    run = await task_runs.get(request.engine, seen, step_run)
    payloads = await task_runs.outputs(request.db, task_runs.in_workspace(seen, run.workspace_id), step_run)
    values = {name: msgspec.json.decode(raw) for name, raw in merged(payloads).items()}
    told = fields_of(run, str(request.actor.organization_id)) | {"callback_info": run.callback_url or ""}
    return ExecutionWithOutputs(**told, bot_out_variables=Outputs(values_of(values)))


# ---------------------------------------------------------------------------------------------------- manage
_VERBS: Final = {"stop_executions": stops.stop, "pause_executions": pauses.pause, "resume_executions": pauses.resume}


@post("/v3/activity/manage", pair=_MANAGE)
async def manage_activities(request: Asking, data: Body[dict[str, Any]]) -> dict[str, Any]:
    """Stop, pause or resume executions. What fails is told of each by itself."""
    wanted = _wanted(data)
    sent, errors = [], []
    for verb, executions in wanted:
        for execution in executions:
            try:
                seen, step_run = await seen_by(request.db, request.actor), _step_run(execution)
                run = await task_runs.get(request.engine, seen, step_run)
                actor = task_runs.governing(request.actor, run)
                await _VERBS[verb](request.engine, actor, run.workspace_id, step_run)
            except ControlRoomError as refused:
                errors.append((execution, refused.message))
            else:
                sent.append(execution)
    return {
        "requests_sent_to_device": sent,
        "manage_action_errors": [{"execution_id": one, "error_response": why} for one, why in errors],
        "requestsSentToDevice": sent,
        "manageActionErrors": [{"executionId": one, "errorResponse": why} for one, why in errors],
    }


def _wanted(asked: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The verbs with their executions, of keys in any spelling. Raises Invalid where there is none."""
    wanted = []
    for key, value in asked.items():
        verb = _VERB_KEYS.get(_folded(key))
        if verb is None or value is None:
            continue
        given = value
        if isinstance(value, dict):
            given = next((each for name, each in value.items() if _folded(name) == "executionids"), [])
        several = given if isinstance(given, list) else [given]
        wanted.append((verb, [str(each) for each in several if each not in (None, "")]))
    if not wanted:
        raise Invalid("one of stop_executions, pause_executions, resume_executions is needed", code="INVALID_BODY")
    return wanted


def _folded(key: str) -> str:
    return key.replace("_", "").casefold()


_VERB_KEYS: Final = {_folded(verb): verb for verb in _VERBS}


# ---------------------------------------------------------------------------------------------------- figures
class StatusCount(Shape, frozen=True):
    """How many executions have a status."""

    status: str
    count: int


class Metrics(Shape, frozen=True):
    """How many executions have each status."""

    metrics: list[StatusCount]


_RANGES: Final = {
    "LAST30MINUTES": timedelta(minutes=30),
    "LAST1HOURS": timedelta(hours=1),
    "LAST3HOURS": timedelta(hours=3),
    "LAST6HOURS": timedelta(hours=6),
    "LAST12HOURS": timedelta(hours=12),
    "LAST24HOURS": timedelta(hours=24),
}


@post("/v3/activity/metrics", pair=_PAIR)
async def count_activities(request: Asking, data: Body[dict[str, Any] | None] = None) -> Metrics:
    """Count executions by status, of those that were created in a range of time."""
    begin, end = _range((data or {}).get("timeRange") or {})
    made = AllOf((Compare("created_at", Operator.GE, begin), Compare("created_at", Operator.LE, end)))
    seen = await seen_by(request.db, request.actor)
    counted = [
        StatusCount(STATUSES[stage], (await task_runs.count(request.engine, seen, AllOf((made, found)))).rows)
        for stage, found in AT_STAGE.items()
    ]
    return Metrics([each for each in counted if each.count])


def _range(asked: Any) -> tuple[datetime, datetime]:
    if not isinstance(asked, dict):
        raise Invalid("a timeRange is `{type, from, to}`", code="INVALID_BODY")
    kind, now = str(asked.get("type") or "LAST24HOURS").upper(), datetime.now(UTC)
    if (back := _RANGES.get(kind)) is not None:
        return now - back, now + timedelta(minutes=1)
    if kind != "CUSTOM":
        raise Invalid(f"{kind[:100]} is no timeRange", code="INVALID_BODY")
    try:
        return read_moment(str(asked["from"])), read_moment(str(asked["to"]))
    except (KeyError, ValueError):
        raise Invalid("a CUSTOM timeRange has `from` and `to`, two times", code="INVALID_BODY") from None


# ---------------------------------------------------------------------------------------------------- older words
class Job(Shape, frozen=True, kw_only=True):
    """An execution in the words of version 11."""

    id: str
    job_id: str
    job_name: str
    job_type: str = "BOT"
    job_execution_status: str
    automation_name: str
    device_name: str
    device_id: str
    start_date_time: str
    end_date_time: str
    progress: int
    schedule_id: str = ""
    user_id: str
    username: str
    current_line: int
    total_lines: int
    deployment_id: str
    message: str


_JOBS: Final = Columns(
    EXECUTIONS.listing,
    {
        **EXECUTIONS.fields,
        **constants(Job),
        "jobName": EXECUTIONS.fields["fileName"],
        "jobId": EXECUTIONS.fields["fileId"],
        "jobExecutionStatus": EXECUTIONS.fields["status"],
        "username": EXECUTIONS.fields["userName"],
        "scheduleId": EXECUTIONS.fields["automationId"],
    },
    order=EXECUTIONS.order,
)


@post("/v1/activity/history/list", pair=_PAIR, deprecated=Superseded("/v3/activity/list"))
async def list_history(request: Asking, data: Sought = None) -> Listed[Job]:
    """Search activities, in the words of version 11."""
    found, tenant = await found_by(request, data, _JOBS), str(request.actor.organization_id)
    return found.shown([_job(each, fields_of(each, tenant)) for each in found.rows])


def _job(run: TaskRun, told: dict[str, Any]) -> Job:
    return Job(
        id=told["id"],
        job_id=told["file_id"],
        job_name=told["file_name"],
        job_execution_status=told["status"],
        automation_name=told["automation_name"],
        device_name=told["device_name"],
        device_id=told["device_id"],
        start_date_time=moment(run.started_at or run.created_at),
        end_date_time=moment_or_empty(run.ended_at),
        progress=progress_of(run),
        user_id=shown(run.user_number),
        username=told["user_name"],
        current_line=told["current_line"],
        total_lines=0,
        deployment_id=told["deployment_id"],
        schedule_id=told["automation_id"],
        message=told["message"],
    )


@put("/v1/activity/auditunknown", pair=_MANAGE)
async def audit_unknown(request: Asking) -> None:
    """Move an execution whose device was lost to the history: there it is, if the id, in the body, is one's at all."""
    execution = (await request.body()).decode("utf-8", "replace").strip().strip('"')
    await task_runs.get(request.engine, await seen_by(request.db, request.actor), _step_run(execution))


def _step_run(execution: str) -> StepRunId:
    found = step_run_in(execution)
    if found is None:
        raise StepRunNotFound(execution[:100])
    return found
