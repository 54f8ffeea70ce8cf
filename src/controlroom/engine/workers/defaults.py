"""A user's default worker: where robots run as the user, unless other places are named.

It is known by its id, so that it stays whatever the worker is called; when the worker is unlinked, the user has none.
The first user of the room has the room's own worker, from the moment it comes.
"""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.errors import UserNotFound
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.workers import store
from controlroom.engine.workers.serving import serves
from controlroom.errors import Conflict
from controlroom.ids import OrganizationId, UserId, WorkerId
from controlroom.postgres.database import Statements


class DefaultWorkerMissing(Conflict):
    """A user has no default worker that serves the workspace, and nothing else was named."""

    code: ClassVar[str] = "DEFAULT_WORKER_MISSING"

    def __init__(self, user: UUID) -> None:
        super().__init__(
            f"the user {user} has no default worker that works for this workspace: give them one, or name where to run",
            user_id=str(user),
        )


class _Default(Struct, frozen=True):
    user_id: UserId
    worker_id: WorkerId


async def of_users(db: Statements, scope: Scope, users: Sequence[UserId]) -> dict[UserId, WorkerId]:
    """The default workers of some users that serve the workspace of the scope; of those who have none there is none."""
    found = await db.all(
        _Default,
        f"""
        select app_user.id as user_id, worker.id as worker_id
          from app_user join worker on worker.id = app_user.default_worker_id and worker.deleted_at is null
         where app_user.id = any(%(users)s::uuid[]) and app_user.organization_id = %(organization)s
           and {serves(store.WORKER)}
        """,
        users=list(users),
        **scope.each,
    )
    return {each.user_id: each.worker_id for each in found}


async def users_of(db: Statements, scope: Scope, workers: Sequence[WorkerId]) -> dict[WorkerId, UserId]:
    """The user whose default worker each is, the first of several; nobody's is not there."""
    found = await db.all(
        _Default,
        """
        select default_worker_id as worker_id, min(id::text)::uuid as user_id from app_user
         where default_worker_id = any(%(workers)s::uuid[]) and organization_id = %(organization)s
           and disabled_at is null
         group by default_worker_id
        """,
        workers=list(workers),
        organization=scope.organization,
    )
    return {each.worker_id: each.user_id for each in found}


async def set_default(engine: Engine, actor: Actor, user: UserId, worker: WorkerId | None) -> None:
    """Give a user of the organization a default worker, or none. Raises UserNotFound, WorkerNotFound."""
    scope = scope_of(actor, Permission.WRITE_MEMBERS)
    async with scoped(engine.database, scope) as tx:
        if worker is not None:
            await store.ensure_workers(tx, scope, [worker])
        if not await _write(tx, scope.organization, user, worker):
            raise UserNotFound
        named = None if worker is None else str(worker)
        await record(engine, tx, actor, scope.organization, "user.default_worker_set", user, worker_id=named)


async def _write(tx: ScopedTx, organization: OrganizationId, user: UserId, worker: WorkerId | None) -> bool:
    return bool(
        await tx.execute(
            """
            update app_user set default_worker_id = %(worker)s
             where id = %(user)s and organization_id = %(organization)s
            """,
            user=user,
            organization=organization,
            worker=worker,
        )
    )


async def give_to_first_user(tx: ScopedTx, organization: OrganizationId, worker: WorkerId) -> None:
    """Make the room's own worker that of its first user, unless they have one that is there."""
    await tx.execute(
        """
        update app_user set default_worker_id = %(worker)s
         where id = (select id from app_user where organization_id = %(organization)s order by id limit 1)
           and not exists (select from worker
                            where worker.id = app_user.default_worker_id and worker.deleted_at is null
                              and worker.state <> 'offline')
        """,
        organization=organization,
        worker=worker,
    )
