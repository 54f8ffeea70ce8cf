"""Consumers of a queue: what works on its items, where and when."""

from datetime import time
from typing import Any, Final

from litestar.params import FromPath
from msgspec.structs import replace

from controlroom.engine.processes.model import ANYWHERE, Group, Placement
from controlroom.engine.queues import actions, store
from controlroom.engine.queues.attending import Attending, attending
from controlroom.engine.queues.model import ConsumerChange, ConsumerDefinition, Window
from controlroom.engine.queues.store import QUEUE
from controlroom.engine.references import find, resolve
from controlroom.engine.statistics import flows
from controlroom.engine.workers.store import WORKER_GROUP
from controlroom.errors import Invalid
from controlroom.ids import QueueConsumerId, QueueId, TaskId, as_uuid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.pickers.known import GROUPS, TASKS
from controlroom.ui.pickers.picker import resolved
from controlroom.ui.queues.pages import GOVERNS
from controlroom.ui.queues.pages_queue import crumbs_of, queue_of
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.rights import every
from controlroom.ui.routing import page, verb

_WORKS_ON: Final = every(GOVERNS, Permission.START_RUNS)
_DAYS: Final = ((0, "Mon"), (1, "Tue"), (2, "Wed"), (3, "Thu"), (4, "Fri"), (5, "Sat"), (6, "Sun"))
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
    found = await queue_of(request, number)
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
    found = await queue_of(request, number)
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
        crumbs=crumbs_of(request, its[0].queue_name, number, "Delete consumer"),
        consumer=its[0],
        flow=await flows.flow_of(*request.reading, found),
    )


@verb(_CONSUMER + "/delete", may=GOVERNS)
async def delete_consumer(request: Asking, number: Path[str], consumer: FromPath[QueueConsumerId]) -> Shown:
    """Delete it; its runs go on."""
    await actions.remove_consumer(*request.acting, await queue_of(request, number), consumer)
    here = f"{request.base}/queues/{number}"
    undo = f"{here}/consumers/{consumer}/restore"
    return request.done(here, "The consumer is deleted. Its runs under way go on.", undo=undo)


@verb(_CONSUMER + "/restore", may=_WORKS_ON)
async def restore_consumer(request: Asking, number: Path[str], consumer: FromPath[QueueConsumerId]) -> Shown:
    """Have it again after it was deleted."""
    again = await actions.restore_consumer(*request.acting, await queue_of(request, number), consumer)
    said = "The consumer is there again, paused as it was." if again.is_paused else "The consumer works again."
    return request.done(f"{request.base}/queues/{number}", said)


async def _pause(request: Asking, number: str, consumer: QueueConsumerId, *, is_paused: bool) -> Shown:
    fields = await request.fields()
    change = ConsumerChange(is_paused=is_paused)
    await actions.change_consumer(*request.acting, await queue_of(request, number), consumer, change)
    overview, here = f"{request.base}/workers", f"{request.base}/queues/{number}"
    told = "The consumer begins nothing more." if is_paused else "The consumer works again."
    to = overview if fields.text("to") == overview else here
    opposite = f"{here}/consumers/{consumer}/{'go-on' if is_paused else 'pause'}"
    return request.done(to, told, undo=opposite, undo_with={"to": to})


async def _definition(request: Asking, fields: Fields) -> ConsumerDefinition:
    """The consumer that a form says. Raises Invalid for what it cannot say."""
    fields = await resolved(request, fields, {"task": TASKS, "group": GROUPS})
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
        crumbs=crumbs_of(request, queue.name, queue.number, "Edit consumer" if its else "New consumer"),
        status=REFUSED if refused else 200,
        queue=queue,
        consumer=its,
        fields=fields,
        task=await TASKS.offered(request, fields.text("task")),
        group=await GROUPS.offered(request, fields.text("group")),
        days=_DAYS,
        refused=refused,
    )
