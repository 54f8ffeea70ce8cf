"""The overview: what needs me, what runs, is today normal, what comes next, can the workers keep up?

And where nothing has run yet: how to come to the first run.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

from controlroom.engine.lists.model import EVERYTHING
from controlroom.engine.packages import actions as packages
from controlroom.engine.packages import store as package_store
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import NamedTask, ProcessDefinition, StepDefinition
from controlroom.engine.runs import occupation
from controlroom.engine.schedules.outlook import next_starts
from controlroom.engine.schedules.sentences import sentence
from controlroom.engine.statistics import failing, flows, overview
from controlroom.engine.statistics.model import Period
from controlroom.engine.statistics.room_state import record_behind
from controlroom.robots import sample
from controlroom.ui.asking import Asking, Permission, Shown, elsewhere
from controlroom.ui.overview import attention, periods
from controlroom.ui.overview.attention import Entry, Health, May
from controlroom.ui.processes import strips
from controlroom.ui.routing import Place, page, verb
from controlroom.ui.workers.told import outlook_told, sign_of_worker, states_told

PLACE: Final = Place(at="overview", name="Overview", path="", icon="overview", needs=Permission.READ_RUNS)

_MOST_GROUPS: Final = 12
_MOST_TROUBLES: Final = 12
_MOST_QUEUES: Final = 200
_SHOWN_ENTRIES: Final = 7
_HEALTH_HOLDS: Final = timedelta(minutes=1)
_SHOWN_QUEUES: Final = 5
_SHOWN_WORKERS: Final = 12
_SHOWN_RUNS: Final = 5
_SHOWN_STARTS: Final = 6
_SHOWN_PROCESSES: Final = 8
_MARKS: Final = {"bad": "bad", "warn": "warn"}


@page("/")
async def show_overview(request: Asking) -> Shown:
    """All of it; who may not see runs begins at the first place that they may open."""
    may = _Sees(request)
    if not may.runs:
        for _, entries in request.frame("").groups:
            return elsewhere(entries[0].href)
        return await request.show("look/nowhere.html", title="Nothing to open")
    seen, now = request.scope_for(Permission.READ_RUNS), request.reader.now
    span = periods.span_of(request.query_params.get("period", ""))
    values: dict[str, Any] = {"entries": [], "running": [], "parts": [], "starts": [], "lately": [], "resolved": []}
    values |= {"queues": [], "workers": [], "counted": []}
    if request.wants("attention", "queues") and may.items:
        values["queues"] = await flows.waiting_now(request.db, seen, limit=_MOST_QUEUES, drawn=_SHOWN_QUEUES)
    if request.wants("attention", "workers") and may.workers:
        glance = await occupation.at_a_glance(request.db, seen, limit=_SHOWN_WORKERS)
        values |= {"workers": glance.first, "counted": glance.counted}
    if request.wants("attention", "progress"):
        values["running"] = await overview.under_way(request.db, seen, limit=_SHOWN_RUNS)
    if request.wants("attention"):
        values["entries"], values["resolved"] = await _entries(request, may, values)
    if request.wants("numbers", "hours"):
        values["parts"] = await overview.figures_of(request.db, seen, span.since(now), span.part, span.parts)
    if request.wants("starts") and may.schedules:
        values["starts"] = await next_starts(request.db, seen, limit=_SHOWN_STARTS)
    if request.wants("processes") and may.processes:
        values["lately"] = await overview.lately_run(request.db, seen, limit=_SHOWN_PROCESSES, each=strips.PLACES)
    return await _show(request, may, span, values)


async def _show(request: Asking, may: "_Sees", span: periods.Span, values: dict[str, Any]) -> Shown:
    now, zone, base = request.reader.now, request.reader.zone, request.base
    by_part = periods.columns(span, values["parts"], now, zone, base)
    tone = next((_MARKS[each.sign.tone] for each in values["entries"] if each.sign.tone in _MARKS), "idle")
    waiting = values["queues"]
    return await request.show(
        "overview/overview.html",
        title="Overview",
        at="overview",
        mark=tone,
        may=may,
        may_schedule=request.actor.may(Permission.WRITE_SCHEDULES, request.workspace),
        entries=values["entries"],
        resolved=values["resolved"],
        running=values["running"],
        of_all=values["running"][0].of_all if values["running"] else 0,
        span=span,
        spans=[(each.name, f"{base}?period={each.key}", each is span) for each in periods.SPANS],
        numbers=periods.numbers(span, values["parts"], base),
        columns=by_part,
        columns_told=periods.told(by_part, span.title),
        starts=values["starts"],
        lately=values["lately"],
        queues=waiting[:_SHOWN_QUEUES],
        queue_count=waiting[0].queues_together if waiting else 0,
        waiting=waiting[0].waiting_together if waiting else 0,
        first_entries=_SHOWN_ENTRIES,
        workers=values["workers"],
        workers_told=states_told(values["counted"]),
        worker_count=sum(each.workers for each in values["counted"]),
        is_empty=may.processes and not request.parts and not any(each.pasts for each in values["lately"]),
        sentence=lambda rule: periods.going_on(sentence(rule)),
        soon=lambda at: periods.soon(at, now, zone),
        brief=strips.brief,
        outlook_told=outlook_told,
        sign_of_worker=sign_of_worker,
    )


class _Sees:
    """What of it who asks may see, and do."""

    def __init__(self, request: Asking) -> None:
        def may(permission: Permission) -> bool:
            return request.actor.may(permission, request.workspace)

        self.runs = may(Permission.READ_RUNS)
        self.items = may(Permission.READ_WORK_ITEMS)
        self.processes = may(Permission.READ_PROCESSES)
        self.schedules = may(Permission.READ_SCHEDULES)
        self.workers = may(Permission.READ_WORKERS)
        self.starts = may(Permission.START_RUNS)
        self.writes_items = may(Permission.WRITE_WORK_ITEMS)
        self.makes = may(Permission.WRITE_PROCESSES) and may(Permission.WRITE_PACKAGES)
        self.links = may(Permission.WRITE_WORKERS)


async def _entries(request: Asking, may: _Sees, values: dict[str, Any]) -> tuple[list[Entry], list[Entry]]:
    """What needs somebody, what is broken first; and what did today, and does no more."""
    seen, base, now = request.scope_for(Permission.READ_RUNS), request.base, request.reader.now
    can = May(items=may.writes_items, starts=may.starts)
    failed = []
    if may.items:
        day = Period(now - timedelta(days=1), now)
        failed = await failing.failed_groups(request.db, seen, EVERYTHING, day, limit=_MOST_GROUPS)
    health = await _health(request) if request.actor.is_admin else None
    midnight = now.astimezone(request.reader.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = await overview.troubles(request.db, seen, limit=_MOST_TROUBLES, over_since=midnight)
    waiting = sum(each.awaits_worker for each in values["running"])
    nobody = attention.of_no_workers(values["counted"], waiting, base) if may.workers else None
    wrong = attention.ranked(
        [
            *(attention.of_health(health, now) if health else ()),
            *(attention.of_failed(each, base, can) for each in failed),
            *(attention.of_trouble(each, base, can) for each in found if not each.is_over),
            nobody,
            *attention.of_workers(values["workers"], values["counted"], base),
            *attention.of_queues(values["queues"], now, base),
        ]
    )
    return wrong, [attention.of_resolved(each, base) for each in found if each.is_over]


async def _health(request: Asking) -> Health:
    """How the room itself is; asked once a minute, whoever looks."""
    around, state = request.around, request.app.state
    known: tuple[datetime, Health] | None = getattr(state, "health", None)
    if known is not None and request.reader.now - known[0] < _HEALTH_HOLDS:
        return known[1]
    ticks, backups = around.ticks.last if around.ticks else [], around.backups
    files = await asyncio.to_thread(backups.files) if backups else []
    begun = min((each.created_at for each in request.workspaces.slugs.values()), default=request.reader.now)
    health = Health(
        failing=[each.loop for each in ticks if each.failures > 1],
        behind_since=await record_behind(*request.governing),
        free=await asyncio.to_thread(backups.free) if backups else None,
        has_backups=backups is not None,
        backup_at=files[0].made_at if files else None,
        backup_failure=backups.failure if backups else "",
        is_new=request.reader.now - begun < attention.OLDEST_BACKUP,
    )
    state.health = (request.reader.now, health)
    return health


# ---------------------------------------------------------------------------------------------------- the first run
@verb("/sample", may=(Permission.WRITE_PROCESSES, Permission.WRITE_PACKAGES))
async def set_up_sample(request: Asking) -> Shown:
    """Push the sample robot and make a process of it; once made, it is found again."""
    seen = request.scope_for(Permission.WRITE_PROCESSES)
    known = await package_store.by_name(request.db, seen, sample.PACKAGE)
    if known is None:
        blob = await request.engine.objects.put_bytes(sample.zipped())
        await packages.push(*request.acting, sample.PACKAGE, blob)
    definition = ProcessDefinition(
        name=sample.PROCESS,
        steps=(StepDefinition(name=sample.TASK, work=NamedTask(sample.PACKAGE, sample.TASK)),),
    )
    made = await processes.create(*request.acting, definition)
    return request.done(f"{request.base}/processes/{made.number}", f"{made.name} is made. Start it.")
