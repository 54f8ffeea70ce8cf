"""Process Composer v2 (§2.19): processes that people start by forms, requests, and tasks of people.

A request is a run of a process; its `ref` is `<process>-<run>`. A task of a person is a held item of a step that waits
for somebody; submitting it edits and releases it. All ids are numbers of the room.
"""

import re
from typing import Any, Final

import msgspec
from msgspec import Raw

from controlroom.border.columns import As, Words
from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.columns import Columns, constants
from controlroom.dialects.automation360.deploy import CallbackInfo, callback_of
from controlroom.dialects.automation360.ids import Id, find
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.paths import PATHS, parts_of, path_of, path_read
from controlroom.dialects.automation360.process_files import files_in
from controlroom.dialects.automation360.process_forms import (
    Dictionary,
    answers_of,
    dictionary_of,
    form_of_interface,
    form_text,
)
from controlroom.dialects.automation360.process_requests import RequestTold, ref_of, told
from controlroom.dialects.automation360.routing import Pair, get, post
from controlroom.dialects.automation360.values import values_of
from controlroom.engine.access.nouns import USER_GROUP
from controlroom.engine.access.scope import Of, Scope, scope_of
from controlroom.engine.lists.model import EVERYTHING, equal
from controlroom.engine.lists.words import PATH
from controlroom.engine.nouns import Ways
from controlroom.engine.packages import interfaces
from controlroom.engine.processes import store as processes
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.processes.forms import Form, defaults_of, filled
from controlroom.engine.processes.listings import ListedProcess, with_paths
from controlroom.engine.processes.model import Process, StepTask
from controlroom.engine.processes.store import PROCESS
from controlroom.engine.references import Located, locate
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import brought_files, human_tasks
from controlroom.engine.runs.errors import RunNotFound
from controlroom.engine.runs.human_tasks import HumanTask, HumanTaskNotFound
from controlroom.engine.runs.model import DefaultInput, Inputs, Run, WithPayloads
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.runs.store import RUN, numbered_in_process
from controlroom.engine.workspaces.store import WORKSPACE
from controlroom.errors import Invalid, NotFound
from controlroom.ids import ProcessId, RunId

_BASE: Final = "/aari/v2"
_REF: Final = re.compile(r"([1-9][0-9]{0,17})-([0-9]{1,18})", re.ASCII)
_REQUESTS: Final = Pair("aari", "viewallrequests")
_TASKS: Final = Pair("aari", "viewalltask")


class RequestAsked(Shape, frozen=True, kw_only=True):
    """A request of a process, by its id or its path. `repositoryReference` is PUBLIC, whatever is said."""

    process_id: int | None = None
    process_path: str = ""
    repository_reference: str = ""
    team_id: int | None = None
    inputs: Any = None
    initiator_type: str = ""
    title: str = ""
    callback_info: CallbackInfo | None = None


class RequestMade(Shape, frozen=True):
    """A request that was made."""

    id: int
    ref: str


class FormTold(Shape, frozen=True, kw_only=True):
    """A form; itself as JSON text."""

    id: int
    title: str
    form: str
    aa_file_storage: str = "aari"
    values: dict[str, Any]
    dynamic_form_schema: str | None = None


class InitMethod(Shape, frozen=True, kw_only=True):
    """How a process begins: a person fills in a form, or a bot gives its inputs."""

    id: int
    process_id: int
    init_method: str


class AutomationTold(Shape, frozen=True, kw_only=True):
    """A process in the list."""

    id: int
    name: str
    title: str
    description: str = ""
    automation_type: str = "PROCESS"
    path: str
    status: str
    workspace_type: str = "PUBLIC"
    created_on: str


class HumanTaskTold(Shape, frozen=True, kw_only=True):
    """A task of a person."""

    id: int
    case_id: int
    step_id: int
    ref: str
    title: str
    process: dict[str, Any]
    form: str
    values: dict[str, Any]
    inputs: Dictionary
    buttons: list[str]
    status: str
    step_sub_state: str
    created_on: str
    updated_on: str


class SubmitAsked(Shape, frozen=True, kw_only=True):
    """What was filled in: `stepId` is the task's id, or with `caseId` that of its step."""

    case_id: int | None = None
    step_id: int
    button: Any = None
    inputs: Any = None


