"""Assistants: tasks that people run on their own machines; who has run them, and how that went."""

from typing import Final

from controlroom.engine.access import history
from controlroom.engine.access.scope import within
from controlroom.engine.assistants import actions, store
from controlroom.engine.assistants.listings import ASSISTANTS, ListedAssistant
from controlroom.engine.assistants.model import Assistant, AssistantChange
from controlroom.engine.assistants.store import ASSISTANT
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, equal
from controlroom.engine.packages.model import Task
from controlroom.engine.packages.store import get_task
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ids import AssistantId, AssistantRunId, TaskId, as_uuid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number, id_of
from controlroom.ui.pickers.known import TASKS
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import Place, page, verb
from controlroom.ui.states import Sign

PLACE: Final = Place(
    at="assistants",
    name="Assistants",
    path="/assistants",
    is_rare=True,
    icon="assistants",
    needs=Permission.READ_ASSISTANTS,
)
SIGNS: Final = {
    "in_progress": Sign("run", "run", "In progress"),
    "completed": Sign("done", "ok", "Completed"),
    "failed": Sign("failed", "bad", "Failed"),
}
_LATEST_RUNS: Final = 50
_LIST: Final = ListPage(
    listing=ASSISTANTS,
    row=ListedAssistant,
    path="/assistants",
    noun="assistants",
    noun_of_one="assistant",
    topics="assistant assistant_run",
    columns=(
        Col("name", "Assistant", sort="name", always=True),
        Col("task_name", "Task", sort="task_name"),
        Col("last_state", "Last run", csv=lambda row: row.last_state or ""),
        Col("last_by", "By"),
        Col("last_at", "When", is_number=True, sort="last_at", always=True),
    ),
    searched=("name", "task_name"),
    searched_words="Name, task, number or id",
    sort="name",
)


@page("/assistants", needs=Permission.READ_ASSISTANTS)
async def list_assistants(request: Asking) -> Shown:
    """The list."""
    found = await _LIST.read(request)
    return await request.show(
        "assistants/list.html",
        title="Assistants",
        at="assistants",
        found=found,
        signs=SIGNS,
        may_change=_may_change(request),
    )


@page("/assistants/new", needs=(Permission.WRITE_ASSISTANTS, Permission.READ_ASSISTANTS))
async def ask_for_assistant(request: Asking) -> Shown:
    """A name and a task."""
    return await _form(request, Fields([]))


@verb("/assistants/new")
async def create_assistant(request: Asking) -> Shown:
    """Make it: whoever may start runs here may run it on their machine."""
    fields = await request.fields()
    chosen, refused = await tried(_chosen(request, fields))
    if chosen is None:
        return await _form(request, fields, refused=refused)
    made, refused = await tried(
        actions.create(*request.acting, name=fields.text("name"), package=chosen.package_id, task=chosen.name)
    )
    if made is None:
        return await _form(request, fields, refused=refused)
    return request.done(f"{request.base}/assistants/{made.number}", f"The assistant {made.name} is made.")


@page("/assistants/{number:str}", needs=Permission.READ_ASSISTANTS)
async def show_assistant(request: Asking, number: Path[str]) -> Shown:
    """What it runs, and who has run it."""
    assistant = await seen(request, number)
    ensure_number(request, number, assistant.number)
    before = as_uuid(request.query_params.get("before", ""))
    runs = await store.list_runs(
        *request.reading,
        assistant=assistant.id,
        before=None if before is None else AssistantRunId(before),
        limit=_LATEST_RUNS + 1,
    )
    has_more, runs = len(runs) > _LATEST_RUNS, runs[:_LATEST_RUNS]
    listed = await pages.rows(
        request.db,
        ListedAssistant,
        ASSISTANTS,
        within(request.seen),
        Asked(filter=equal(id=assistant.id), length=1),
    )
    return await request.show(
        "assistants/assistant.html",
        title=assistant.name,
        at="assistants",
        crumbs=request.way(("Assistants", "/assistants"), assistant.name),
        assistant=listed[0],
        here=f"{request.base}/assistants/{assistant.number}",
        runs=runs,
        older=f"{request.base}/assistants/{assistant.number}?before={runs[-1].id}" if has_more else "",
        signs=SIGNS,
        changes=await history.changes_of(*request.reading, assistant.id),
        may_change=_may_change(request),
    )


