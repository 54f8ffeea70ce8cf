"""One work item: its page, its payload, its files, and what is done to it alone."""

from typing import Final

import msgspec
from msgspec import Raw

from controlroom.border.links import download_url
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.references import resolve
from controlroom.engine.work_items import actions, store
from controlroom.engine.work_items.model import WorkItem
from controlroom.engine.work_items.operations import OPPOSITE, PAST_TENSE, Operation
from controlroom.engine.work_items.store import WORK_ITEM
from controlroom.engine.work_items.terms import Terms
from controlroom.errors import Invalid, NotFound
from controlroom.ids import FileId, ProcessId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown, elsewhere, own_path
from controlroom.ui.entrance import Moved
from controlroom.ui.items.shown import place_in_console, shown_item
from controlroom.ui.items.tree import LARGEST
from controlroom.ui.pickers.known import PROCESSES
from controlroom.ui.pickers.picker import PickRefused
from controlroom.ui.refusals import said
from controlroom.ui.routing import page, verb
from controlroom.ui.states import sign_of

_QUESTIONS: Final = {Operation.DELETE, Operation.MARK_DONE, Operation.COMPLETE}


@page("/items/new", needs=(Permission.WRITE_WORK_ITEMS, Permission.READ_WORK_ITEMS))
async def ask_for_new(request: Asking) -> Shown:
    """A form for a new item."""
    return await _form(request, payload="{}", process=request.query_params.get("process", ""))


@verb("/items/new")
async def create(request: Asking) -> Shown:
    """Put it into the queue of a process."""
    fields = await request.fields()
    payload, wrongs = fields.raw("payload"), dict[str, str]()
    process = None
    try:
        process = as_uuid(await PROCESSES.chosen(request, fields.text("process")))
    except PickRefused as refused:
        wrongs["process"] = f"{said(refused)}."
    if process is None and not wrongs:
        wrongs["process"] = "Choose a process: the item waits in its first queue."
    read = _read(payload, wrongs)
    priority = fields.text("priority", "0") or "0"
    if not priority.removeprefix("-").isdecimal() or len(priority) > 9:  # noqa: PLR2004 - an `int` of PostgreSQL
        wrongs["priority"] = "A whole number: higher ones come first."
    if not wrongs:
        assert process is not None  # noqa: S101 - it is wrong else
        terms = Terms(priority=int(priority), reference=fields.text("reference") or None)
        try:
            made = await actions.create(*request.acting, ProcessId(process), read, terms=terms)
        except Invalid as refused:
            wrongs["payload"] = str(refused)
        else:
            return request.done(f"{request.base}/items/{made.number}", f"Item #{made.number} waits for a run.")
    return await _form(
        request,
        payload=payload,
        process=fields.text("process"),
        reference=fields.text("reference"),
        priority=priority,
        wrongs=wrongs,
    )


@page("/items/{number:str}", needs=Permission.READ_WORK_ITEMS)
async def show(request: Asking, number: Path[str]) -> Shown:
    """It, whole."""
    found = await shown_item(request, number)
    _move_to_number(request, number, found.item)
    sign = sign_of("item", found.item.state)
    return await request.show(
        "items/item.html",
        title=f"Work item {found.name}",
        at="items",
        mark=sign.tone,
        crumbs=request.way(("Work items", "/items"), found.name),
        shown=found,
        sign=sign,
    )


@page("/items/{number:str}/console", needs=Permission.READ_WORK_ITEMS)
async def show_console(request: Asking, number: Path[str]) -> Shown:
    """Lead to the line that says why it failed."""
    return elsewhere(await place_in_console(request, await shown_item(request, number)))


@page("/items/{number:str}/payload.json", needs=Permission.READ_WORK_ITEMS)
async def fetch_payload(request: Asking, number: Path[str]) -> Shown:
    """Its payload, whole, as JSON."""
    item = await store.get(*request.reading, await resolve(*request.reading, WORK_ITEM, number))
    if item.payload is None:
        raise NotFound("This item has no payload.", code="PAYLOAD_NOT_FOUND")
    return Shown(bytes(item.payload), kind=b"application/json")


@page("/items/{number:str}/files/{file:uuid}", needs=Permission.READ_WORK_ITEMS)
async def fetch_file(request: Asking, number: Path[str], file: Path[FileId]) -> Shown:
    """A file of it: by a link that works for an hour."""
    item = await resolve(*request.reading, WORK_ITEM, number)
    for each in await store.list_files(*request.reading, [item]):
        if each.id == file:
            return elsewhere(download_url(request, DownloadKind.WORK_ITEM_FILE, each.id, file_name=each.name))
    raise NotFound("This item has no such file.", code="FILE_NOT_FOUND")


