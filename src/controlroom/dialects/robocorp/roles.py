"""Roles of the organization, and those of the system (our own management API)."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.permissions import in_role, of_role
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.access.roles import actions, model
from controlroom.ids import RoleId


class RoleAnswer(Shape, frozen=True, kw_only=True):
    """A named set of permissions."""

    id: RoleId
    name: str
    description: str
    permissions: list[str]
    """`*`: all that can be done in a workspace."""
    is_system: bool
    """Of the system: it can be granted, not changed."""
    created_at: datetime
    updated_at: datetime


class CreateRole(OwnBody, frozen=True):
    """A new role, with permissions by name; a name with a colon is another API's own and kept as it is."""

    name: str
    permissions: list[str]
    description: str = ""


class EditRole(OwnBody, frozen=True):
    """What to change; what is left out stays."""

    name: str | None = None
    permissions: list[str] | None = None
    description: str | None = None


@get("/roles", needs=Permission.READ_MEMBERS)
async def list_roles(request: Asking, paging: Pages) -> Page[RoleAnswer]:
    """List the roles that can be granted, the system's first."""
    return paging.page(await actions.list_roles(*request.governing, **paging.after(RoleId)), _show)


@post("/roles", needs=Permission.READ_MEMBERS)
async def create_role(request: Asking, data: Body[CreateRole]) -> RoleAnswer:
    """Create a role of the organization; nobody can give it more permissions than they have there."""
    permissions, text = _permissions(data.permissions), data.description
    return _show(
        await actions.create_role(*request.governing, name=data.name, permissions=permissions, description=text)
    )


@get("/roles/{role_id:uuid}", needs=Permission.READ_MEMBERS)
async def get_role(request: Asking, role_id: Path[RoleId]) -> RoleAnswer:
    """Get a role."""
    return _show(await actions.get_role(*request.governing, role_id))


@update("/roles/{role_id:uuid}", needs=Permission.READ_MEMBERS)
async def update_role(request: Asking, role_id: Path[RoleId], data: Body[EditRole]) -> RoleAnswer:
    """Change a role, for all who have it."""
    permissions = None if data.permissions is None else _permissions(data.permissions)
    changed = await actions.edit_role(
        *request.governing, role_id, name=data.name, permissions=permissions, description=data.description
    )
    return _show(changed)


@delete("/roles/{role_id:uuid}", needs=Permission.READ_MEMBERS)
async def delete_role(request: Asking, role_id: Path[RoleId]) -> Deleted:
    """Delete a role that is granted to nobody."""
    return await Deleted.after(role_id, actions.delete_role(*request.governing, role_id))


def _permissions(names: list[str]) -> frozenset[str]:
    return frozenset(of_role(name) for name in names)


_show = shown_as(RoleAnswer, model.NamedRole, permissions=lambda role: sorted(map(in_role, role.permissions)))
