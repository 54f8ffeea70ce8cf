"""What is done to ticked items, and to all that match: a question with its numbers, and a job with its report."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct

from controlroom.engine.lists.model import AllOf, Filter, OneOf
from controlroom.engine.references import resolve
from controlroom.engine.statistics import failing
from controlroom.engine.work_items import bulk, jobs
from controlroom.engine.work_items.jobs import ITEM_JOB
from controlroom.engine.work_items.model import ItemState
from controlroom.engine.work_items.operations import FIT, OPPOSITE, PAST_TENSE, Operation
from controlroom.errors import Invalid
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown, own_path
from controlroom.ui.charts import Segment
from controlroom.ui.items.listing import LIST
from controlroom.ui.items.pages import options_of
from controlroom.ui.items.pages_item import VERBS
from controlroom.ui.lists import LENGTH
from controlroom.ui.refusals import tried
from controlroom.ui.routing import page, verb

_OFFERED: Final = (Operation.RETRY, Operation.MARK_DONE, Operation.HOLD, Operation.RELEASE_HOLD, Operation.DELETE)
_CAREFUL: Final = 100
"""From so many on, what cannot be undone is confirmed by typing how many."""
_MOST_JOBS: Final = 30


class Wish(Struct, frozen=True):
    """What is to be done to which items: the ticked ones, or all that an address shows."""

    operation: Operation | None
    ticked: tuple[int, ...]
    asked: dict[str, str]

    @property
    def filter(self) -> Filter:
        """The items, as their list finds them."""
        matching = LIST.asked_filter(self.asked)
        return AllOf((matching, OneOf("number", self.ticked))) if self.ticked else matching

    @property
    def fields(self) -> dict[str, object]:
        """The wish as fields of a form."""
        of: dict[str, object] = dict(self.asked)
        return {**of, "tick": [str(each) for each in self.ticked]} if self.ticked else {**of, "all": "1"}

    def back(self, request: Asking) -> str:
        """The list from which it came."""
        return f"{request.base}/items?{urlencode(self.asked)}" if self.asked else f"{request.base}/items"


@page("/items/bulk", needs=(Permission.WRITE_WORK_ITEMS, Permission.READ_WORK_ITEMS))
async def ask(request: Asking) -> Shown:
    """How many it finds, and how many of those it would touch."""
    return await _ask(request, _wish(Fields(list(request.query_params.multi_items()))), {})


@verb("/items/bulk")
async def do(request: Asking) -> Shown:
    """Do it at once to what was ticked, else have it done by a job."""
    fields = await request.fields()
    wish = _wish(fields)
    if wish.operation is None:
        raise Invalid("Choose what is to be done.", code="OPERATION_UNKNOWN")
    if wish.ticked:
        touched = await bulk.apply(*request.acting, wish.operation, wish.filter)
        return _done(request, wish.operation, touched, wish, own_path(fields.text("to"), wish.back(request)))
    if fields.text("expected") and fields.text("typed") != fields.text("expected"):
        return await _ask(request, wish, {"typed": "This is not the number above. Nothing was done."})
    options = await _options(request, wish.asked)
    job = await jobs.ask(*request.acting, wish.operation, wish.filter, said=LIST.told(wish.asked, options))
    return request.done(f"{request.base}/items/jobs/{job.number}")


def _done(request: Asking, operation: Operation, touched: Sequence[int], wish: Wish, back: str) -> Shown:
    """What was done to ticked items; where another verb takes it back, that one is offered for just these."""
    count, left = len(touched), len(wish.ticked) - len(touched)
    said = f"{count:,} {'item is' if count == 1 else 'items are'} {PAST_TENSE[operation]}."
    if left:
        said += f" {left:,} could not be."
    opposite = OPPOSITE.get(operation)
    if opposite is None or not touched:
        return request.done(back, said)
    undo = {"tab": "all", "operation": opposite.value, "tick": " ".join(map(str, touched)), "to": back}
    return request.done(back, said, undo=f"{request.base}/items/bulk", undo_with=undo)


async def _options(request: Asking, asked: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    seen = request.scope_for(Permission.READ_WORK_ITEMS)  # also for a verb, whose answer may be the question again
    options = {key: list(each) for key, each in (await options_of(request, asked, seen)).items()}
    if mark := asked.get("failure"):
        options["failure"] = [(mark, await failing.name_of(request.db, seen, mark))]
    return options


async def _ask(request: Asking, wish: Wish, wrongs: dict[str, str]) -> Shown:
    found = None
    if wish.operation is not None:
        found = await bulk.preview(request.engine, request.actor, request.workspace, wish.operation, wish.filter)
    is_careful = wish.operation is Operation.DELETE and found is not None and found.touched > _CAREFUL
    typed = str(found.touched) if found is not None and is_careful else ""
    return await request.show(
        "items/bulk.html",
        title="Work items",
        at="items",
        crumbs=[Crumb("Work items", wish.back(request)), Crumb("All that match" if not wish.ticked else "Ticked ones")],
        status=422 if wrongs else 200,
        wish=wish,
        found=found,
        said=LIST.told(wish.asked, await _options(request, wish.asked)),
        label=VERBS[wish.operation] if wish.operation else "",
        offered=[(each, VERBS[each], f"{request.scope['path']}?{_query(wish, each)}") for each in _offered(wish)],
        back=wish.back(request),
        typed=typed,
        posted={**wish.fields, "operation": wish.operation.value if wish.operation else "", "expected": typed},
        wrongs=wrongs,
    )


def _offered(wish: Wish) -> list[Operation]:
    """What may be done to items of the tab."""
    tab = wish.asked.get("tab", LIST.tabs[0].key)
    states = {"waiting": {ItemState.PENDING, ItemState.NEW}, "all": set(ItemState)}.get(tab)
    if states is None:
        states = {each for each in ItemState if each.value == tab}
    return [each for each in _OFFERED if FIT[each] & states]


def _query(wish: Wish, operation: Operation) -> str:
    return urlencode({**wish.fields, "operation": operation.value}, doseq=True)


def _wish(fields: Fields) -> Wish:
    """What a form or an address asks for. Raises Invalid."""
    operation = fields.text("operation")
    if operation and operation not in {each.value for each in Operation}:
        raise Invalid("There is no such verb.", code="OPERATION_UNKNOWN")
    ticks = [each for text in fields.texts("tick") for each in text.split()]  # what takes one back names all in one
    if len(ticks) > LENGTH or any(not (each.isdecimal() and each.isascii() and len(each) <= 18) for each in ticks):  # noqa: PLR2004 - 64 bits
        raise Invalid(f"Up to {LENGTH} items are ticked, by their numbers.", code="TICKS_WRONG")
    if not ticks and not fields.has("all"):
        raise Invalid("Tick some items, or choose all that match.", code="NOTHING_TICKED")
    keys = {"tab", "q", *(each.key for each in LIST.filters)}
    asked = {name: fields.text(name) for name in fields.names() if name in keys and fields.text(name)}
    return Wish(Operation(operation) if operation else None, tuple(map(int, ticks)), asked)


# ---------------------------------------------------------------------------------------------------- jobs
@page("/items/jobs", needs=Permission.READ_WORK_ITEMS)
async def list_jobs(request: Asking) -> Shown:
    """What was done to many at once, lately."""
    return await request.show(
        "items/jobs.html",
        title="What was done to many at once",
        at="items",
        crumbs=request.way(("Work items", "/items"), "Many at once"),
        jobs=await jobs.list_jobs(*request.reading, limit=_MOST_JOBS),
        verbs=VERBS,
        past=PAST_TENSE,
    )


@page("/items/jobs/{number:str}", needs=Permission.READ_WORK_ITEMS)
async def show_job(request: Asking, number: Path[str]) -> Shown:
    """How far it is, and at last what came of it."""
    job = await jobs.get(*request.reading, await resolve(*request.reading, ITEM_JOB, number))
    left = 0 if job.is_over else max(0, job.fit - job.touched)
    segments = [
        Segment("ok", job.touched, PAST_TENSE[job.operation]),
        Segment("warn", job.left_out, "left out"),
        Segment("hair", left, "to do"),
    ]
    return await request.show(
        "items/job.html",
        title=f"{VERBS[job.operation]}: {job.fit:,} item{'' if job.fit == 1 else 's'}",
        at="items",
        crumbs=request.way(("Work items", "/items"), ("Many at once", "/items/jobs"), f"#{job.number}"),
        job=job,
        label=VERBS[job.operation],
        past=PAST_TENSE[job.operation],
        segments=segments,
        can_write=request.actor.may(Permission.WRITE_WORK_ITEMS, request.workspace),
    )


@verb("/items/jobs/{number:str}/stop", may=Permission.WRITE_WORK_ITEMS)
async def stop_job(request: Asking, number: Path[str]) -> Shown:
    """End it before its next batch; what was quicker than the button is told on its page, too."""
    found = await resolve(request.db, request.scope_for(Permission.WRITE_WORK_ITEMS), ITEM_JOB, number)
    job, _ = await tried(jobs.stop(*request.acting, found))
    said = f"Stopped after {job.touched:,} items." if job else "It was over before it could be stopped."
    return request.done(f"{request.base}/items/jobs/{number}", said)
