"""Allocations: tasks that are kept ready to be called like a function."""

from typing import Final

from controlroom.engine.access import history
from controlroom.engine.access.nouns import USER
from controlroom.engine.allocations import actions, store
from controlroom.engine.allocations.listings import ALLOCATIONS
from controlroom.engine.allocations.model import Allocation
from controlroom.engine.allocations.store import ALLOCATION
from controlroom.engine.locks import standings
from controlroom.engine.locks.actions import seen_by
from controlroom.engine.locks.model import LockName
from controlroom.engine.packages.store import TASK
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ids import UserId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.locks.pages import bases
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import TASKS
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="allocations",
    name="Ready tasks",
    path="/allocations",
    icon="fire",
    needs=Permission.READ_PROCESSES,
    is_rare=True,
)
_READS: Final = Permission.READ_PROCESSES
_WRITES: Final = Permission.WRITE_WORKSPACE
_LIST: Final = ListPage(
    listing=ALLOCATIONS,
    row=Allocation,
    path="/allocations",
    noun="ready tasks",
    noun_of_one="ready task",
    topics="allocation",
    columns=(
        Col("task_name", "Task", sort="task_name", always=True),
        Col("package_name", "Package", sort="package_name"),
        Col("run_as_name", "Runs as", csv=lambda row: row.run_as_name or ""),
        Col("most", "Calls at once", sort="most", is_number=True, always=True),
        Col("created_at", "Since", sort="created_at", is_number=True),
    ),
    searched=("task_name", "package_name", "run_as_name"),
    searched_words="Task, package or user",
)


@page("/allocations", needs=_READS)
async def list_allocations(request: Asking) -> Shown:
    """The list."""
    found = await _LIST.read(request)
    return await request.show("allocations/list.html", title="Ready tasks", at="allocations", found=found)


@page("/allocations/new", needs=(_WRITES, _READS))
async def ask_for_allocation(request: Asking) -> Shown:
    """Which task, as whom, and for how many calls at once."""
    return await _form(request, None, Fields([("most", "1"), ("task", request.query_params.get("task", ""))]))


@verb("/allocations/new")
async def allocate(request: Asking) -> Shown:
    """Keep a task ready; one that is so already is kept as is said here."""
    fields = await request.fields()
    made, refused = await tried(_allocated(request, fields))
    if made is None:
        return await _form(request, None, fields, refused=refused)
    here = f"{request.base}/allocations/{made.number}"
    return request.done(here, f"{made.task_name} is kept ready.", undo=f"{here}/delete")


@page("/allocations/{number:str}", needs=_READS)
async def show_allocation(request: Asking, number: Path[str]) -> Shown:
    """How it is kept, who calls it now and who waits, and how it is called."""
    allocation = await _allocation(request, number)
    ensure_number(request, number, allocation.number)
    may_see_runs = request.actor.may(Permission.READ_RUNS, request.workspace)
    line = None
    if may_see_runs and request.wants("calls"):
        line = await standings.get(*request.reading, LockName(allocation.lock), seen=seen_by(request.actor))
    return await request.show(
        "allocations/allocation.html",
        title=allocation.task_name,
        at="allocations",
        crumbs=_way(request, allocation),
        allocation=allocation,
        here=f"{request.base}/allocations/{allocation.number}",
        line=line,
        may_see_runs=may_see_runs,
        base_of=bases(request),
        origin=request.origin,
        changes=await history.changes_of(*request.reading, allocation.id),
    )


@page("/allocations/{number:str}/edit", needs=(_WRITES, _READS))
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """As whom, and for how many calls at once."""
    allocation = await _allocation(request, number)
    return await _form(request, allocation, Fields([*_said(allocation).items()]))


@verb("/allocations/{number:str}/edit")
async def edit_allocation(request: Asking, number: Path[str]) -> Shown:
    """Keep it otherwise; calls that run go on."""
    fields = await request.fields()
    before = await _allocation(request, number)
    _, refused = await tried(_allocated(request, Fields([("task", str(before.task_id)), *_pairs(fields)])))
    if refused:
        return await _form(request, before, fields, refused=refused)
    here = f"{request.base}/allocations/{before.number}"
    return request.done(here, "It is changed.", undo=f"{here}/edit", undo_with=_said(before))


@verb("/allocations/{number:str}/delete", may=_WRITES)
async def release(request: Asking, number: Path[str]) -> Shown:
    """Keep it ready no longer; calls that run go on."""
    gone = await _allocation(request, number)
    await actions.release(*request.acting, gone.id)
    here = f"{request.base}/allocations"
    said = f"{gone.task_name} is kept ready no longer. Calls that run go on."
    return request.done(here, said, undo=f"{here}/new", undo_with=_said(gone))


def _said(allocation: Allocation) -> dict[str, str]:
    """It as a form says it."""
    return {
        "task": str(allocation.task_id),
        "run_as": allocation.run_as_name or "",
        "most": str(allocation.most),
    }


def _pairs(fields: Fields) -> list[tuple[str, str]]:
    return [(name, fields.text(name)) for name in ("run_as", "most")]


async def _allocated(request: Asking, fields: Fields) -> Allocation:
    """What a form says is done. Raises Invalid, NotFound, Conflict."""
    seen, most, run_as = request.scope_for(_WRITES), fields.text("most"), fields.text("run_as")
    if not fields.text("task"):
        raise Invalid("choose the task", code="TASK_MISSING")
    if not (most.isdecimal() and most.isascii() and len(most) < 6):  # noqa: PLR2004 - more than it may be
        raise Invalid("how many calls run at once is a whole number", code="NUMBER_INVALID")
    task = await resolve(request.db, seen, TASK, await TASKS.chosen(request, fields.text("task")))
    user = await _user(request, run_as) if run_as else None
    return await actions.allocate(*request.acting, task, run_as=user, most=int(most))


async def _user(request: Asking, named: str) -> UserId:
    found: UserId = await resolve(request.db, request.scope_for(_WRITES), USER, named)
    return found


async def _allocation(request: Asking, named: str) -> Allocation:
    seen = request.scope_for(_READS)
    return await store.get(request.db, seen, await resolve(request.db, seen, ALLOCATION, named))


def _way(request: Asking, allocation: Allocation | None, last: str = "") -> list[Crumb]:
    its = None if allocation is None else (allocation.task_name, f"/allocations/{allocation.number}")
    return request.way(("Ready tasks", "/allocations"), its, last)


async def _form(request: Asking, allocation: Allocation | None, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "allocations/form.html",
        title="Keep a task ready" if allocation is None else f"How {allocation.task_name} is kept ready",
        at="allocations",
        crumbs=_way(request, allocation, "New" if allocation is None else "Edit"),
        status=REFUSED if refused else 200,
        fields=fields,
        allocation=allocation,
        task=None if allocation else await TASKS.offered(request, fields.text("task")),
        most=actions.MOST_CALLS,
        refused=refused,
    )
