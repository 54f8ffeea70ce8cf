"""What starts a process beside people and schedules, what follows it, and who is told of it."""

from collections.abc import Sequence
from typing import Any, Final

from controlroom.engine.access.scope import Scope
from controlroom.engine.chains import actions as chains
from controlroom.engine.chains import store as chain_store
from controlroom.engine.chains.model import ChainDefinition, Empty, End
from controlroom.engine.notifications import store as notice_store
from controlroom.engine.processes import store
from controlroom.engine.processes.model import Process
from controlroom.engine.references import resolve
from controlroom.engine.schedules import store as schedules
from controlroom.engine.schedules.definitions import Schedule
from controlroom.engine.schedules.sentences import sentence
from controlroom.engine.triggers import emails
from controlroom.engine.triggers.errors import EmailTriggerNotFound
from controlroom.engine.triggers.model import EmailChange, EmailTrigger
from controlroom.engine.webhooks import store as webhooks
from controlroom.errors import Forbidden, Invalid
from controlroom.ids import ChainId, ProcessId
from controlroom.ui.asking import Asking, Path, Permission, Shown
from controlroom.ui.processes.one import acted_on, address, process_of, show
from controlroom.ui.routing import page, verb

_MOST: Final = 200
"""Of each kind: a process has a handful. Where there are more, the page says so."""
_MOST_SCHEDULE_BYTES: Final = 1 << 20
_WRITES: Final = Permission.WRITE_PROCESSES
_ENDS: Final = {
    End.COMPLETED: "completed",
    End.UNRESOLVED: "unresolved",
    End.FAILED: "failed",
    End.TIMED_OUT: "timed out",
    End.STOPPED: "stopped",
}


@page("/processes/{number:str}/triggers", needs=Permission.READ_PROCESSES)
async def show_triggers(request: Asking, number: Path[str]) -> Shown:
    """All of them, with small forms."""
    process = await process_of(request, number)
    return await show(request, "processes/triggers.html", process, "Triggers", **await around(request, process))


async def around(request: Asking, process: Process) -> dict[str, Any]:
    """What starts a process beside people, what follows it, and who is told: as `around.html` shows it."""
    seen = request.scope_for(Permission.READ_PROCESSES)

    def may(permission: Permission) -> bool:
        return request.actor.may(permission, request.workspace)

    others = await store.list_processes(request.db, seen, limit=_MOST)
    mail, may_see_address = await _mail(request, seen, process.id)
    planned: Sequence[Schedule] = []
    if may(Permission.READ_SCHEDULES):
        seeing = request.scope_for(Permission.READ_SCHEDULES)
        planned = await schedules.list_schedules(
            request.db, seeing, process=process.id, limit=_MOST, most_bytes=_MOST_SCHEDULE_BYTES
        )
    return {
        "mail": mail,
        "may_see_address": may_see_address,
        "mail_domain": request.app.state.around.mail_domain,
        "chains": await chain_store.list_chains(request.db, seen, process.id, limit=_MOST),
        "others": [each for each in others if each.id != process.id],
        "others_named": [(each.number, each.name) for each in others],
        "has_many": len(others) == _MOST,
        "ends": _ENDS,
        "notices": await notice_store.list_of_process(request.db, seen, process.id, limit=_MOST),
        "webhooks": await webhooks.list_webhooks(request.db, seen, process=process.id, limit=_MOST)
        if may(Permission.READ_WEBHOOKS)
        else [],
        "planned": planned,
        "sentence": sentence,
        "most": _MOST,
        "return_to": str(request.scope["path"]),
    }


async def _back(request: Asking, process: Process) -> str:
    """The page from which a form here was sent: that of the triggers, or the one on which the process is edited."""
    here = address(request, process)
    asked = (await request.fields()).text("back")
    return asked if asked == f"{here}/edit" else f"{here}/triggers"


async def _mail(request: Asking, seen: Scope, process: ProcessId) -> tuple[EmailTrigger | None, bool]:
    """The address, and whether this actor may be shown one: whoever knows it can do what it does."""
    try:
        return await emails.get(request.db, seen, request.actor, process), True
    except EmailTriggerNotFound:
        return None, True
    except Forbidden:
        return None, False


# ---------------------------------------------------------------------------------------------------- mail
@verb("/processes/{number:str}/mail", may=Permission.WRITE_PROCESSES)
async def set_mail(request: Asking, number: Path[str]) -> Shown:
    """Give it an address, or say what becomes of mail that comes there."""
    process = await acted_on(request, number, _WRITES)
    fields = await request.fields()
    change = EmailChange()
    if fields.has("is_set"):
        change = EmailChange(
            is_enabled=fields.has("is_enabled"), starts=fields.has("starts"), parses=fields.has("parses")
        )
    await emails.configure(*request.acting, process.id, change)
    return request.done(await _back(request, process), "Mail to its address is taken so.")


@verb("/processes/{number:str}/mail/rotate", may=Permission.WRITE_PROCESSES)
async def rotate_mail(request: Asking, number: Path[str]) -> Shown:
    """Another address; the one before takes nothing any more."""
    process = await acted_on(request, number, _WRITES)
    await emails.rotate(*request.acting, process.id)
    return request.done(await _back(request, process), "It has another address.")


@verb("/processes/{number:str}/mail/delete", may=Permission.WRITE_PROCESSES)
async def delete_mail(request: Asking, number: Path[str]) -> Shown:
    """No address."""
    process = await acted_on(request, number, _WRITES)
    await emails.delete(*request.acting, process.id)
    return request.done(await _back(request, process), "It has no address any more.")


# ---------------------------------------------------------------------------------------------------- chains
@verb("/processes/{number:str}/chains", may=Permission.WRITE_PROCESSES)
async def add_chain(request: Asking, number: Path[str]) -> Shown:
    """Start another process when a run of this one ends."""
    process = await acted_on(request, number, _WRITES)
    fields = await request.fields()
    scope = request.scope_for(_WRITES)
    following = await resolve(request.db, scope, store.PROCESS, fields.text("next"))
    try:
        ends = tuple(End(each) for each in fields.texts("end"))
    except ValueError as unknown:
        raise Invalid("There is no such end.", code="CHAIN_INVALID") from unknown
    empty = Empty.ONE_ITEM if fields.has("even_if_empty") else Empty.SKIP
    await chains.create(*request.acting, process.id, ChainDefinition(next_process=following, ends=ends, empty=empty))
    return request.done(await _back(request, process), "The other process follows from now on.")


@verb("/processes/{number:str}/chains/{chain:uuid}/delete", may=Permission.WRITE_PROCESSES)
async def delete_chain(request: Asking, number: Path[str], chain: Path[ChainId]) -> Shown:
    """Let it follow no more."""
    process = await acted_on(request, number, _WRITES)
    await chains.delete(*request.acting, process.id, chain)
    return request.done(await _back(request, process), "It follows no more.")
