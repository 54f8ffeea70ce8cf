"""When an item may be worked on, how urgent it is, and what people call it: changed while nobody works on it."""

from datetime import datetime

from msgspec import UNSET

from controlroom.engine.references import resolve
from controlroom.engine.work_items import actions, store
from controlroom.engine.work_items.model import WorkItem
from controlroom.engine.work_items.store import WORK_ITEM
from controlroom.engine.work_items.terms import TermsChange
from controlroom.errors import Invalid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.local_times import local_said, read_moment
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import page, verb


@page("/items/{number:str}/terms", needs=(Permission.WRITE_WORK_ITEMS, Permission.READ_WORK_ITEMS))
async def ask_for_terms(request: Asking, number: Path[str]) -> Shown:
    """What they are now."""
    item = await store.get(*request.reading, await resolve(*request.reading, WORK_ITEM, number))
    return await _form(request, item, Fields([*_said(request, item).items()]))


@verb("/items/{number:str}/terms")
async def set_terms(request: Asking, number: Path[str]) -> Shown:
    """Change them; what a field leaves empty it has not."""
    fields = await request.fields()
    scope = request.scope_for(Permission.WRITE_WORK_ITEMS)
    before = await store.get(request.db, scope, await resolve(request.db, scope, WORK_ITEM, number))
    _, refused = await tried(_changed(request, before, fields))
    if refused:
        return await _form(request, before, fields, refused=refused)
    here = f"{request.base}/items/{before.number}"
    return request.done(here, "It is changed.", undo=f"{here}/terms", undo_with=_said(request, before))


async def _changed(request: Asking, before: WorkItem, fields: Fields) -> WorkItem:
    priority = fields.text("priority") or "0"
    if not (priority.removeprefix("-").isdecimal() and priority.isascii() and len(priority) < 10):  # noqa: PLR2004 - 32 bits
        raise Invalid("the priority is a whole number", code="NUMBER_INVALID")
    due = fields.text("due")
    is_left_due = not due and before.due <= request.reader.now  # it keeps its place in the line
    change = TermsChange(
        priority=int(priority),
        due=UNSET if is_left_due else _moment(request, due, before.due),
        deadline=_moment(request, fields.text("deadline"), before.deadline),
        reference=fields.text("reference") or None,
    )
    return await actions.set_terms(*request.acting, before.id, change)


def _moment(request: Asking, text: str, before: datetime | None) -> datetime | None:
    return read_moment(text, request.reader.zone, before) if text else None


def _said(request: Asking, item: WorkItem) -> dict[str, str]:
    zone = request.reader.zone
    return {
        "reference": item.reference or "",
        "priority": str(item.priority),
        "due": local_said(item.due, zone) if item.due > request.reader.now else "",
        "deadline": "" if item.deadline is None else local_said(item.deadline, zone),
    }


async def _form(request: Asking, item: WorkItem, fields: Fields, *, refused: str = "") -> Shown:
    name = item.reference or f"#{item.number}"
    return await request.show(
        "items/terms.html",
        title=f"When {name} is worked on",
        at="items",
        crumbs=request.way(("Work items", "/items"), (name, f"/items/{item.number}"), "When"),
        status=REFUSED if refused else 200,
        item=item,
        name=name,
        fields=fields,
        zone=request.reader.zone_name,
        refused=refused,
    )
