"""A worker: what it does and has done, how it is; and the verbs to let it rest, name it, group it and unlink it."""

from typing import Final

from controlroom.engine.access import history
from controlroom.engine.references import resolve
from controlroom.engine.runs import occupation
from controlroom.engine.usage import store as usage
from controlroom.engine.workers import actions, service, store
from controlroom.engine.workers.model import Worker
from controlroom.engine.workers.store import WORKER
from controlroom.ids import WorkerGroupId, WorkerId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.charts import Span
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import GROUPS
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import page, verb
from controlroom.ui.workers.lanes import SHOWN, lanes_of, sentence
from controlroom.ui.workers.told import sign_of_worker

_MOST_GROUPS: Final = 200
_SHOWN_LATELY: Final = 50
_SANDBOXES: Final = {
    "bwrap": "enclosed: a robot sees its own folder and what it is given",
    "off": "off: robots run as the worker's own user and see what it sees",
    "unavailable": "not to be had on this machine: robots run as the worker's own user",
    "": "not known before it has come once",
}


@page("/workers/{number:str}", needs=Permission.READ_WORKERS)
async def show_worker(request: Asking, number: Path[str]) -> Shown:
    """What it does and has done, and how it is."""
    found = await resolve(*request.reading, WORKER, number)
    worker = await occupation.get_occupied(*request.reading, found)
    ensure_number(request, number, worker.number)
    about = await store.get(*request.reading, found)
    lately = (await occupation.lately(*request.reading, [found], about.created_at))[found]
    now = request.reader.now
    drawn = [each for each in lately if each.ended_at is None or each.ended_at > now - SHOWN]
    lanes: list[list[Span]] = lanes_of(worker, drawn, now)
    return await request.show(
        "workers/worker.html",
        title=worker.name,
        at="workers",
        crumbs=request.way(("Workers and queues", "/workers"), worker.name),
        worker=worker,
        about=about,
        sign=sign_of_worker(worker),
        sandbox=_SANDBOXES.get(about.sandbox, about.sandbox),
        held=[each for each in lately if each.ended_at is None],
        lately=lately[::-1][:_SHOWN_LATELY],
        lanes=lanes,
        said=sentence(drawn),
        began=now - SHOWN,
        environments=await occupation.environments(*request.reading, found),
        served=await service.served(*request.acting, WORKER, found),
        users=await usage.users_of_worker(*request.reading, found),
        changes=await history.changes_of(*request.reading, found),
        may_change=request.actor.may(Permission.WRITE_WORKERS, request.workspace),
    )


@verb("/workers/{number:str}/rest", may=Permission.WRITE_WORKERS)
async def rest_worker(request: Asking, number: Path[str]) -> Shown:
    """Let it take nothing more."""
    worker = await actions.rest(*request.acting, await _worker(request, number))
    here = _of(request, worker)
    said = f"{worker.name} takes nothing more. What it runs goes on to its end."
    return request.done(here, said, undo=f"{here}/go-on")


@verb("/workers/{number:str}/go-on", may=Permission.WRITE_WORKERS)
async def let_worker_go_on(request: Asking, number: Path[str]) -> Shown:
    """Let it take work again."""
    worker = await actions.go_on(*request.acting, await _worker(request, number))
    here = _of(request, worker)
    return request.done(here, f"{worker.name} takes work again.", undo=f"{here}/rest")


@page("/workers/{number:str}/edit", needs=(Permission.WRITE_WORKERS, Permission.READ_WORKERS))
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Its name, and the groups that it is in."""
    return await _form(request, await resolve(*request.reading, WORKER, number))


@verb("/workers/{number:str}/edit")
async def edit_worker(request: Asking, number: Path[str]) -> Shown:
    """Name it and put it into the groups that are ticked."""
    fields = await request.fields()
    found = await _worker(request, number)
    seen = request.scope_for(Permission.WRITE_WORKERS)
    before = {each.id for each in await store.groups_of(request.db, seen, found)}
    named, refused = await tried(GROUPS.several(request, fields.texts("group"), fields.raw("groups")))
    if named is None:
        return await _form(request, found, refused=refused, name=fields.text("name"), fields=fields)
    wanted = {WorkerGroupId(each) for each in map(as_uuid, named) if each is not None}
    if fields.text("name") != (await store.get(request.db, seen, found)).name:
        _, refused = await tried(actions.rename(*request.acting, found, fields.text("name")))
        if refused:
            return await _form(request, found, refused=refused, name=fields.text("name"), fields=fields)
    for each in wanted - before:
        await actions.add_member(*request.acting, each, found)
    for each in before - wanted:
        await actions.remove_member(*request.acting, each, found)
    return request.done(f"{request.base}/workers/{number}", "The worker is changed.")


@page("/workers/{number:str}/unlink", needs=(Permission.WRITE_WORKERS, Permission.READ_WORKERS))
async def ask_to_unlink(request: Asking, number: Path[str]) -> Shown:
    """What is lost with it."""
    found = await resolve(*request.reading, WORKER, number)
    worker = await occupation.get_occupied(*request.reading, found)
    return await request.show(
        "workers/unlink.html",
        title=f"Unlink {worker.name}",
        at="workers",
        crumbs=_crumbs(request, worker.name, number, "Unlink"),
        worker=worker,
        served=await service.served(*request.acting, WORKER, found),
        users=await usage.users_of_worker(*request.reading, found),
    )


@verb("/workers/{number:str}/unlink")
async def unlink_worker(request: Asking, number: Path[str]) -> Shown:
    """Let it serve this workspace no more; where it was the last one, its token is refused from now on."""
    await actions.delete(*request.acting, await _worker(request, number))
    return request.done(f"{request.base}/workers", "The worker is unlinked.")


async def _worker(request: Asking, number: str) -> WorkerId:
    return await resolve(request.db, request.scope_for(Permission.WRITE_WORKERS), WORKER, number)


def _of(request: Asking, worker: Worker) -> str:
    return f"{request.base}/workers/{worker.number}"


def _crumbs(request: Asking, name: str, number: int | str, last: str) -> list[Crumb]:
    return request.way(("Workers and queues", "/workers"), (name, f"/workers/{number}"), last)


async def _form(
    request: Asking,
    found: WorkerId,
    *,
    refused: str = "",
    name: str | None = None,
    fields: Fields | None = None,
) -> Shown:
    seen = request.scope_for(Permission.READ_WORKERS)
    worker = await store.get(request.db, seen, found)
    mine = await store.groups_of(request.db, seen, found)
    offer = await GROUPS.offered(request)
    return await request.show(
        "workers/edit.html",
        title=f"Edit {worker.name}",
        at="workers",
        crumbs=_crumbs(request, worker.name, worker.number, "Edit"),
        status=REFUSED if refused else 200,
        worker=worker,
        name=worker.name if name is None else name,
        groups=[(str(each.id), each.name) for each in mine] if offer.is_typed else offer.options,
        chosen=fields.texts("group") if fields else [str(each.id) for each in mine],
        offer=offer,
        typed=fields.raw("groups") if fields else "",
        refused=refused,
    )
