"""A queue: what is in it, what goes through it, who works on it; and the verbs to change, hold, fill and delete it."""

from datetime import datetime, tzinfo
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from controlroom.engine.access import history
from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import equal
from controlroom.engine.queues import actions, store
from controlroom.engine.queues.attending import attending
from controlroom.engine.queues.model import QueueChange
from controlroom.engine.queues.store import QUEUE
from controlroom.engine.references import resolve
from controlroom.engine.statistics import flows
from controlroom.engine.statistics.flows import Flow
from controlroom.engine.statistics.model import HOUR
from controlroom.engine.statistics.rules import hour_of
from controlroom.engine.work_items.listings import ITEMS
from controlroom.engine.work_items.model import ItemState
from controlroom.errors import Invalid
from controlroom.ids import QueueId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.charts import Column
from controlroom.ui.numbers import ensure_number
from controlroom.ui.queues.granted import RIGHTS, grants_of
from controlroom.ui.queues.pages import GOVERNS, json_of, show_form
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.routing import page, verb
from controlroom.ui.workers.pages import may_govern
from controlroom.ui.workers.told import outlook_told, windows_told

_COUNTED: Final = (
    ("failed", "Failed", ItemState.FAILED),
    ("invalid", "Invalid", ItemState.INVALID),
    ("held", "Held", ItemState.HELD),
    ("waiting", "Waiting", ItemState.PENDING),
    ("in_progress", "In progress", ItemState.IN_PROGRESS),
    ("done", "Done", ItemState.DONE),
)
"""The tabs of the list of items, worst first: a number here leads to the list that it counts."""


@page("/queues/{number:str}", needs=Permission.READ_WORK_ITEMS)
async def show_queue(request: Asking, number: Path[str]) -> Shown:
    """What is in it, what goes through it, and who works on it."""
    found = await resolve(*request.reading, QUEUE, number)
    flow = await flows.flow_of(*request.reading, found)
    if flow is None:
        raise QUEUE.missing(number)
    ensure_number(request, number, flow.number)
    counts = {"waiting": flow.waiting, **await _counts(request, found)}
    now = request.reader.now
    return await request.show(
        "queues/queue.html",
        title=flow.name,
        at="workers",
        crumbs=crumbs_of(request, flow.name),
        queue=await store.get(*request.reading, found),
        flow=flow,
        told=outlook_told(flow.outlook(now)),
        counts=[(tab, name, state, counts[tab]) for tab, name, state in _COUNTED],
        hours=_columns(flow, now, request.reader.zone, f"{request.base}/items?queue={found}"),
        consumers=await attending(*request.reading, queue=found),
        grants=await grants_of(request, found) if flow.is_standing else [],
        rights={each.value: said for each, said in RIGHTS.items()},
        changes=await history.changes_of(*request.reading, found),
        may_govern=may_govern(request),
        may_put=flow.is_standing and request.actor.may(Permission.WRITE_WORK_ITEMS, request.workspace),
        windows_told=windows_told,
    )


async def _counts(request: Asking, queue: QueueId) -> dict[str, int]:
    """How many items there are by state, but for those that wait, which the flow has told."""
    asked = [(tab, state) for tab, _, state in _COUNTED if tab != "waiting"]
    counts = await pages.count_each(
        request.db,
        ITEMS,
        within(request.seen),
        [equal(queue_id=queue, state=state.value) for _, state in asked],
        plans_anew=True,
    )
    return {tab: counted.rows for (tab, _), counted in zip(asked, counts, strict=True)}


def _columns(flow: Flow, now: datetime, zone: tzinfo, href: str) -> list[Column]:
    """What left it by the hour, of the last day."""
    by_hour = {each.hour: each for each in flow.hours}
    columns = []
    for place in range(24):
        hour = hour_of(now) - (23 - place) * HOUR
        seen = by_hour.get(hour)
        gone, came, depth = (seen.gone, seen.arrived, seen.depth) if seen else (0, 0, 0)
        title = f"{hour.astimezone(zone):%H:%M}: {came:,} came, {gone:,} went, {depth:,} waited at its end"
        columns.append(Column(f"{hour.astimezone(zone):%H}", gone, 0, href, title, is_now=place == 23))  # noqa: PLR2004 - the last
    return columns


# ---------------------------------------------------------------------------------------------------- the queue
@page("/queues/{number:str}/edit", needs=Permission.READ_WORK_ITEMS)
async def ask_to_edit_queue(request: Asking, number: Path[str]) -> Shown:
    """What it says of itself."""
    queue = await store.get(*request.reading, await resolve(*request.reading, QUEUE, number))
    return await show_form(request, queue, Fields(_as_fields(queue)))


