"""Groups of the organization's users (our own management API): what a group is granted, each of its members has."""

from datetime import datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody
from msgspec import Struct
from msgspec.structs import asdict

from controlroom.border.asking import Asking
from controlroom.dialects.robocorp.answers import Deleted, Identified, Reference
from controlroom.dialects.robocorp.members import user_id_of
from controlroom.dialects.robocorp.paging import Page, Pages
from controlroom.dialects.robocorp.routing import delete, get, post, update
from controlroom.engine.access.groups import actions
from controlroom.engine.access.groups.model import GroupMember, UserGroup
from controlroom.engine.access.model import Permission
from controlroom.ids import UserGroupId, UserId


class UserGroupAnswer(Struct, frozen=True, kw_only=True):
    """A group of users."""

    id: UserGroupId
    name: str
    description: str
    member_count: int
    created_at: datetime


class GroupMemberAnswer(Struct, frozen=True, kw_only=True):
    """A user in a group."""

    id: UserId
    username: str
    first_name: str
    last_name: str
    created_at: datetime


class CreateUserGroup(Struct, frozen=True, forbid_unknown_fields=True):
    """A new group, without members."""

    name: str
    description: str = ""


class EditUserGroup(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: str | None = None
    description: str | None = None


class AddToGroup(Struct, frozen=True, forbid_unknown_fields=True):
    """A user of the organization."""

    user: Reference


@get("/user-groups", needs=Permission.READ_MEMBERS)
async def list_user_groups(request: Asking, paging: Pages) -> Page[UserGroupAnswer]:
    """List the groups of the organization's users, oldest first."""
    rows = await actions.list_groups(request.engine, request.actor, after=paging.after(_group_id), limit=paging.fetch)
    return paging.page(rows, _show, lambda group: group.id)


@post("/user-groups", needs=Permission.READ_MEMBERS)
async def create_user_group(request: Asking, data: JSONBody[CreateUserGroup]) -> UserGroupAnswer:
    """Create a group of users, for who writes members in the organization."""
    return _show(
        await actions.create_group(request.engine, request.actor, name=data.name, description=data.description)
    )


@get("/user-groups/{group_id:uuid}", needs=Permission.READ_MEMBERS)
async def get_user_group(request: Asking, group_id: FromPath[UserGroupId]) -> UserGroupAnswer:
    """Get a group of users."""
    return _show(await actions.get_group(request.engine, request.actor, group_id))


@update("/user-groups/{group_id:uuid}", needs=Permission.READ_MEMBERS)
async def update_user_group(
    request: Asking, group_id: FromPath[UserGroupId], data: JSONBody[EditUserGroup]
) -> UserGroupAnswer:
    """Call a group of users otherwise."""
    return _show(
        await actions.edit_group(request.engine, request.actor, group_id, name=data.name, description=data.description)
    )


@delete("/user-groups/{group_id:uuid}", needs=Permission.READ_MEMBERS)
async def delete_user_group(request: Asking, group_id: FromPath[UserGroupId]) -> Deleted:
    """Delete a group of users, and all that it was granted; the users stay."""
    await actions.delete_group(request.engine, request.actor, group_id)
    return Deleted(group_id)


@get("/user-groups/{group_id:uuid}/members", needs=Permission.READ_MEMBERS)
async def list_user_group_members(
    request: Asking, paging: Pages, group_id: FromPath[UserGroupId]
) -> Page[GroupMemberAnswer]:
    """List who is in a group of users."""
    rows = await actions.list_group_members(
        request.engine, request.actor, group_id, after=paging.after(user_id_of), limit=paging.fetch
    )
    return paging.page(rows, _show_member, lambda member: member.user_id)


@post("/user-groups/{group_id:uuid}/members", needs=Permission.READ_MEMBERS)
async def add_user_group_member(
    request: Asking, group_id: FromPath[UserGroupId], data: JSONBody[AddToGroup]
) -> Identified:
    """Put a user into a group; it takes all that the group is granted."""
    await actions.add_group_member(request.engine, request.actor, group_id, UserId(data.user.id))
    return Identified(data.user.id)


@delete("/user-groups/{group_id:uuid}/members/{user_id:uuid}", needs=Permission.READ_MEMBERS)
async def remove_user_group_member(
    request: Asking, group_id: FromPath[UserGroupId], user_id: FromPath[UserId]
) -> Deleted:
    """Take a user out of a group."""
    await actions.remove_group_member(request.engine, request.actor, group_id, user_id)
    return Deleted(user_id)


def _group_id(text: str) -> UserGroupId:
    return UserGroupId(UUID(text))


def _show(group: UserGroup) -> UserGroupAnswer:
    return UserGroupAnswer(
        id=group.id,
        name=group.name,
        description=group.description,
        member_count=group.member_count,
        created_at=group.created_at,
    )


def _show_member(member: GroupMember) -> GroupMemberAnswer:
    fields = asdict(member)
    return GroupMemberAnswer(id=fields.pop("user_id"), **fields)
