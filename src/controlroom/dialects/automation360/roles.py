"""Roles of User Management v1 and v2 (§2.11): the system's by the vendor's names, others as they were made."""

from collections.abc import Callable
from typing import Any

from controlroom.border.columns import As
from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.columns import Columns, constants, nothing_is_zero
from controlroom.dialects.automation360.ids import Id, find
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.people import (
    ROLE_NAMES,
    Number,
    plain,
    role_name,
    text,
    vendors_name,
)
from controlroom.dialects.automation360.permissions import NUMBERS, PermissionOfRole, names_of, pairs_of_role
from controlroom.dialects.automation360.routing import Pair, Superseded, delete, get, post, put
from controlroom.engine.access.nouns import ROLE
from controlroom.engine.access.roles import holders
from controlroom.engine.access.roles.holders import HeldRole, in_words
from controlroom.engine.access.scope import Of, throughout
from controlroom.errors import Invalid, NotFound
from controlroom.ids import RoleId

_VIEW, _MANAGE = Pair("rolesmanagement", "rolesview"), Pair("rolesmanagement", "rolesmanagement")
_OLD = Superseded("/v2/usermanagement/roles")


class PermissionAsked(Shape, frozen=True):
    """A pair, or the number by which older clients name it."""

    id: str = ""
    action: str = ""
    resource_type: str = ""


class PrincipalAsked(Shape, frozen=True):
    """A user, as older clients name one."""

    id: int


class RoleAsked(Shape, frozen=True, kw_only=True):
    """A role as it shall be; what is left out stays."""

    name: str | None = None
    description: str | None = None
    permissions: list[PermissionAsked] | None = None
    user_ids: list[int] | None = None
    principals: list[PrincipalAsked] | None = None


class RoleRow(Shape, frozen=True, kw_only=True):
    """A role in a list."""

    id: Number
    name: str
    description: str
    count_principals: int
    version: int
    system_role: bool
    enabled: bool = True
    created_by: Number
    created_on: str
    updated_by: Number
    updated_on: str


class RoleTold(RoleRow, frozen=True, kw_only=True):
    """A role with what it may do, and who holds it."""

    permissions: list[PermissionOfRole]
    user_ids: list[Number]


_COLUMNS = Columns(
    in_words(ROLE_NAMES),
    {
        **constants(RoleRow),
        "id": As("number", sort="id"),
        "name": As("name", read=vendors_name),
        "countPrincipals": "holder_count",
        "description": "description",
        "systemRole": "is_system",
        "version": "revision",
        "createdOn": "created_at",
        "updatedOn": "updated_at",
        "createdBy": nothing_is_zero("created_by"),
        "updatedBy": nothing_is_zero("updated_by"),
    },
)


@post("/v2/usermanagement/roles/list", pair=_VIEW)
async def list_roles(request: Asking, data: Sought = None) -> Listed[RoleRow]:
    """List roles, the system's too."""
    return await _listed(request, data, text)


@post("/v1/usermanagement/roles/list", pair=_VIEW, deprecated=Superseded("/v2/usermanagement/roles/list"))
async def list_roles_v1(request: Asking, data: Sought = None) -> Listed[RoleRow]:
    """List roles; ids are numbers."""
    return await _listed(request, data, plain)


@post("/v2/usermanagement/roles", status=201, pair=_MANAGE)
async def create_role(request: Asking, data: Body[RoleAsked]) -> RoleTold:
    """Create a role of permissions that the caller has, and give it to users."""
    return await _created(request, data, text)


@post("/v1/usermanagement/roles", status=201, pair=_MANAGE, deprecated=_OLD)
async def create_role_v1(request: Asking, data: Body[RoleAsked]) -> RoleTold:
    """Create a role; ids are numbers."""
    return await _created(request, data, plain)


@get("/v2/usermanagement/roles/{role:str}", pair=_VIEW)
async def get_role(request: Asking, role: Id) -> RoleTold:
    """Get a role with its permissions and holders."""
    return _told(await holders.get_held(*request.governing, await _located(request, role)), text)


