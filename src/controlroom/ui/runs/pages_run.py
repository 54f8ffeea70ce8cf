"""A run: how far it is, its items through its steps and its step runs in time; and the verb to stop it."""

from datetime import timedelta
from typing import Any, Final

from controlroom.engine.references import resolve
from controlroom.engine.runs import actions, progress, run_views, store
from controlroom.engine.runs.model import Result, Run, RunState, StopRequest
from controlroom.engine.runs.projects import retries
from controlroom.engine.runs.projects.retry_rules import Retry
from controlroom.engine.runs.run_views import Flow, Timed
from controlroom.engine.runs.store import RUN
from controlroom.engine.statistics import store as statistics
from controlroom.ui import words
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.charts import Segment
from controlroom.ui.entrance import Moved
from controlroom.ui.lists import Link
from controlroom.ui.routing import page, verb
from controlroom.ui.runs import drawn
from controlroom.ui.runs.pages import BEGUN_BY
from controlroom.ui.runs.timeline import bounds, timeline_of
from controlroom.ui.states import of_run

MOST_STEP_RUNS: Final = 200
MOST_LANES: Final = 40
"""Step runs of a step that have rows; of more it has a band, and rows for those that went wrong."""
_PARTS: Final = 120
_STOPPABLE: Final = frozenset({RunState.NEW, RunState.IN_PROGRESS})
_ENDED: Final = frozenset({RunState.COMPLETED, RunState.UNRESOLVED})
_MARKS: Final = {"ok": "ok", "bad": "bad", "warn": "warn", "run": "run", "idle": "idle"}
_ENOUGH: Final = 5
"""Runs of which a median says something."""


@page("/runs/{number:str}", needs=Permission.READ_RUNS)
async def show_run(request: Asking, number: Path[str]) -> Shown:
    """Its flow and its timeline."""
    run = await run_of(request, number)
    at_work = []
    if run.ended_at is None and request.wants("at_work", "tab", "main"):
        at_work = await progress.at_work(*request.reading, run.id)
    if request.parts == ("at_work",):  # asked for each second while robots tell: nothing else is read
        return await request.show("runs/run.html", title="", at="runs", run=run, at_work=at_work, drawn=drawn)
    timeline = None
    if request.wants("timeline", "tab", "main"):
        now = request.reader.now
        step_runs = await run_views.timed(*request.reading, run.id, most_of_step=MOST_LANES)
        many = {each.step_run.step_id for each in step_runs if each.of_step > MOST_LANES}
        bands = []
        if many:
            since, until, _ = bounds(step_runs, [], now)
            until = max(until, run.ended_at or now)
            bands = await run_views.bands(*request.reading, run.id, list(many), since, until, parts=_PARTS)
            step_runs = [each for each in step_runs if each.step_run.step_id not in many or _went_wrong(each)]
        timeline = timeline_of(step_runs, bands, now)
    return await show_of_run(request, "runs/run.html", run, "Timeline", timeline=timeline, at_work=at_work, drawn=drawn)


def _went_wrong(of: Timed) -> bool:
    return of.step_run.result in {Result.FAILED, Result.TIMED_OUT, Result.LOST}


@page("/runs/{number:str}/stop", needs=Permission.START_RUNS)
async def ask_to_stop(request: Asking, number: Path[str]) -> Shown:
    """What becomes of its robots, and of what is left to do."""
    run = await run_of(request, number)
    return await request.show(
        "runs/stop.html", title=f"Stop #{number}", at="runs", crumbs=crumbs_of(request, run, "Stop"), run=run
    )


@verb("/runs/{number:str}/stop")
async def stop_run(request: Asking, number: Path[str]) -> Shown:
    """Stop it."""
    fields = await request.fields()
    stop = StopRequest(terminate=fields.text("how") == "terminate", remaining_done=fields.text("rest") == "done")
    of = await resolve(request.db, request.scope_for(Permission.START_RUNS), RUN, number)
    was_running = await actions.stop(*request.acting, of, stop)
    said = f"Run #{number} is being stopped." if was_running else f"Run #{number} had ended already."
    return request.done(f"{request.base}/runs/{number}", said)


