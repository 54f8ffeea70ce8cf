"""All places on which a step may run: workers, groups and provisioners that serve a workspace, by name."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import Scope
from controlroom.engine.provisioners.store import PROVISIONER
from controlroom.engine.workers.serving import serves
from controlroom.engine.workers.store import WORKER, WORKER_GROUP
from controlroom.postgres.database import Statements

MOST: Final = 1000
"""Of each kind; who has more names them by the API."""


class PlaceKind(StrEnum):
    """What a place is."""

    GROUP = "group"
    WORKER = "worker"
    PROVISIONER = "provisioner"


class NamedPlace(Struct, frozen=True):
    """A place, as people call it."""

    kind: PlaceKind
    id: UUID
    name: str


async def places(db: Statements, scope: Scope) -> list[NamedPlace]:
    """Groups, workers, provisioners, each in the order of their names."""
    return await db.all(
        NamedPlace,
        f"""
        (select 'group' as kind, worker_group.id, worker_group.name from worker_group
          where {serves(WORKER_GROUP)} and worker_group.deleted_at is null
          order by worker_group.name, worker_group.id limit {MOST})
        union all
        (select 'worker', worker.id, worker.name from worker
          where {serves(WORKER)} and worker.deleted_at is null
          order by worker.name, worker.id limit {MOST})
        union all
        (select 'provisioner', provisioner.id, provisioner.name from provisioner
          where {serves(PROVISIONER)} and provisioner.deleted_at is null
          order by provisioner.name, provisioner.id limit {MOST})
        """,
        **scope.each,
    )
