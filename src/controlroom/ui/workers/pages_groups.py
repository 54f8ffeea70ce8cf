"""Groups of workers, on which steps are placed: who is in them, by which tokens workers come, what uses them."""

from collections.abc import Collection
from enum import Enum
from typing import Final

from controlroom.engine.access import history
from controlroom.engine.access.nouns import ROLE, USER
from controlroom.engine.references import Reference, resolve, resolve_all
from controlroom.engine.runs import occupation
from controlroom.engine.usage import store as usage
from controlroom.engine.workers import actions, group_rights, link_tokens, service, store, whole_groups
from controlroom.engine.workers.model import Worker, WorkerGroup
from controlroom.engine.workers.store import WORKER, WORKER_GROUP
from controlroom.engine.workers.whole_groups import GroupChange, Scheme
from controlroom.ids import RoleId, UserId, WorkerGroupId, WorkerId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.numbers import ensure_number
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import held
from controlroom.ui.routing import page, verb
from controlroom.ui.workers.lanes import SHOWN, lane_of, sentence
from controlroom.ui.workers.pages import Slots
from controlroom.ui.workers.told import sign_of_worker


class Over(Enum):
    """What somebody governs."""

    GROUP = "group"


_A_PAGE: Final = 50
_MOST_WORKERS: Final = 200
"""That a form ticks: of more, those in the group are, and others are named."""
_MOST_TOKENS: Final = 100


@page("/groups/{number:str}", needs=Permission.READ_WORKERS)
async def show_group(request: Asking, number: Path[str]) -> Shown:
    """Its workers, its tokens, and what is placed on it."""
    found = await resolve(*request.reading, WORKER_GROUP, number)
    group = await store.get_group(*request.reading, found)
    ensure_number(request, number, group.number)
    return await _show(request, group)


async def _show(request: Asking, group: WorkerGroup, *, refused: str = "") -> Shown:
    seen, found, number = request.scope_for(Permission.READ_WORKERS), group.id, group.number
    may_change = request.actor.may(Permission.WRITE_WORKERS, request.workspace)
    person = UserId(request.actor.id) if request.actor.id else None
    holders = await group_rights.holders(request.db, seen, found)
    if may_change or any(each.id == person and not each.is_role for each in holders):
        request.holds_rights(Over)
    after = as_uuid(request.query_params.get("after", ""))
    workers = await occupation.list_occupied(
        request.db, seen, group=found, after=None if after is None else WorkerId(after), limit=_A_PAGE + 1
    )
    more = f"{request.base}/groups/{number}?after={workers[_A_PAGE - 1].id}" if len(workers) > _A_PAGE else ""
    workers = workers[:_A_PAGE]
    return await request.show(
        "workers/group.html",
        title=group.name,
        status=REFUSED if refused else 200,
        at="workers",
        crumbs=request.way(("Workers and queues", "/workers"), group.name),
        group=group,
        workers=workers,
        room=Slots.of(each for each in await occupation.counted(request.db, seen) if each.group_id == found),
        more=more,
        first=f"{request.base}/groups/{number}" if after else "",
        lately=await occupation.lately(request.db, seen, [each.id for each in workers], request.reader.now - SHOWN),
        tokens=await link_tokens.list_tokens(request.db, seen, group=found, limit=_MOST_TOKENS),
        most_tokens=_MOST_TOKENS,
        served=await service.served(*request.acting, WORKER_GROUP, found),
        whole=await whole_groups.get(request.db, seen, found),
        users=await usage.users_of_group(request.db, seen, found),
        changes=await history.changes_of(request.db, seen, found),
        holders=holders,
        may_change=may_change,
        may_open=Over.GROUP in request.asker.held,
        refused=refused,
        lane_of=lane_of,
        sentence=sentence,
        sign_of_worker=sign_of_worker,
    )


@page("/groups/new", needs=Permission.READ_WORKERS)
async def ask_for_group(request: Asking) -> Shown:
    """What it shall be called, and who is in it."""
    return await _form(request, None)


