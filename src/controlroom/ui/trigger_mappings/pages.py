"""Trigger mappings: which users, or holders of which roles, have the triggers of a task on their machines."""

from typing import Final

from controlroom.engine.access import history
from controlroom.engine.access.nouns import ROLE, USER
from controlroom.engine.lists.model import equal
from controlroom.engine.packages.store import TASK
from controlroom.engine.references import Reference, resolve, resolve_all
from controlroom.engine.triggers import mappings
from controlroom.engine.triggers.mappings import (
    TRIGGER_MAPPING,
    TRIGGER_MAPPINGS,
    ForRoles,
    ForUsers,
    TriggerMapping,
)
from controlroom.errors import Invalid
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.filters import Tab, Text
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import TASKS
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="trigger-mappings",
    name="Trigger mappings",
    path="/trigger-mappings",
    icon="trigger",
    needs=Permission.READ_SCHEDULES,
    is_rare=True,
)
_READS: Final = Permission.READ_SCHEDULES
_WRITES: Final = Permission.WRITE_SCHEDULES
_LIST: Final = ListPage(
    listing=TRIGGER_MAPPINGS,
    row=TriggerMapping,
    path="/trigger-mappings",
    noun="trigger mappings",
    noun_of_one="trigger mapping",
    topics="trigger_mapping",
    tabs=(
        Tab("all", "All", is_sum=True),
        Tab("users", "For users", equal(is_for_role=False)),
        Tab("roles", "For roles", equal(is_for_role=True)),
    ),
    filters=(Text("label", "Label", "label"),),
    columns=(
        Col("task_name", "Task", sort="task_name", always=True),
        Col("package_name", "Package", sort="package_name"),
        Col("holder", "Whose", always=True),
        Col("label", "Version", sort="label"),
        Col("updated_at", "Changed", sort="updated_at", is_number=True, always=True),
    ),
    searched=("task_name", "package_name", "user_name", "role_name"),
    searched_words="Task, package, user or role",
)


@page("/trigger-mappings", needs=_READS)
async def list_mappings(request: Asking) -> Shown:
    """The list."""
    return await request.show(
        "trigger_mappings/list.html",
        title="Trigger mappings",
        at="trigger-mappings",
        found=await _LIST.read(request),
    )


@page("/trigger-mappings/new", needs=(_WRITES, _READS))
async def ask_for_mapping(request: Asking) -> Shown:
    """The triggers of which task, and who has them."""
    return await _form(request, Fields([("task", request.query_params.get("task", ""))]))


@verb("/trigger-mappings/new")
async def attach(request: Asking) -> Shown:
    """Give the triggers of a task to users, or to whoever holds roles; who has them has those of the label now."""
    fields = await request.fields()
    made, refused = await tried(_attached(request, fields))
    if made is None:
        return await _form(request, fields, refused=refused)
    if len(made) > 1:
        return request.done(
            f"{request.base}/trigger-mappings", f"{len(made)} have the triggers of {made[0].task_name}."
        )
    here = f"{request.base}/trigger-mappings/{made[0].number}"
    return request.done(here, f"{made[0].holder} has the triggers of {made[0].task_name}.", undo=f"{here}/delete")


@page("/trigger-mappings/{number:str}", needs=_READS)
async def show_mapping(request: Asking, number: Path[str]) -> Shown:
    """Whose the triggers of which task are, of which version, and who said so."""
    mapping = await _mapping(request, number)
    ensure_number(request, number, mapping.number)
    return await request.show(
        "trigger_mappings/mapping.html",
        title=f"{mapping.task_name} for {mapping.holder}",
        at="trigger-mappings",
        crumbs=_way(request, mapping),
        mapping=mapping,
        here=f"{request.base}/trigger-mappings/{mapping.number}",
        changes=await history.changes_of(*request.reading, mapping.id),
    )


