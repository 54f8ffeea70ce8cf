"""One step run: its phases and attempts, where it ran, what it left; and the verbs to pause and to stop it alone."""

from typing import Final

from controlroom.engine.references import resolve
from controlroom.engine.runs import pauses, run_views, stops, store
from controlroom.engine.runs.model import Run, StepRun, StepRunState
from controlroom.engine.runs.store import RUN, STEP_RUN
from controlroom.errors import NotFound
from controlroom.ids import RunId, StepRunId
from controlroom.ui.asking import Asking, Path, Permission, Shown
from controlroom.ui.routing import page, verb
from controlroom.ui.runs import drawn
from controlroom.ui.runs.pages_run import crumbs_of, run_of
from controlroom.ui.runs.previews import ICONS, kind_of

_STEP_RUN: Final = "/runs/{number:str}/steps/{step_run:str}"
_MOST_ARTIFACTS: Final = 500
_STOPPABLE: Final = frozenset({StepRunState.NEW, StepRunState.AWAITING_WORKER, StepRunState.IN_PROGRESS})


@page(_STEP_RUN, needs=Permission.READ_RUNS)
async def show_step_run(request: Asking, number: Path[str], step_run: Path[str]) -> Shown:
    """One of its step runs: its phases and attempts, where it ran, what it left."""
    run, of = await _step_run(request, number, step_run)
    phases = await store.list_phases(*request.reading, of.id)
    may_read = request.actor.may(Permission.READ_RUN_OUTPUTS, request.workspace)
    left = await store.list_artifacts(*request.reading, of.id, limit=_MOST_ARTIFACTS) if may_read else []
    return await request.show(
        "runs/step_run.html",
        title=f"{of.step_name} #{of.number}",
        at="runs",
        crumbs=crumbs_of(request, run, f"{of.step_name} #{of.number}"),
        run=run,
        of=of,
        phases=phases,
        left=left,
        most_artifacts=_MOST_ARTIFACTS,
        attempts=range(of.attempt, 0, -1),
        may_read=may_read,
        can_stop=of.state in _STOPPABLE,
        kind_of=kind_of,
        icons=ICONS,
        drawn=drawn,
        worker=await run_views.worker_of(*request.reading, of.id),
    )


@verb(_STEP_RUN + "/pause", may=Permission.START_RUNS)
async def pause(request: Asking, number: Path[str], step_run: Path[str]) -> Shown:
    """Halt its robot until somebody lets it go on."""
    of = await pauses.pause(*request.acting, await _its_id(request, number, step_run))
    here = f"{request.base}/runs/{number}/steps/{of.number}"
    said = f"{of.step_name} #{of.number} is paused: it keeps its item, and its time limit rests."
    return request.done(here, said, undo=f"{here}/resume")


@verb(_STEP_RUN + "/resume", may=Permission.START_RUNS)
async def resume(request: Asking, number: Path[str], step_run: Path[str]) -> Shown:
    """Let its robot go on."""
    of = await pauses.resume(*request.acting, await _its_id(request, number, step_run))
    here = f"{request.base}/runs/{number}/steps/{of.number}"
    return request.done(here, f"{of.step_name} #{of.number} goes on.", undo=f"{here}/pause")


@page(_STEP_RUN + "/stop", needs=(Permission.START_RUNS, Permission.READ_RUNS))
async def ask_to_stop(request: Asking, number: Path[str], step_run: Path[str]) -> Shown:
    """What becomes of the item that it has."""
    run, of = await _step_run(request, number, step_run)
    return await request.show(
        "runs/stop_step_run.html",
        title=f"Stop {of.step_name} #{of.number}",
        at="runs",
        crumbs=crumbs_of(request, run, f"Stop {of.step_name} #{of.number}"),
        run=run,
        of=of,
        here=f"{request.base}/runs/{run.number}/steps/{of.number}",
    )


@verb(_STEP_RUN + "/stop")
async def stop(request: Asking, number: Path[str], step_run: Path[str]) -> Shown:
    """End it, and no other step run of its run."""
    was_there = await stops.stop(*request.acting, await _its_id(request, number, step_run))
    said = "It is being stopped; the others go on." if was_there else "It had ended already."
    return request.done(f"{request.base}/runs/{number}/steps/{step_run}", said)


async def _step_run(request: Asking, number: str, named: str) -> tuple[Run, StepRun]:
    """The step run that the address of a page names, and its run. Raises NotFound."""
    run = await run_of(request, number)
    of = await store.get_step_run(*request.reading, await resolve(*request.reading, STEP_RUN, named))
    _ensure_of(run.id, of)
    return run, of


async def _its_id(request: Asking, number: str, named: str) -> StepRunId:
    """The step run that the address of a verb names. Raises NotFound."""
    seen = request.scope_for(Permission.START_RUNS)
    run = await resolve(request.db, seen, RUN, number)
    _ensure_of(run, of := await store.get_step_run(request.db, seen, await resolve(request.db, seen, STEP_RUN, named)))
    return of.id


def _ensure_of(run: RunId, of: StepRun) -> None:
    if of.run_id != run:
        raise NotFound("This run has no such step run.", code="STEP_RUN_NOT_FOUND")
