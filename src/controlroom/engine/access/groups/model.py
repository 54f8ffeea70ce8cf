"""Groups of users: what is granted to a group, each of its members has."""

from datetime import datetime

from msgspec import Struct

from controlroom.ids import UserGroupId, UserId


class UserGroup(Struct, frozen=True, kw_only=True):
    """A group as lists show it."""

    id: UserGroupId
    number: int
    name: str
    description: str
    member_count: int
    created_at: datetime


class GroupMember(Struct, frozen=True, kw_only=True):
    """A user in a group."""

    user_id: UserId
    username: str
    first_name: str
    last_name: str
    created_at: datetime
