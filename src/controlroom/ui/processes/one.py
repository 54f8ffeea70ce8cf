"""What all pages of one process begin with: the process of the address, its tabs, its crumbs."""

from typing import Any, Final

from controlroom.engine.processes import store, versions
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.processes.model import Process
from controlroom.engine.references import resolve
from controlroom.ui.asking import Asking, Crumb, Permission, Shown
from controlroom.ui.entrance import Moved
from controlroom.ui.lists import Link

_LONGEST_NUMBER: Final = 18
"""Digits that 64 bits hold."""


async def process_of(request: Asking, named: str) -> Process:
    """The process that the address names. Raises Moved for one that is named by its id: pages have its number."""
    if named.isdecimal() and named.isascii() and len(named) <= _LONGEST_NUMBER:
        process = await store.get_numbered(*request.reading, int(named))
        if process is None:
            raise ProcessNotFound(named)
        return process
    process = await store.get(*request.reading, await resolve(*request.reading, store.PROCESS, named))
    path = request.scope["path"].replace(f"/processes/{named}", f"/processes/{process.number}", 1)
    query = request.scope["query_string"].decode("latin-1")
    raise Moved(f"{path}?{query}" if query else path)


async def acted_on(request: Asking, named: str, permission: Permission) -> Process:
    """The process that a verb is for. Raises Forbidden, ProcessNotFound."""
    scope = request.scope_for(permission)
    return await store.get(request.db, scope, await resolve(request.db, scope, store.PROCESS, named))


def address(request: Asking, process: Process) -> str:
    """Of its page."""
    return f"{request.base}/processes/{process.number}"


async def show(request: Asking, template: str, process: Process, at: str, *, page: str = "", **values: Any) -> Shown:
    """A page of the process: `at` is the tab it stands in, `page` what it is called where it is none."""
    here = address(request, process)
    tabs = [
        Link("Overview", here, current=at == "Overview"),
        Link("Runs", f"{request.base}/runs?process={process.id}", current=False),
        Link("Work items", f"{request.base}/items?process={process.id}", current=False),
        Link("Schedules", f"{request.base}/schedules?process={process.id}", current=False),
        Link("Triggers and notices", f"{here}/triggers", current=at == "Triggers"),
        Link("Changes", f"{here}/changes", current=at == "Changes"),
    ]
    crumbs = [Crumb("Processes", f"{request.base}/processes"), Crumb(process.name, here)]
    title = process.name
    if page:
        crumbs.append(Crumb(page))
        title = f"{page} · {process.name}"
    return await request.show(
        template,
        title=title,
        at="processes",
        crumbs=crumbs,
        process=process,
        here=here,
        process_tabs=tabs,
        can_write=request.actor.may(Permission.WRITE_PROCESSES, request.workspace),
        can_start=request.actor.may(Permission.START_RUNS, request.workspace),
        can_schedule=request.actor.may(Permission.WRITE_SCHEDULES, request.workspace),
        **values,
    )


async def taken_back_by(request: Asking, process: Process) -> str:
    """The address of the verb that takes back what was changed of a process last; empty if nothing was."""
    found = await versions.list_versions(request.db, request.scope_for(Permission.WRITE_PROCESSES), process.id, limit=1)
    last = found[0].version if found else 1
    return f"{address(request, process)}/changes/{last}/take-back" if last > 1 else ""


async def back_from(request: Asking, process: Process) -> str:
    """The page from which a form here was sent: that of the triggers, or the one on which the process is edited."""
    here = address(request, process)
    asked = (await request.fields()).text("back")
    return asked if asked == f"{here}/edit" else f"{here}/triggers"
