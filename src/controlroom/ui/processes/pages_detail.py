"""A process: does it work, what does it do, when does it start, who starts it, why does it fail?"""

from datetime import timedelta
from typing import Final

from controlroom.engine.processes import actions, store, surroundings
from controlroom.engine.processes.model import Process, ProcessChange
from controlroom.engine.provisioners import places
from controlroom.engine.runs import store as runs
from controlroom.engine.runs import summaries
from controlroom.engine.schedules import store as schedules
from controlroom.engine.schedules.sentences import expression_of, policies_said, sentence
from controlroom.engine.schedules.upcoming import Outlook, outlooks
from controlroom.engine.statistics.model import Period
from controlroom.engine.statistics.store import failure_trends, usual_of_runs
from controlroom.ids import ProcessId
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.numbers import id_of
from controlroom.ui.processes import strips
from controlroom.ui.processes.one import acted_on, address, process_of, show
from controlroom.ui.processes.tags import ids_of, tags_of
from controlroom.ui.processes.times import Line, days_of, occurrences_of
from controlroom.ui.routing import page, verb
from controlroom.ui.runs.pages import STARTERS

_RUNS: Final = 60
_RECENT: Final = 6
_TIMES: Final = 3
_MOST_SCHEDULES: Final = 20
_MOST_SCHEDULE_BYTES: Final = 1 << 20
_MOST_REASONS: Final = 6
_READS: Final = (Permission.READ_RUNS, Permission.READ_PROCESSES)


@page("/processes/{number:str}", needs=_READS)
async def show_process(request: Asking, number: Path[str]) -> Shown:
    """All of it."""
    process = await process_of(request, number)
    now, is_whole = request.reader.now, not request.parts
    latest = await runs.list_runs(*request.reading, process=process.id, limit=_RUNS)
    recent, oldest_first = latest[:_RECENT], latest[::-1]
    steps, lately, usual, about, reasons = [], {}, None, {}, []
    if request.wants("steps"):
        steps = await store.list_steps(*request.reading, process.id)
        lately = await surroundings.steps_lately(*request.reading, process.id)
    if request.wants("history"):
        usual = (await usual_of_runs(*request.reading, [process.id])).get(process.id)
    if request.wants("recent"):
        about = await summaries.summaries(*request.reading, recent)
    if is_whole:
        month = Period(now - timedelta(days=30), now)
        reasons = await failure_trends(*request.reading, month, process=process.id, limit=_MOST_REASONS)
    names = await places.named(*request.reading, {each for step in steps for each in ids_of(step.placement)})
    return await show(
        request,
        "processes/detail.html",
        process,
        "Overview",
        steps=[(step, tags_of(step, names)) for step in steps],
        lately=lately,
        around=await surroundings.of_process(*request.reading, process.id) if is_whole else None,
        latest=latest,
        recent=recent,
        about=about,
        history=strips.history(oldest_first, request.base, now, days_of(oldest_first, request.reader)),
        usual=usual,
        planned=await _planned(request, process) if is_whole else [],
        reasons=reasons,
        starters=STARTERS,
        sentence=sentence,
        expression_of=expression_of,
        policies_said=policies_said,
        zone_here=request.reader.zone_name,
    )


async def _planned(request: Asking, process: Process) -> list[tuple[Outlook, list[Line]]]:
    """Its schedules, each with the lines of its next times."""
    if not request.actor.may(Permission.READ_SCHEDULES, request.workspace):
        return []
    found = await schedules.list_schedules(
        *request.reading, process=process.id, limit=_MOST_SCHEDULES, most_bytes=_MOST_SCHEDULE_BYTES
    )
    planned = await outlooks(request.engine, found, request.reader.now, count=_TIMES)
    return [(each, occurrences_of(each, request.reader)) for each in planned]


@verb("/processes/{number:str}/enable", may=Permission.WRITE_PROCESSES)
async def enable(request: Asking, number: Path[str]) -> Shown:
    """Let it be started."""
    return await _set_enabled(request, number, is_enabled=True)


@verb("/processes/{number:str}/disable", may=Permission.WRITE_PROCESSES)
async def disable(request: Asking, number: Path[str]) -> Shown:
    """Let it start nothing."""
    return await _set_enabled(request, number, is_enabled=False)


async def _set_enabled(request: Asking, number: str, *, is_enabled: bool) -> Shown:
    process = await acted_on(request, number, Permission.WRITE_PROCESSES)
    await actions.update(*request.acting, process.id, ProcessChange(is_enabled=is_enabled))
    said = "can be started" if is_enabled else "starts no more; what runs goes on"
    here = address(request, process)
    return request.done(here, f"{process.name} {said}.", undo=f"{here}/{'disable' if is_enabled else 'enable'}")


@page("/processes/{number:str}/delete", needs=(Permission.WRITE_PROCESSES, *_READS))
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What goes with it, and what stays."""
    process = await process_of(request, number)
    here = address(request, process)
    crumbs = [Crumb("Processes", f"{request.base}/processes"), Crumb(process.name, here), Crumb("Delete")]
    title = f"Delete {process.name}"
    return await request.show(
        "processes/delete.html", title=title, at="processes", crumbs=crumbs, process=process, here=here
    )


@verb("/processes/{number:str}/delete")
async def delete(request: Asking, number: Path[str]) -> Shown:
    """Delete it."""
    process = await acted_on(request, number, Permission.WRITE_PROCESSES)
    await actions.delete(*request.acting, process.id)
    undo = f"{request.base}/processes/{process.id}/restore"
    return request.done(f"{request.base}/processes", f"{process.name} is deleted. Its runs stay.", undo=undo)


@verb("/processes/{number:str}/restore", may=Permission.WRITE_PROCESSES)
async def restore(request: Asking, number: Path[str]) -> Shown:
    """Have it again after it was deleted; its id says which it was."""
    found = await actions.restore(*request.acting, ProcessId(id_of(number)))
    return request.done(address(request, found), f"{found.name} is there again, as it was.")
