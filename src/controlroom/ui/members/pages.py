"""The people of a workspace: who is in it by which role, who else may do something here, and who is invited."""

from typing import Final
from urllib.parse import urlencode

from controlroom.engine.access.grants import actions as grants
from controlroom.engine.access.grants.model import Grant, Principal, PrincipalKind
from controlroom.engine.access.model import Role
from controlroom.engine.access.nouns import GRANT, USER
from controlroom.engine.access.users import actions
from controlroom.engine.access.users.listings import MEMBERS, ListedMember
from controlroom.engine.nouns import Ways
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ids import GrantId, RoleId, UserId, WorkspaceId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.filters import LONGEST_SOUGHT, Choice
from controlroom.ui.lists import Col, Link, ListPage
from controlroom.ui.pickers.known import PRINCIPALS, ROLES
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(at="members", name="Members", path="/members", icon="members", needs=Permission.READ_MEMBERS)

ROLES_OF_MEMBERS: Final = {
    Role.OWNER: "May do everything here",
    Role.OPERATOR: "Starts runs, settles work items, builds processes",
    Role.VIEWER: "Reads, changes nothing",
}
_MOST: Final = 500
_PAGE: Final = 100

_LIST: Final = ListPage(
    listing=MEMBERS,
    row=ListedMember,
    path="/members",
    noun="members",
    noun_of_one="member",
    topics="member user",
    filters=(Choice("role", "Role", "role", {each.value: each.value.capitalize() for each in Role}),),
    columns=(
        Col("username", "Name", sort="username", always=True),
        Col("full_name", "Full name", by_default=False),
        Col("role", "Role", sort="role", always=True),
        Col("email", "Mail", sort="email"),
        Col("logged_in_at", "Last logged in", sort="logged_in_at"),
        Col("created_at", "Member since", sort="created_at"),
        Col("verbs", "", always=True, csv=lambda _: ""),
    ),
    searched=("username", "full_name", "email"),
    searched_words="Name or mail address",
    sort="username",
)


def tabs_of(request: Asking, current: str) -> list[Link]:
    """The pages about people."""
    found = [
        ("Members", "/members"),
        ("Invitations", "/members/invitations"),
        ("Grants", "/members/grants"),
        ("Groups", "/members/groups"),
        ("Roles", "/roles"),
    ]
    return [Link(name, f"{request.base}{path}", current=name == current) for name, path in found]


@page("/members", needs=Permission.READ_MEMBERS, is_read=True)
async def list_members(request: Asking) -> Shown:
    """Members, and who is invited."""
    found = await _LIST.read(request)
    return await request.show(
        "members/list.html",
        title="Members",
        at="members",
        crumbs=[Crumb("Members")],
        tabs=tabs_of(request, "Members"),
        found=found,
        roles=ROLES_OF_MEMBERS,
        can_write=request.actor.may(Permission.WRITE_MEMBERS, request.workspace),
    )


@verb("/members", may=Permission.WRITE_MEMBERS)
async def add_member(request: Asking) -> Shown:
    """Give somebody of the organization a place here."""
    fields = await request.fields()
    member = await actions.add_member(
        *request.acting, username=fields.text("username"), role=role_of(fields.text("role"))
    )
    return request.done(f"{request.base}/members", f"{member.full_name} is a member now.")


@verb("/members/{named:str}/role", may=Permission.WRITE_MEMBERS)
async def change_role(request: Asking, named: Path[str]) -> Shown:
    """Give a member another role."""
    fields = await request.fields()
    role, user = role_of(fields.text("role")), await _user(request, named)
    before = await actions.get_member(request.db, request.scope_for(Permission.WRITE_MEMBERS), user)
    member = await actions.change_role(*request.acting, user, role)
    return request.done(
        f"{request.base}/members",
        f"{member.full_name} is {article(role)} now.",
        undo=f"{request.base}/members/{member.number}/role",
        undo_with={"role": before.role.value},
    )


@page("/members/{named:str}/remove", needs=(Permission.WRITE_MEMBERS, Permission.READ_MEMBERS))
async def ask_to_remove(request: Asking, named: Path[str]) -> Shown:
    """What they lose."""
    member = await actions.get_member(*request.reading, await _user(request, named))
    crumbs = [Crumb("Members", f"{request.base}/members"), Crumb(f"Remove {member.full_name}")]
    return await request.show(
        "members/remove.html", title=f"Remove {member.full_name}", at="members", crumbs=crumbs, member=member
    )


