"""A queue: what is in it, what goes through it, who works on it; and the verbs to change, hold, fill and delete it."""

from datetime import datetime, time, tzinfo
from typing import Any, Final

import msgspec
from litestar.params import FromPath
from msgspec.structs import replace

from controlroom.engine.access import history
from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import equal
from controlroom.engine.packages import choices
from controlroom.engine.processes.model import ANYWHERE, Group, Placement
from controlroom.engine.queues import actions, store
from controlroom.engine.queues.attending import Attending, attending
from controlroom.engine.queues.model import ConsumerChange, ConsumerDefinition, QueueChange, Window
from controlroom.engine.queues.store import QUEUE
from controlroom.engine.references import find, resolve
from controlroom.engine.statistics import flows
from controlroom.engine.statistics.flows import Flow
from controlroom.engine.statistics.model import HOUR
from controlroom.engine.statistics.rules import hour_of
from controlroom.engine.work_items.listings import ITEMS
from controlroom.engine.work_items.model import ItemState
from controlroom.engine.workers import store as workers
from controlroom.engine.workers.store import WORKER_GROUP
from controlroom.errors import Invalid
from controlroom.ids import QueueConsumerId, QueueId, TaskId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.charts import Column
from controlroom.ui.numbers import ensure_number
from controlroom.ui.queues.pages import GOVERNS, json_of, show_form
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.rights import every
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
_WORKS_ON: Final = every(GOVERNS, Permission.START_RUNS)
_MOST_GROUPS: Final = 200
_DAYS: Final = ((0, "Mon"), (1, "Tue"), (2, "Wed"), (3, "Thu"), (4, "Fri"), (5, "Sat"), (6, "Sun"))


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
        crumbs=_crumbs(request, flow.name),
        queue=await store.get(*request.reading, found),
        flow=flow,
        told=outlook_told(flow.outlook(now)),
        counts=[(tab, name, state, counts[tab]) for tab, name, state in _COUNTED],
        hours=_columns(flow, now, request.reader.zone, f"{request.base}/items?queue={found}"),
        consumers=await attending(*request.reading, queue=found),
        changes=await history.changes_of(*request.reading, found),
        may_govern=may_govern(request),
        may_put=flow.is_standing and request.actor.may(Permission.WRITE_WORK_ITEMS, request.workspace),
        windows_told=windows_told,
    )


async def _counts(request: Asking, queue: QueueId) -> dict[str, int]:
    """How many items there are by state, but for those that wait, which the flow has told."""
    asked = [(tab, state) for tab, _, state in _COUNTED if tab != "waiting"]
    counts = await pages.count_each(
        request.db, ITEMS, within(request.seen), [equal(queue_id=queue, state=state.value) for _, state in asked]
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
    found = await _queue(request, number)
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
    found = await _queue(request, number)
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
        crumbs=_crumbs(request, flow.name, number, "Delete"),
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
        crumbs=_crumbs(request, queue.name, queue.number, "New item"),
        status=REFUSED if refused else 200,
        queue=queue,
        payload=payload,
        schema="" if queue.schema is None else msgspec.json.format(bytes(queue.schema), indent=2).decode(),
        refused=refused,
    )


# ---------------------------------------------------------------------------------------------------- consumers
_CONSUMER: Final = "/queues/{number:str}/consumers/{consumer:uuid}"


@page("/queues/{number:str}/consumers/new", needs=Permission.READ_WORK_ITEMS)
async def ask_for_consumer(request: Asking, number: Path[str]) -> Shown:
    """What it shall run, where and when."""
    found = await resolve(*request.reading, QUEUE, number)
    fields = Fields([("max_runs", "1"), ("batch", "100"), ("priority", "0"), ("zone", request.reader.zone_name)])
    return await _consumer_form(request, found, None, fields)


@verb("/queues/{number:str}/consumers/new", may=_WORKS_ON)
async def add_consumer(request: Asking, number: Path[str]) -> Shown:
    """Have the items of a queue worked on."""
    fields = await request.fields()
    found = await _queue(request, number)
    try:
        wanted = await _definition(request, fields)
    except Invalid as wrong:
        return await _consumer_form(request, found, None, fields, refused=said(wrong))
    _, refused = await tried(actions.add_consumer(*request.acting, found, wanted))
    if refused:
        return await _consumer_form(request, found, None, fields, refused=refused)
    return request.done(f"{request.base}/queues/{number}", "Whatever is due in the queue is worked on from now on.")


