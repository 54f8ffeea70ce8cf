"""Tasks of people (our own management API): what waits until somebody has filled in a form."""

from datetime import datetime
from typing import Any

from msgspec import Raw, field

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Identified, Named, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.processes import FormBody, show_form
from controlroom.dialects.robocorp.routing import Page, Pages, get, post
from controlroom.engine.runs import human_tasks
from controlroom.engine.runs.human_tasks import HumanTask
from controlroom.ids import WorkItemId


class HumanTaskAnswer(Shape, frozen=True, kw_only=True):
    """A task of a person; its id is that of the work item."""

    id: WorkItemId
    process: Named
    process_run: Identified
    step: Named
    form: FormBody
    payload: Raw | None
    open: bool
    created_at: datetime


class SubmitRequest(OwnBody, frozen=True, kw_only=True):
    """What was filled in, and by which button it was answered."""

    inputs: dict[str, Any] = field(default_factory=dict)
    button: str | None = None


@get("/human-tasks", needs=Permission.READ_WORK_ITEMS)
async def list_human_tasks(request: Asking, paging: Pages) -> Page[HumanTaskAnswer]:
    """List the tasks that wait for somebody, oldest first."""
    return paging.page(await human_tasks.list_open(*request.reading, **paging.after(WorkItemId)), _show)


@get("/human-tasks/{task_id:uuid}", needs=Permission.READ_WORK_ITEMS)
async def get_human_task(request: Asking, task_id: Path[WorkItemId]) -> HumanTaskAnswer:
    """Get a task of a person, open or over."""
    return _show(await human_tasks.get(*request.reading, task_id))


@post("/human-tasks/{task_id:uuid}/submit")
async def submit_human_task(request: Asking, task_id: Path[WorkItemId], data: Body[SubmitRequest]) -> HumanTaskAnswer:
    """Do a task: what was filled in is handed on to the next step."""
    return _show(await human_tasks.submit(*request.acting, task_id, data.inputs, button=data.button))


_show = shown_as(
    HumanTaskAnswer,
    HumanTask,
    process=lambda task: Named(task.process_id, task.process_name),
    process_run=lambda task: Identified(task.run_id),
    step=lambda task: Named(task.step_id, task.step_name),
    form=lambda task: show_form(task.form),
    open="is_open",
)
