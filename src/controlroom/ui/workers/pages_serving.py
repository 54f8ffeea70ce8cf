"""Which workspaces workers, groups, link tokens and provisioners serve: seen, and said by who may in all of them."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec import Struct

from controlroom.engine.nouns import Noun
from controlroom.engine.provisioners import actions as provisioners
from controlroom.engine.provisioners import store as provisioner_store
from controlroom.engine.provisioners.store import PROVISIONER
from controlroom.engine.references import resolve
from controlroom.engine.workers import actions, link_tokens, linking, service, store
from controlroom.engine.workers.errors import ServesNothing, ServesOthers
from controlroom.engine.workers.link_tokens import LINK_TOKEN
from controlroom.engine.workers.model import AllWorkspaces, Serves, TheseWorkspaces
from controlroom.engine.workers.serving import Served
from controlroom.engine.workers.store import WORKER, WORKER_GROUP
from controlroom.engine.workspaces.model import Workspace
from controlroom.errors import Invalid
from controlroom.ids import WorkspaceId
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.pickers import picker
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.routing import page, verb

_NEEDS: Final = (Permission.WRITE_WORKERS, Permission.READ_WORKERS)


class _Kind(Struct, frozen=True):
    """A noun that serves workspaces, and where its pages are."""

    noun: Noun[Any]
    serve: Callable[..., Awaitable[Served]]
    read: Callable[..., Awaitable[Any]]
    path: str
    """Below the workspace: of its own page, and of the list that it is in."""
    list_path: str
    at: str
    what: str
    """What it means that a workspace is served no more."""


_WORKER: Final = _Kind(
    WORKER,
    actions.serve,
    store.get,
    "/workers/",
    "/workers",
    "workers",
    "It takes their step runs. What it has in hand for a workspace that it serves no more is lost.",
)
_GROUP: Final = _Kind(
    WORKER_GROUP,
    actions.serve_with_group,
    store.get_group,
    "/groups/",
    "/workers",
    "workers",
    "Their steps may be placed on it, as far as its workers serve them, too.",
)
_TOKEN: Final = _Kind(
    LINK_TOKEN,
    linking.serve_with_link_token,
    link_tokens.get,
    "/workers/link/",
    "/workers",
    "workers",
    "Workers that come with it from now on serve them. Those that have come stay as they are.",
)
_PROVISIONER: Final = _Kind(
    PROVISIONER,
    provisioners.serve,
    provisioner_store.get,
    "/provisioners/",
    "/provisioners",
    "provisioners",
    "Their steps may be placed on it.",
)


@page("/workers/{number:str}/serving", needs=_NEEDS)
async def ask_of_worker(request: Asking, number: Path[str]) -> Shown:
    """Which workspaces a worker serves."""
    return await _ask(request, _WORKER, number)


@verb("/workers/{number:str}/serving")
async def serve_with_worker(request: Asking, number: Path[str]) -> Shown:
    """Say so."""
    return await _serve(request, _WORKER, number)


@page("/groups/{number:str}/serving", needs=_NEEDS)
async def ask_of_group(request: Asking, number: Path[str]) -> Shown:
    """In which workspaces steps may be placed on a group."""
    return await _ask(request, _GROUP, number)


@verb("/groups/{number:str}/serving")
async def serve_with_group(request: Asking, number: Path[str]) -> Shown:
    """Say so."""
    return await _serve(request, _GROUP, number)


@page("/workers/link/{token:int}/serving", needs=_NEEDS)
async def ask_of_token(request: Asking, token: Path[int]) -> Shown:
    """Which workspaces those serve who come with a token."""
    return await _ask(request, _TOKEN, str(token))


@verb("/workers/link/{token:int}/serving")
async def serve_with_token(request: Asking, token: Path[int]) -> Shown:
    """Say so."""
    return await _serve(request, _TOKEN, str(token))


@page("/provisioners/{number:str}/serving", needs=_NEEDS)
async def ask_of_provisioner(request: Asking, number: Path[str]) -> Shown:
    """In which workspaces steps may be placed on a provisioner."""
    return await _ask(request, _PROVISIONER, number)


@verb("/provisioners/{number:str}/serving")
async def serve_with_provisioner(request: Asking, number: Path[str]) -> Shown:
    """Say so."""
    return await _serve(request, _PROVISIONER, number)


class Choice(Struct, frozen=True):
    """What a form offers: workspaces to tick, and which are."""

    is_all: bool
    may_all: bool
    known: list[tuple[str, str]]
    """Ids and names: of too many those that are ticked."""
    chosen: set[str]
    is_typed: bool
    typed: str


def choice_of(request: Asking, fields: Fields) -> Choice:
    """What a form offers, as it was filled in."""
    known, chosen = _offered(request), {*fields.texts("workspace")}
    is_typed = len(known) > picker.FEW
    return Choice(
        is_all=fields.text("serves") == "all",
        may_all=request.actor.may(Permission.WRITE_WORKERS, None),
        known=[(str(each.id), each.name) for each in known if not is_typed or str(each.id) in chosen],
        chosen=chosen,
        is_typed=is_typed,
        typed=fields.raw("workspaces"),
    )


def _offered(request: Asking) -> list[Workspace]:
    """The workspaces that the actor may let something serve, by name."""
    known = request.workspaces.slugs.values()
    return [each for each in known if request.actor.may(Permission.WRITE_WORKERS, each.id)]


def wanted(request: Asking, fields: Fields) -> Serves:
    """What a form says: all, or those that are ticked and typed. Raises Invalid for one that is not known."""
    if fields.text("serves") == "all":
        return AllWorkspaces()
    by_name = {each.name: each for each in _offered(request)}
    found: dict[WorkspaceId, None] = {}
    for named in (*fields.texts("workspace"), *fields.listed("workspaces")):
        by_slug = request.workspaces.find(named.removeprefix("#"))
        workspace = by_name.get(named) or (by_slug[1] if by_slug else None)
        if workspace is None:
            raise Invalid(f"there is no workspace {named[:100]}, or you have no place in it", code="CHOICE_WRONG")
        found[workspace.id] = None
    if not found:
        raise ServesNothing
    return TheseWorkspaces(tuple(found))


async def _ask(request: Asking, of: _Kind, number: str) -> Shown:
    found = await resolve(*request.reading, of.noun, number)
    served = await service.served(*request.acting, of.noun, found)
    ticked = [("workspace", str(each.id)) for each in served.workspaces]
    return await _form(request, of, found, Fields([("serves", "all" if served.serves_all else "these"), *ticked]))


async def _serve(request: Asking, of: _Kind, number: str) -> Shown:
    found = await resolve(request.db, request.scope_for(Permission.WRITE_WORKERS), of.noun, number)
    fields = await request.fields()
    try:
        served, refused = await tried(of.serve(*request.acting, found, wanted(request, fields)))
    except (Invalid, ServesOthers) as wrong:
        served, refused = None, said(wrong)
    if served is None:
        return await _form(request, of, found, fields, refused=refused)
    names = "all workspaces" if served.serves_all else ", ".join(each.name for each in served.workspaces)
    is_here = served.serves_all or any(each.id == request.workspace for each in served.workspaces)
    to = f"{of.path}{number}" if is_here else of.list_path
    return request.done(f"{request.base}{to}", f"From now on it serves {names}.")


async def _form(request: Asking, of: _Kind, found: Any, fields: Fields, *, refused: str = "") -> Shown:
    its = await of.read(request.db, request.scope_for(Permission.READ_WORKERS), found)
    name = its.name or f"token #{its.number}"
    here = f"{of.path}{its.number}"
    above = ("Provisioners", of.list_path) if of is _PROVISIONER else ("Workers and queues", of.list_path)
    return await request.show(
        "workers/serving.html",
        title=f"What {name} serves",
        at=of.at,
        crumbs=request.way(above, (name, here), "Serves"),
        status=REFUSED if refused else 200,
        name=name,
        here=f"{request.base}{here}",
        what=of.what,
        choice=choice_of(request, fields),
        refused=refused,
    )