@page("/assistants/{number:str}/edit", needs=(Permission.WRITE_ASSISTANTS, Permission.READ_ASSISTANTS))
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Its name and its task."""
    assistant = await seen(request, number)
    return await _form(request, Fields([("name", assistant.name), ("task", str(assistant.task_id))]), assistant)


@verb("/assistants/{number:str}/edit")
async def edit_assistant(request: Asking, number: Path[str]) -> Shown:
    """Change it; runs under way go on as they began."""
    fields = await request.fields()
    assistant = await seen(request, number)
    chosen, refused = await tried(_chosen(request, fields))
    if chosen is None:
        return await _form(request, fields, assistant, refused=refused)
    change = AssistantChange(name=fields.text("name"), task=(chosen.package_id, chosen.name))
    _, refused = await tried(actions.edit(*request.acting, assistant.id, change))
    if refused:
        return await _form(request, fields, assistant, refused=refused)
    return request.done(f"{request.base}/assistants/{number}", "The assistant is changed.")


@page("/assistants/{number:str}/delete", needs=(Permission.WRITE_ASSISTANTS, Permission.READ_ASSISTANTS))
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What goes with it."""
    assistant = await seen(request, number)
    return await request.show(
        "assistants/delete.html",
        title=f"Delete {assistant.name}",
        at="assistants",
        crumbs=request.way(
            ("Assistants", "/assistants"), (assistant.name, f"/assistants/{assistant.number}"), "Delete"
        ),
        assistant=assistant,
    )


@verb("/assistants/{number:str}/delete")
async def delete_assistant(request: Asking, number: Path[str]) -> Shown:
    """Delete it."""
    found = await resolve(request.db, request.scope_for(Permission.WRITE_ASSISTANTS), ASSISTANT, number)
    await actions.delete(*request.acting, found)
    undo = f"{request.base}/assistants/{found}/restore"
    return request.done(f"{request.base}/assistants", "The assistant is deleted. Runs under way go on.", undo=undo)


@verb("/assistants/{number:str}/restore", may=Permission.WRITE_ASSISTANTS)
async def restore_assistant(request: Asking, number: Path[str]) -> Shown:
    """Have it again after it was deleted; its id says which it was."""
    found = await actions.restore(*request.acting, AssistantId(id_of(number)))
    return request.done(f"{request.base}/assistants/{found.number}", f"{found.name} is there again, as it was.")


async def seen(request: Asking, named: str) -> Assistant:
    """The assistant that an address names. Raises AssistantNotFound."""
    scope = request.scope_for(Permission.READ_ASSISTANTS)
    return await actions.get(request.db, scope, await resolve(request.db, scope, ASSISTANT, named))


def _may_change(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_ASSISTANTS, request.workspace)


async def _chosen(request: Asking, fields: Fields) -> Task:
    """The task that a form names, among those of the workspace. Raises PickRefused, Invalid, TaskNotFound."""
    task = as_uuid(await TASKS.chosen(request, fields.text("task")))
    if task is None:
        raise Invalid("choose the task that it runs", code="TASK_MISSING")
    return await get_task(request.db, request.scope_for(Permission.WRITE_ASSISTANTS), TaskId(task))


async def _form(request: Asking, fields: Fields, assistant: Assistant | None = None, *, refused: str = "") -> Shown:
    return await request.show(
        "assistants/form.html",
        title=f"Edit {assistant.name}" if assistant else "New assistant",
        at="assistants",
        crumbs=request.way(
            ("Assistants", "/assistants"),
            (assistant.name, f"/assistants/{assistant.number}") if assistant else None,
            "Edit" if assistant else "New assistant",
        ),
        status=REFUSED if refused else 200,
        assistant=assistant,
        fields=fields,
        task=await TASKS.offered(request, fields.text("task")),
        refused=refused,
    )
