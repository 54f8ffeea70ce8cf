"""What starts a process beside people and schedules, what follows it, and who is told of it."""

from collections.abc import Sequence
from typing import Any, Final

from controlroom.engine.access.scope import Scope
from controlroom.engine.chains import store as chain_store
from controlroom.engine.notifications import store as notice_store
from controlroom.engine.processes.model import Process
from controlroom.engine.schedules import store as schedules
from controlroom.engine.schedules.definitions import Schedule
from controlroom.engine.schedules.sentences import sentence
from controlroom.engine.triggers import emails
from controlroom.engine.triggers.errors import EmailTriggerNotFound
from controlroom.engine.triggers.model import EmailChange, EmailTrigger
from controlroom.engine.webhooks import store as webhooks
from controlroom.errors import Forbidden
from controlroom.ids import ProcessId
from controlroom.ui.asking import Asking, Path, Permission, Shown
from controlroom.ui.pickers.known import PROCESSES
from controlroom.ui.processes.one import acted_on, back_from, process_of, show
from controlroom.ui.processes.pages_chains import ENDS
from controlroom.ui.questions import ask
from controlroom.ui.routing import page, verb

_MOST: Final = 200
"""Of each kind: a process has a handful. Where there are more, the page says so."""
_MOST_SCHEDULE_BYTES: Final = 1 << 20
_WRITES: Final = Permission.WRITE_PROCESSES


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
        "next": await PROCESSES.offered(request, but=process.id),
        "ends": ENDS,
        "notices": await notice_store.list_of_process(request.db, seen, process.id, limit=_MOST),
        "webhooks": await webhooks.list_webhooks(request.db, seen, process=process.id, limit=_MOST)
        if may(Permission.READ_WEBHOOKS)
        else [],
        "planned": planned,
        "sentence": sentence,
        "most": _MOST,
        "return_to": str(request.scope["path"]),
    }


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
    return request.done(await back_from(request, process), "Mail to its address is taken so.")


@page("/processes/{number:str}/mail/rotate", needs=(_WRITES, Permission.READ_PROCESSES))
async def ask_to_rotate_mail(request: Asking, number: Path[str]) -> Shown:
    """What mail is lost."""
    return await _ask_of_mail(request, number, "Give it another address")


@verb("/processes/{number:str}/mail/rotate", may=Permission.WRITE_PROCESSES)
async def rotate_mail(request: Asking, number: Path[str]) -> Shown:
    """Another address; the one before takes nothing any more."""
    process = await acted_on(request, number, _WRITES)
    await emails.rotate(*request.acting, process.id)
    return request.done(await back_from(request, process), "It has another address.")


@page("/processes/{number:str}/mail/delete", needs=(_WRITES, Permission.READ_PROCESSES))
async def ask_to_delete_mail(request: Asking, number: Path[str]) -> Shown:
    """What mail is lost."""
    return await _ask_of_mail(request, number, "Take the address away")


async def _ask_of_mail(request: Asking, number: str, label: str) -> Shown:
    process = await process_of(request, number)
    here, back = f"/processes/{process.number}", request.query_params.get("back", "")
    return await ask(
        request,
        f"{label}: {process.name}",
        label=label,
        back=f"{request.base}{here}/triggers",
        lost="Mail to the address that it has now is refused, from whoever knows it, and no later one is the same.",
        stays="Items that came by mail stay.",
        at="processes",
        crumbs=request.way(("Processes", "/processes"), (process.name, here), "Mail"),
        fields={"back": back} if back else {},
    )


@verb("/processes/{number:str}/mail/delete", may=Permission.WRITE_PROCESSES)
async def delete_mail(request: Asking, number: Path[str]) -> Shown:
    """No address."""
    process = await acted_on(request, number, _WRITES)
    await emails.delete(*request.acting, process.id)
    return request.done(await back_from(request, process), "It has no address any more.")