@page("/trigger-mappings/{number:str}/edit", needs=(_WRITES, _READS))
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Of which version they are."""
    mapping = await _mapping(request, number)
    return await _edit_form(request, mapping, mapping.label or "")


@verb("/trigger-mappings/{number:str}/edit")
async def edit_mapping(request: Asking, number: Path[str]) -> Shown:
    """Say of which version they are."""
    fields = await request.fields()
    before = await _mapping(request, number)
    whom = ForRoles((before.role_id,)) if before.role_id else ForUsers((before.user_id,) if before.user_id else ())
    _, refused = await tried(mappings.attach(*request.acting, before.task_id, whom, label=fields.text("label") or None))
    if refused:
        return await _edit_form(request, before, fields.text("label"), refused=refused)
    here = f"{request.base}/trigger-mappings/{before.number}"
    return request.done(here, "It is changed.", undo=f"{here}/edit", undo_with={"label": before.label or ""})


@verb("/trigger-mappings/{number:str}/delete", may=_WRITES)
async def detach(request: Asking, number: Path[str]) -> Shown:
    """Take them away; given again, all is as it was."""
    gone = await _mapping(request, number)
    await mappings.detach(*request.acting, gone.id)
    again = {"task": str(gone.task_id), "label": gone.label or ""}
    again |= {"roles": gone.role_name or ""} if gone.role_id else {"users": gone.user_name or ""}
    here = f"{request.base}/trigger-mappings"
    said = f"{gone.holder} has the triggers of {gone.task_name} no more."
    return request.done(here, said, undo=f"{here}/new", undo_with=again)


async def _attached(request: Asking, fields: Fields) -> list[TriggerMapping]:
    """What a form says is done. Raises Invalid, NotFound, Conflict."""
    seen = request.scope_for(_WRITES)
    users, roles = fields.listed("users"), fields.listed("roles")
    if bool(users) == bool(roles):
        raise Invalid("name users, or roles, and not both", code="TRIGGER_MAPPING_INVALID")
    if not fields.text("task"):
        raise Invalid("choose the task", code="TASK_MISSING")
    task = await resolve(request.db, seen, TASK, await TASKS.chosen(request, fields.text("task")))
    whom: ForUsers | ForRoles
    if roles:
        whom = ForRoles(tuple(await resolve_all(request.db, seen, [Reference(ROLE, each) for each in roles])))
    else:
        whom = ForUsers(tuple(await resolve_all(request.db, seen, [Reference(USER, each) for each in users])))
    return await mappings.attach(*request.acting, task, whom, label=fields.text("label") or None)


async def _mapping(request: Asking, named: str) -> TriggerMapping:
    seen = request.scope_for(_READS)
    return await mappings.get(request.db, seen, await resolve(request.db, seen, TRIGGER_MAPPING, named))


def _way(request: Asking, mapping: TriggerMapping | None, last: str = "") -> list[Crumb]:
    its = (
        None
        if mapping is None
        else (f"{mapping.task_name} for {mapping.holder}", f"/trigger-mappings/{mapping.number}")
    )
    return request.way(("Trigger mappings", "/trigger-mappings"), its, last)


async def _edit_form(request: Asking, mapping: TriggerMapping, label: str, *, refused: str = "") -> Shown:
    return await request.show(
        "trigger_mappings/edit.html",
        title=f"Triggers of {mapping.task_name} for {mapping.holder}",
        at="trigger-mappings",
        crumbs=_way(request, mapping, "Edit"),
        status=REFUSED if refused else 200,
        mapping=mapping,
        label=label,
        here=f"{request.base}/trigger-mappings/{mapping.number}",
        refused=refused,
    )


async def _form(request: Asking, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "trigger_mappings/form.html",
        title="New trigger mapping",
        at="trigger-mappings",
        crumbs=_way(request, None, "New mapping"),
        status=REFUSED if refused else 200,
        fields=fields,
        task=await TASKS.offered(request, fields.text("task")),
        refused=refused,
    )