@page(_CONSUMER + "/edit", needs=Permission.READ_WORK_ITEMS)
async def ask_to_edit_consumer(request: Asking, number: Path[str], consumer: FromPath[QueueConsumerId]) -> Shown:
    """What it runs, where and when."""
    found = await resolve(*request.reading, QUEUE, number)
    its = await store.get_consumer(*request.reading, found, consumer)
    window = its.windows[0] if its.windows else None
    group = next((each.group for each in its.placement.places if isinstance(each, Group)), None)
    pairs = [
        ("task", str(its.task_id)),
        ("group", "" if group is None else str(group)),
        ("name", its.name),
        ("description", its.description),
        ("max_runs", str(its.max_runs)),
        ("batch", str(its.batch)),
        ("priority", str(its.priority)),
        ("zone", its.zone),
        *(("day", str(day)) for day in (window.days if window else ())),
        ("begins", f"{window.begins:%H:%M}" if window else ""),
        ("ends", f"{window.ends:%H:%M}" if window else ""),
        *([("is_paused", "on")] if its.is_paused else []),
    ]
    return await _consumer_form(request, found, its, Fields(pairs))


@verb(_CONSUMER + "/edit", may=_WORKS_ON)
async def edit_consumer(request: Asking, number: Path[str], consumer: FromPath[QueueConsumerId]) -> Shown:
    """Change it; its runs under way go on as they were."""
    fields = await request.fields()
    found = await _queue(request, number)
    seen = request.scope_for(Permission.READ_WORK_ITEMS)
    its = await store.get_consumer(request.db, seen, found, consumer)
    try:
        wanted = await _definition(request, fields)
    except Invalid as wrong:
        return await _consumer_form(request, found, its, fields, refused=said(wrong))
    names = ("task", "zone", "priority", "max_runs", "batch", "is_paused", "name", "description")
    change: dict[str, Any] = {name: getattr(wanted, name) for name in names}
    if len(its.windows) <= 1:  # several were said by a program, and stay as it said them
        change["windows"] = wanted.windows
    if all(isinstance(each, Group) for each in its.placement.places) and len(its.placement.places) <= 1:
        change["placement"] = replace(its.placement, places=wanted.placement.places)
    _, refused = await tried(actions.change_consumer(*request.acting, found, consumer, ConsumerChange(**change)))
    if refused:
        return await _consumer_form(request, found, its, fields, refused=refused)
    return request.done(f"{request.base}/queues/{number}", "The consumer is changed.")


@verb(_CONSUMER + "/pause", may=_WORKS_ON)
async def pause_consumer(request: Asking, number: Path[str], consumer: FromPath[QueueConsumerId]) -> Shown:
    """Have it begin nothing more."""
    return await _pause(request, number, consumer, is_paused=True)


@verb(_CONSUMER + "/go-on", may=_WORKS_ON)
async def resume_consumer(request: Asking, number: Path[str], consumer: FromPath[QueueConsumerId]) -> Shown:
    """Have it work again."""
    return await _pause(request, number, consumer, is_paused=False)


@page(_CONSUMER + "/delete", needs=Permission.READ_WORK_ITEMS)
async def ask_to_delete_consumer(request: Asking, number: Path[str], consumer: FromPath[QueueConsumerId]) -> Shown:
    """What becomes of what waits."""
    found = await resolve(*request.reading, QUEUE, number)
    its: list[Attending] = [each for each in await attending(*request.reading, queue=found) if each.id == consumer]
    if not its:
        await store.get_consumer(*request.reading, found, consumer)
    return await request.show(
        "queues/delete_consumer.html",
        title="Delete the consumer",
        at="workers",
        crumbs=_crumbs(request, its[0].queue_name, number, "Delete consumer"),
        consumer=its[0],
        flow=await flows.flow_of(*request.reading, found),
    )


