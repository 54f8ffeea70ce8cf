"""Workers and queues on one page: will the queues empty, which worker is silent, is there room?"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from controlroom.engine.lists.model import equal
from controlroom.engine.queues.attending import attending
from controlroom.engine.runs import occupation
from controlroom.engine.runs.occupation import Counted, Occupied
from controlroom.engine.statistics import flows
from controlroom.engine.workers import store
from controlroom.engine.workers.listings import in_service
from controlroom.engine.workers.model import WorkerGroup, WorkerState
from controlroom.ui.asking import Asking, Permission, Shown
from controlroom.ui.filters import Exactly, Tab, Text
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.routing import Place, page
from controlroom.ui.workers.lanes import SHOWN, lane_of, sentence
from controlroom.ui.workers.told import outlook_told, sign_of_worker, windows_told

PLACE: Final = Place(
    at="workers", name="Workers and queues", path="/workers", icon="workers", needs=Permission.READ_WORKERS
)
_MOST_QUEUES: Final = 8
_MOST_GROUPS: Final = 200
_DRAWN: Final = 60
"""Workers on this page, of all groups together; of each at least `_FEWEST`. Its own page has all of a group."""
_FEWEST: Final = 3


LIST: Final = ListPage(
    listing=occupation.OCCUPIED,
    row=Occupied,
    path="/workers/all",
    kept_as="workers",
    noun="workers",
    noun_of_one="worker",
    topics="worker step_run",
    every=15,
    tabs=(
        Tab("all", "All", is_sum=True),
        Tab("connected", "Connected", equal(standing="connected")),
        Tab("silent", "Silent", equal(standing="disconnected"), is_bad=True),
        Tab("offline", "Gone or not yet come", equal(standing="offline")),
    ),
    filters=(Exactly("group", "Group", "group"), Text("version", "Version", "version")),
    columns=(
        Col("name", "Worker", sort="name", always=True),
        Col("slots", "Slots", sort="slots", is_number=True, always=True),
        Col("lanes", "Last 2 hours", csv=lambda _: ""),
        Col("now", "Now", always=True, csv=lambda worker: worker.state),
        Col("seen_at", "Heartbeat", sort="seen_at", is_number=True),
    ),
    searched=("name", "group"),
    searched_words="Name, group, number or id",
    sort="name",
)


class Slots(Struct, frozen=True):
    """How much room there is."""

    workers: int
    slots: int
    busy: int
    free: int
    offline: int

    @classmethod
    def of(cls, counted: Iterable[Counted]) -> "Slots":
        """Of what was counted."""
        each = list(counted)
        return cls(
            sum(one.workers for one in each),
            sum(one.slots for one in each),
            sum(one.busy for one in each),
            sum(one.free for one in each),
            sum(one.slots for one in each if one.state is WorkerState.OFFLINE),
        )


class Rack(Struct, frozen=True):
    """A group with how much room it has, and those of its workers that are drawn; without one, those in none."""

    group: WorkerGroup | None
    room: Slots
    shown: list[Occupied]


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
    counted: list[Counted] = []
    racks: list[Rack] = []
    groups: list[WorkerGroup] = []
    lately = {}
    if shows != "queues" and request.wants("racks", "summary"):
        counted = await occupation.counted(*request.reading)
    if shows != "queues" and request.wants("racks"):
        groups = await store.list_groups(*request.reading, limit=_MOST_GROUPS + 1)
        filled = {each.group_id for each in counted if not each.of_all}
        most = max(_FEWEST, _DRAWN // max(1, len(filled)))
        of = [each.id for each in groups[:_MOST_GROUPS] if each.id in filled]
        drawn = await occupation.first_of_groups(*request.reading, of, each=most)
        racks = racks_of(groups[:_MOST_GROUPS], counted, drawn, most)
        lately = await occupation.lately(*request.reading, [each.id for each in drawn], request.reader.now - SHOWN)
    return await request.show(
        "workers/overview.html",
        title="Workers and queues",
        at="workers",
        shows=shows,
        sees_queues=sees_queues,
        queues=queues,
        consumers=consumers,
        racks=racks,
        most_groups=_MOST_GROUPS if len(groups) > _MOST_GROUPS else 0,
        room=Slots.of(each for each in counted if each.of_all),
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


def racks_of(
    groups: Sequence[WorkerGroup], counted: Sequence[Counted], drawn: Sequence[Occupied], most: int
) -> list[Rack]:
    """Workers by group, the first `most` of each: in each that they are in. Groups without any come last."""
    room = {
        of: Slots.of(each for each in counted if not each.of_all and each.group_id == of)
        for of in {each.group_id for each in counted if not each.of_all}
    }
    racks = [
        Rack(group, room[group.id], [each for each in drawn if group.id in {one.id for one in each.groups}][:most])
        for group in groups
        if group.id in room
    ]
    alone = [Rack(None, room[None], [each for each in drawn if not each.groups][:most])] if None in room else []
    return [*racks, *alone, *(Rack(group, Slots.of(()), []) for group in groups if group.id not in room)]


@page("/workers/all", needs=Permission.READ_WORKERS)
async def list_workers(request: Asking) -> Shown:
    """All of them."""
    found = await LIST.read(request, seen=in_service(request.seen))
    return await request.show(
        "workers/all.html",
        title="All workers",
        at="workers",
        crumbs=request.way(("Workers and queues", "/workers"), "All workers"),
        found=found,
        lately=await occupation.lately(*request.reading, [each.id for each in found.rows], request.reader.now - SHOWN),
        lane_of=lane_of,
        sentence=sentence,
        sign_of_worker=sign_of_worker,
    )
