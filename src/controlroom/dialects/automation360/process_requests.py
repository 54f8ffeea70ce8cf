"""A request of Process Composer (§2.19): a run of a process, with what robots and people have done in it."""

from datetime import datetime
from typing import Any, Final

import msgspec

from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking
from controlroom.dialects.automation360.executions import STATUSES, execution_id, request_ref
from controlroom.dialects.automation360.process_forms import Dictionary, dictionary_of
from controlroom.engine.access.scope import Scope
from controlroom.engine.processes import store as processes
from controlroom.engine.processes.model import Process, StepPerson
from controlroom.engine.runs import human_tasks, outputs_of_runs
from controlroom.engine.runs import store as runs
from controlroom.engine.runs.human_tasks import HumanTask
from controlroom.engine.runs.model import Result, Run, RunState, StartedBy, StepRun, StepRunState
from controlroom.engine.runs.stages import Stage, failure_of
from controlroom.engine.work_items.model import ItemState
from controlroom.ids import RunId, StepId

_MOST: Final = 1000
"""Steps of each kind that a request tells."""
_SUB_STATES: Final = {
    Stage.QUEUED: "BOT_QUEUED",
    Stage.PREPARING: "BOT_INITIATED",
    Stage.RUNNING: "BOT_RUNNING",
    Stage.PAUSED: "BOT_RUNNING",
    Stage.SUCCEEDED: "BOT_SUCCESS",
}


class ProcessTold(Shape, frozen=True, kw_only=True):
    """Which process it is of."""

    id: int
    title: str
    tags: list[str]
    creation_mode: list[str]


class StepTold(Shape, frozen=True, kw_only=True):
    """What a robot or a person has to do, or has done."""

    id: int
    name: str
    title: str
    type: str
    status: str
    info: str = ""
    step_state: str
    step_sub_state: str
    execution_status: str
    progress_status: str
    process_step_uuid: str
    activity_unique_id: str
    assignee_id: int | None = None


class RequestTold(Shape, frozen=True, kw_only=True):
    """A request."""

    id: int
    ref: str
    title: str
    info: str
    process: ProcessTold
    inputs: Dictionary
    outputs: Dictionary
    steps: list[StepTold]
    status: str
    initiator_type: str
    initial_step_title: str
    initial_step_info: str = ""
    has_hidden_steps: bool = False
    created_by_team_id: int | None = None
    workspace_type: str = "PUBLIC"
    recovered_by: int | None = None
    recovered_on: str | None = None
    recycle_schedule: str | None = None
    created_on: str
    updated_on: str
    created_by: int
    updated_by: int


def ref_of(process: Process, run: Run) -> str:
    """By what people call a request."""
    return request_ref(process.number, run.run_no)


async def told(request: Asking, scope: Scope, run: RunId) -> RequestTold:
    """A request, whole."""
    db = request.db
    found = await runs.get(db, scope, run)
    process = await processes.get(db, scope, found.process_id)
    steps = await processes.list_steps(db, scope, process.id)
    step_runs = await runs.list_step_runs(db, scope, run, limit=_MOST)
    tasks = await human_tasks.of_run(db, scope, run, limit=_MOST)
    payload, put_out = await outputs_of_runs.given_and_put_out(request.engine, scope, run)
    rows = [_initial(found)]
    for step in steps:
        if isinstance(step.work, StepPerson):
            rows.extend(_of_person(task) for task in tasks if task.step_id == step.id)
        else:
            rows.extend(_of_robot(one, step.id, step.number) for one in step_runs if one.step_id == step.id)
    starter = await runs.answerable(db, scope, run) or 0
    ended = found.ended_at or _latest(step_runs, tasks) or found.created_at
    name = "" if found.told is None else found.told.name
    return RequestTold(
        id=found.number,
        ref=ref_of(process, found),
        title=name or process.name,
        info="" if found.told is None else found.told.cause,
        process=ProcessTold(id=process.number, title=process.name, tags=[], creation_mode=["USER"]),
        inputs=dictionary_of(None if payload is None else msgspec.json.decode(payload)),
        outputs=dictionary_of({name: msgspec.json.decode(value) for name, value in put_out.items()}),
        steps=rows,
        status=status_of(found),
        initiator_type="USER" if found.started_by is StartedBy.USER else "BOT",
        initial_step_title=process.form.title if process.form is not None else process.name,
        created_on=moment(found.created_at),
        updated_on=moment(ended),
        created_by=starter,
        updated_by=starter,
    )


def status_of(run: Run) -> str:
    """How a request stands."""
    if run.state in {RunState.NEW, RunState.IN_PROGRESS, RunState.STOPPING}:
        return "OPENED"
    if run.result is Result.STOPPED:
        return "CANCELLED"
    return "SUCCESS" if run.state is RunState.COMPLETED and run.result is Result.SUCCEEDED else "ERROR"


def _initial(run: Run) -> StepTold:
    return StepTold(
        id=run.number,
        name="Start",
        title="Start",
        type="INIT",
        status="COMPLETED",
        step_state="COMPLETED",
        step_sub_state="NO_SUB_STATE",
        execution_status="COMPLETED",
        progress_status="COMPLETED",
        process_step_uuid=str(run.process_id),
        activity_unique_id="",
    )


def _of_robot(one: StepRun, step: StepId, number: int) -> StepTold:
    stage = _stage(one)
    is_over = one.state in {StepRunState.COMPLETED, StepRunState.FAILED}
    return StepTold(
        id=number,
        name=one.step_name,
        title=one.step_name,
        type="BOT",
        status="COMPLETED" if is_over else "IN_PROGRESS",
        info=one.error_message,
        step_state="COMPLETED" if is_over else "IN_PROGRESS",
        step_sub_state=_SUB_STATES.get(stage, "BOT_FAILED"),
        execution_status=STATUSES[stage],
        progress_status=STATUSES[stage],
        process_step_uuid=str(step),
        activity_unique_id=execution_id(one.id, one.number),
    )


def _stage(one: StepRun) -> Stage:
    match one.state:
        case StepRunState.NEW | StepRunState.AWAITING_WORKER:
            return Stage.QUEUED
        case StepRunState.IN_PROGRESS:
            return Stage.RUNNING if one.paused_at is None else Stage.PAUSED
        case StepRunState.COMPLETED:
            return Stage.SUCCEEDED
        case _:
            return failure_of(one.result, one.error_code)


def _of_person(task: HumanTask) -> StepTold:
    sub_state = "HUMAN_PENDING" if task.is_open else _PERSONS.get(task.state, "HUMAN_CANCELED")
    return StepTold(
        id=task.number,
        name=task.step_name,
        title=task.form.title or task.step_name,
        type="FORM",
        status="IN_PROGRESS" if task.is_open else "COMPLETED",
        step_state="IN_PROGRESS" if task.is_open else "COMPLETED",
        step_sub_state=sub_state,
        execution_status="PENDING" if task.is_open else "COMPLETED",
        progress_status="PENDING" if task.is_open else "COMPLETED",
        process_step_uuid=str(task.step_id),
        activity_unique_id="",
    )


_PERSONS: Final[dict[Any, str]] = {ItemState.DONE: "HUMAN_SUBMITTED", ItemState.FAILED: "HUMAN_EXPIRED"}


def _latest(step_runs: list[StepRun], tasks: list[HumanTask]) -> datetime | None:
    times = [one.ended_at or one.state_at for one in step_runs] + [task.state_at for task in tasks]
    return max(times, default=None)