@verb("/queues/{number:str}/edit", may=GOVERNS)
async def edit_queue(request: Asking, number: Path[str]) -> Shown:
    """Change it; items that wait already stay as they are."""
    fields = await request.fields()
    found = await queue_of(request, number)
    queue = await store.get(request.db, request.scope_for(Permission.READ_WORK_ITEMS), found)
    settings = replace(
        actions.settings_of(queue),
        description=fields.text("description"),
        refuses_duplicates=fields.has("refuses_duplicates"),
    )
    try:
        schema = json_of(fields.text("schema"), "The schema")
    except Invalid as wrong:
        return await show_form(request, queue, fields, refused=said(wrong))
    revision = fields.text("revision")
    change = QueueChange(
        name=fields.text("name"),
        schema=msgspec.UNSET if queue.item_model_id else schema,
        settings=settings,
        revision=int(revision) if revision.isdecimal() and len(revision) < 10 else msgspec.UNSET,  # noqa: PLR2004
    )
    _, refused = await tried(actions.update(*request.acting, found, change))
    if refused:
        return await show_form(request, queue, fields, refused=refused)
    return request.done(f"{request.base}/queues/{number}", "The queue is changed.")


def _as_fields(queue: Any) -> list[tuple[str, str]]:
    pairs = [
        ("name", queue.name),
        ("description", queue.description),
        ("schema", "" if queue.schema is None else msgspec.json.format(bytes(queue.schema), indent=2).decode()),
        ("revision", str(queue.revision)),
    ]
    return [*pairs, ("refuses_duplicates", "on")] if queue.refuses_duplicates else pairs


@page("/queues/{number:str}/delete", needs=Permission.READ_WORK_ITEMS)
async def ask_to_delete_queue(request: Asking, number: Path[str]) -> Shown:
    """What goes with it."""
    return await _question(request, await resolve(*request.reading, QUEUE, number), number)


@verb("/queues/{number:str}/delete", may=GOVERNS)
async def delete_queue(request: Asking, number: Path[str]) -> Shown:
    """Delete it, with what was in it if that is wanted; while something waits in it only so."""
    fields = await request.fields()
    found = await queue_of(request, number)
    _, refused = await tried(actions.delete(*request.acting, found, with_items=fields.has("with_items")))
    if refused:
        return await _question(request, found, number, refused=refused)
    return request.done(f"{request.base}/queues", "The queue is deleted.")


async def _question(request: Asking, found: QueueId, number: str, *, refused: str = "") -> Shown:
    seen = request.scope_for(Permission.READ_WORK_ITEMS)
    flow = await flows.flow_of(request.db, seen, found)
    if flow is None:
        raise QUEUE.missing(number)
    [items] = await pages.count_each(request.db, ITEMS, within(seen), [equal(queue_id=found)])
    return await request.show(
        "queues/delete.html",
        title=f"Delete {flow.name}",
        at="workers",
        crumbs=crumbs_of(request, flow.name, number, "Delete"),
        status=REFUSED if refused else 200,
        flow=flow,
        items=items.rows,
        refused=refused,
    )


# ---------------------------------------------------------------------------------------------------- items
@page("/queues/{number:str}/put", needs=(Permission.WRITE_WORK_ITEMS, Permission.READ_WORK_ITEMS))
async def ask_for_item(request: Asking, number: Path[str]) -> Shown:
    """What a new item shall say."""
    return await _put_form(request, await resolve(*request.reading, QUEUE, number), "{\n  \n}")


@verb("/queues/{number:str}/put")
async def put_item(request: Asking, number: Path[str]) -> Shown:
    """Put an item in."""
    fields = await request.fields()
    found = await resolve(request.db, request.scope_for(Permission.WRITE_WORK_ITEMS), QUEUE, number)
    try:
        payload = json_of(fields.text("payload"), "The payload")
    except Invalid as wrong:
        return await _put_form(request, found, fields.text("payload"), refused=said(wrong))
    made, refused = await tried(actions.put(*request.acting, found, payload))
    if made is None:
        return await _put_form(request, found, fields.text("payload"), refused=refused)
    return request.done(f"{request.base}/queues/{number}", f"Item #{made.number} waits in the queue.")


async def _put_form(request: Asking, found: QueueId, payload: str, *, refused: str = "") -> Shown:
    queue = await store.get(request.db, request.scope_for(Permission.READ_WORK_ITEMS), found)
    return await request.show(
        "queues/put.html",
        title=f"Put an item into {queue.name}",
        at="workers",
        crumbs=crumbs_of(request, queue.name, queue.number, "New item"),
        status=REFUSED if refused else 200,
        queue=queue,
        payload=payload,
        schema="" if queue.schema is None else msgspec.json.format(bytes(queue.schema), indent=2).decode(),
        refused=refused,
    )


async def queue_of(request: Asking, number: str) -> QueueId:
    """The queue of an address, for a verb, which asks for its right by itself."""
    return await resolve(request.db, request.scope_for(Permission.READ_WORK_ITEMS), QUEUE, number)


def crumbs_of(request: Asking, name: str, number: int | str | None = None, last: str = "") -> list[Crumb]:
    """The way to a page of a queue."""
    above = (("Workers and queues", "/workers"), ("Queues", "/queues"))
    return request.way(*above, name if number is None else (name, f"/queues/{number}"), last)
