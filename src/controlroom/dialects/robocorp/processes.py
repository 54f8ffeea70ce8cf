"""Processes (§1.7), and what the vendor's API could not do: make, change and delete them (our own management API)."""

from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from msgspec import UNSET, Raw, UnsetType, field

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Identified, OwnBody, Shape, shown_as, shown_with
from controlroom.dialects.robocorp.locks import LockBody
from controlroom.dialects.robocorp.placements import PlacementBody, placement_of, show_placement
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.processes import actions, forms, model, store
from controlroom.engine.work_items.model import ExceptionType
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.errors import Invalid
from controlroom.ids import ConnectionId, PackageId, ProcessId, StepId, TaskId
from controlroom.protocol import Command, OnFailure

_DEFAULT = RetryPolicy()


class RetryBody(OwnBody, frozen=True, kw_only=True):
    """When a failed work item is tried again by itself; never after a business exception."""

    max_attempts: int = _DEFAULT.max_attempts
    delay_seconds: float = _DEFAULT.delay_seconds
    backoff: float = _DEFAULT.backoff
    max_delay_seconds: float = _DEFAULT.max_delay_seconds
    jitter: float = _DEFAULT.jitter
    exception_types: tuple[ExceptionType, ...] = _DEFAULT.exception_types
    exception_codes: tuple[str, ...] = _DEFAULT.exception_codes


class TaskRequest(OwnBody, frozen=True):
    """A task by its name, of a package by id or name."""

    name: str
    package_id: PackageId | None = None
    package_name: str | None = None


class TaskAnswer(Shape, frozen=True):
    """The task that a step runs."""

    id: TaskId
    name: str
    package_id: PackageId
    package_name: str


class CommandBody(OwnBody, frozen=True, kw_only=True):
    """A command: a program and its arguments, which no shell reads.

    When it fails, those after it are skipped, or run (`continue`), or run and it does not count (`ignore`). One that
    always runs is never skipped.
    """

    name: str
    words: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    on_failure: OnFailure = OnFailure.SKIP
    always_run: bool = False


class CommandsRequest(OwnBody, frozen=True, kw_only=True):
    """Commands in their order, in the folder and environment of a package by id or name."""

    list: tuple[CommandBody, ...]
    package_id: PackageId | None = None
    package_name: str | None = None


class CommandsAnswer(Shape, frozen=True, kw_only=True):
    """The commands that a step runs, and whose they are."""

    list: tuple[CommandBody, ...]
    package_id: PackageId
    package_name: str


class FieldBody(OwnBody, frozen=True, kw_only=True, omit_defaults=True):
    """Something to be filled in."""

    name: str
    label: str = ""
    kind: forms.FieldKind = forms.FieldKind.TEXT
    required: bool = False
    default: Any | UnsetType = UNSET
    choices: tuple[str, ...] = ()


class FormBody(OwnBody, frozen=True, kw_only=True):
    """What a person is asked, and the buttons by which they answer."""

    title: str = ""
    fields: tuple[FieldBody, ...] = ()
    buttons: tuple[str, ...] = (forms.SUBMIT,)


class DatabaseRequest(OwnBody, frozen=True):
    """A DuckDB file that the room keeps, by the id or the name of its connection."""

    connection_id: ConnectionId | None = None
    connection_name: str | None = None


class DatabaseAnswer(Shape, frozen=True):
    """The connection whose file a step works on."""

    connection_id: ConnectionId
    connection_name: str


class StepRequest(OwnBody, frozen=True, kw_only=True):
    """A step as it shall be; what is left out is as usual. It runs a task or commands, or asks a person by a form."""

    name: str
    task: TaskRequest | None = None
    commands: CommandsRequest | None = None
    form: FormBody | None = None
    max_parallel: int = 1
    timeout_seconds: float | None = None
    environment: dict[str, str] = field(default_factory=dict)
    placement: PlacementBody = PlacementBody()
    retry: RetryBody = RetryBody()
    starts_after_previous: bool = False
    one_item_per_step_run: bool = False
    database: DatabaseRequest | None = None
    """What its robots work on, one run at a time: they find the file by CONTROLROOM_DATABASE."""


class StepAnswer(Shape, frozen=True, kw_only=True):
    """A step. The vendor tells the first two fields; the others are ours."""

    id: StepId
    name: str
    task: TaskAnswer | None
    """None for a step that runs commands, as for one that runs nothing yet."""
    commands: CommandsAnswer | UnsetType = UNSET
    """Told only of a step that has some."""
    form: FormBody | UnsetType = UNSET
    """Likewise: by which it asks a person."""
    queue: Identified
    """Where its work items wait: a queue of its own, which may have a schema."""
    max_parallel: int
    timeout_seconds: float | None
    environment: dict[str, str]
    placement: PlacementBody
    retry: RetryBody
    starts_after_previous: bool
    one_item_per_step_run: bool
    database: DatabaseAnswer | UnsetType = UNSET
    """Told only of a step that works on one."""


class DefaultWorkItem(OwnBody, frozen=True):
    """What a start without input begins with."""

    payload: Raw


class CreateProcess(OwnBody, frozen=True, kw_only=True):
    """A new process."""

    name: str
    steps: list[StepRequest] = field(default_factory=list)
    default_work_item: DefaultWorkItem | None = None
    form: FormBody | None = None
    """By which people start it."""
    enabled: bool = True
    locks: list[LockBody] = field(default_factory=list)
    """What each of its runs holds until it ends."""


