"""The places on which a step may run: workers, groups and provisioners that serve a workspace."""

from collections.abc import Collection
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import Scope
from controlroom.engine.provisioners.store import PROVISIONER
from controlroom.engine.workers.serving import serves
from controlroom.engine.workers.store import WORKER, WORKER_GROUP
from controlroom.postgres.database import Statements


class _Place(Struct, frozen=True):
    id: UUID
    name: str


async def named(db: Statements, scope: Scope, ids: Collection[UUID]) -> dict[UUID, str]:
    """What some places are called; those that are gone, or serve others, are left out."""
    if not ids:
        return {}
    found = await db.all(
        _Place,
        f"""
        select worker_group.id, worker_group.name from worker_group
         where {serves(WORKER_GROUP)} and worker_group.deleted_at is null and worker_group.id = any(%(ids)s::uuid[])
        union all
        select worker.id, worker.name from worker
         where {serves(WORKER)} and worker.deleted_at is null and worker.id = any(%(ids)s::uuid[])
        union all
        select provisioner.id, provisioner.name from provisioner
         where {serves(PROVISIONER)} and provisioner.deleted_at is null and provisioner.id = any(%(ids)s::uuid[])
        """,
        ids=list(ids),
        **scope.each,
    )
    return {each.id: each.name for each in found}