@verb("/members/{named:str}/remove")
async def remove_member(request: Asking, named: Path[str]) -> Shown:
    """End the membership."""
    user = await _user(request, named)
    before = await actions.get_member(request.db, request.scope_for(Permission.WRITE_MEMBERS), user)
    await actions.remove_member(*request.acting, user)
    return request.done(
        f"{request.base}/members",
        f"{before.full_name} has no place here any more.",
        undo=f"{request.base}/members",
        undo_with={"username": before.username, "role": before.role.value},
    )


@page("/members/grants", needs=Permission.READ_MEMBERS, is_read=True)
async def list_grants(request: Asking) -> Shown:
    """Who else may do something here: by a grant in the workspace, or in the organization."""
    sought = request.query_params.get("q", "").strip()[:LONGEST_SOUGHT]
    here, more_here = await _grants(request, request.workspace, sought, "after")
    is_wide = request.actor.may(Permission.READ_MEMBERS, None)
    above, more_above = await _grants(request, None, sought, "above") if is_wide else ([], "")
    can_write = request.actor.may(Permission.WRITE_MEMBERS, request.workspace)
    return await request.show(
        "members/grants.html",
        title="Grants",
        at="members",
        crumbs=request.way(("Members", "/members"), "Grants"),
        tabs=tabs_of(request, "Grants"),
        here=here,
        above=above,
        more={"here": more_here, "above": more_above},
        is_on=any(request.query_params.get(each) for each in ("after", "above")),
        sought=sought,
        is_wide=is_wide,
        role=await ROLES.offered(request) if can_write else None,
        to=await PRINCIPALS.offered(request) if can_write else None,
        can_write=can_write,
        can_write_above=request.actor.may(Permission.WRITE_MEMBERS, None),
    )


@verb("/members/grants", may=Permission.WRITE_MEMBERS)
async def give(request: Asking) -> Shown:
    """Give a role to a user, a group or a key: here, or in the organization."""
    fields = await request.fields()
    kind, _, named = (await PRINCIPALS.chosen(request, fields.text("to"))).partition(":")
    principal, role = as_uuid(named), as_uuid(await ROLES.chosen(request, fields.text("role")))
    if principal is None or role is None or kind not in {each.value for each in PrincipalKind}:
        raise Invalid("Choose who shall have which role.", code="GRANT_WRONG")
    where = None if fields.text("where") == "organization" else request.workspace
    made = await grants.grant(*request.governing, Principal(PrincipalKind(kind), principal), RoleId(role), where)
    here = f"{request.base}/members/grants"
    said = f"{made.principal_name} has the role {made.role_name} now."
    return request.done(here, said, undo=f"{here}/{made.id}/revoke")


@verb("/members/grants/{named:str}/revoke", may=Permission.WRITE_MEMBERS)
async def revoke(request: Asking, named: Path[str]) -> Shown:
    """Take a grant back."""
    scope = request.scope_for(Permission.WRITE_MEMBERS)
    found = await resolve(request.db, scope, GRANT, named, Ways.ID | Ways.NUMBER)
    before = await grants.get_grant(*request.governing, found)
    await grants.revoke(*request.governing, found)
    here = f"{request.base}/members/grants"
    again = {"to": f"{before.principal_kind.value}:{before.principal_id}", "role": str(before.role_id)}
    again |= {"where": "organization"} if before.workspace_id is None else {}
    return request.done(here, "The grant is taken back.", undo=here, undo_with=again)


def role_of(text: str) -> Role:
    """The role that a form names. Raises Invalid."""
    if text not in {each.value for each in Role}:
        raise Invalid("There is no such role of members.", code="ROLE_WRONG")
    return Role(text)


def article(role: Role) -> str:
    """`an owner`."""
    return f"{'a' if role is Role.VIEWER else 'an'} {role.value}"


async def _grants(request: Asking, where: WorkspaceId | None, sought: str, key: str) -> tuple[list[Grant], str]:
    """A page of them behind the one that the address names, and the address of the next; "" if there is none."""
    after = as_uuid(request.query_params.get(key, ""))
    found = await grants.list_beside_memberships(
        *request.governing, where, sought=sought, after=None if after is None else GrantId(after), limit=_PAGE + 1
    )
    if len(found) <= _PAGE:
        return found, ""
    asked = {**request.query_params, key: str(found[_PAGE - 1].id)}
    return found[:_PAGE], f"{request.base}/members/grants?{urlencode(asked)}"


async def _user(request: Asking, named: str) -> UserId:
    return await resolve(request.db, request.scope_for(Permission.READ_MEMBERS), USER, named)
