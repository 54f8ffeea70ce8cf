"""The secret of one process, which opens the oldest API for it alone: given, seen again, and switched off."""

from controlroom.engine.processes.model import Process
from controlroom.engine.triggers import process_secrets
from controlroom.engine.triggers.errors import ProcessSecretOff
from controlroom.ui.asking import Asking, Path, Permission, Shown
from controlroom.ui.processes.one import acted_on, address, process_of, show
from controlroom.ui.routing import page, verb


@page("/processes/{number:str}/secret", needs=Permission.READ_PROCESSES, is_read=True)
async def show_secret_page(request: Asking, number: Path[str]) -> Shown:
    """Since when it has one."""
    return await _show(request, await process_of(request, number))


@verb("/processes/{number:str}/secret", may=(Permission.WRITE_PROCESSES, Permission.START_RUNS))
async def switch_on(request: Asking, number: Path[str]) -> Shown:
    """Give it another secret, and show it in this answer; the one before is refused from now on."""
    process = await acted_on(request, number, Permission.WRITE_PROCESSES)
    return await _show(request, process, secret=await process_secrets.switch_on(*request.acting, process.id))


@verb("/processes/{number:str}/secret/reveal", may=(Permission.REVEAL, Permission.START_RUNS))
async def reveal(request: Asking, number: Path[str]) -> Shown:
    """Show it once more. It is recorded who saw it."""
    process = await acted_on(request, number, Permission.READ_PROCESSES)
    return await _show(request, process, secret=await process_secrets.reveal(*request.acting, process.id))


@verb("/processes/{number:str}/secret/off", may=Permission.WRITE_PROCESSES)
async def switch_off(request: Asking, number: Path[str]) -> Shown:
    """Refuse it from now on."""
    process = await acted_on(request, number, Permission.WRITE_PROCESSES)
    await process_secrets.switch_off(*request.acting, process.id)
    return request.done(f"{address(request, process)}/secret", "The secret opens nothing any more.")


async def _show(request: Asking, process: Process, *, secret: str = "") -> Shown:
    seen = request.scope_for(Permission.READ_PROCESSES)
    try:
        since = (await process_secrets.get(request.db, seen, process.id)).created_at
    except ProcessSecretOff:
        since = None
    return await show(request, "processes/secret.html", process, "Triggers", page="Secret", since=since, secret=secret)
