"""Roles: named sets of permissions. Those of the system are looked at, others are made, edited and deleted."""

from collections.abc import Collection
from typing import Final

from controlroom.engine.access.groups.listings import seen_by
from controlroom.engine.access.model import ALL_OF_A_WORKSPACE, EVERYTHING, Permission
from controlroom.engine.access.nouns import ROLE
from controlroom.engine.access.roles import actions
from controlroom.engine.access.roles.holders import EVERY_ROLE, HeldRole
from controlroom.engine.access.roles.model import NamedRole
from controlroom.engine.lists.model import equal
from controlroom.engine.references import resolve
from controlroom.ids import RoleId
from controlroom.ui.asking import Asking, Crumb, Path, Shown
from controlroom.ui.filters import Tab
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.members.pages import tabs_of
from controlroom.ui.numbers import ensure_number
from controlroom.ui.permissions import OF_A_WORKSPACE, OF_THE_ORGANIZATION, tags_of, ticked_of
from controlroom.ui.rights import in_organization
from controlroom.ui.routing import page, verb

_LIST: Final = ListPage(
    listing=EVERY_ROLE,
    row=HeldRole,
    path="/roles",
    noun="roles",
    noun_of_one="role",
    tabs=(
        Tab("all", "All", is_sum=True),
        Tab("own", "Yours", equal(is_system=False)),
        Tab("system", "Of the system", equal(is_system=True)),
    ),
    columns=(
        Col("name", "Role", sort="name", always=True),
        Col("may", "May", csv=lambda role: ", ".join(role.permissions)),
        Col("is_system", "Of", sort="is_system", always=True, csv=lambda role: "system" if role.is_system else "own"),
    ),
    searched=("name", "description"),
    searched_words="Name, number or id",
    sort="is_system",
)


@page("/roles", needs=Permission.READ_MEMBERS, is_read=True)
async def list_roles(request: Asking) -> Shown:
    """All that there are; the organization's own first."""
    found = await _LIST.read(request, seen=seen_by(request.actor))
    return await request.show(
        "roles/list.html",
        title="Roles",
        at="members",
        crumbs=request.way(("Members", "/members"), "Roles"),
        tabs=tabs_of(request, "Roles"),
        found=found,
        tags={role.id: tags_of(_boxes(role), most=6) for role in found.rows},
        can_write=_writes(request),
    )


@page("/roles/new", needs=Permission.READ_MEMBERS)
async def new_role(request: Asking) -> Shown:
    """The form."""
    return await _form(request, None, name="", description="", ticked=set())


@verb("/roles", may=in_organization(Permission.WRITE_ROLES))
async def create_role(request: Asking) -> Shown:
    """Make it."""
    fields = await request.fields()
    ticked, name = ticked_of(fields.texts("may")), fields.text("name")
    if not name:
        values = {each.value for each in ticked}
        return await _form(
            request, None, name=name, description=fields.text("description"), ticked=values, wrong=_NO_NAME
        )
    role = await actions.create_role(
        *request.governing, name=name, permissions=_values(ticked), description=fields.text("description")
    )
    return request.done(f"{request.base}/roles/{role.number}", f"{role.name} can be granted now.")


@page("/roles/{named:str}", needs=Permission.READ_MEMBERS, is_read=True)
async def show_role(request: Asking, named: Path[str]) -> Shown:
    """What it may."""
    role = await actions.get_role(*request.governing, await _role(request, named))
    ensure_number(request, named, role.number)
    return await _form(request, role, name=role.name, description=role.description, ticked=set(_boxes(role)))


@verb("/roles/{named:str}", may=in_organization(Permission.WRITE_ROLES))
async def edit_role(request: Asking, named: Path[str]) -> Shown:
    """Change it: at once for all who hold it. What a grammar keeps in it stays."""
    fields = await request.fields()
    found = await _role(request, named)
    before = await actions.get_role(*request.governing, found)
    kept = [each for each in before.permissions if ":" in each]
    role = await actions.edit_role(
        *request.governing,
        found,
        name=fields.text("name") or None,
        description=fields.text("description"),
        permissions=[*_values(ticked_of(fields.texts("may"))), *kept],
    )
    return request.done(f"{request.base}/roles/{role.number}", "Saved. It holds at once for all who have the role.")


@page("/roles/{named:str}/delete", needs=Permission.READ_MEMBERS)
async def ask_to_delete(request: Asking, named: Path[str]) -> Shown:
    """Whether it may go."""
    role = await actions.get_role(*request.governing, await _role(request, named))
    crumbs = [Crumb("Roles", f"{request.base}/roles"), Crumb(role.name)]
    return await request.show("roles/delete.html", title=f"Delete {role.name}", at="members", crumbs=crumbs, role=role)


@verb("/roles/{named:str}/delete", may=in_organization(Permission.WRITE_ROLES))
async def delete_role(request: Asking, named: Path[str]) -> Shown:
    """Delete it, if nobody has it."""
    await actions.delete_role(*request.governing, await _role(request, named))
    return request.done(f"{request.base}/roles", "The role is deleted.")


_NO_NAME: Final = {"name": "A role needs a name."}


async def _form(
    request: Asking,
    role: NamedRole | None,
    *,
    name: str,
    description: str,
    ticked: set[str],
    wrong: dict[str, str] | None = None,
) -> Shown:
    title = role.name if role else "New role"
    return await request.show(
        "roles/role.html",
        title=title,
        at="members",
        crumbs=request.way(("Roles", "/roles"), title),
        status=400 if wrong else 200,
        role=role,
        name=name,
        description=description,
        ticked=ticked,
        groups=(("In a workspace", OF_A_WORKSPACE), ("In the organization alone", OF_THE_ORGANIZATION)),
        mine={each.value for each in request.actor.throughout},
        uses={},
        wrong=wrong or {},
        can_write=_writes(request) and (role is None or not role.is_system),
        foreign=[each for each in (role.permissions if role else []) if ":" in each],
    )


def _boxes(role: NamedRole | HeldRole) -> Collection[str]:
    """Its permissions that are ours."""
    ours = {each.value for each in Permission}
    named = set(role.permissions)
    return sorted((named & ours) | ({each.value for each in EVERYTHING} if ALL_OF_A_WORKSPACE in named else set()))


def _values(ticked: Collection[Permission]) -> list[str]:
    return sorted(each.value for each in ticked)


async def _role(request: Asking, named: str) -> RoleId:
    return await resolve(request.db, request.scope_for(Permission.READ_MEMBERS), ROLE, named)


def _writes(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_ROLES, None)