# ---------------------------------------------------------------------------------------------------- its payload
@page("/items/{number:str}/edit", needs=(Permission.WRITE_WORK_ITEMS, Permission.READ_WORK_ITEMS))
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Its payload in a field."""
    item = await store.get(*request.reading, await resolve(*request.reading, WORK_ITEM, number))
    text = "" if item.payload is None else bytes(item.payload).decode(errors="replace")
    if len(text) <= LARGEST and item.payload is not None:
        text = msgspec.json.format(text, indent=2)
    return await _edit(request, item, text, {})


@verb("/items/{number:str}/edit")
async def edit(request: Asking, number: Path[str]) -> Shown:
    """Replace the payload, and retry the item where the form says so."""
    fields = await request.fields()
    scope = request.scope_for(Permission.WRITE_WORK_ITEMS)
    item = await resolve(request.db, scope, WORK_ITEM, number)
    wrongs: dict[str, str] = {}
    read = _read(fields.raw("payload"), wrongs)
    if not wrongs:
        try:
            found = await actions.set_payload(*request.acting, item, read)
        except Invalid as refused:
            wrongs["payload"] = str(refused)
        else:
            if fields.has("retry"):
                await actions.change(*request.acting, Operation.RETRY, [item])
                return request.done(
                    f"{request.base}/items/{found.number}", "The payload is saved, and the item retried."
                )
            return request.done(f"{request.base}/items/{found.number}", "The payload is saved.")
    return await _edit(request, await store.get(request.db, scope, item), fields.raw("payload"), wrongs)


def _read(text: str, wrongs: dict[str, str]) -> Raw | None:
    """A payload as it was typed; nothing is none."""
    if not text.strip():
        return None
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as broken:
        wrongs["payload"] = f"This is no JSON: {broken}"
        return None
    return Raw(text.encode())


# ---------------------------------------------------------------------------------------------------- verbs
@page("/items/{number:str}/do/{operation:str}", needs=(Permission.WRITE_WORK_ITEMS, Permission.READ_WORK_ITEMS))
async def ask(request: Asking, number: Path[str], operation: Path[str]) -> Shown:
    """The question before a verb that cannot be undone."""
    item = await store.get(*request.reading, await resolve(*request.reading, WORK_ITEM, number))
    done = _operation(operation)
    files = await store.list_files(*request.reading, [item.id]) if done is Operation.DELETE else []
    name = item.reference or f"#{item.number}"
    return await request.show(
        "items/ask.html",
        title=f"{VERBS[done]} {name}",
        at="items",
        crumbs=_crumbs(request, item, VERBS[done]),
        item=item,
        name=name,
        operation=done,
        label=VERBS[done],
        files=files,
    )


@verb("/items/{number:str}/do/{operation:str}")
async def do(request: Asking, number: Path[str], operation: Path[str]) -> Shown:
    """Do it to the item."""
    fields = await request.fields()
    done = _operation(operation)
    item = await resolve(request.db, request.scope_for(Permission.WRITE_WORK_ITEMS), WORK_ITEM, number)
    await actions.change(*request.acting, done, [item])
    here = f"{request.base}/items/{number}"
    to = own_path(fields.text("to"), f"{request.base}/items" if done is Operation.DELETE else here)
    opposite = OPPOSITE.get(done)
    return request.done(
        to,
        f"Item #{number} is {PAST_TENSE[done]}.",
        undo=f"{here}/do/{opposite.value}" if opposite else "",
        undo_with={"to": to},
    )


VERBS: Final = {
    Operation.RETRY: "Retry",
    Operation.MARK_DONE: "Mark as done",
    Operation.HOLD: "Hold",
    Operation.RELEASE_HOLD: "Let go",
    Operation.COMPLETE: "Declare done",
    Operation.DELETE: "Delete",
}


def _operation(text: str) -> Operation:
    try:
        return Operation(text)
    except ValueError as unknown:
        raise NotFound("There is no such verb.", code="OPERATION_UNKNOWN") from unknown


# ---------------------------------------------------------------------------------------------------- both
def _move_to_number(request: Asking, named: str, item: WorkItem) -> None:
    if named != str(item.number):
        path = request.scope["path"].replace(f"/items/{named}", f"/items/{item.number}", 1)
        raise Moved(path)


def _crumbs(request: Asking, item: WorkItem, last: str) -> list[Crumb]:
    return request.way(("Work items", "/items"), (item.reference or f"#{item.number}", f"/items/{item.number}"), last)


async def _edit(request: Asking, item: WorkItem, text: str, wrongs: dict[str, str]) -> Shown:
    name = item.reference or f"#{item.number}"
    return await request.show(
        "items/edit.html",
        title=f"Edit {name}",
        at="items",
        crumbs=_crumbs(request, item, "Edit"),
        status=422 if wrongs else 200,
        item=item,
        name=name,
        text=text,
        wrongs=wrongs,
        can_retry=item.state.value in {"failed", "invalid"},
    )


async def _form(
    request: Asking,
    *,
    payload: str,
    process: str,
    reference: str = "",
    priority: str = "0",
    wrongs: dict[str, str] | None = None,
) -> Shown:
    return await request.show(
        "items/new.html",
        title="New work item",
        at="items",
        crumbs=request.way(("Work items", "/items"), "New"),
        status=422 if wrongs else 200,
        process=await PROCESSES.offered(request, process),
        payload=payload,
        reference=reference,
        priority=priority,
        wrongs=wrongs or {},
    )
