"""Statements on provisioners and the workers asked for of them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import Room, Scope, ScopedTx, ensure_seen
from controlroom.engine.nouns import InService, Noun
from controlroom.engine.processes.model import OnDemand, Workers
from controlroom.engine.provisioners.errors import ProvisionerNotFound
from controlroom.engine.provisioners.model import (
    Provisioner,
    Provisioning,
    ProvisioningState,
    SealedProvisioner,
    Wanting,
)
from controlroom.engine.workers import serving
from controlroom.engine.workers.model import AllWorkspaces, Serves
from controlroom.engine.workers.serving import serves
from controlroom.engine.workers.store import SOMEBODY_IDLE
from controlroom.ids import DeliveryId, LinkTokenId, OrganizationId, ProvisionerId, StepRunId, WorkerId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

PROVISIONER: Final = Noun[ProvisionerId](
    "provisioner",
    ProvisionerNotFound,
    "provisioner",
    InService("provisioner.organization_id", "provisioner.serves_all"),
    there="provisioner.deleted_at is null",
    name="provisioner.name",
)

COLUMNS: Final = """provisioner.id, provisioner.number, provisioner.organization_id, provisioner.serves_all,
    provisioner.name, provisioner.endpoint, provisioner.max_lifetime, provisioner.created_at"""
_COLUMNS: Final = f"{COLUMNS}, provisioner.sealed"


def place_of(provisioner: ProvisionerId) -> str:
    """What a provisioner's sealed secret is bound to."""
    return f"provisioner.sealed:{provisioner}"


# ---------------------------------------------------------------------------------------------------- provisioners
async def list_provisioners(
    tx: Statements, scope: Scope, *, after: ProvisionerId | None = None, limit: int
) -> list[Provisioner]:
    """Provisioners that serve the workspace, oldest first, those behind `after`."""
    return await tx.all(
        Provisioner,
        f"""
        select {_COLUMNS} from provisioner
         where {serves(PROVISIONER)} and deleted_at is null
         {oldest_first("id")}
        """,
        after=after,
        limit=limit,
        **scope.each,
    )


async def get(
    db: Statements, scope: Scope, provisioner: ProvisionerId, *, for_update: bool = False
) -> SealedProvisioner:
    """One provisioner; raises ProvisionerNotFound."""
    lock = "for update" if for_update else ""
    found = await db.one_or_none(
        SealedProvisioner,
        f"""
        select {_COLUMNS} from provisioner
         where {serves(PROVISIONER)} and id = %(provisioner)s and deleted_at is null {lock}
        """,
        provisioner=provisioner,
        **scope.each,
    )
    if found is None:
        await ensure_seen(db, scope)
        raise ProvisionerNotFound(provisioner)
    return found


async def insert(
    tx: ScopedTx,
    organization: OrganizationId,
    provisioner: ProvisionerId,
    *,
    name: str,
    endpoint: str,
    sealed: bytes,
    max_lifetime: timedelta | None,
    serves: Serves,
) -> None:
    """Write a provisioner."""
    await tx.execute(
        """
        insert into provisioner (id, organization_id, serves_all, name, endpoint, sealed, max_lifetime)
        values (%(provisioner)s, %(organization)s, %(all)s, %(name)s, %(endpoint)s, %(sealed)s, %(max_lifetime)s)
        """,
        provisioner=provisioner,
        organization=organization,
        all=isinstance(serves, AllWorkspaces),
        name=name,
        endpoint=endpoint,
        sealed=sealed,
        max_lifetime=max_lifetime,
    )
    await serving.begin(tx, provisioner, serves)


async def update(
    tx: ScopedTx,
    provisioner: ProvisionerId,
    *,
    name: str,
    endpoint: str,
    sealed: bytes,
    max_lifetime: timedelta | None,
) -> None:
    """Write a provisioner that the caller has locked."""
    await tx.execute(
        """
        update provisioner
           set name = %(name)s, endpoint = %(endpoint)s, sealed = %(sealed)s, max_lifetime = %(max_lifetime)s
         where id = %(provisioner)s
        """,
        provisioner=provisioner,
        name=name,
        endpoint=endpoint,
        sealed=sealed,
        max_lifetime=max_lifetime,
    )


async def delete(tx: ScopedTx, provisioner: ProvisionerId) -> None:
    """Mark a provisioner that the caller has locked as deleted. Workers that it has started are still stopped."""
    await tx.execute("update provisioner set deleted_at = clock_now() where id = %(id)s", id=provisioner)
    await serving.end(tx, provisioner)


async def processes_placed_on(tx: ScopedTx, provisioner: ProvisionerId, workspaces: Sequence[WorkspaceId]) -> list[str]:
    """The names of processes of workspaces with a step that is placed on the provisioner."""
    return await tx.all(
        str,
        """
        select distinct process.name from step join process on process.id = step.process_id
         where process.workspace_id = any(%(workspaces)s::uuid[])
           and step.placement -> 'places' -> -1 ->> 'provisioner' = %(provisioner)s::uuid::text
           and step.deleted_at is null and process.deleted_at is null
         order by process.name limit 10
        """,
        provisioner=provisioner,
        workspaces=list(workspaces),
    )