@verb("/groups/new", may=Permission.WRITE_WORKERS)
async def create_group(request: Asking) -> Shown:
    """Make it, with the workers that are ticked."""
    fields = await request.fields()
    name, chosen = fields.text("name"), set(fields.texts("worker"))
    wanted, refused = await tried(_chosen(request, fields))
    if wanted is None:
        return await _form(request, None, refused=refused, name=name, chosen=chosen, names=fields.text("names"))
    made, refused = await tried(actions.create_group(*request.acting, name))
    if made is None:
        return await _form(request, None, refused=refused, name=name, chosen=chosen, names=fields.text("names"))
    await actions.set_members(*request.acting, made.id, wanted)
    return request.done(f"{request.base}/groups/{made.number}", f"The group {made.name} is made.")


@page("/groups/{number:str}/edit", needs=Permission.READ_WORKERS)
async def ask_to_edit_group(request: Asking, number: Path[str]) -> Shown:
    """Its name and its workers."""
    found = await resolve(*request.reading, WORKER_GROUP, number)
    return await _form(request, found)


@verb("/groups/{number:str}/edit", may=Permission.WRITE_WORKERS)
async def edit_group(request: Asking, number: Path[str]) -> Shown:
    """Name it; its workers are those that are ticked or named, and those that the form did not show."""
    fields = await request.fields()
    name, chosen = fields.text("name"), set(fields.texts("worker"))
    seen = request.scope_for(Permission.WRITE_WORKERS)
    found = await resolve(request.db, seen, WORKER_GROUP, number)
    wanted, refused = await tried(_chosen(request, fields))
    if wanted is None:
        return await _form(request, found, refused=refused, name=name, chosen=chosen, names=fields.text("names"))
    if name != (await store.get_group(request.db, seen, found)).name:
        _, refused = await tried(actions.rename_group(*request.acting, found, name))
        if refused:
            return await _form(request, found, refused=refused, name=name, chosen=chosen)
    before = await whole_groups.get(request.db, seen, found)
    scheme = Scheme(fields.text("scheme")) if fields.text("scheme") in set(Scheme) else before.scheme
    if (scheme, fields.text("description", before.description)) != (before.scheme, before.description):
        change = GroupChange(description=fields.text("description", before.description), scheme=scheme)
        _, refused = await tried(whole_groups.update(*request.governing, found, change))
        if refused:
            return await _form(request, found, refused=refused, name=name, chosen=chosen)
    unasked: set[WorkerId] = set()
    if fields.has("is_part") or fields.has("shown"):
        shown = {WorkerId(each) for each in map(as_uuid, fields.texts("shown")) if each is not None}
        unasked = set(await store.member_ids(request.db, seen, found)) - shown  # whom the form did not show, stay
    _, refused = await tried(actions.set_members(*request.acting, found, unasked | wanted))
    if refused:
        return await _form(request, found, refused=refused, name=name, chosen=chosen, names=fields.text("names"))
    return request.done(f"{request.base}/groups/{number}", "The group is changed.")


@page("/groups/{number:str}/delete", needs=Permission.READ_WORKERS)
async def ask_to_delete_group(request: Asking, number: Path[str]) -> Shown:
    """What goes with it."""
    found = await resolve(*request.reading, WORKER_GROUP, number)
    return await _question(request, await store.get_group(*request.reading, found))


@verb("/groups/{number:str}/delete", may=Permission.WRITE_WORKERS)
async def delete_group(request: Asking, number: Path[str]) -> Shown:
    """Take it out of the workspace, where nothing may be placed on it."""
    seen = request.scope_for(Permission.WRITE_WORKERS)
    found = await resolve(request.db, seen, WORKER_GROUP, number)
    _, refused = await tried(actions.delete_group(*request.acting, found))
    if refused:
        return await _question(request, await store.get_group(request.db, seen, found), refused=refused)
    return request.done(f"{request.base}/workers", "The group is deleted. Its workers stay.")