_COLUMNS: Final = Columns(
    with_paths(PATHS),
    {
        **constants(AutomationTold),
        "id": "number",
        "name": "name",
        "title": "name",
        "path": As(PATH, read=path_read),
        "automationType": Words({"PROCESS": EVERYTHING}),
        "workspaceType": Words({"PUBLIC": EVERYTHING}),
        "status": Words({"ACTIVE": equal(is_enabled=True), "INACTIVE": equal(is_enabled=False)}),
        "createdOn": "created_at",
    },
)


# ---------------------------------------------------------------------------------------------------- processes
@post(f"{_BASE}/automations/list", needs=Permission.READ_PROCESSES, pair=Pair("process", "view"))
async def list_process_automations(request: Asking, data: Sought = None) -> Listed[AutomationTold]:
    """Search processes."""
    return await listed(request, data, _COLUMNS, ListedProcess, _show_process)


@get(f"{_BASE}/processes/{{process:str}}/form", needs=Permission.READ_PROCESSES, pair=Pair("process", "view"))
async def get_process_form(request: Asking, process: Id) -> FormTold:
    """Give the form by which a process is started; one that has none of its own asks for what its first task takes."""
    found = await _process(request, process)
    form = await _form_of(request, found)
    return FormTold(
        id=found.number,
        title=form.title or found.name,
        form=form_text(form),
        values=values_of(_known(found) | defaults_of(form)),
    )


@get(f"{_BASE}/processes/{{process:str}}/initmethod", needs=Permission.READ_PROCESSES, pair=Pair("process", "view"))
async def get_process_init_method(request: Asking, process: Id) -> InitMethod:
    """Tell whether a process begins by a form."""
    found = await _process(request, process)
    method = "FORM" if found.form is not None else "BOT"
    return InitMethod(id=found.number, process_id=found.number, init_method=method)


# ---------------------------------------------------------------------------------------------------- requests
@post(f"{_BASE}/requests/create", status=201, needs=Permission.START_RUNS, pair=Pair("aari", "createrequest"))
async def create_request(request: Asking, data: Body[RequestAsked]) -> RequestMade:
    """Start a process."""
    seen = scope_of(request.actor, Permission.READ_PROCESSES)
    process = await _named(request, seen, data)
    if data.team_id:
        await find(request, USER_GROUP, data.team_id)
    parameters = RunParameters(name=data.title, callback=callback_of(data.callback_info))
    workspace = process.workspace_id
    inputs, files = _inputs(process, data.inputs), files_in(request, data.inputs)
    where = (request.engine, request.actor, workspace, process.id)
    if files and isinstance(inputs, WithPayloads):
        made: Run | None = await brought_files.start_with(*where, files, _single(inputs), parameters)
    else:
        made = await runs.start(*where, inputs, parameters)
    assert made is not None  # noqa: S101 - its item is its own
    return RequestMade(made.number, ref_of(process, made))


@get(f"{_BASE}/requests/ref/{{ref:str}}", needs=Permission.READ_RUNS, pair=_REQUESTS)
async def get_request_by_ref(request: Asking, ref: Id) -> RequestTold:
    """Get a request by its process and which of its runs it is."""
    named = _REF.fullmatch(ref.strip())
    if named is None:
        raise RunNotFound(ref)
    process = await find(request, PROCESS, named[1])
    run = await numbered_in_process(request.db, process.scope, process.id, int(named[2]))
    return await _told(request, process.scope, run)


@get(f"{_BASE}/requests/{{request_id:str}}", needs=Permission.READ_RUNS, pair=_REQUESTS)
async def get_request(request: Asking, request_id: Id) -> RequestTold:
    """Get a request by its id."""
    located = await find(request, RUN, request_id)
    return await _told(request, located.scope, located.id)


# ---------------------------------------------------------------------------------------------------- human tasks
@get(f"{_BASE}/tasks/humans/{{task:str}}", needs=Permission.READ_WORK_ITEMS, pair=_TASKS)
async def get_human_task(request: Asking, task: Id) -> HumanTaskTold:
    """Get a task of a person, with its form."""
    return _show_task(await _task(request, request.seen, task))


@post(f"{_BASE}/tasks/humans/submit", needs=Permission.WRITE_WORK_ITEMS, pair=Pair("aari", "submittask"))
async def submit_human_task(request: Asking, data: Body[SubmitAsked]) -> HumanTaskTold:
    """Do a task: what was filled in goes on to the next step."""
    task = await _meant(request, data)
    button = data.button.get("id") if isinstance(data.button, dict) else data.button
    done = await human_tasks.submit(
        request.engine,
        request.actor,
        task.workspace_id,
        task.id,
        answers_of(data.inputs),
        button=str(button) if button else None,
    )
    return _show_task(done)