async def run_of(request: Asking, named: str) -> Run:
    """The run that an address names. Raises Moved for one that is named by its id: pages have its number."""
    run = await store.get(*request.reading, await resolve(*request.reading, RUN, named))
    if named != str(run.number):
        path = request.scope["path"].replace(f"/runs/{named}", f"/runs/{run.number}", 1)
        query = request.scope["query_string"].decode("latin-1")
        raise Moved(f"{path}?{query}" if query else path)
    return run


def crumbs_of(request: Asking, run: Run, last: str = "") -> list[Crumb]:
    """Where a page of a run stands."""
    here = Crumb(f"{run.process_name} #{run.number}", f"{request.base}/runs/{run.number}" if last else "")
    return [Crumb("Runs", f"{request.base}/runs"), here, *([Crumb(last)] if last else [])]


async def show_of_run(request: Asking, template: str, run: Run, tab: str, **values: Any) -> Shown:
    """One of its tabs, below its head."""
    sign = of_run(run.state, run.result)
    flow = await run_views.flow(*request.reading, run)
    usual = await _usual(request, run) if request.wants("main", "run_head") else None
    may = request.actor.may
    can_start = run.state in _ENDED and may(Permission.START_RUNS, request.workspace)
    return await request.show(
        template,
        title=f"{run.process_name} #{run.number}",
        at="runs",
        mark=_MARKS[sign.tone],
        crumbs=crumbs_of(request, run),
        run=run,
        sign=sign,
        flow=flow,
        segments=segments_of(flow),
        usual=usual,
        left=_left(request, run, usual),
        run_tabs=_tabs(request, run, flow, tab),
        begun_by=BEGUN_BY,
        can_stop=run.state in _STOPPABLE and may(Permission.START_RUNS, request.workspace),
        can_start=can_start,
        can_go_on=can_start and request.wants("main", "run_head") and await _can_go_on(request, run),
        can_delete=run.state in _ENDED and may(Permission.DELETE_RUNS, request.workspace),
        can_retry=may(Permission.WRITE_WORK_ITEMS, request.workspace),
        **values,
    )


async def _can_go_on(request: Asking, run: Run) -> bool:
    """Whether it is a job's, and can be retried from where it failed."""
    if run.result in {None, Result.SUCCEEDED}:  # nothing is asked of most runs
        return False
    found = (await retries.standings(*request.reading, [run.id])).get(run.id)
    return isinstance(found, Retry)


def segments_of(flow: Flow) -> list[Segment]:
    """All items of a run in one bar."""
    return [
        Segment("ok", flow.sum("done"), "done"),
        Segment("bad", flow.sum("failed"), "failed"),
        Segment("warn", flow.sum("invalid"), "invalid"),
        Segment("run", flow.sum("in_progress"), "in progress"),
        Segment("idle", flow.sum("held"), "held"),
        Segment("hair", flow.sum("pending"), "pending"),
    ]


async def _usual(request: Asking, run: Run) -> timedelta | None:
    """How long runs of its process usually take, where there are enough to tell."""
    for each in await statistics.usual(*request.reading, run.process_id):
        if each.step_id is None and each.count >= _ENOUGH:
            return timedelta(milliseconds=each.median_milliseconds)
    return None


def _left(request: Asking, run: Run, usual: timedelta | None) -> str:
    """How long it may take yet."""
    if usual is None or run.started_at is None or run.ended_at is not None:
        return ""
    left = usual - (request.reader.now - run.started_at)
    return f"{words.about(left)} left" if left > timedelta() else "longer than usual"


def _tabs(request: Asking, run: Run, flow: Flow, tab: str) -> list[Link]:
    here, failed = f"{request.base}/runs/{run.number}", flow.sum("failed")
    outputs = request.actor.may(Permission.READ_RUN_OUTPUTS, request.workspace)
    items = request.actor.may(Permission.READ_WORK_ITEMS, request.workspace)
    found = [Link("Timeline", here, tab == "Timeline", key="1")]
    if outputs:
        found.append(Link("Console", f"{here}/console", tab == "Console", key="2"))
    if items:
        bad = f"{words.count(failed)} failed" if failed else ""
        found.append(Link("Work items", f"{here}/items", tab == "Items", flow.sum("total"), bad, key="3"))
    if outputs:
        found.append(Link("Artifacts", f"{here}/artifacts", tab == "Artifacts", key="4"))
    if items:
        found.append(Link("Inputs and outputs", f"{here}/data", tab == "Data", key="5"))
    return [*found, Link("Events", f"{here}/events", tab == "Events", key="6")]
