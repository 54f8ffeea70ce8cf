"""Who holds a permission: asked of users who are not those that act."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.errors import UserNotFound
from controlroom.engine.access.grants.store import OF_USER
from controlroom.engine.access.model import ALL_OF_A_WORKSPACE, Permission
from controlroom.engine.access.scope import Scope
from controlroom.errors import Conflict
from controlroom.ids import UserId
from controlroom.postgres.database import Statements


class RuntimeMissing(Conflict):
    """Nothing runs as a user who lacks RUNTIME in the workspace, or is disabled."""

    code: ClassVar[str] = "RUNTIME_MISSING"

    def __init__(self, user: UUID) -> None:
        permission = Permission.RUNTIME.value
        super().__init__(f"nothing can run as the user {user}, who lacks {permission} here or is disabled")


def may_in(permission: Permission, workspace: str) -> str:
    """The condition that an `app_user` of the statement is enabled and has the permission in a workspace (SQL)."""
    return f"""app_user.disabled_at is null and exists (
                   select from {OF_USER} as held join role on role.id = held.role_id
                    where (held.workspace_id is null or held.workspace_id = {workspace})
                      and role.permissions && array['{permission}', '{ALL_OF_A_WORKSPACE}']::text[])"""


class _Found(Struct, frozen=True):
    id: UserId
    may: bool


async def ensure_runtime(tx: Statements, scope: Scope, users: Sequence[UserId]) -> None:
    """Raise UserNotFound for the first that is none of the organization, RuntimeMissing for one who may not run."""
    found = {each.id: each.may for each in await _holding(tx, scope, users, Permission.RUNTIME)}
    for user in users:
        if user not in found:
            raise UserNotFound
        if not found[user]:
            raise RuntimeMissing(user)


async def _holding(tx: Statements, scope: Scope, users: Sequence[UserId], permission: Permission) -> list[_Found]:
    """Those of the users who are of the organization, and whether each is enabled and has the permission there."""
    return await tx.all(
        _Found,
        f"""
        select app_user.id, {may_in(permission, "%(workspace)s")} as may
          from app_user
         where app_user.id = any(%(users)s::uuid[]) and app_user.organization_id = %(organization)s
        """,
        users=list(users),
        workspace=scope.workspace,
        organization=scope.organization,
    )
