"""Statements on the members of a workspace."""

from controlroom.engine.access.errors import WorkspaceNotFound
from controlroom.engine.access.grants.store import OF_MEMBER
from controlroom.engine.access.model import Role
from controlroom.engine.access.roles.model import OF_MEMBERS
from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.access.users.model import Member
from controlroom.ids import UserId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

_MEMBERS = f"""
    select access_grant.user_id, app_user.number, access_grant.workspace_id, app_user.username, app_user.first_name,
           app_user.last_name, app_user.email, role.name as role, access_grant.created_at,
           app_user.disabled_at, app_user.logged_in_at
      from access_grant
      join role on role.id = access_grant.role_id
      join app_user on app_user.id = access_grant.user_id
     where {OF_MEMBER}"""


async def lock_members(tx: Statements, scope: Scope) -> None:
    """Let changes of a workspace's members happen one after the other. Raises WorkspaceNotFound."""
    if await tx.value(f"select id from workspace where id = {SEEN} for no key update", **scope.params) is None:
        raise WorkspaceNotFound


async def list_members(tx: Statements, scope: Scope, *, after: UserId | None, limit: int) -> list[Member]:
    """Members of the workspace, by the time of the user's making."""
    return await tx.all(
        Member,
        f"""
        {_MEMBERS} and access_grant.workspace_id = {SEEN}
         {oldest_first("access_grant.user_id")}
        """,
        after=after,
        limit=limit,
        **scope.params,
    )


async def member(tx: Statements, scope: Scope, user: UserId) -> Member | None:
    """One member of the workspace."""
    return await tx.one_or_none(
        Member,
        f"{_MEMBERS} and access_grant.workspace_id = {SEEN} and access_grant.user_id = %(user)s",
        user=user,
        **scope.params,
    )


async def set_role(tx: Statements, scope: Scope, user: UserId, role: Role) -> None:
    """Change a member's role."""
    await tx.execute(
        f"""
        update access_grant set role_id = %(role)s
         where user_id = %(user)s and workspace_id = {SEEN} and {OF_MEMBER}
        """,
        user=user,
        role=OF_MEMBERS[role],
        **scope.params,
    )


async def remove_member(tx: Statements, scope: Scope, user: UserId) -> None:
    """End a membership. What else the user is granted in the workspace stays."""
    await tx.execute(
        f"delete from access_grant where user_id = %(user)s and workspace_id = {SEEN} and {OF_MEMBER}",
        user=user,
        **scope.params,
    )
