"""Whom a worker group is open to: its owners, and the holders of some roles. One with neither is open to all.

Whoever may change workers in the workspace may use every group there. Rights of a group are rows of their own, no
grants: a grant says what somebody may do in a scope, and would say it here of nothing but the one verb.
"""

from collections.abc import Sequence

from msgspec import Struct

from controlroom.engine.access.grants.store import OF_USER
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.scope import Scope, ScopedTx
from controlroom.engine.workers.errors import WorkerGroupClosed, WorkerGroupIdle, WorkerGroupNotFound
from controlroom.engine.workers.serving import serves
from controlroom.engine.workers.store import WORKER_GROUP
from controlroom.ids import RoleId, UserId, WorkerGroupId
from controlroom.postgres.database import Statements


class _Usable(Struct, frozen=True):
    id: WorkerGroupId
    is_open: bool
    is_connected: bool


async def ensure_usable(db: Statements, actor: Actor, scope: Scope, groups: Sequence[WorkerGroupId]) -> None:
    """Raise for the first group that is not there, not open to the actor, or has no worker that is connected.

    WorkerGroupNotFound, WorkerGroupClosed, WorkerGroupIdle.
    """
    found = {
        each.id: each
        for each in await db.all(
            _Usable,
            f"""
            select worker_group.id,
                   not exists (select from worker_group_right
                                where worker_group_right.worker_group_id = worker_group.id)
                   or exists (select from worker_group_right
                               where worker_group_right.worker_group_id = worker_group.id
                                 and (worker_group_right.user_id = %(actor)s::uuid
                                      or exists (select from app_user cross join lateral {OF_USER} as held
                                                  where app_user.id = %(actor)s::uuid
                                                    and held.role_id = worker_group_right.role_id))) as is_open,
                   exists (select from worker_group_member join worker on worker.id = worker_group_member.worker_id
                            where worker_group_member.worker_group_id = worker_group.id
                              and worker.state <> 'offline' and worker.deleted_at is null) as is_connected
              from worker_group
             where {serves(WORKER_GROUP)} and worker_group.id = any(%(groups)s::uuid[])
               and worker_group.deleted_at is null
            """,
            groups=list(groups),
            actor=actor.id,
            **scope.each,
        )
    }
    asks_now = actor.kind is not ActorKind.SYSTEM  # what a loop starts waits visibly for whoever is away
    is_master = actor.may(Permission.WRITE_WORKERS, scope.workspace)
    for group in groups:
        if group not in found:
            raise WorkerGroupNotFound(group)
        if not (found[group].is_open or is_master):
            raise WorkerGroupClosed(group)
        if asks_now and not found[group].is_connected:
            raise WorkerGroupIdle(group)


class Holder(Struct, frozen=True, kw_only=True):
    """Somebody to whom a group is open: an owner, or the holders of a role."""

    id: UserId | RoleId
    number: int
    name: str
    is_role: bool


async def holders(db: Statements, scope: Scope, group: WorkerGroupId) -> list[Holder]:
    """To whom a group is open that serves a workspace of the scope: its owners, then its roles, by name."""
    return await db.all(
        Holder,
        f"""
        select app_user.id, app_user.number, app_user.username as name, false as is_role
          from worker_group_right join app_user on app_user.id = worker_group_right.user_id
          join worker_group on worker_group.id = worker_group_right.worker_group_id
         where worker_group.id = %(group)s and {serves(WORKER_GROUP)} and app_user.deleted_at is null
        union all
        select role.id, role.number, role.name, true
          from worker_group_right join role on role.id = worker_group_right.role_id
          join worker_group on worker_group.id = worker_group_right.worker_group_id
         where worker_group.id = %(group)s and {serves(WORKER_GROUP)}
         order by is_role, name
        """,
        group=group,
        **scope.each,
    )


async def is_owner(tx: ScopedTx, user: UserId, group: WorkerGroupId) -> bool:
    """Whether a user owns a locked group."""
    return bool(
        await tx.value(
            """
            select exists (select from worker_group_right where worker_group_id = %(group)s and user_id = %(user)s)
            """,
            group=group,
            user=user,
        )
    )


async def open_to(tx: ScopedTx, group: WorkerGroupId, owners: Sequence[UserId], roles: Sequence[RoleId]) -> None:
    """Write whom a locked group is open to from now on."""
    await tx.execute("delete from worker_group_right where worker_group_id = %(group)s", group=group)
    await tx.execute(
        """
        insert into worker_group_right (worker_group_id, user_id, role_id)
        select %(group)s::uuid, named, null from unnest(%(owners)s::uuid[]) as named
         union
        select %(group)s::uuid, null, named from unnest(%(roles)s::uuid[]) as named
        """,
        group=group,
        owners=list(owners),
        roles=list(roles),
    )
