"""All work items of a workspace: why they failed, what waits, and what of it may be done to all that match."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.scope import Scope
from controlroom.engine.nouns import Noun
from controlroom.engine.processes.store import PROCESS, STEP
from controlroom.engine.queues.store import QUEUE
from controlroom.engine.references import resolve
from controlroom.engine.runs import item_views
from controlroom.engine.runs.store import RUN, STEP_RUN
from controlroom.engine.statistics import failing
from controlroom.engine.statistics.failing import FailedGroup
from controlroom.engine.statistics.model import HOUR, FailureHour, Period
from controlroom.engine.statistics.rules import hour_of
from controlroom.engine.work_items.model import ExceptionType
from controlroom.engine.work_items.operations import Operation
from controlroom.engine.workers.store import WORKER
from controlroom.ids import as_uuid
from controlroom.ui.asking import Asking, Permission, Shown
from controlroom.ui.entrance import Moved
from controlroom.ui.items.differing import differing
from controlroom.ui.items.listing import BY_NOUN, FAILED, LIST
from controlroom.ui.items.shown import shown_item
from controlroom.ui.lists.skeleton import wants_table
from controlroom.ui.routing import Place, page

PLACE: Final = Place(at="items", name="Work items", path="/items", icon="items", needs=Permission.READ_WORK_ITEMS)

_NOUNS: Final[Mapping[str, Noun[Any]]] = dict(zip(BY_NOUN, (PROCESS, STEP, RUN, QUEUE, WORKER, STEP_RUN), strict=True))
_PICKED: Final = ("process", "queue", "worker")
"""Those of which one is chosen by its name, too."""
_MOST_GROUPS: Final = 12
_DAY: Final = timedelta(hours=24)


class Group(Struct, frozen=True):
    """A group of failed items, and what is drawn of it."""

    of: FailedGroup
    hours: list[int]
    href: str
    is_chosen: bool
    verb: Operation
    """The one that fits: wrong data are not mended by another try."""
    asked: dict[str, str]
    """What a verb on all of it is asked with."""

    @property
    def name(self) -> str:
        """What it is called where there is little room."""
        return self.of.code or self.of.pattern[:40] or self.of.type.value

    def verb_href(self, path: str, operation: str) -> str:
        """The question before a verb on all of it."""
        return f"{path}?{urlencode({**self.asked, 'all': '1', 'operation': operation})}"


@page("/items", needs=Permission.READ_WORK_ITEMS)
async def list_items(request: Asking) -> Shown:
    """The list; with `?item=` one of them beside it."""
    await by_ids(request)
    asked = {key: value for key, value in request.query_params.items() if value}
    options = await options_of(request, asked)
    is_grouped = asked.get("tab", FAILED) == FAILED and not LIST.is_slow(asked) and not wants_table(request)
    groups = await _groups(request, asked) if is_grouped and request.wants("groups", "listed") else []
    options["failure"] = [(each.of.fingerprint or "", each.name) for each in groups]
    found = await LIST.read(request, options=options)
    if asked.get("tab") != "all":  # which state it is, the tab says
        found = replace(found, heads=[each for each in found.heads if each.col.key != "state"])
    beside = await item_views.beside(*request.reading, found.rows) if found.rows else {}
    is_group = "failure" in asked
    chosen = await shown_item(request, asked["item"]) if "item" in asked else None
    here = {key: value for key, value in asked.items() if key not in {"part", "item"}}
    return await request.show(
        "items/list.html",
        title="Work items",
        at="items",
        found=found,
        beside=beside,
        groups=groups,
        whys=differing([(item.id, item.exception_message) for item in found.rows]) if is_group else None,
        chosen=chosen,
        tab=asked.get("tab", FAILED),
        close=_address(request, here),
        opened=lambda number: _address(request, {**here, "item": str(number)}),
        asked={key: value for key, value in here.items() if key not in {"after", "before", "columns", "sort"}},
        can_write=request.actor.may(Permission.WRITE_WORK_ITEMS, request.workspace),
        bulk_all=f"{request.base}/items/bulk?{urlencode({**_without_place(here), 'all': '1'})}",
    )


async def by_ids(request: Asking) -> None:
    """Lead to the address with ids, where a filter names something by its number or name. Raises Moved."""
    changed = {}
    for key, noun in _NOUNS.items():
        value = request.query_params.get(key, "").removeprefix("#")
        is_typed = key in _PICKED and not value.isdecimal()  # by its name: the list finds it
        if value and as_uuid(value) is None and not is_typed:
            changed[key] = str(await resolve(*request.reading, noun, value))
    if changed:
        asked = {key: value for key, value in request.query_params.items() if value}
        raise Moved(f"{request.scope['path']}?{urlencode(asked | changed)}")


async def options_of(
    request: Asking, asked: Mapping[str, str], seen: Scope | None = None
) -> dict[str, Sequence[tuple[str, str]]]:
    """What the list may be narrowed to, by filter; and how chips say what it is narrowed to."""
    ids = {key: as_uuid(asked.get(key, "")) for key in ("process", "run", "queue", "worker")}
    options: dict[str, list[tuple[str, str]]] = {}
    if any(ids.values()):
        for each in await item_views.choices(request.db, seen or request.seen, **ids):
            options.setdefault(each.kind, []).append((str(each.id), each.name))
    return dict(options)


def _address(request: Asking, asked: Mapping[str, str]) -> str:
    return f"{request.base}/items?{urlencode(asked)}" if asked else f"{request.base}/items"


def _without_place(asked: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in asked.items() if key not in {"after", "before", "columns", "sort"}}


async def _groups(request: Asking, asked: Mapping[str, str]) -> list[Group]:
    """Why the items failed that the list would show without a chosen group."""
    others = {key: value for key, value in _without_place(asked).items() if key not in {"failure", "item", "part"}}
    now = request.reader.now
    period = Period(now - _DAY, now + HOUR)
    found = await failing.failed_groups(*request.reading, LIST.asked_filter(others), period, limit=_MOST_GROUPS)
    chosen = asked.get("failure")
    return [_group(request, each, others, chosen) for each in found]


def _group(request: Asking, of: FailedGroup, others: dict[str, str], chosen: str | None) -> Group:
    mark = of.fingerprint
    asked = {**others, "failure": mark} if mark else others
    return Group(
        of,
        _by_hour(of.hours, request.reader.now),
        _address(request, asked) if mark else "",
        mark is not None and mark == chosen,
        Operation.MARK_DONE if of.type is ExceptionType.BUSINESS else Operation.RETRY,
        asked,
    )


def _by_hour(hours: Sequence[FailureHour], now: datetime) -> list[int]:
    """How many there were in each of the last 24 hours, oldest first."""
    counted = {each.hour: each.count for each in hours}
    last = hour_of(now)
    return [counted.get(last - HOUR * ago, 0) for ago in range(23, -1, -1)]
