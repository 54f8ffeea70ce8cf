"""Tasks of people: what waits for somebody to fill in a form, and filling it in."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from controlroom.engine.processes.forms import FieldKind, Form, FormField, defaults_of
from controlroom.engine.runs import human_tasks
from controlroom.engine.runs.human_tasks import HumanTask, HumanTaskNotFound
from controlroom.errors import Invalid
from controlroom.ids import WorkItemId, as_uuid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.entrance import Moved
from controlroom.ui.filters import Reference, Since
from controlroom.ui.lists import Col, Link, ListPage
from controlroom.ui.pickers.known import PROCESSES
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="tasks", name="Tasks of people", path="/tasks", is_rare=True, icon="tasks", needs=Permission.READ_WORK_ITEMS
)
_INPUTS: Final = {
    FieldKind.TEXT: "text",
    FieldKind.NUMBER: "number",
    FieldKind.DATE: "text",
    FieldKind.ANY: "text",
}


_LIST: Final = ListPage(
    listing=human_tasks.OPEN_TASKS,
    row=HumanTask,
    path="/tasks",
    noun="tasks",
    noun_of_one="task",
    topics="human_task",
    filters=(Reference("process", "Process", "process_id", PROCESSES), Since("since", "Since", "created_at")),
    columns=(
        Col("step_name", "Task", sort="step_name", always=True, csv=lambda task: task.form.title or task.step_name),
        Col("process_name", "Process", sort="process_name"),
        Col("state_at", "Waits", sort="state_at", is_number=True, always=True),
    ),
    searched=("title", "step_name", "process_name"),
    searched_words="Task, process, number or id",
    sort="id",
)


@page("/tasks", needs=Permission.READ_WORK_ITEMS)
async def list_tasks(request: Asking) -> Shown:
    """Those that wait for somebody, the oldest first."""
    return await request.show(
        "tasks/list.html",
        title="Tasks of people",
        at="tasks",
        beside=tabs_of(request, "Waiting"),
        found=await _LIST.read(request),
    )


def tabs_of(request: Asking, current: str) -> list[Link]:
    """What waits, and the runs of which it is, for who may see these."""
    sees = (Permission.READ_PROCESSES, Permission.READ_RUNS)
    if not all(request.actor.may(each, request.workspace) for each in sees):
        return []
    paths = {"Waiting": "/tasks", "Requests": "/tasks/requests"}
    return [Link(name, f"{request.base}{path}", current == name) for name, path in paths.items()]


@page("/tasks/{number:str}", needs=Permission.READ_WORK_ITEMS, is_read=True)
async def show_task(request: Asking, number: Path[str]) -> Shown:
    """The form, with what is known already."""
    task = await _task(request, number)
    return await _show(request, task, _before(task))


@verb("/tasks/{number:str}", may=Permission.WRITE_WORK_ITEMS)
async def submit_task(request: Asking, number: Path[str]) -> Shown:
    """Hand on what was filled in."""
    fields = await request.fields()
    task = await _task(request, number)
    try:
        answers = answers_of(task.form, fields)
    except Invalid as wrong:
        return await _show(request, task, _typed(task.form, fields), refused=said(wrong))
    button = fields.text("_button") or None
    _, refused = await tried(human_tasks.submit(*request.acting, task.id, answers, button=button))
    if refused:
        return await _show(request, task, _typed(task.form, fields), refused=refused)
    return request.done(f"{request.base}/tasks", f"Done: run #{task.run_number} goes on.")


def answers_of(form: Form, fields: Fields) -> dict[str, Any]:
    """What was filled in, as the form's fields are: an empty one is no answer. Raises Invalid."""
    answers: dict[str, Any] = {}
    for place, field in enumerate(form.fields):
        name = f"f{place}"
        if field.kind is FieldKind.TRUTH:
            answers[field.name] = fields.has(name)
        elif (text := fields.raw(name).replace("\r\n", "\n")) != "":
            answers[field.name] = _number(field, text) if field.kind is FieldKind.NUMBER else text
    return answers


def _number(field: FormField, text: str) -> int | float:
    try:
        return int(text) if text.strip().lstrip("-").isdecimal() and len(text) < 19 else float(text)  # noqa: PLR2004
    except ValueError as wrong:
        raise Invalid(f"{field.label or field.name} is no number", code="ANSWER_WRONG") from wrong


def _before(task: HumanTask) -> Mapping[str, Any]:
    """What the fields say before anybody has looked: the payload's values over the form's defaults."""
    known: Any = {} if task.payload is None else msgspec.json.decode(bytes(task.payload))
    return {**defaults_of(task.form), **(known if isinstance(known, dict) else {})}


def _typed(form: Form, fields: Fields) -> Mapping[str, Any]:
    return {
        field.name: fields.has(f"f{place}") if field.kind is FieldKind.TRUTH else fields.raw(f"f{place}")
        for place, field in enumerate(form.fields)
    }


async def _task(request: Asking, named: str) -> HumanTask:
    """The task of an address. Raises Moved for one that is named by its id."""
    seen = request.scope_for(Permission.READ_WORK_ITEMS)
    if (id_ := as_uuid(named)) is not None:
        found = await human_tasks.get(request.db, seen, WorkItemId(id_))
        raise Moved(f"{request.base}/tasks/{found.number}")
    if not (named.isdecimal() and named.isascii() and len(named) <= 18):  # noqa: PLR2004 - what 64 bits hold
        raise HumanTaskNotFound(named)
    return await human_tasks.numbered(request.db, seen, int(named))


async def _show(request: Asking, task: HumanTask, values: Mapping[str, Any], *, refused: str = "") -> Shown:
    known: Any = None if task.payload is None else msgspec.json.format(bytes(task.payload), indent=2).decode()
    asked = {field.name for field in task.form.fields}
    return await request.show(
        "tasks/task.html",
        title=task.form.title or task.step_name,
        at="tasks",
        crumbs=request.way(("Tasks of people", "/tasks"), f"#{task.number}"),
        status=REFUSED if refused else 200,
        task=task,
        values={name: value for name, value in values.items() if name in asked},
        payload=known,
        inputs=_INPUTS,
        kinds=FieldKind,
        may_answer=request.actor.may(Permission.WRITE_WORK_ITEMS, request.workspace),
        refused=refused,
    )
