"""All schedules of a workspace, and one of them: when it is due, what became of its times, and its verbs."""

from typing import Final

from controlroom.engine.lists.model import Compare, Operator
from controlroom.engine.references import resolve
from controlroom.engine.runs import store as runs
from controlroom.engine.schedules import actions, by_hand, calendar, store
from controlroom.engine.schedules.definitions import ScheduleChange, Standing
from controlroom.engine.schedules.errors import ScheduleNotFound
from controlroom.engine.schedules.listings import SCHEDULES, ListedSchedule
from controlroom.engine.schedules.model import OccurrenceState
from controlroom.engine.schedules.sentences import expression_of, policies_said, sentence
from controlroom.engine.schedules.store import SCHEDULE
from controlroom.engine.schedules.upcoming import outlooks
from controlroom.errors import Conflict, Invalid, NotFound
from controlroom.ids import ScheduleId
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown, own_path
from controlroom.ui.filters import Reference, Tab
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number, id_of
from controlroom.ui.pickers.known import PROCESSES
from controlroom.ui.processes.times import occurrences_of
from controlroom.ui.routing import Place, page, verb
from controlroom.ui.schedules.told import sign_of, standing_of

PLACE: Final = Place(
    at="schedules", name="Schedules", path="/schedules", icon="schedules", needs=Permission.READ_SCHEDULES
)
_READS: Final = Permission.READ_SCHEDULES
_WRITES: Final = Permission.WRITE_SCHEDULES
_LAST: Final = 12
_TIMES: Final = 10
_HISTORY: Final = 50


def _standing(*standings: Standing) -> Compare:
    return Compare("standing", Operator.EQ, standings[0].value)


_LIST: Final = ListPage(
    listing=SCHEDULES,
    row=ListedSchedule,
    path="/schedules",
    noun="schedules",
    noun_of_one="schedule",
    counted=1000,
    tabs=(
        Tab("all", "All"),
        Tab("faulty", "Start nothing", _standing(Standing.FAULTY), is_bad=True),
        Tab("active", "Active", _standing(Standing.ACTIVE)),
        Tab("paused", "Paused", _standing(Standing.INACTIVE)),
    ),
    filters=(Reference("process", "Process", "process_id", PROCESSES),),
    columns=(
        Col("when", "When", always=True, csv=lambda row: sentence(row.rule)),
        Col("name", "Name", sort="name"),
        Col("work_name", "Starts", sort="work_name"),
        Col("last", "Last times", csv=lambda _: ""),
        Col("next_due", "Next", sort="next_due", is_number=True),
        Col("zone", "Zone", sort="zone", by_default=False),
        Col("priority", "Priority", sort="priority", is_number=True, by_default=False),
        Col("standing", "State", always=True),
    ),
    searched=("name", "work_name"),
    searched_words="Name, process, number or id",
    sort="-id",
    topics="schedule run",
)


@page("/schedules", needs=_READS)
async def list_schedules(request: Asking) -> Shown:
    """The list."""
    found = await _LIST.read(request)
    return await request.show(
        "schedules/list.html",
        title="Schedules",
        at="schedules",
        found=found,
        last=await calendar.latest(*request.reading, [row.id for row in found.rows], each=_LAST),
        sentence=sentence,
        sign_of_time=sign_of,
        standing_of=standing_of,
        can_write=request.actor.may(_WRITES, request.workspace),
    )


@page("/schedules/{number:str}", needs=_READS)
async def show_schedule(request: Asking, number: Path[str]) -> Shown:
    """When it is due, and what became of it."""
    schedule = await found_by(request, number)
    now = request.reader.now
    [outlook] = await outlooks(request.engine, [schedule], now, count=_TIMES)
    timing = schedule.timing
    remarks = (await actions.preview(request.engine, request.workspace, timing, count=1, after=now)).remarks
    crumbs = [Crumb("Schedules", f"{request.base}/schedules"), Crumb(schedule.name)]
    sees_runs = request.actor.may(Permission.READ_RUNS, request.workspace)
    return await request.show(
        "schedules/detail.html",
        title=schedule.name,
        at="schedules",
        crumbs=crumbs,
        schedule=schedule,
        here=f"{request.base}/schedules/{schedule.number}",
        lines=occurrences_of(outlook, request.reader),
        remarks=remarks,
        past=(await calendar.latest(*request.reading, [schedule.id], each=_HISTORY))[schedule.id][::-1],
        sees_runs=sees_runs,
        sentence=sentence,
        expression_of=expression_of,
        policies_said=policies_said,
        sign_of_time=sign_of,
        standing=standing_of(schedule.standing),
        can_write=request.actor.may(_WRITES, request.workspace),
    )


