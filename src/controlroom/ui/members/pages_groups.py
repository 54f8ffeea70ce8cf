"""Groups of users: what is granted to a group, each of its members has."""

from typing import Final

from controlroom.engine.access.groups import actions, holdings
from controlroom.engine.access.groups.listings import USER_GROUPS, seen_by
from controlroom.engine.access.groups.model import UserGroup
from controlroom.engine.access.nouns import USER, USER_GROUP
from controlroom.engine.references import resolve
from controlroom.ids import UserGroupId
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.members.pages import tabs_of
from controlroom.ui.numbers import ensure_number
from controlroom.ui.rights import in_organization
from controlroom.ui.routing import page, verb

_MOST: Final = 1000


_LIST: Final = ListPage(
    listing=USER_GROUPS,
    row=UserGroup,
    path="/members/groups",
    noun="groups",
    noun_of_one="group",
    topics="user_group",
    columns=(
        Col("name", "Group", sort="name", always=True),
        Col("description", "What for", by_default=False),
        Col("member_count", "People", sort="member_count", is_number=True),
        Col("created_at", "Made", sort="created_at", always=True),
    ),
    searched=("name", "description"),
    searched_words="Name, description, number or id",
    sort="name",
)


@page("/members/groups", needs=Permission.READ_MEMBERS, is_read=True)
async def list_groups(request: Asking) -> Shown:
    """All of the organization."""
    return await request.show(
        "members/groups.html",
        title="Groups",
        at="members",
        crumbs=[Crumb("Members", f"{request.base}/members"), Crumb("Groups")],
        tabs=tabs_of(request, "Groups"),
        found=await _LIST.read(request, seen=seen_by(request.actor)),
        can_read=request.actor.may(Permission.READ_MEMBERS, None),
        can_write=_writes(request),
    )


@verb("/members/groups", may=in_organization(Permission.WRITE_MEMBERS))
async def create_group(request: Asking) -> Shown:
    """A new one, of nobody."""
    fields = await request.fields()
    group = await actions.create_group(
        *request.governing, name=fields.text("name"), description=fields.text("description")
    )
    return request.done(f"{request.base}/members/groups/{group.number}", f"{group.name} is there, with nobody in it.")


@page("/members/groups/{named:str}", needs=Permission.READ_MEMBERS, is_read=True)
async def show_group(request: Asking, named: Path[str]) -> Shown:
    """Who is in it, and what it holds."""
    found = await _group(request, named)
    group = await holdings.get(*request.governing, found)
    ensure_number(request, named, group.number)
    return await request.show(
        "members/group.html",
        title=group.name,
        at="members",
        crumbs=[Crumb("Groups", f"{request.base}/members/groups"), Crumb(group.name)],
        group=group,
        members=await actions.list_group_members(*request.governing, found, limit=_MOST),
        can_write=_writes(request),
    )


@verb("/members/groups/{named:str}", may=in_organization(Permission.WRITE_MEMBERS))
async def edit_group(request: Asking, named: Path[str]) -> Shown:
    """Call it otherwise."""
    fields = await request.fields()
    group = await actions.edit_group(
        *request.governing,
        await _group(request, named),
        name=fields.text("name"),
        description=fields.text("description"),
    )
    return request.done(f"{request.base}/members/groups/{group.number}", "Saved.")


@verb("/members/groups/{named:str}/members", may=in_organization(Permission.WRITE_MEMBERS))
async def add_to_group(request: Asking, named: Path[str]) -> Shown:
    """Put somebody in."""
    fields = await request.fields()
    scope = request.scope_for(Permission.READ_MEMBERS)
    user = await resolve(request.db, scope, USER, fields.text("username"))
    await actions.add_group_members(*request.governing, await _group(request, named), [user])
    here = f"{request.base}/members/groups/{named}"
    return request.done(here, "They are in the group, and have what it holds.", undo=f"{here}/members/{user}/remove")


@verb("/members/groups/{named:str}/members/{user:str}/remove", may=in_organization(Permission.WRITE_MEMBERS))
async def take_from_group(request: Asking, named: Path[str], user: Path[str]) -> Shown:
    """Take somebody out."""
    scope = request.scope_for(Permission.READ_MEMBERS)
    found = await resolve(request.db, scope, USER, user)
    await actions.remove_group_members(*request.governing, await _group(request, named), [found])
    here = f"{request.base}/members/groups/{named}"
    return request.done(
        here, "They are in the group no more.", undo=f"{here}/members", undo_with={"username": str(found)}
    )


@page("/members/groups/{named:str}/delete", needs=Permission.READ_MEMBERS)
async def ask_to_delete(request: Asking, named: Path[str]) -> Shown:
    """What goes with it."""
    group = await actions.get_group(*request.governing, await _group(request, named))
    crumbs = [Crumb("Groups", f"{request.base}/members/groups"), Crumb(f"Delete {group.name}")]
    return await request.show(
        "members/group_delete.html", title=f"Delete {group.name}", at="members", crumbs=crumbs, group=group
    )


@verb("/members/groups/{named:str}/delete", may=in_organization(Permission.WRITE_MEMBERS))
async def delete_group(request: Asking, named: Path[str]) -> Shown:
    """Delete it."""
    await actions.delete_group(*request.governing, await _group(request, named))
    return request.done(f"{request.base}/members/groups", "The group is deleted, with all that it was granted.")


async def _group(request: Asking, named: str) -> UserGroupId:
    return await resolve(request.db, request.scope_for(Permission.READ_MEMBERS), USER_GROUP, named)


def _writes(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_MEMBERS, None)
