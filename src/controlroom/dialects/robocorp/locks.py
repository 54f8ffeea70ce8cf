"""Locks (our own management API): names that runs hold until they end, who holds them and who waits for them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from controlroom.border.asking import Asking, Body, Permission, Query
from controlroom.dialects.robocorp.answers import Named, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, update
from controlroom.engine.locks import actions, model, standings
from controlroom.engine.locks.model import LockName, LockOf
from controlroom.engine.runs.locks import wanted_by
from controlroom.engine.runs.model import Run
from controlroom.ids import RunId


class LockBody(OwnBody, frozen=True):
    """A lock by its name: of this workspace, or one that its organization has for all."""

    name: str
    of: LockOf = LockOf.WORKSPACE


class RunInLine(Shape, frozen=True, kw_only=True):
    """A process run that holds a lock or waits for it, since when."""

    id: RunId
    run_no: int
    process: Named
    since: datetime


class LockAnswer(Shape, frozen=True, kw_only=True):
    """A lock: how many may hold it, how many do and wait, and the first hundred of those that you may see."""

    name: str
    of: LockOf
    capacity: int
    declared: bool
    """Its capacity was set; otherwise it is there because process runs want it."""
    held: int
    waiting: int
    holders: list[RunInLine]
    waiters: list[RunInLine]
    """In the order in which they come."""


class SetLock(OwnBody, frozen=True):
    """How many process runs may hold a lock at once."""

    name: str
    capacity: int
    of: LockOf = LockOf.WORKSPACE


class LockDeleted(Shape, frozen=True):
    """The lock of which nothing is set any more."""

    name: str
    of: LockOf
    deleted: bool = True


class BlockingRun(Shape, frozen=True, kw_only=True):
    """A process run that is in the way."""

    id: RunId
    run_no: int
    process_name: str


class RunLock(Shape, frozen=True, kw_only=True):
    """How a process run stands with one of its locks."""

    name: str
    of: LockOf
    state: model.LockState
    since: datetime | None
    """When it got it, or asked for it; null once the run has ended."""
    blocked_by: list[BlockingRun]
    """Who has it, and older ones for whom it is kept; empty where there is room."""
    blocked_elsewhere: int
    """Likewise, in workspaces that you do not see."""


@get("/locks", needs=Permission.READ_RUNS)
async def list_locks(request: Asking, paging: Pages) -> Page[LockAnswer]:
    """List locks with who holds them and who waits, those of the organization first, by name."""
    seen = actions.seen_by(request.actor)
    rows = await standings.list_locks(*request.reading, seen=seen, **paging.after(standings.Position))
    return paging.page(rows, _show, _place)


@update("/locks")
async def set_lock(request: Asking, data: Body[SetLock]) -> LockAnswer:
    """Set how many process runs may hold a lock at once; those of the organization by its admins."""
    return _show(await actions.declare(*request.acting, LockName(data.name, data.of), data.capacity))


@delete("/locks")
async def delete_lock(request: Asking, name: Query[str], of: Query[LockOf] = LockOf.WORKSPACE) -> LockDeleted:
    """Undo that: one run at once holds a lock of the workspace then, and the organization has it no more."""
    await actions.forget(*request.acting, LockName(name, of))
    return LockDeleted(name, of)


async def locks_of(request: Asking, runs: Sequence[Run]) -> dict[RunId, list[RunLock]]:
    """How open process runs stand with their locks; nothing is asked where none has or wants any."""
    locking = [run.id for run in runs if run.lock_state in _OPEN]
    found: defaultdict[RunId, list[RunLock]] = defaultdict(list)
    if locking:
        for one in await standings.standings(*request.reading, locking, seen=actions.seen_by(request.actor)):
            found[one.run_id].append(_show_standing(one))
    return found


async def locks_of_one(request: Asking, run: Run) -> list[RunLock]:
    """Likewise of one process run, also of one that has ended."""
    if run.lock_state in _OPEN:
        return (await locks_of(request, [run]))[run.id]
    return [
        RunLock(
            name=lock.name, of=lock.of, state=model.LockState.RELEASED, since=None, blocked_by=[], blocked_elsewhere=0
        )
        for lock in await wanted_by(*request.reading, run.id)
    ]


_OPEN: Final = {model.LockState.WAITING, model.LockState.HELD}


def _place(lock: model.Lock) -> standings.Position:
    return standings.Position(lock.of, lock.name)


_show = shown_as(LockAnswer, model.Lock)
_show_standing = shown_as(
    RunLock,
    model.Standing,
    state=lambda one: model.LockState.WAITING if one.held_at is None else model.LockState.HELD,
    since=lambda one: one.held_at or one.asked_at,
)
