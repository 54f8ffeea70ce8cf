"""The verbs of provisioners."""

from datetime import timedelta

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ensure_seen, scope_of, scoped
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.deliveries.endpoints import checked_endpoint, destination_of
from controlroom.engine.engine import Engine
from controlroom.engine.provisioners import store
from controlroom.engine.provisioners.errors import (
    ProvisionerInUse,
    ProvisionerInvalid,
    ProvisionerNameTaken,
    ProvisionerNotFound,
)
from controlroom.engine.provisioners.model import Provisioner
from controlroom.engine.provisioners.rules import MOST_LIFETIME
from controlroom.ids import ProvisionerId, WorkspaceId, uuid7
from controlroom.keys import mint
from controlroom.postgres.errors import UniqueViolation

_LONGEST_SECRET = 1024


async def create(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    *,
    name: str,
    endpoint: str,
    secret: str | None = None,
    max_lifetime: timedelta | None = None,
) -> tuple[Provisioner, str]:
    """A new provisioner, and its secret (one is made if none is given). Raises ProvisionerInvalid, …NameTaken."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    name = checked_name(name, what="provisioner's name")
    provisioner = ProvisionerId(uuid7())
    value = mint("crps_") if secret is None else _checked_secret(secret)
    try:
        async with scoped(engine.database, scope) as tx:
            if not await store.insert(
                tx,
                scope,
                provisioner,
                name=name,
                endpoint=checked_endpoint(endpoint),
                sealed=engine.keys.seal(value.encode(), place=store.place_of(provisioner)),
                max_lifetime=_checked_lifetime(max_lifetime),
            ):
                await ensure_seen(tx, scope)
                raise ProvisionerNotFound(provisioner)
            await record(engine, tx, actor, scope, "provisioner.created", provisioner)
            return await store.get(tx, scope, provisioner), value
    except UniqueViolation as taken:
        raise ProvisionerNameTaken(name) from taken


async def update(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    provisioner: ProvisionerId,
    *,
    name: str | None = None,
    endpoint: str | None = None,
    secret: str | None = None,
    max_lifetime: timedelta | None = None,
) -> Provisioner:
    """Change what is given. Requests under way go to the new endpoint, signed by the new secret."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    try:
        async with scoped(engine.database, scope) as tx:
            before = await store.get(tx, scope, provisioner, for_update=True)
            to = before.endpoint if endpoint is None else checked_endpoint(endpoint)
            sealed = before.sealed
            if secret is not None:
                sealed = engine.keys.seal(_checked_secret(secret).encode(), place=store.place_of(provisioner))
            await store.update(
                tx,
                provisioner,
                name=before.name if name is None else checked_name(name, what="provisioner's name"),
                endpoint=to,
                sealed=sealed,
                max_lifetime=before.max_lifetime if max_lifetime is None else _checked_lifetime(max_lifetime),
            )
            await deliveries.redirect(tx, provisioner, destination=destination_of(to), endpoint=to, sealed=sealed)
            await record(engine, tx, actor, scope, "provisioner.updated", provisioner)
            return await store.get(tx, scope, provisioner)
    except UniqueViolation as taken:
        raise ProvisionerNameTaken(name or "") from taken


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, provisioner: ProvisionerId) -> None:
    """Delete a provisioner that no step is placed on; what it has started is still stopped. Raises ProvisionerInUse."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        await store.get(tx, scope, provisioner, for_update=True)
        if processes := await store.processes_placed_on(tx, provisioner):
            raise ProvisionerInUse(provisioner, processes)
        await store.delete(tx, provisioner)
        await record(engine, tx, actor, scope, "provisioner.deleted", provisioner)


async def reveal(engine: Engine, actor: Actor, workspace: WorkspaceId, provisioner: ProvisionerId) -> str:
    """A provisioner's secret once more, for those who may reveal and could give it another one. Audited."""
    scope = scope_of(actor, Permission.REVEAL, workspace)
    actor.require(Permission.WRITE_WORKERS, workspace)  # what it gives
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, provisioner)
        await record(engine, tx, actor, scope, "provisioner.revealed", provisioner)
    return engine.keys.unseal(found.sealed, place=store.place_of(provisioner)).decode()


def _checked_secret(secret: str) -> str:
    if not secret or len(secret) > _LONGEST_SECRET:
        raise ProvisionerInvalid(f"a secret has 1 to {_LONGEST_SECRET:,} characters")
    return secret


def _checked_lifetime(lifetime: timedelta | None) -> timedelta | None:
    if lifetime is not None and not timedelta(minutes=1) <= lifetime <= MOST_LIFETIME:
        raise ProvisionerInvalid(f"a worker lives a minute to {MOST_LIFETIME.days} days")
    return lifetime
