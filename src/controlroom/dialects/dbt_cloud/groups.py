"""Groups of users, what they hold, and who is in them (§3.9). Nobody comes in by another directory: there is none."""

from typing import Any, Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Name, Shape
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, find
from controlroom.dialects.dbt_cloud.lists import Columns, listed
from controlroom.dialects.dbt_cloud.permission_sets import (
    PermissionAsked,
    PermissionsAsked,
    PermissionShown,
    flat,
    showing,
    wanted_of,
)
from controlroom.dialects.dbt_cloud.routing import V3, delete, get, post
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.groups import actions, holdings
from controlroom.engine.access.groups.holdings import GROUPS, HoldingGroup
from controlroom.engine.access.nouns import USER, USER_GROUP
from controlroom.engine.access.roles.actions import ensure_in_organization
from controlroom.engine.access.scope import Of, throughout
from controlroom.ids import UserGroupId

_ALL: Final = "/accounts/{account}/groups"
_ONE: Final = f"{_ALL}/{{group}}"
_COLUMNS: Final = Columns(GROUPS, {"id": "number", "name": "name", "created_at": "created_at"})


class GroupShown(Shape, frozen=True, kw_only=True):
    """A group of users."""

    id: int
    account_id: int
    name: str
    state: int = ACTIVE
    assign_by_default: bool = False
    sso_mapping_groups: tuple[str, ...] = ()
    scim_managed: bool = False
    group_permissions: list[PermissionShown]
    created_at: str
    updated_at: str


class GroupAsked(Shape, frozen=True, kw_only=True):
    """A new group, or what of one shall be otherwise."""

    name: Name | UnsetType = UNSET
    assign_by_default: bool = False
    sso_mapping_groups: tuple[str, ...] = ()
    group_permissions: tuple[PermissionAsked, ...] | UnsetType | None = UNSET
    state: int = ACTIVE


class Assigned(Shape, frozen=True, kw_only=True):
    """In which groups a user shall be."""

    user_id: int
    desired_group_ids: tuple[int, ...] = ()


@get(_ALL, versions=V3, rows=_COLUMNS, asks=Permission.READ_MEMBERS)
async def list_groups(request: Asking) -> Listed[GroupShown]:
    """The groups of the account."""
    seen = throughout(request.actor, Permission.READ_MEMBERS)
    return await listed(request, HoldingGroup, lambda group: _show(request, group), within=seen)


@post(_ALL, versions=V3, asks=Permission.WRITE_MEMBERS)
async def create_group(request: Asking, data: Body[GroupAsked]) -> GroupShown:
    """A new group, with nobody in it."""
    ensure_in_organization(request.actor, Permission.WRITE_MEMBERS)
    _check(data)
    if not isinstance(data.name, str) or not data.name.strip():
        raise FieldsWrong({"name": "what it is to be called"})
    asked = data.group_permissions if isinstance(data.group_permissions, tuple) else ()
    wanted = await wanted_of(request, asked, "group_permissions")
    made = await holdings.create(request.engine, request.actor, name=data.name.strip(), wanted=wanted)
    return _show(request, made)


@get(_ONE, versions=V3, asks=Permission.READ_MEMBERS)
async def get_group(request: Asking, group: Id) -> GroupShown:
    """A group."""
    throughout(request.actor, Permission.READ_MEMBERS)
    return await _get(request, await _find(request, group))


@post(_ONE, versions=V3, asks=Permission.WRITE_MEMBERS)
async def update_group(request: Asking, group: Id, data: Body[GroupAsked]) -> GroupShown:
    """Call a group otherwise; with `state: 2`, delete it."""
    ensure_in_organization(request.actor, Permission.WRITE_MEMBERS)
    if data.state == DELETED:
        return await _delete(request, group)
    _check(data)
    found = await _find(request, group)
    if isinstance(data.name, str):
        await actions.edit_group(request.engine, request.actor, found, name=data.name.strip())
    return await _get(request, found)


@delete(_ONE, versions=V3, asks=Permission.WRITE_MEMBERS)
async def delete_group(request: Asking, group: Id) -> GroupShown:
    """Delete a group, and all that it holds; the users stay."""
    ensure_in_organization(request.actor, Permission.WRITE_MEMBERS)
    return await _delete(request, group)


@post("/accounts/{account}/group-permissions/{group}", versions=V3, asks=Permission.WRITE_MEMBERS)
async def set_group_permissions(
    request: Asking, group: Id, data: Body[tuple[PermissionsAsked, ...]]
) -> list[PermissionShown]:
    """Have a group hold this, and nothing else."""
    ensure_in_organization(request.actor, Permission.WRITE_MEMBERS)
    found = await _find(request, group)
    wanted = await wanted_of(request, flat(data), "group_permissions")
    changed = await holdings.set_grants(request.engine, request.actor, found, wanted)
    return _show(request, changed).group_permissions


@post("/accounts/{account}/assign-groups", versions=V3, asks=Permission.WRITE_MEMBERS)
async def assign_groups(request: Asking, data: Body[Assigned]) -> list[GroupShown]:
    """Have a user be in these groups, and in no others."""
    ensure_in_organization(request.actor, Permission.WRITE_MEMBERS)
    user = (await find(request, USER, data.user_id, _account(request))).id
    groups = [await _find(request, str(each)) for each in dict.fromkeys(data.desired_group_ids)]
    await holdings.set_groups(request.engine, request.actor, user, groups)
    return [await _get(request, each) for each in groups]


def _check(data: GroupAsked) -> None:
    """Refuse what we could not keep: that others, of whom we do not hear, come into the group."""
    if data.sso_mapping_groups:
        raise FieldsWrong({"sso_mapping_groups": "no other directory tells who is in a group here: leave it out"})
    if data.assign_by_default:
        raise FieldsWrong({"assign_by_default": "nobody comes into a group unasked here: leave it out"})


async def _delete(request: Asking, number: str) -> GroupShown:
    found = await _find(request, number)
    gone = await _get(request, found)
    await actions.delete_group(request.engine, request.actor, found)
    return replace(gone, state=DELETED)


async def _get(request: Asking, group: UserGroupId) -> GroupShown:
    return _show(request, await holdings.get(request.engine, request.actor, group))


async def _find(request: Asking, number: str) -> UserGroupId:
    return (await find(request, USER_GROUP, number, _account(request))).id


def _account(request: Asking) -> Of:
    return Of(request.actor.organization_id, ())


def _show(request: Asking, group: HoldingGroup) -> GroupShown:
    at: Any = with_t(group.created_at)
    return GroupShown(
        id=group.number,
        account_id=request.account,
        name=group.name,
        group_permissions=[showing(request, group_id=group.number)(each) for each in group.grants],
        created_at=at,
        updated_at=at,
    )
