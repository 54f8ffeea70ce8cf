"""Workers and queues on one page: will the queues empty, which worker is silent, is there room?"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from controlroom.engine.queues.attending import attending
from controlroom.engine.runs import occupation
from controlroom.engine.runs.occupation import Occupied
from controlroom.engine.statistics import flows
from controlroom.engine.workers import store
from controlroom.engine.workers.model import WorkerGroup, WorkerState
from controlroom.ids import WorkerId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Permission, Shown
from controlroom.ui.routing import Place, page
from controlroom.ui.workers.lanes import SHOWN, lane_of, sentence
from controlroom.ui.workers.told import outlook_told, sign_of_worker, windows_told

PLACE: Final = Place(
    at="workers", name="Workers and queues", path="/workers", icon="workers", needs=Permission.READ_WORKERS
)
_MOST_QUEUES: Final = 8
_MOST_WORKERS: Final = 200
_A_PAGE: Final = 50
_DRAWN: Final = 60
"""Workers on this page, of all groups together; of each at least `_FEWEST`. Its own page has all of a group."""
_FEWEST: Final = 3


class Rack(Struct, frozen=True):
    """A group with its workers; without one, those that are in none."""

    group: WorkerGroup | None
    workers: list[Occupied]
    most: int = _DRAWN
    """So many have room on the page."""

    @property
    def shown(self) -> list[Occupied]:
        """Those that have room on the page."""
        return self.workers[: self.most]


class Slots(Struct, frozen=True):
    """How much room there is."""

    workers: int
    slots: int
    busy: int
    free: int
    offline: int

    @classmethod
    def of(cls, workers: Sequence[Occupied]) -> "Slots":
        """Of some workers."""
        away = [each for each in workers if each.state is WorkerState.OFFLINE]
        return cls(
            len(workers),
            sum(each.slots for each in workers),
            sum(each.busy for each in workers),
            sum(each.free for each in workers),
            sum(each.slots for each in away),
        )


@page("/workers", needs=Permission.READ_WORKERS)
async def show_workers(request: Asking) -> Shown:
    """Queues that wait, workers by group, and who takes from queues."""
    shows = request.query_params.get("show", "both")
    sees_queues = request.actor.may(Permission.READ_WORK_ITEMS, request.workspace)
    queues, consumers = [], []
    if sees_queues and shows != "workers":
        seen = request.scope_for(Permission.READ_WORK_ITEMS)
        if request.wants("queues", "summary"):
            queues = await flows.flows(request.db, seen, limit=_MOST_QUEUES)
        if request.wants("consumers"):
            consumers = await attending(request.db, seen)
    workers: list[Occupied] = []
    racks: list[Rack] = []
    lately = {}
    if shows != "queues" and request.wants("racks", "summary"):
        workers = await occupation.list_occupied(*request.reading, limit=_MOST_WORKERS)
    if shows != "queues" and request.wants("racks"):
        groups = await store.list_groups(*request.reading, limit=_MOST_WORKERS)
        racks = racks_of(groups, workers)
        drawn = {each.id for rack in racks for each in rack.shown}
        lately = await occupation.lately(*request.reading, list(drawn), request.reader.now - SHOWN)
    return await request.show(
        "workers/overview.html",
        title="Workers and queues",
        at="workers",
        shows=shows,
        sees_queues=sees_queues,
        queues=queues,
        consumers=consumers,
        racks=racks,
        room=Slots.of(workers),
        of=Slots.of,
        lately=lately,
        may_change=request.actor.may(Permission.WRITE_WORKERS, request.workspace),
        may_govern=may_govern(request),
        lane_of=lane_of,
        sentence=sentence,
        outlook_told=outlook_told,
        sign_of_worker=sign_of_worker,
        windows_told=windows_told,
    )


def may_govern(request: Asking) -> bool:
    """Whether the actor may make and change queues."""
    asked = (Permission.GOVERN_QUEUES, Permission.WRITE_PROCESSES)
    return any(request.actor.may(each, request.workspace) for each in asked)


def racks_of(groups: Sequence[WorkerGroup], workers: Sequence[Occupied]) -> list[Rack]:
    """Workers by group: one that is in several stands in each; groups without any come last."""
    in_group = {group.id: [each for each in workers if group.id in {one.id for one in each.groups}] for group in groups}
    alone = [each for each in workers if not each.groups]
    filled = [(group, in_group[group.id]) for group in groups if in_group[group.id]]
    empty = [Rack(group, []) for group in groups if not in_group[group.id]]
    racks = [*filled, *([(None, alone)] if alone else [])]
    return [*(Rack(group, its, max(_FEWEST, _DRAWN // len(racks))) for group, its in racks), *empty]


@page("/workers/all", needs=Permission.READ_WORKERS)
async def list_workers(request: Asking) -> Shown:
    """All of them, in the order of their making."""
    after = as_uuid(request.query_params.get("after", ""))
    workers = await occupation.list_occupied(
        *request.reading, after=None if after is None else WorkerId(after), limit=_A_PAGE + 1
    )
    shown, here = workers[:_A_PAGE], f"{request.base}/workers/all"
    return await request.show(
        "workers/all.html",
        title="All workers",
        at="workers",
        crumbs=[Crumb("Workers and queues", f"{request.base}/workers"), Crumb("All workers")],
        workers=shown,
        more=f"{here}?after={shown[-1].id}" if len(workers) > _A_PAGE else "",
        first=here if after else "",
        lately=await occupation.lately(*request.reading, [each.id for each in shown], request.reader.now - SHOWN),
        lane_of=lane_of,
        sentence=sentence,
        sign_of_worker=sign_of_worker,
    )