# ---------------------------------------------------------------------------------------------------- what is wanted
async def hold_wanting(tx: ScopedTx) -> Wanting | None:
    """A step run that waits for a worker to be asked for, that nobody else is asking for.

    Placed on demand alone it waits for that; placed elsewhere first, only while nobody is idle there.
    """
    return await tx.one_or_none(
        Wanting,
        f"""
        select step_run.id as step_run_id, step_run.run_id, step_run.workspace_id, workspace.organization_id,
               asked.provisioner_id, provisioner.endpoint, provisioner.sealed
          from step_run
          join workspace on workspace.id = step_run.workspace_id
         cross join lateral (
               select (step_run.placement -> 'places' -> -1 ->> 'provisioner')::uuid as provisioner_id) as asked
          left join provisioner on provisioner.id = asked.provisioner_id
                               and provisioner.organization_id = workspace.organization_id
                               and {serves(PROVISIONER, "step_run.workspace_id")} and provisioner.deleted_at is null
         where step_run.state in ('new', 'awaiting_worker')
           and step_run.placement -> 'places' -> -1 ->> 'type' = 'on_demand'
           and not {SOMEBODY_IDLE}
         order by step_run.id
         limit 1
           for no key update of step_run skip locked
        """,
    )


async def promise(
    tx: ScopedTx, wanting: Wanting, worker: WorkerId, *, token: LinkTokenId, order: DeliveryId, link_within: timedelta
) -> None:
    """The step run waits for the worker with this id, in place of one on demand."""
    await tx.execute(
        """
        insert into provisioning (worker_id, workspace_id, provisioner_id, run_id, step_run_id, link_token_id,
                                  delivery_id, link_by)
        values (%(worker)s, %(workspace)s, %(provisioner)s, %(run)s, %(step_run)s, %(token)s, %(order)s,
                clock_now() + %(within)s::interval)
        """,
        worker=worker,
        workspace=wanting.workspace_id,
        provisioner=wanting.provisioner_id,
        run=wanting.run_id,
        step_run=wanting.step_run_id,
        token=token,
        order=order,
        within=link_within,
    )
    await tx.execute(
        """
        update step_run
           set state = 'awaiting_worker', state_at = case when state = 'new' then clock_now() else state_at end,
               placement = jsonb_set(placement, '{places,-1}', %(place)s)
         where id = %(step_run)s
        """,
        step_run=wanting.step_run_id,
        place=Workers((worker,)),
    )


async def ask_anew(tx: ScopedTx, one: Provisioning) -> None:
    """A step run that a worker of an earlier place has taken: if it is lost, a worker may be asked for again."""
    await tx.execute(
        "update step_run set placement = jsonb_set(placement, '{places,-1}', %(place)s) where id = %(step_run)s",
        step_run=one.step_run_id,
        place=OnDemand(one.provisioner_id),
    )


async def drop_place(tx: ScopedTx, step_run: StepRunId) -> bool:
    """Take from a step run the place whose worker nobody starts; False if it is the only one."""
    return bool(
        await tx.execute(
            """
            update step_run set placement = placement #- '{places,-1}'
             where id = %(step_run)s and jsonb_array_length(placement -> 'places') > 1
            """,
            step_run=step_run,
        )
    )


async def due(db: Statements, _room: Room) -> list[WorkerId]:
    """Workers that were asked for and have not ended, oldest first."""
    return await db.all(WorkerId, "select worker_id from provisioning where state <> 'ended' order by worker_id")


async def hold(tx: ScopedTx, worker: WorkerId) -> Provisioning | None:
    """A worker that was asked for, with its step run; None if it has ended, or somebody else sees to it."""
    if not await tx.value(
        """
        select worker_id from provisioning where worker_id = %(worker)s and state <> 'ended' for update skip locked
        """,
        worker=worker,
    ):
        return None
    return await tx.one_or_none(
        Provisioning,
        """
        select provisioning.worker_id, provisioning.workspace_id, workspace.organization_id,
               provisioning.provisioner_id, provisioner.name as provisioner_name, provisioner.endpoint,
               provisioner.sealed, provisioner.deleted_at is not null as is_deleted,
               provisioning.run_id, provisioning.step_run_id, provisioning.link_token_id, provisioning.state,
               step_run.state as step_run_state,
               coalesce(step_run.worker_id <> provisioning.worker_id, false) as is_elsewhere,
               worker.seen_at is not null as has_come,
               worker.id is null or worker.state = 'offline' or worker.deleted_at is not null as is_away,
               provisioning.link_by < clock_now() as is_late,
               (select last_error from delivery
                 where delivery.id = provisioning.delivery_id and delivery.state = 'failed') as refusal,
               (select count(*) from provisioning as other
                 where other.step_run_id = provisioning.step_run_id)::int as asked
          from provisioning
          join workspace on workspace.id = provisioning.workspace_id
          join provisioner on provisioner.id = provisioning.provisioner_id
          left join step_run on step_run.id = provisioning.step_run_id
          left join worker on worker.id = provisioning.worker_id
         where provisioning.worker_id = %(worker)s
        """,
        worker=worker,
    )


async def set_state(tx: ScopedTx, worker: WorkerId, state: ProvisioningState) -> None:
    """Write how far a worker that was asked for has come."""
    await tx.execute(
        "update provisioning set state = %(state)s where worker_id = %(worker)s", worker=worker, state=state
    )


class UsableToken(Struct, frozen=True):
    """The link token of a worker that is still waited for, as stored."""

    token: LinkTokenId
    sealed: bytes
    max_lifetime: timedelta | None


async def usable_token(db: Statements, _room: Room, worker: WorkerId) -> UsableToken | None:
    """The link token of a worker that was asked for; None if it was used, is over, or nobody waits any more."""
    return await db.one_or_none(
        UsableToken,
        """
        select credential.id as token, credential.sealed, provisioner.max_lifetime
          from provisioning
          join provisioner on provisioner.id = provisioning.provisioner_id
          join credential on credential.id = provisioning.link_token_id and credential.kind = 'link_token'
         where provisioning.worker_id = %(worker)s and provisioning.state = 'requested'
           and credential.used_at is null and credential.expires_at > clock_now()
        """,
        worker=worker,
    )
