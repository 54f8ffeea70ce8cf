"""Statements on groups of users."""

from controlroom.engine.access.errors import NameTaken
from controlroom.engine.access.groups.model import GroupMember, UserGroup
from controlroom.ids import OrganizationId, UserGroupId, UserId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation
from controlroom.postgres.keyset import oldest_first

COLUMNS = """user_group.id, user_group.number, user_group.name, user_group.description, user_group.created_at,
    (select count(*) from user_group_member where user_group_id = user_group.id) as member_count"""


async def get(tx: Statements, organization: OrganizationId, group: UserGroupId) -> UserGroup | None:
    """One group of the organization."""
    return await tx.one_or_none(
        UserGroup,
        f"select {COLUMNS} from user_group where id = %(group)s and organization_id = %(organization)s",
        group=group,
        organization=organization,
    )


async def lock(tx: Statements, organization: OrganizationId, group: UserGroupId) -> bool:
    """Let changes of a group and of what it holds happen one after the other; whether there is such a group."""
    found = await tx.value(
        "select id from user_group where id = %(group)s and organization_id = %(organization)s for update",
        group=group,
        organization=organization,
    )
    return found is not None


async def list_groups(
    tx: Statements, organization: OrganizationId, *, after: UserGroupId | None, limit: int
) -> list[UserGroup]:
    """Groups of the organization, in the order of their making."""
    return await tx.all(
        UserGroup,
        f"""
        select {COLUMNS} from user_group
         where organization_id = %(organization)s
         {oldest_first("id")}
        """,
        organization=organization,
        after=after,
        limit=limit,
    )


async def add(
    tx: Statements, organization: OrganizationId, *, group: UserGroupId, name: str, description: str
) -> UserGroup:
    """Write a new group. Raises NameTaken, upon which the transaction is lost."""
    try:
        return await tx.one(
            UserGroup,
            f"""
            insert into user_group (id, organization_id, name, description)
            values (%(group)s, %(organization)s, %(name)s, %(description)s)
            returning {COLUMNS}
            """,
            group=group,
            organization=organization,
            name=name,
            description=description,
        )
    except UniqueViolation as taken:
        raise NameTaken("group", name) from taken


async def change(
    tx: Statements, organization: OrganizationId, group: UserGroupId, *, name: str, description: str
) -> UserGroup | None:
    """Write what a group is called. Raises NameTaken, upon which the transaction is lost."""
    try:
        return await tx.one_or_none(
            UserGroup,
            f"""
            update user_group set name = %(name)s, description = %(description)s
             where id = %(group)s and organization_id = %(organization)s
            returning {COLUMNS}
            """,
            group=group,
            organization=organization,
            name=name,
            description=description,
        )
    except UniqueViolation as taken:
        raise NameTaken("group", name) from taken


async def delete(tx: Statements, organization: OrganizationId, group: UserGroupId) -> None:
    """Remove a locked group, and with it its memberships and grants."""
    await tx.execute(
        "delete from user_group where id = %(group)s and organization_id = %(organization)s",
        group=group,
        organization=organization,
    )


async def list_members(
    tx: Statements,
    organization: OrganizationId,
    group: UserGroupId,
    *,
    sought: str = "",
    after: UserId | None,
    limit: int,
) -> list[GroupMember]:
    """Who is in a group, by the time of the user's making; of these only whose names have what is sought."""
    return await tx.all(
        GroupMember,
        f"""
        select app_user.id as user_id, app_user.username, app_user.first_name, app_user.last_name,
               user_group_member.created_at
          from user_group_member join app_user on app_user.id = user_group_member.user_id
         where user_group_member.user_group_id = %(group)s and app_user.organization_id = %(organization)s
           and (%(sought)s = '' or strpos(
                lower(app_user.username || ' ' || app_user.first_name || ' ' || app_user.last_name || ' '
                      || app_user.email), lower(%(sought)s)) > 0)
         {oldest_first("user_group_member.user_id")}
        """,
        group=group,
        organization=organization,
        sought=sought,
        after=after,
        limit=limit,
    )


async def member_ids(tx: Statements, group: UserGroupId) -> list[UserId]:
    """All who are in a locked group."""
    return await tx.all(UserId, "select user_id from user_group_member where user_group_id = %(group)s", group=group)


async def add_member(tx: Statements, organization: OrganizationId, group: UserGroupId, user: UserId) -> bool:
    """Put a user of the organization into a locked group; False if there is no such user. Fine if they are in it."""
    found = await tx.value(
        """
        with found as (
            select id from app_user where id = %(user)s and organization_id = %(organization)s
        ), added as (
            insert into user_group_member (user_group_id, user_id) select %(group)s, id from found
            on conflict do nothing
        )
        select id from found
        """,
        group=group,
        user=user,
        organization=organization,
    )
    return found is not None


async def remove_member(tx: Statements, group: UserGroupId, user: UserId) -> bool:
    """Take a user out of a locked group; whether they were in it."""
    return (
        await tx.execute(
            "delete from user_group_member where user_group_id = %(group)s and user_id = %(user)s",
            group=group,
            user=user,
        )
        > 0
    )