@verb(_CONSUMER + "/delete", may=GOVERNS)
async def delete_consumer(request: Asking, number: Path[str], consumer: FromPath[QueueConsumerId]) -> Shown:
    """Delete it; its runs go on."""
    await actions.remove_consumer(*request.acting, await _queue(request, number), consumer)
    return request.done(f"{request.base}/queues/{number}", "The consumer is deleted. Its runs under way go on.")


async def _pause(request: Asking, number: str, consumer: QueueConsumerId, *, is_paused: bool) -> Shown:
    fields = await request.fields()
    change = ConsumerChange(is_paused=is_paused)
    await actions.change_consumer(*request.acting, await _queue(request, number), consumer, change)
    overview, here = f"{request.base}/workers", f"{request.base}/queues/{number}"
    told = "The consumer begins nothing more." if is_paused else "The consumer works again."
    to = overview if fields.text("to") == overview else here
    opposite = f"{here}/consumers/{consumer}/{'go-on' if is_paused else 'pause'}"
    return request.done(to, told, undo=opposite, undo_with={"to": to})


async def _definition(request: Asking, fields: Fields) -> ConsumerDefinition:
    """The consumer that a form says. Raises Invalid for what it cannot say."""
    if (task := as_uuid(fields.text("task"))) is None:
        raise Invalid("choose the task that it shall run", code="TASK_MISSING")
    placement = ANYWHERE
    if fields.text("group"):
        seen = request.scope_for(Permission.READ_WORKERS)
        group = await find(request.db, seen, WORKER_GROUP, fields.text("group"))
        if group is None:
            raise Invalid("this group is no more", code="WORKER_GROUP_NOT_FOUND")
        placement = Placement((Group(group),))
    days = tuple(int(each) for each in fields.texts("day") if each in {str(day) for day, _ in _DAYS})
    begins, ends = _clock(fields.text("begins")), _clock(fields.text("ends"))
    if days and (begins is None or ends is None):
        raise Invalid("say from when until when it works on the days that are ticked", code="WINDOW_INVALID")
    return ConsumerDefinition(
        task=TaskId(task),
        placement=placement,
        windows=(Window(days, begins, ends),) if days and begins is not None and ends is not None else (),
        zone=fields.text("zone") or "UTC",
        priority=_whole(fields.text("priority"), "the priority"),
        max_runs=_whole(fields.text("max_runs"), "how many runs it may have at once"),
        batch=_whole(fields.text("batch"), "how many items a run takes"),
        is_paused=fields.has("is_paused"),
        name=fields.text("name"),
        description=fields.text("description"),
    )


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if text else None
    except ValueError as wrong:
        raise Invalid(f"{text[:20]} is no time of day: 06:00", code="WINDOW_INVALID") from wrong


def _whole(text: str, what: str) -> int:
    if not text.removeprefix("-").isdecimal() or len(text) > 9:  # noqa: PLR2004 - what 32 bits hold
        raise Invalid(f"{what} is a whole number", code="NUMBER_INVALID")
    return int(text)


async def _consumer_form(request: Asking, found: QueueId, its: Any, fields: Fields, *, refused: str = "") -> Shown:
    seen = request.scope_for(Permission.READ_WORK_ITEMS)
    queue = await store.get(request.db, seen, found)
    return await request.show(
        "queues/consumer_form.html",
        title=f"Consumer of {queue.name}",
        at="workers",
        crumbs=_crumbs(request, queue.name, queue.number, "Edit consumer" if its else "New consumer"),
        status=REFUSED if refused else 200,
        queue=queue,
        consumer=its,
        fields=fields,
        tasks=await choices.tasks(request.db, seen),
        groups=await workers.list_groups(request.db, seen, limit=_MOST_GROUPS),
        days=_DAYS,
        refused=refused,
    )


async def _queue(request: Asking, number: str) -> QueueId:
    """The queue of an address, for a verb, which asks for its right by itself."""
    return await resolve(request.db, request.scope_for(Permission.READ_WORK_ITEMS), QUEUE, number)


def _crumbs(request: Asking, name: str, number: int | str | None = None, last: str = "") -> list[Crumb]:
    above = (("Workers and queues", "/workers"), ("Queues", "/queues"))
    return request.way(*above, name if number is None else (name, f"/queues/{number}"), last)