class UpdateProcess(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays. Steps are given whole: they keep their ids by name, else by place."""

    name: str | UnsetType = UNSET
    steps: list[StepRequest] | UnsetType = UNSET
    default_work_item: DefaultWorkItem | UnsetType | None = UNSET
    form: FormBody | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    locks: list[LockBody] | UnsetType = UNSET
    """Runs that have been started keep theirs."""


class ListedProcess(Shape, frozen=True):
    """A process as lists tell it."""

    id: ProcessId
    name: str
    created_at: datetime


class ProcessAnswer(Shape, frozen=True, kw_only=True):
    """A process with its steps. `enabled`, `default_work_item` and `locks` are ours."""

    id: ProcessId
    name: str
    created_at: datetime
    steps: list[StepAnswer]
    enabled: bool
    default_work_item: DefaultWorkItem | None
    form: FormBody | UnsetType = UNSET
    """Told only of a process that has one."""
    locks: list[LockBody]


@get("/processes", needs=Permission.READ_PROCESSES)
async def list_processes(request: Asking, paging: Pages) -> Page[ListedProcess]:
    """List processes, oldest first."""
    return paging.page(await store.list_processes(*request.reading, **paging.after(ProcessId)), _show_listed)


@post("/processes", needs=Permission.WRITE_PROCESSES)
async def create_process(request: Asking, data: Body[CreateProcess]) -> ProcessAnswer:
    """Create a process with its steps."""
    return await _show(request, await actions.create(*request.acting, _process_of(data)))


@get("/processes/{process_id:uuid}", needs=Permission.READ_PROCESSES)
async def get_process(request: Asking, process_id: Path[ProcessId]) -> ProcessAnswer:
    """Get a process with its steps."""
    return await _show(request, await store.get(*request.reading, process_id))


@update("/processes/{process_id:uuid}", needs=Permission.WRITE_PROCESSES)
async def update_process(request: Asking, process_id: Path[ProcessId], data: Body[UpdateProcess]) -> ProcessAnswer:
    """Change a process; runs under way go on with the new settings."""
    return await _show(request, await actions.update(*request.acting, process_id, _change_of(data)))


@delete("/processes/{process_id:uuid}")
async def delete_process(request: Asking, process_id: Path[ProcessId]) -> Deleted:
    """Delete a process of which no run is under way."""
    return await Deleted.after(process_id, actions.delete(*request.acting, process_id))


def _package(asked: TaskRequest | CommandsRequest, what: str) -> PackageId | str:
    match (asked.package_id, asked.package_name):
        case (UUID() as package, None):
            return PackageId(package)
        case (None, str(package_name)):
            return package_name
        case _:
            raise Invalid(f"{what} either package_id or package_name", code="INVALID_BODY")


def _work(step: StepRequest) -> model.NamedTask | model.PackageCommands | forms.Form | None:
    match (step.task, step.commands, step.form):
        case (None, None, None):
            return None
        case (TaskRequest() as task, None, None):
            return model.NamedTask(_package(task, "a task needs"), task.name)
        case (None, CommandsRequest() as asked, None):
            return model.PackageCommands(_package(asked, "commands need"), tuple(map(_command_of, asked.list)))
        case (None, None, FormBody() as form):
            return _form_of(form)
        case _:
            raise Invalid("a step has either a task, or commands, or a form", code="INVALID_BODY")


_command_of = shown_as(Command, CommandBody)
_field_of = shown_as(forms.FormField, FieldBody, is_required="required")
_show_field = shown_as(FieldBody, forms.FormField, required="is_required")
_form_of = shown_as(forms.Form, FormBody, fields=lambda body: tuple(map(_field_of, body.fields)))
show_form = shown_as(FormBody, forms.Form, fields=lambda form: tuple(map(_show_field, form.fields)))


def _steps(steps: list[StepRequest]) -> tuple[model.StepDefinition, ...]:
    return tuple(map(_step_of, steps))


def _database_of(asked: DatabaseRequest | None) -> ConnectionId | str | None:
    match asked:
        case None:
            return None
        case DatabaseRequest(UUID() as connection, None):
            return ConnectionId(connection)
        case DatabaseRequest(None, str(name)):
            return name
        case _:
            raise Invalid("a database needs either connection_id or connection_name", code="INVALID_BODY")


_step_of = shown_as(
    model.StepDefinition,
    StepRequest,
    work=_work,
    placement=("placement", placement_of),
    database=("database", _database_of),
)
_process_of = shown_as(
    model.ProcessDefinition,
    CreateProcess,
    steps=("steps", _steps),
    default_item=("default_work_item", attrgetter("payload")),
)
_change_of = shown_as(
    model.ProcessChange,
    UpdateProcess,
    steps=("steps", _steps),
    default_item=("default_work_item", attrgetter("payload")),
)


async def _show(request: Asking, process: model.Process) -> ProcessAnswer:
    steps = await store.list_steps(*request.reading, process.id)
    return _shown(process, steps=[_show_step(step) for step in steps])


_show_listed = shown_as(ListedProcess, model.Process)
_show_task = shown_as(TaskAnswer, model.StepTask)
_show_commands = shown_as(CommandsAnswer, model.StepCommands, list="commands")
_show_step = shown_as(
    StepAnswer,
    model.Step,
    task=lambda step: _show_task(step.work) if isinstance(step.work, model.StepTask) else None,
    commands=lambda step: _show_commands(step.work) if isinstance(step.work, model.StepCommands) else UNSET,
    form=lambda step: show_form(step.work.form) if isinstance(step.work, model.StepPerson) else UNSET,
    placement=("placement", show_placement),
    database=lambda step: UNSET if step.database is None else DatabaseAnswer(step.database.id, step.database.name),
)
_shown = shown_with(
    ("steps",),
    ProcessAnswer,
    model.Process,
    default_work_item=("default_item", DefaultWorkItem),
    form=lambda process: UNSET if process.form is None else show_form(process.form),
)