@verb("/groups/{number:str}/open-to", may=held(Over.GROUP))
async def open_to(request: Asking, number: Path[str]) -> Shown:
    """Let a user own the group, or the holders of a role use it; or (`gone`) no more."""
    fields = await request.fields()
    seen = request.scope_for(Permission.READ_WORKERS)
    found: WorkerGroupId = await resolve(request.db, seen, WORKER_GROUP, number)
    known = await group_rights.holders(request.db, seen, found)
    of_role = fields.has("role")
    named, refused = await tried(_holder(request, fields.text("role"), fields.text("user")))
    if named is not None:
        others = [each.id for each in known if each.is_role is of_role and each.id != named]
        wanted = others if fields.has("gone") else [*others, named]
        change = (
            GroupChange(roles=tuple(map(RoleId, wanted))) if of_role else GroupChange(owners=tuple(map(UserId, wanted)))
        )
        _, refused = await tried(whole_groups.update(*request.governing, found, change))
    if refused:
        return await _show(request, await store.get_group(request.db, seen, found), refused=refused)
    here, undo_with = f"{request.base}/groups/{number}", {"role" if of_role else "user": str(named)}
    if not fields.has("gone"):
        undo_with["gone"] = "1"
    said = "To whom the group is open is changed."
    return request.done(here, said, undo=f"{here}/open-to", undo_with=undo_with)


async def _holder(request: Asking, role: str, user: str) -> UserId | RoleId:
    """The role or the user of a name. Raises RoleNotFound, UserNotFound."""
    seen = request.scope_for(Permission.READ_WORKERS)
    if role:
        of_name: RoleId = await resolve(request.db, seen, ROLE, role)
        return of_name
    found: UserId = await resolve(request.db, seen, USER, user)
    return found


async def _chosen(request: Asking, fields: Fields) -> set[WorkerId]:
    """The workers that are ticked, by their numbers, or named. Raises WorkerNotFound, NameAmbiguous."""
    asked = [Reference(WORKER, each) for each in (*fields.texts("worker"), *fields.listed("names")) if each]
    found: list[WorkerId] = await resolve_all(request.db, request.scope_for(Permission.WRITE_WORKERS), asked)
    return {*found}


def _crumbs(request: Asking, group: WorkerGroup | None, last: str) -> list[Crumb]:
    return request.way(
        ("Workers and queues", "/workers"), (group.name, f"/groups/{group.number}") if group else None, last
    )


async def _question(request: Asking, group: WorkerGroup, *, refused: str = "") -> Shown:
    seen = request.scope_for(Permission.READ_WORKERS)
    return await request.show(
        "workers/delete_group.html",
        title=f"Delete {group.name}",
        at="workers",
        crumbs=_crumbs(request, group, "Delete"),
        status=REFUSED if refused else 200,
        group=group,
        users=await usage.users_of_group(request.db, seen, group.id),
        workers=await store.list_members(request.db, seen, group.id, limit=_MOST_WORKERS),
        tokens=await link_tokens.list_tokens(request.db, seen, group=group.id, limit=_MOST_TOKENS),
        refused=refused,
    )


async def _form(
    request: Asking,
    found: WorkerGroupId | None,
    *,
    refused: str = "",
    name: str | None = None,
    chosen: Collection[str] | None = None,
    names: str = "",
) -> Shown:
    seen = request.scope_for(Permission.READ_WORKERS)
    group = None if found is None else await store.get_group(request.db, seen, found)
    offered = await store.list_workers(request.db, seen, limit=_MOST_WORKERS + 1)
    is_whole = len(offered) <= _MOST_WORKERS
    members: list[Worker] = []
    if group is not None:
        members = await store.list_members(request.db, seen, group.id, limit=_MOST_WORKERS)
    mine = {str(each.number) for each in members}
    title = "New group" if group is None else f"Edit {group.name}"
    return await request.show(
        "workers/group_form.html",
        title=title,
        at="workers",
        crumbs=_crumbs(request, group, "New group" if group is None else "Edit"),
        status=REFUSED if refused else 200,
        group=group,
        whole=None if found is None else await whole_groups.get(request.db, seen, found),
        name=name if name is not None else ("" if group is None else group.name),
        workers=offered if is_whole else members,
        is_whole=is_whole,
        count=0 if group is None or is_whole else len(await store.member_ids(request.db, seen, group.id)),
        names=names,
        chosen=mine if chosen is None else chosen,
        refused=refused,
    )
