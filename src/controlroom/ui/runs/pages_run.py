"""A run: how far it is, which step runs it has, what they printed and left; and the verb to stop it."""

from typing import Any, Final

from controlroom.border.links import download_url
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.references import resolve
from controlroom.engine.runs import actions, store, summaries
from controlroom.engine.runs.model import Run, RunState, StopRequest
from controlroom.engine.runs.store import RUN
from controlroom.ids import ArtifactId, StepRunId
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown, elsewhere
from controlroom.ui.charts import Segment
from controlroom.ui.entrance import Moved
from controlroom.ui.lists import Link
from controlroom.ui.routing import page, verb
from controlroom.ui.runs.pages import STARTERS
from controlroom.ui.runs.timeline import timeline_of
from controlroom.ui.states import of_run

MOST_STEP_RUNS: Final = 200
_STOPPABLE: Final = frozenset({RunState.NEW, RunState.IN_PROGRESS})
_MARKS: Final = {"ok": "ok", "bad": "bad", "warn": "warn", "run": "run", "idle": "idle"}


@page("/runs/{number:str}", needs=Permission.READ_RUNS)
async def show_run(request: Asking, number: Path[str]) -> Shown:
    """Its timeline."""
    run = await run_of(request, number)
    step_runs = await store.list_step_runs(*request.reading, run.id, limit=MOST_STEP_RUNS)
    about = (await summaries.summaries(*request.reading, [run])).get(run.id)
    rest = 0 if about is None else about.items.total - about.items.done - about.items.failed
    segments = (
        []
        if about is None
        else [
            Segment("ok", about.items.done, "done"),
            Segment("bad", about.items.failed, "failed"),
            Segment("hair", rest, "to do"),
        ]
    )
    return await show_of_run(
        request,
        "runs/run.html",
        run,
        "Timeline",
        segments=segments,
        timeline=timeline_of(step_runs, request.reader.now),
        is_cut=len(step_runs) == MOST_STEP_RUNS,
    )


@page("/runs/{number:str}/artifacts/{step_run:uuid}/{artifact:uuid}", needs=Permission.READ_RUN_OUTPUTS)
async def fetch_artifact(request: Asking, step_run: Path[StepRunId], artifact: Path[ArtifactId]) -> Shown:
    """What a step run left: by a link that works for an hour, and can do nothing in the name of who follows it."""
    found = await store.get_artifact(*request.reading, step_run, artifact)
    return elsewhere(download_url(request, DownloadKind.ARTIFACT, found.id, file_name=found.name))


@page("/runs/{number:str}/stop", needs=Permission.START_RUNS)
async def ask_to_stop(request: Asking, number: Path[str]) -> Shown:
    """What becomes of its robots, and of what is left to do."""
    run = await run_of(request, number)
    crumbs = [
        Crumb("Runs", f"{request.base}/runs"),
        Crumb(f"#{number}", f"{request.base}/runs/{number}"),
        Crumb("Stop"),
    ]
    return await request.show("runs/stop.html", title=f"Stop #{number}", at="runs", crumbs=crumbs, run=run)


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


async def show_of_run(request: Asking, template: str, run: Run, tab: str, **values: Any) -> Shown:
    """One of its tabs, below its head."""
    sign = of_run(run.state, run.result)
    here = f"{request.base}/runs/{run.number}"
    tabs = [
        Link("Timeline", here, current=tab == "Timeline"),
        Link("Console and artifacts", f"{here}/console", current=tab == "Console"),
    ]
    return await request.show(
        template,
        title=f"{run.process_name} #{run.number}",
        at="runs",
        mark=_MARKS[sign.tone],
        crumbs=[Crumb("Runs", f"{request.base}/runs"), Crumb(f"{run.process_name} #{run.number}")],
        run=run,
        sign=sign,
        run_tabs=tabs,
        starters=STARTERS,
        can_stop=run.state in _STOPPABLE and request.actor.may(Permission.START_RUNS, request.workspace),
        **values,
    )