async def found_by(request: Asking, number: str) -> ListedSchedule:
    """The schedule that an address names. Raises Moved for one that is named by its id, ScheduleNotFound."""
    schedule = await store.get_listed(*request.reading, await resolve(*request.reading, SCHEDULE, number))
    ensure_number(request, number, schedule.number)
    return schedule


async def acted_on(request: Asking, number: str) -> ScheduleId:
    """The schedule that a verb is for. Raises Forbidden, ScheduleNotFound."""
    return await resolve(request.db, request.scope_for(_WRITES), SCHEDULE, number)


# ---------------------------------------------------------------------------------------------------- verbs
@verb("/schedules/{number:str}/pause", may=Permission.WRITE_SCHEDULES)
async def pause(request: Asking, number: Path[str]) -> Shown:
    """Let it start nothing."""
    return await _switch(request, number, is_enabled=False)


@verb("/schedules/{number:str}/resume", may=Permission.WRITE_SCHEDULES)
async def resume(request: Asking, number: Path[str]) -> Shown:
    """Let it start runs again; what it would have started meanwhile is not made up for."""
    return await _switch(request, number, is_enabled=True)


async def _switch(request: Asking, number: str, *, is_enabled: bool) -> Shown:
    schedule, fields = await acted_on(request, number), await request.fields()
    to = own_path(fields.text("to"), f"{request.base}/schedules/{number}")
    try:
        after = await actions.update(*request.acting, schedule, ScheduleChange(is_enabled=is_enabled))
    except (Invalid, Conflict, NotFound) as refused:
        if isinstance(refused, NotFound):
            raise
        return request.done(to, f"It was not changed: {refused.message}.")
    said = "starts runs again" if is_enabled else "is paused"
    opposite = f"{request.base}/schedules/{number}/{'pause' if is_enabled else 'resume'}"
    return request.done(to, f"{after.name} {said}.", undo=opposite, undo_with={"to": to})


@verb("/schedules/{number:str}/fire", may=Permission.START_RUNS)
async def fire(request: Asking, number: Path[str]) -> Shown:
    """Start now what it starts, with its own inputs; then its run, or the page that shows it."""
    schedule = await resolve(request.db, request.scope_for(Permission.START_RUNS), SCHEDULE, number)
    here, fields = f"{request.base}/schedules/{number}", await request.fields()
    to = own_path(fields.text("to"), here)
    try:
        became = await by_hand.fire_now(*request.acting, schedule)
    except (Invalid, Conflict, NotFound) as refused:
        if isinstance(refused, ScheduleNotFound):
            raise
        return request.done(to, f"Nothing was started: {refused.message}.")
    if became.run_id is None:
        is_waiting = became.state is OccurrenceState.WAITING
        said = "It waits in line: a run of the schedule is under way."
        return request.done(to, said if is_waiting else "Nothing was started: no work item waits in its queue.")
    if request.actor.may(Permission.READ_RUNS, request.workspace):
        run = await runs.get(request.db, request.scope_for(Permission.READ_RUNS), became.run_id)
        to = f"{request.base}/runs/{run.number}"
    return request.done(to, "It is started, as the schedule says.")


@page("/schedules/{number:str}/delete", needs=(Permission.WRITE_SCHEDULES, _READS))
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What goes with it."""
    schedule = await found_by(request, number)
    here = f"{request.base}/schedules/{schedule.number}"
    crumbs = [Crumb("Schedules", f"{request.base}/schedules"), Crumb(schedule.name, here), Crumb("Delete")]
    return await request.show(
        "schedules/delete.html",
        title=f"Delete {schedule.name}",
        at="schedules",
        crumbs=crumbs,
        schedule=schedule,
        here=here,
        sentence=sentence,
    )


@verb("/schedules/{number:str}/delete")
async def delete(request: Asking, number: Path[str]) -> Shown:
    """Delete it."""
    schedule = await acted_on(request, number)
    await actions.delete(*request.acting, schedule)
    undo = f"{request.base}/schedules/{schedule}/restore"
    return request.done(f"{request.base}/schedules", "It is deleted. Runs that it has started go on.", undo=undo)


@verb("/schedules/{number:str}/restore", may=Permission.WRITE_SCHEDULES)
async def restore(request: Asking, number: Path[str]) -> Shown:
    """Have it again after it was deleted; its id says which it was."""
    found = await actions.restore(*request.acting, ScheduleId(id_of(number)))
    return request.done(f"{request.base}/schedules/{found.number}", f"{found.name} is there again, as it was.")