@get("/v1/usermanagement/roles/{role:str}", pair=_VIEW, deprecated=_OLD)
async def get_role_v1(request: Asking, role: Id) -> RoleTold:
    """Get a role; ids are numbers."""
    return _told(await holders.get_held(*request.governing, await _located(request, role)), plain)


@put("/v2/usermanagement/roles/{role:str}", status=201, pair=_MANAGE)
async def update_role(request: Asking, role: Id, data: Body[RoleAsked]) -> RoleTold:
    """Change a role, for all who hold it; its holders are those that are given, if they are."""
    return await _updated(request, role, data, text)


@put("/v1/usermanagement/roles/{role:str}", status=201, pair=_MANAGE, deprecated=_OLD)
async def update_role_v1(request: Asking, role: Id, data: Body[RoleAsked]) -> RoleTold:
    """Change a role; ids are numbers."""
    return await _updated(request, role, data, plain)


@delete("/v2/usermanagement/roles/{role:str}", "/v1/usermanagement/roles/{role:str}", pair=_MANAGE)
async def delete_role(request: Asking, role: Id) -> None:
    """Delete a role, and take it from whoever holds it."""
    await holders.delete(*request.governing, await _located(request, role))


async def _listed(request: Asking, data: Any, number: Callable[[int], Number]) -> Listed[RoleRow]:
    def show(role: HeldRole) -> RoleRow:
        return RoleRow(**_shown(role, number))

    return await listed(
        request, data, _COLUMNS, HeldRole, show, within=throughout(request.actor, Permission.READ_MEMBERS)
    )


async def _located(request: Asking, role: str) -> RoleId:
    return (await find(request, ROLE, role, Of(request.actor.organization_id, ()))).id


async def _created(request: Asking, asked: RoleAsked, number: Callable[[int], Number]) -> RoleTold:
    if not asked.name:
        raise Invalid("A role has a name.", code="INVALID_ROLE")
    try:
        made = await holders.create(
            *request.governing,
            name=asked.name,
            permissions=_names(asked.permissions or []),
            description=asked.description or "",
            holders=_holders(asked) or [],
        )
    except NotFound as missing:
        raise Invalid(missing.message, code=missing.code) from missing
    return _told(await holders.get_held(*request.governing, made), number)


async def _updated(request: Asking, role: str, asked: RoleAsked, number: Callable[[int], Number]) -> RoleTold:
    located = await _located(request, role)
    await holders.edit(
        *request.governing,
        located,
        name=asked.name,
        permissions=None if asked.permissions is None else _names(asked.permissions),
        description=asked.description,
        holders=_holders(asked),
    )
    return _told(await holders.get_held(*request.governing, located), number)


def _holders(asked: RoleAsked) -> list[int] | None:
    if asked.user_ids is not None:
        return asked.user_ids
    return None if asked.principals is None else [each.id for each in asked.principals]


def _names(asked: list[PermissionAsked]) -> list[str]:
    """What the role has: pairs by name, or by number where older clients say nothing else."""
    return names_of(
        Pair(each.resource_type, each.action)
        if each.action or each.resource_type
        else NUMBERS.get(each.id, Pair("", ""))
        for each in asked
    )


def _told(role: HeldRole, number: Callable[[int], Number]) -> RoleTold:
    return RoleTold(
        **_shown(role, number),
        permissions=pairs_of_role(role.permissions),
        user_ids=[number(each) for each in role.holders],
    )


def _shown(role: HeldRole, number: Callable[[int], Number]) -> dict[str, Any]:
    return {
        "id": number(role.number),
        "name": role_name(role.name, is_system=role.is_system),
        "description": role.description,
        "count_principals": len(role.holders),
        "version": role.revision,
        "system_role": role.is_system,
        "created_by": number(role.created_by or 0),
        "created_on": moment(role.created_at),
        "updated_by": number(role.updated_by or 0),
        "updated_on": moment(role.updated_at),
    }
