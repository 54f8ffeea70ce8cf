"""Users of the organization, for who governs them: the list, a new one."""

from collections.abc import Collection
from typing import Any, Final

from controlroom.engine.access.model import Permission
from controlroom.engine.access.roles import actions as roles
from controlroom.engine.access.roles.model import OF_MEMBERS
from controlroom.engine.access.scope import throughout
from controlroom.engine.access.users import accounts
from controlroom.engine.access.users.accounts import Profile, Standing
from controlroom.engine.access.users.people import PEOPLE, Person
from controlroom.engine.lists.model import Unset, equal
from controlroom.ids import RoleId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Fields, Shown
from controlroom.ui.filters import Tab
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.pickers.known import ROLES
from controlroom.ui.pickers.picker import FEW
from controlroom.ui.rights import in_organization
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="users",
    name="Users",
    path="/admin/users",
    icon="person",
    needs=Permission.READ_MEMBERS,
    is_above=True,
    is_for_admins=True,
)
ABOVE: Final = {"above_workspaces": True}

_LIST: Final = ListPage(
    listing=PEOPLE,
    row=Person,
    path="/admin/users",
    kept_as="users",
    noun="users",
    noun_of_one="user",
    tabs=(
        Tab("all", "All"),
        Tab("disabled", "Disabled", equal(is_disabled=True)),
        Tab("never", "Never logged in", Unset("logged_in_at")),
    ),
    columns=(
        Col("username", "Name", sort="username", always=True),
        Col("roles", "Roles in the organization", csv=lambda user: ", ".join(each.name for each in user.roles)),
        Col("groups", "Groups", csv=lambda user: ", ".join(user.groups)),
        Col("workspaces", "Workspaces", is_number=True, csv=lambda user: len(user.workspaces)),
        Col("email", "Mail", sort="email"),
        Col("logged_in_at", "Last logged in", is_number=True, always=True),
    ),
    searched=("username", "first_name", "last_name", "email"),
    searched_words="Name or mail address",
    sort="username",
)


@page("/admin/users", opt=ABOVE, is_read=True)
async def list_users(request: Asking) -> Shown:
    """The list."""
    found = await _LIST.read(request, seen=throughout(request.actor, Permission.READ_MEMBERS))
    return await request.show(
        "users/list.html", title="Users", at="users", crumbs=[Crumb("Users")], found=found, can_write=_writes(request)
    )


@page("/admin/users/new", opt=ABOVE)
async def new_user(request: Asking) -> Shown:
    """The form, for who may post it."""
    throughout(request.actor, Permission.WRITE_MEMBERS)
    return await request.show(
        "users/new.html",
        title="New user",
        at="users",
        crumbs=[Crumb("Users", "/admin/users"), Crumb("New user")],
        **await given_roles(request),
    )


@verb("/admin/users", opt=ABOVE, may=in_organization(Permission.WRITE_MEMBERS))
async def create_user(request: Asking) -> Shown:
    """Make the user; a password that is given is for once."""
    fields = await request.fields()
    chosen = await chosen_roles(request, fields)
    user = await accounts.create(
        *request.governing,
        profile=Profile(
            username=fields.text("username"),
            first_name=fields.text("first_name"),
            last_name=fields.text("last_name"),
            email=fields.text("email"),
        ),
        password=fields.raw("password") or None,
        is_temporary=fields.has("temporary"),
        standing=Standing(roles=chosen, runs_robots=fields.has("runs_robots")),
    )
    return request.done(f"/admin/users/{user}", f"{fields.text('username')} is a user now.")


async def given_roles(request: Asking, held: Collection[RoleId] = ()) -> dict[str, Any]:
    """Roles that are given in the organization, to be ticked: those of members are given in workspaces.

    Of many those of the system, and those that somebody holds; others are typed.
    """
    known = await roles.list_roles(*request.governing, limit=FEW + 1)
    if len(known) > FEW:
        own = [await roles.get_role(*request.governing, each) for each in held]
        known = [*(each for each in known if each.is_system), *(each for each in own if not each.is_system)]
    offer = await ROLES.offered(request)
    return {"roles": [each for each in known if each.id not in OF_MEMBERS.values()], "offer": offer}


async def chosen_roles(request: Asking, fields: Fields) -> list[RoleId]:
    """The roles that a form ticks and names. Raises PickRefused."""
    named = await ROLES.several(request, fields.texts("role"), fields.raw("roles"))
    return [RoleId(each) for each in map(as_uuid, named) if each is not None]


def _writes(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_MEMBERS, None)
