"""Groups of users: what is granted to a group, each of its members has."""

from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import urlencode

from controlroom.engine.access.groups import actions, holdings
from controlroom.engine.access.groups.listings import USER_GROUPS, seen_by
from controlroom.engine.access.groups.model import UserGroup
from controlroom.engine.access.nouns import USER, USER_GROUP
from controlroom.engine.access.users import actions as users
from controlroom.engine.references import Reference, resolve, resolve_all
from controlroom.errors import Conflict, Forbidden, Invalid, NotFound
from controlroom.ids import UserGroupId, UserId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.filters import LONGEST_SOUGHT
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.members.pages import tabs_of
from controlroom.ui.numbers import ensure_number
from controlroom.ui.refusals import REFUSED
from controlroom.ui.rights import in_organization
from controlroom.ui.routing import page, verb

_MOST: Final = 200
"""People on a page, and whom a form ticks; others are sought, and named."""

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
        crumbs=request.way(("Members", "/members"), "Groups"),
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
    sought = request.query_params.get("q", "").strip()[:LONGEST_SOUGHT]
    after = as_uuid(request.query_params.get("after", ""))
    members = await actions.list_group_members(
        *request.governing, found, sought=sought, after=None if after is None else UserId(after), limit=_MOST + 1
    )
    asked = urlencode({"q": sought} if sought else {})
    here = f"{request.base}/members/groups/{group.number}"
    return await request.show(
        "members/group.html",
        title=group.name,
        at="members",
        crumbs=request.way(("Groups", "/members/groups"), group.name),
        group=group,
        members=members[:_MOST],
        count=(await actions.get_group(*request.governing, found)).member_count,
        sought=sought,
        first=f"{here}?{asked}" if after else "",
        more=f"{here}?{urlencode({'q': sought, 'after': members[_MOST - 1].user_id})}" if len(members) > _MOST else "",
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


@page("/members/groups/{named:str}/people", needs=Permission.READ_MEMBERS)
async def choose_people(request: Asking, named: Path[str]) -> Shown:
    """Who shall be in it: all there are, to tick; where they are many, those who are in it, and names of others."""
    return await _people(request, await _group(request, named))


@verb("/members/groups/{named:str}/people", may=in_organization(Permission.WRITE_MEMBERS))
async def set_people(request: Asking, named: Path[str]) -> Shown:
    """Have exactly those in it who are ticked or named: all of that, or nothing. Whom the form did not show, stay."""
    fields = await request.fields()
    group = await _group(request, named)
    shown, ticked = _ids(fields.texts("shown")), _ids(fields.texts("user"))
    try:
        further = await resolve_all(
            request.db,
            request.scope_for(Permission.READ_MEMBERS),
            [Reference(USER, each) for each in fields.listed("names")],
        )
        now = await actions.list_group_members(*request.governing, group, limit=actions.MOST_MEMBERS + 1)
        unasked = {each.user_id for each in now} - shown
        await actions.set_group_members(*request.governing, group, unasked | ticked | {*further})
    except (Invalid, NotFound, Conflict, Forbidden) as refused:
        return await _people(request, group, ticked=ticked, names=fields.text("names"), refused=refused.message)
    return request.done(f"{request.base}/members/groups/{named}", "These people are in the group now.")


async def _people(
    request: Asking,
    found: UserGroupId,
    *,
    ticked: Collection[UserId] | None = None,
    names: str = "",
    refused: str = "",
) -> Shown:
    group = await actions.get_group(*request.governing, found)
    members = await actions.list_group_members(*request.governing, found, limit=_MOST)
    every = await users.list_users(*request.governing, limit=_MOST + 1)
    is_whole = len(every) <= _MOST
    offered = [(each.id, each.username, f"{each.first_name} {each.last_name}".strip()) for each in every]
    if not is_whole:
        offered = [(each.user_id, each.username, f"{each.first_name} {each.last_name}".strip()) for each in members]
    return await request.show(
        "members/group_people.html",
        title=f"People of {group.name}",
        at="members",
        crumbs=request.way(("Groups", "/members/groups"), (group.name, f"/members/groups/{group.number}"), "People"),
        status=REFUSED if refused else 200,
        group=group,
        offered=offered,
        is_whole=is_whole,
        ticked={each.user_id for each in members} if ticked is None else ticked,
        names=names,
        refused=refused,
    )


def _ids(texts: Iterable[str]) -> set[UserId]:
    return {UserId(each) for each in map(as_uuid, texts) if each is not None}


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