async def _task(request: Asking, seen: Scope, number: str | int) -> HumanTask:
    text = str(number).strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 18:  # noqa: PLR2004 - what a bigint holds
        raise HumanTaskNotFound(text)
    return await human_tasks.numbered(request.db, seen, int(text))


async def _meant(request: Asking, data: SubmitAsked) -> HumanTask:
    """The task that a submit means: of the request's, the open one of the step, or the one of the id."""
    if data.case_id is None:
        return await _task(request, request.seen, data.step_id)
    located = await locate(request.db, request.seen, RUN, str(data.case_id), Ways.NUMBER)
    tasks = await human_tasks.of_run(request.db, located.scope, located.id, limit=1000)
    meant = [task for task in tasks if data.step_id in {task.number, task.step_number}]
    if not meant:
        raise HumanTaskNotFound(data.step_id)
    return next((task for task in meant if task.is_open), meant[-1])


# ---------------------------------------------------------------------------------------------------- what is meant
async def _process(request: Asking, number: str) -> Process:
    located = await find(request, PROCESS, number)
    return await processes.get(request.db, located.scope, located.id)


async def _named(request: Asking, seen: Scope, data: RequestAsked) -> Process:
    located: Located[ProcessId]
    if data.process_id is not None:
        located = await find(request, PROCESS, data.process_id, seen)
    elif data.process_path:
        located = await _at(request, seen, parts_of(data.process_path))
    else:
        raise Invalid("either processId or processPath is needed", code="PROCESS_NOT_NAMED")
    return await processes.get(request.db, located.scope, located.id)


async def _at(request: Asking, seen: Scope, path: list[str]) -> Located[ProcessId]:
    """The process of a path, whose first name is its workspace's."""
    match path:
        case [workspace, *_, name]:
            there = await locate(request.db, seen, WORKSPACE, workspace, Ways.NAME)
            return await locate(request.db, there.scope, PROCESS, name, Ways.NAME)
        case _:
            raise ProcessNotFound("\\".join(path))


def _known(process: Process) -> dict[str, Any]:
    known = {} if process.default_item is None else msgspec.json.decode(process.default_item)
    return known if isinstance(known, dict) else {}


def _inputs(process: Process, given: Any) -> Inputs:
    answers = answers_of(given)
    if process.form is not None:
        payload = filled(process.form, process.default_item, answers)
    elif answers:
        payload = answers
    else:
        return DefaultInput()
    return WithPayloads(Raw(b"[" + msgspec.json.encode(payload) + b"]"), 1)


def _single(inputs: WithPayloads) -> Raw:
    return Raw(bytes(inputs.array)[1:-1])


async def _form_of(request: Asking, process: Process) -> Form:
    if process.form is not None:
        return process.form
    scope = Of(request.actor.organization_id, (process.workspace_id,))
    steps = await processes.list_steps(request.db, scope, process.id)
    if not steps or not isinstance(steps[0].work, StepTask):
        return Form(title=process.name)
    try:
        found = await interfaces.of_task(request.db, scope, steps[0].work.id)
    except NotFound:  # its package has lost the task
        return Form(title=process.name)
    return form_of_interface(process.name, found.interface)


async def _told(request: Asking, scope: Scope, run: RunId) -> RequestTold:
    return await told(request, scope, run)


# ---------------------------------------------------------------------------------------------------- as it is told
def _show_process(process: ListedProcess) -> AutomationTold:
    return AutomationTold(
        id=process.number,
        name=process.name,
        title=process.name,
        path=path_of(process.workspace_name, process.name),
        status="ACTIVE" if process.is_enabled else "INACTIVE",
        created_on=moment(process.created_at),
    )


def _show_task(task: HumanTask) -> HumanTaskTold:
    payload = None if task.payload is None else msgspec.json.decode(task.payload)
    values = values_of(defaults_of(task.form) | (payload if isinstance(payload, dict) else {}))
    return HumanTaskTold(
        id=task.number,
        case_id=task.run_number,
        step_id=task.number,
        ref=f"{task.process_number}-{task.run_no}",
        title=task.form.title or task.step_name,
        process={"id": task.process_number, "title": task.process_name},
        form=form_text(task.form),
        values=values,
        inputs=dictionary_of(payload),
        buttons=list(task.form.buttons),
        status="IN_PROGRESS" if task.is_open else "COMPLETED",
        step_sub_state="HUMAN_PENDING" if task.is_open else "HUMAN_SUBMITTED",
        created_on=moment(task.created_at),
        updated_on=moment(task.state_at),
    )
