"""What provisioners were asked for, as people look at it."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import EACH, Scope
from controlroom.engine.provisioners.model import ProvisioningState
from controlroom.ids import ProvisionerId, WorkerId
from controlroom.postgres.database import Statements


class AskedFor(Struct, frozen=True, kw_only=True):
    """A worker that was asked for, and what came of it."""

    worker_id: WorkerId
    worker_number: int | None
    """None: it has not come."""
    worker_name: str | None
    is_here: bool
    state: ProvisioningState
    link_by: datetime
    run_number: int | None
    """None: the run was deleted."""
    process_name: str | None
    created_at: datetime


_ASKED: Final = f"""
    select provisioning.worker_id, worker.number as worker_number, worker.name as worker_name,
           coalesce(worker.state <> 'offline', false) as is_here, provisioning.state, provisioning.link_by,
           run.number as run_number, process.name as process_name, provisioning.created_at
      from provisioning
      left join worker on worker.id = provisioning.worker_id
      left join run on run.id = provisioning.run_id
      left join process on process.id = run.process_id
     where provisioning.provisioner_id = %(provisioner)s and provisioning.workspace_id in {EACH}
     order by provisioning.worker_id desc
     limit %(limit)s"""


async def asked_for(db: Statements, scope: Scope, provisioner: ProvisionerId, *, limit: int) -> list[AskedFor]:
    """The workers that a provisioner was asked for, in the scope's workspaces: the latest first."""
    return await db.all(AskedFor, _ASKED, provisioner=provisioner, limit=limit, **scope.each)
