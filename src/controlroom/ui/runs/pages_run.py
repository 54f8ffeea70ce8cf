"""A run: how far it is, which step runs it has, what they printed and left; and the verb to stop it."""

from typing import Any, Final

from controlroom.border.links import download_url
from controlroom.engine.console import reading
from controlroom.engine.console.model import BEGINNING, Position
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.references import resolve
from controlroom.engine.runs import actions, store, summaries
from controlroom.engine.runs.model import Run, RunState, StepRun, StopRequest
from controlroom.engine.runs.store import RUN
from controlroom.errors import NotFound
from controlroom.ids import ArtifactId, StepRunId
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown, elsewhere
from controlroom.ui.charts import Segment
from controlroom.ui.entrance import Moved
from controlroom.ui.lists import Link
from controlroom.ui.routing import page, verb
from controlroom.ui.runs.pages import STARTERS
from controlroom.ui.runs.timeline import timeline_of
from controlroom.ui.states import of_run

_MOST_STEP_RUNS: Final = 200
_MOST_ARTIFACTS: Final = 200
_LINES: Final = 1000
_STOPPABLE: Final = frozenset({RunState.NEW, RunState.IN_PROGRESS})
_MARKS: Final = {"ok": "ok", "bad": "bad", "warn": "warn", "run": "run", "idle": "idle"}


@page("/runs/{number:str}", needs=Permission.READ_RUNS)
async def show_run(request: Asking, number: Path[str]) -> Shown:
    """Its timeline."""
    run = await _run(request, number)
    step_runs = await store.list_step_runs(*request.reading, run.id, limit=_MOST_STEP_RUNS)
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
    return await _show(
        request,
        "runs/run.html",
        run,
        "Timeline",
        segments=segments,
        timeline=timeline_of(step_runs, request.reader.now),
        is_cut=len(step_runs) == _MOST_STEP_RUNS,
    )


@page("/runs/{number:str}/console", needs=(Permission.READ_RUN_OUTPUTS, Permission.READ_RUNS))
async def show_console(request: Asking, number: Path[str]) -> Shown:
    """What one of its step runs has printed and left: a thousand lines at a time."""
    run = await _run(request, number)
    step_runs = await store.list_step_runs(*request.reading, run.id, limit=_MOST_STEP_RUNS)
    chosen = _chosen(step_runs, request.query_params.get("step", ""))
    lines, artifacts, after = [], [], _position(request.query_params.get("after", ""))
    if chosen is not None:
        lines = await reading.read(request.engine, request.seen, chosen.id, after=after, limit=_LINES + 1)
        artifacts = await store.list_artifacts(*request.reading, chosen.id, limit=_MOST_ARTIFACTS)
    here = f"{request.base}/runs/{number}/console?step={chosen.number if chosen else ''}"
    shown = lines[:_LINES]
    more = f"{here}&after={shown[-1].attempt}.{shown[-1].number}" if len(lines) > _LINES else ""
    return await _show(
        request,
        "runs/console.html",
        run,
        "Console",
        step_runs=step_runs,
        chosen=chosen,
        lines=shown,
        artifacts=artifacts,
        more=more,
        first=here if after.attempt else "",
    )


@page("/runs/{number:str}/artifacts/{step_run:uuid}/{artifact:uuid}", needs=Permission.READ_RUN_OUTPUTS)
async def fetch_artifact(request: Asking, step_run: Path[StepRunId], artifact: Path[ArtifactId]) -> Shown:
    """What a step run left: by a link that works for an hour, and can do nothing in the name of who follows it."""
    found = await store.get_artifact(*request.reading, step_run, artifact)
    return elsewhere(download_url(request, DownloadKind.ARTIFACT, found.id, file_name=found.name))


@page("/runs/{number:str}/stop", needs=Permission.START_RUNS)
async def ask_to_stop(request: Asking, number: Path[str]) -> Shown:
    """What becomes of its robots, and of what is left to do."""
    run = await _run(request, number)
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


async def _run(request: Asking, named: str) -> Run:
    """The run that the address names. Raises Moved for one that is named by its id: pages have its number."""
    run = await store.get(*request.reading, await resolve(*request.reading, RUN, named))
    if named != str(run.number):
        path = request.scope["path"].replace(f"/runs/{named}", f"/runs/{run.number}", 1)
        query = request.scope["query_string"].decode("latin-1")
        raise Moved(f"{path}?{query}" if query else path)
    return run


async def _show(request: Asking, template: str, run: Run, tab: str, **values: Any) -> Shown:
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


def _chosen(step_runs: list[StepRun], number: str) -> StepRun | None:
    """The step run that the address names, else the first that failed, else the last. Raises NotFound for no such."""
    if number:
        for each in step_runs:
            if str(each.number) == number:
                return each
        raise NotFound("This run has no such step run.", code="STEP_RUN_NOT_FOUND")
    failed = [each for each in step_runs if each.error_code is not None]
    return next(iter([*failed, *step_runs[-1:]]), None)


def _position(text: str) -> Position:
    attempt, _, line = text.partition(".")
    if attempt.isdecimal() and line.isdecimal() and len(text) <= 18:  # noqa: PLR2004 - what 64 bits hold
        return Position(int(attempt), int(line))
    return BEGINNING
