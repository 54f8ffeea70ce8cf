"""Groups of the organization's users (our own management API): what a group is granted, each of its members has."""

from collections.abc import Sequence
from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Identified, OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.access.groups import actions, model
from controlroom.ids import UserGroupId, UserId


class UserGroupAnswer(Shape, frozen=True, kw_only=True):
    """A group of users."""

    id: UserGroupId
    name: str
    description: str
    member_count: int
    created_at: datetime


class GroupMemberAnswer(Shape, frozen=True, kw_only=True):
    """A user in a group."""

    id: UserId
    username: str
    first_name: str
    last_name: str
    created_at: datetime


class CreateUserGroup(OwnBody, frozen=True):
    """A new group, without members."""

    name: str
    description: str = ""


class EditUserGroup(OwnBody, frozen=True):
    """What to change; what is left out stays."""

    name: str | None = None
    description: str | None = None


class AddToGroup(OwnBody, frozen=True):
    """A user of the organization."""

    user: Reference


class SetGroup(OwnBody, frozen=True):
    """The users that shall be in the group, and no others."""

    users: Sequence[Reference]


class MembersOfGroup(Shape, frozen=True):
    """Who is in a group now."""

    members: list[GroupMemberAnswer]


@get("/user-groups", needs=Permission.READ_MEMBERS)
async def list_user_groups(request: Asking, paging: Pages) -> Page[UserGroupAnswer]:
    """List the groups of the organization's users, oldest first."""
    return paging.page(await actions.list_groups(*request.governing, **paging.after(UserGroupId)), _show)


@post("/user-groups", needs=Permission.READ_MEMBERS)
async def create_user_group(request: Asking, data: Body[CreateUserGroup]) -> UserGroupAnswer:
    """Create a group of users, for who writes members in the organization."""
    return _show(await actions.create_group(*request.governing, name=data.name, description=data.description))


@get("/user-groups/{group_id:uuid}", needs=Permission.READ_MEMBERS)
async def get_user_group(request: Asking, group_id: Path[UserGroupId]) -> UserGroupAnswer:
    """Get a group of users."""
    return _show(await actions.get_group(*request.governing, group_id))


@update("/user-groups/{group_id:uuid}", needs=Permission.READ_MEMBERS)
async def update_user_group(request: Asking, group_id: Path[UserGroupId], data: Body[EditUserGroup]) -> UserGroupAnswer:
    """Call a group of users otherwise."""
    return _show(await actions.edit_group(*request.governing, group_id, name=data.name, description=data.description))


@delete("/user-groups/{group_id:uuid}", needs=Permission.READ_MEMBERS)
async def delete_user_group(request: Asking, group_id: Path[UserGroupId]) -> Deleted:
    """Delete a group of users, and all that it was granted; the users stay."""
    return await Deleted.after(group_id, actions.delete_group(*request.governing, group_id))


@get("/user-groups/{group_id:uuid}/members", needs=Permission.READ_MEMBERS)
async def list_user_group_members(
    request: Asking, paging: Pages, group_id: Path[UserGroupId]
) -> Page[GroupMemberAnswer]:
    """List who is in a group of users."""
    rows = await actions.list_group_members(*request.governing, group_id, **paging.after(UserId))
    return paging.page(rows, _show_member, lambda member: member.user_id)


@post("/user-groups/{group_id:uuid}/members", needs=Permission.READ_MEMBERS)
async def add_user_group_member(request: Asking, group_id: Path[UserGroupId], data: Body[AddToGroup]) -> Identified:
    """Put a user into a group; it takes all that the group is granted."""
    await actions.add_group_members(*request.governing, group_id, [UserId(data.user.id)])
    return Identified(data.user.id)


@post("/user-groups/{group_id:uuid}/members/set", needs=Permission.READ_MEMBERS)
async def set_user_group_members(request: Asking, group_id: Path[UserGroupId], data: Body[SetGroup]) -> MembersOfGroup:
    """Have exactly these users in a group: all of the change, or nothing of it."""
    wanted = [UserId(each.id) for each in data.users]
    members = await actions.set_group_members(*request.governing, group_id, wanted)
    return MembersOfGroup([_show_member(each) for each in members])


@delete("/user-groups/{group_id:uuid}/members/{user_id:uuid}", needs=Permission.READ_MEMBERS)
async def remove_user_group_member(request: Asking, group_id: Path[UserGroupId], user_id: Path[UserId]) -> Deleted:
    """Take a user out of a group."""
    return await Deleted.after(user_id, actions.remove_group_members(*request.governing, group_id, [user_id]))


_show = shown_as(UserGroupAnswer, model.UserGroup)
_show_member = shown_as(GroupMemberAnswer, model.GroupMember, id="user_id")
