"""What a user holds, as people ask for it: roles, by themselves and by groups, and the words of grammars."""

from msgspec import Struct

from controlroom.engine.access.errors import UserNotFound
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.roles.model import RUNNER
from controlroom.engine.access.scope import Of
from controlroom.engine.engine import Engine
from controlroom.ids import RoleId, UserGroupId, UserId, WorkspaceId
from controlroom.postgres.database import Statements


class RoleHeld(Struct, frozen=True, kw_only=True):
    """A role that a user holds somewhere."""

    role_id: RoleId
    role: str
    workspace_id: WorkspaceId | None
    """None: in the organization, and so in all its workspaces."""
    workspace: str | None
    group_id: UserGroupId | None
    """By which group; None: by themselves."""
    group: str | None


class Holding(Struct, frozen=True, kw_only=True):
    """All that a user holds of which the caller may know."""

    roles: list[RoleHeld]
    groups: list[str]
    words: list[str]
    """What grammars have given to them: licences of theirs, say."""
    runs_robots: bool
    """Robots may run as them, somewhere."""


class _Words(Struct, frozen=True):
    words: list[str]
    groups: list[str]


async def holding(engine: Engine, actor: Actor, user: UserId) -> Holding:
    """What a user holds where the caller may see members; of the organization's for who may there, and of themselves.

    Raises UserNotFound.
    """
    is_wide = actor.may(Permission.READ_MEMBERS, None) or actor.id == user
    seen = Of(actor.organization_id, tuple(each for each in actor.grants if actor.may(Permission.READ_MEMBERS, each)))
    known = await _known(engine.database, seen, user)
    roles = await _roles(engine.database, seen, user, is_wide=is_wide)
    if known is None or not (is_wide or roles):
        raise UserNotFound
    return Holding(
        roles=[each for each in roles if each.role_id != RUNNER],
        groups=known.groups if is_wide else [],
        words=known.words if is_wide else [],
        runs_robots=any(each.role_id == RUNNER for each in roles),
    )


async def _known(db: Statements, scope: Of, user: UserId) -> _Words | None:
    return await db.one_or_none(
        _Words,
        """
        select app_user.words,
               coalesce((select jsonb_agg(user_group.name order by user_group.name)
                           from user_group_member join user_group on user_group.id = user_group_member.user_group_id
                          where user_group_member.user_id = app_user.id), '[]') as groups
          from app_user
         where app_user.id = %(user)s and app_user.organization_id = %(organization)s and app_user.deleted_at is null
        """,
        user=user,
        organization=scope.organization,
    )


async def _roles(db: Statements, scope: Of, user: UserId, *, is_wide: bool) -> list[RoleHeld]:
    return await db.all(
        RoleHeld,
        """
        select role.id as role_id, role.name as role, access_grant.workspace_id, workspace.name as workspace,
               user_group.id as group_id, user_group.name as group
          from access_grant
          join role on role.id = access_grant.role_id
          left join workspace on workspace.id = access_grant.workspace_id
          left join user_group on user_group.id = access_grant.user_group_id
         where access_grant.organization_id = %(organization)s
           and (workspace.id is null or workspace.deleted_at is null)
           and (%(is_wide)s or access_grant.workspace_id = any (%(places)s::uuid[]))
           and (access_grant.user_id = %(user)s
                or exists (select from user_group_member as mine
                            where mine.user_group_id = access_grant.user_group_id and mine.user_id = %(user)s))
         order by access_grant.workspace_id nulls first, role.id, user_group.name nulls first
        """,
        user=user,
        organization=scope.organization,
        is_wide=is_wide,
        places=list(scope.workspaces),
    )
