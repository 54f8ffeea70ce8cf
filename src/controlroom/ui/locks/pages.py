"""Locks and slots: names that runs hold until they end, who holds them, who waits, and how many may at once."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from controlroom.border.cursors import cursor_of, position_of
from controlroom.engine.access.model import Permission
from controlroom.engine.locks import actions, standings
from controlroom.engine.locks.errors import LockInvalid, LockNotFound
from controlroom.engine.locks.model import InLine, Lock, LockName, LockOf
from controlroom.engine.locks.standings import Position
from controlroom.engine.runs.projects import blocking
from controlroom.engine.runs.projects.rules import SLOTS
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Shown
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import Asker, in_organization
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="locks", name="Locks and slots", path="/locks", icon="lockers", needs=Permission.READ_RUNS, is_rare=True
)
_READS: Final = Permission.READ_RUNS
_GOVERNS: Final = in_organization(Permission.WRITE_WORKSPACES)
_A_PAGE: Final = 50
_LONGEST: Final = 9
"""Digits of a capacity that is read at all; how large it may be, the engine says."""


def _declares(asker: Asker, named: Mapping[str, str]) -> bool:
    """Whose the lock of an address is decides: the workspace's, or the organization's; without either, one of them."""
    of = named.get("of")
    may_here, may_above = asker.may(Permission.WRITE_PROCESSES), _GOVERNS(asker, named)
    return may_above if of == LockOf.ORGANIZATION else may_here or (of is None and may_above)


@page("/locks", needs=_READS)
async def list_locks(request: Asking) -> Shown:
    """All of the workspace and of its organization, with who has them, and the slots of runs of projects."""
    seen, cursor = actions.seen_by(request.actor), request.query_params.get("after", "")
    after = position_of(cursor, lambda found: Position(LockOf(found[0]), str(found[1]))) if cursor else None
    rows = await standings.list_locks(*request.reading, seen=seen, after=after, limit=_A_PAGE + 1)
    last = rows[_A_PAGE - 1] if len(rows) > _A_PAGE else None
    return await request.show(
        "locks/list.html",
        title="Locks and slots",
        at="locks",
        locks=[each for each in rows[:_A_PAGE] if not _is_slots(each)],
        older=f"{request.base}/locks?after={cursor_of((last.of, last.name))}" if last else "",
        first=f"{request.base}/locks" if cursor else "",
        slots=await blocking.slots(request.db, request.actor.organization_id),
        line=await standings.get(*request.reading, SLOTS, seen=seen),
        base_of=bases(request),
    )


@page("/locks/new", needs=_READS)
async def ask_for_lock(request: Asking) -> Shown:
    """Its name, whose it is, and how many may hold it."""
    fields = Fields([("capacity", "1"), ("of", request.query_params.get("of", LockOf.WORKSPACE.value))])
    return await _form(request, None, fields)


@verb("/locks/new", may=_declares)
async def declare(request: Asking) -> Shown:
    """Say how many runs may hold a lock at once."""
    fields = await request.fields()
    try:
        lock = LockName(fields.text("name"), LockOf(fields.text("of", LockOf.WORKSPACE.value)))
    except ValueError:
        return await _form(request, None, fields, refused="A lock is the workspace's, or the organization's")
    made, refused = await tried(_declared(request, lock, fields.text("capacity")))
    if made is None:
        return await _form(request, None, fields, refused=refused)
    if made.held or made.waiting:  # it was there before, and is not forgotten while runs want it
        return request.done(_address(request, made), _said(made))
    undo, named = f"{request.base}/locks/{lock.of}/forget", {"name": lock.name}
    return request.done(_address(request, made), _said(made), undo=undo, undo_with=named)


@page("/locks/slots", needs=_READS)
async def ask_for_slots(request: Asking) -> Shown:
    """How many runs of projects there may be at once."""
    now = await blocking.slots(request.db, request.actor.organization_id)
    return await _slots_form(request, "" if now.follows_workers else str(now.capacity))


@verb("/locks/slots", may=_GOVERNS)
async def set_slots(request: Asking) -> Shown:
    """Say how many; nothing said: as many as the workers can run."""
    typed = (await request.fields()).text("capacity")
    before = await blocking.slots(request.db, request.actor.organization_id)
    _, refused = await tried(_slots(request, typed))
    if refused:
        return await _slots_form(request, typed, refused=refused)
    was = {"capacity": "" if before.follows_workers else str(before.capacity)}
    return request.done(
        f"{request.base}/locks", "The slots are changed.", undo=f"{request.base}/locks/slots", undo_with=was
    )


@page("/locks/{of:str}", needs=_READS)
async def show_lock(request: Asking, of: Path[str]) -> Shown:
    """Who holds it, who waits for it, and how it is freed."""
    lock = await _lock(request, of, request.query_params.get("name", ""))
    return await request.show(
        "locks/lock.html",
        title=lock.name,
        at="locks",
        crumbs=_way(request, lock),
        lock=lock,
        form=_edit_address(request, lock),
        base_of=bases(request),
    )


@page("/locks/{of:str}/edit", needs=_READS)
async def ask_to_edit(request: Asking, of: Path[str]) -> Shown:
    """How many may hold it."""
    lock = await _lock(request, of, request.query_params.get("name", ""))
    return await _form(request, lock, Fields([("capacity", str(lock.capacity))]))


@verb("/locks/{of:str}/edit", may=_declares)
async def edit_lock(request: Asking, of: Path[str]) -> Shown:
    """Say how many may hold it; who holds it keeps it."""
    fields = await request.fields()
    before = await _lock(request, of, fields.text("name"))
    made, refused = await tried(_declared(request, LockName(before.name, before.of), fields.text("capacity")))
    if made is None:
        return await _form(request, before, fields, refused=refused)
    was = {"name": before.name, "capacity": str(before.capacity)}
    return request.done(_address(request, made), _said(made), undo=f"{request.base}/locks/{of}/edit", undo_with=was)


@verb("/locks/{of:str}/forget", may=_declares)
async def forget(request: Asking, of: Path[str]) -> Shown:
    """Undo what was said of it: one of the workspace has one holder then, one of the organization is no more."""
    fields = await request.fields()
    before = await _lock(request, of, fields.text("name"))
    await actions.forget(*request.acting, LockName(before.name, before.of))
    named = {"name": before.name, "of": before.of.value, "capacity": str(before.capacity)}
    said = f"Nothing is said of the lock {before.name} any more."
    return request.done(f"{request.base}/locks", said, undo=f"{request.base}/locks/new", undo_with=named)


def _is_slots(lock: Lock) -> bool:
    return LockName(lock.name, lock.of) == SLOTS


async def _declared(request: Asking, lock: LockName, capacity: str) -> Lock:
    if lock == SLOTS:
        raise LockInvalid("this is what the slots are counted by: say how many there are")
    return await actions.declare(*request.acting, lock, _whole(capacity))


async def _slots(request: Asking, typed: str) -> object:
    return await blocking.set_slots(*request.governing, _whole(typed) if typed else None)


def _whole(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) <= _LONGEST):
        raise LockInvalid("how many may be at once is a whole number")
    return int(text)


def _said(lock: Lock) -> str:
    return f"{lock.capacity:,} run{'' if lock.capacity == 1 else 's'} may hold {lock.name} at once."


async def _lock(request: Asking, of: str, name: str) -> Lock:
    """The lock that an address names. Raises LockNotFound."""
    if of not in set(LockOf) or "\0" in name:
        raise LockNotFound(name, of)
    lock = LockName(name, LockOf(of))
    found = await standings.get(request.db, request.scope_for(_READS), lock, seen=actions.seen_by(request.actor))
    if found is None or lock == SLOTS:
        raise LockNotFound(name, of)
    return found


def _address(request: Asking, lock: Lock) -> str:
    return f"{request.base}/locks/{lock.of}?{urlencode({'name': lock.name})}"


def _edit_address(request: Asking, lock: Lock) -> str:
    return f"{request.base}/locks/{lock.of}/edit?{urlencode({'name': lock.name})}"


def bases(request: Asking) -> Callable[[InLine], str]:
    """What the addresses of a run's workspace begin with: locks of an organization are held by runs of several."""

    def base_of(run: InLine) -> str:
        found = request.workspaces.find(str(run.workspace_id))
        return "" if found is None else f"/w/{found[0]}"

    return base_of


def _way(request: Asking, lock: Lock | None, last: str = "") -> list[Crumb]:
    its = None if lock is None else (lock.name, _address(request, lock).removeprefix(request.base))
    return request.way(("Locks and slots", "/locks"), its, last)


async def _form(request: Asking, lock: Lock | None, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "locks/form.html",
        title="New lock" if lock is None else f"Edit {lock.name}",
        at="locks",
        crumbs=_way(request, lock, "New lock" if lock is None else "Edit"),
        status=REFUSED if refused else 200,
        lock=lock,
        fields=fields,
        back=f"{request.base}/locks" if lock is None else _address(request, lock),
        may_here=request.actor.may(Permission.WRITE_PROCESSES, request.workspace),
        may_above=request.actor.may(Permission.WRITE_WORKSPACES, None),
        refused=refused,
    )


async def _slots_form(request: Asking, capacity: str, *, refused: str = "") -> Shown:
    return await request.show(
        "locks/slots.html",
        title="Slots of runs of projects",
        at="locks",
        crumbs=_way(request, None, "Slots"),
        status=REFUSED if refused else 200,
        capacity=capacity,
        refused=refused,
    )
