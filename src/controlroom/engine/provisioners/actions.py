"""The verbs of provisioners."""

from collections.abc import Sequence
from datetime import timedelta

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.scope import Of, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.deliveries.endpoints import checked_endpoint, destination_of
from controlroom.engine.engine import Engine
from controlroom.engine.provisioners import store
from controlroom.engine.provisioners.errors import (
    ProvisionerInUse,
    ProvisionerInvalid,
    ProvisionerNameTaken,
)
from controlroom.engine.provisioners.model import Provisioner
from controlroom.engine.provisioners.rules import MOST_LIFETIME
from controlroom.engine.provisioners.store import PROVISIONER
from controlroom.engine.workers import serving
from controlroom.engine.workers.model import Serves, TheseWorkspaces
from controlroom.engine.workers.service import (
    held,
    require_everywhere,
    tell,
    tell_in,
    tell_service,
    wished,
    without,
    written,
)
from controlroom.engine.workers.serving import Served, Service
from controlroom.ids import ProvisionerId, WorkspaceId, uuid7
from controlroom.keys import mint

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
    serves: Serves | None = None,
) -> tuple[Provisioner, str]:
    """A new provisioner, of the workspace unless others are named, and its secret (one is made if none is given).

    Raises ProvisionerInvalid, …NameTaken.
    """
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    name = checked_name(name, what="provisioner's name")
    provisioner = ProvisionerId(uuid7())
    value = mint("crps_") if secret is None else _checked_secret(secret)
    wanted = wished(actor, serves or TheseWorkspaces((workspace,)))
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        await store.insert(
            tx,
            scope.organization,
            provisioner,
            name=name,
            endpoint=checked_endpoint(endpoint),
            sealed=engine.keys.seal(value.encode(), place=store.place_of(provisioner)),
            max_lifetime=_checked_lifetime(max_lifetime),
            serves=wanted,
        )
        service = await serving.now(tx, PROVISIONER, provisioner)
        await _check_name(tx, provisioner, name, service)
        await tell(engine, tx, actor, service, "provisioner.created", provisioner)
        return await store.get(tx, Of(scope.organization, tuple(service.workspaces)), provisioner), value


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
    """Change what is given. Requests under way go to the new endpoint, signed anew. Raises ServesOthers."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.get(tx, scope, provisioner, for_update=True)
        service = await held(tx, scope, PROVISIONER, provisioner)
        require_everywhere(actor, service)
        called = before.name if name is None else checked_name(name, what="provisioner's name")
        await _check_name(tx, provisioner, called, service)
        to = before.endpoint if endpoint is None else checked_endpoint(endpoint)
        sealed = before.sealed
        if secret is not None:
            sealed = engine.keys.seal(_checked_secret(secret).encode(), place=store.place_of(provisioner))
        await store.update(
            tx,
            provisioner,
            name=called,
            endpoint=to,
            sealed=sealed,
            max_lifetime=before.max_lifetime if max_lifetime is None else _checked_lifetime(max_lifetime),
        )
        await deliveries.redirect(tx, provisioner, destination=destination_of(to), endpoint=to, sealed=sealed)
        await tell(engine, tx, actor, service, "provisioner.updated", provisioner)
        return await store.get(tx, scope, provisioner)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, provisioner: ProvisionerId) -> None:
    """Take a provisioner out of the workspace, where no step may be placed on it; out of the last one: delete it.

    What it has started is still stopped. Raises ProvisionerInUse.
    """
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        await store.get(tx, scope, provisioner, for_update=True)
        left = without(service := await held(tx, scope, PROVISIONER, provisioner), workspace)
        await _check_unused(tx, provisioner, (workspace,))
        if left is None:
            await store.delete(tx, provisioner)
        else:
            await serving.change(tx, PROVISIONER, provisioner, left)
        await tell_in(engine, tx, actor, service.organization_id, (workspace,), "provisioner.deleted", provisioner)


async def serve(
    engine: Engine, actor: Actor, workspace: WorkspaceId, provisioner: ProvisionerId, wanted: Serves
) -> Served:
    """Say in which workspaces steps may be placed on it. Raises ProvisionerInUse, …NameTaken, ServesOthers."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, provisioner, for_update=True)
        before = await held(tx, scope, PROVISIONER, provisioner)
        require_everywhere(actor, before)
        after = await written(tx, PROVISIONER, provisioner, wished(actor, wanted))
        await _check_unused(tx, provisioner, [each for each in before.workspaces if each not in after.workspaces])
        await _check_name(tx, provisioner, found.name, after)
        await tell_service(engine, tx, actor, "provisioner", provisioner, before, after)
        return await serving.named(tx, after)


async def reveal(engine: Engine, actor: Actor, workspace: WorkspaceId, provisioner: ProvisionerId) -> str:
    """A provisioner's secret once more, for those who may reveal and could give it another one. Audited."""
    scope = scope_of(actor, Permission.REVEAL, workspace)
    actor.require(Permission.WRITE_WORKERS, workspace)  # what it gives
    async with scoped(engine.database, scope) as tx:
        service = await held(tx, scope, PROVISIONER, provisioner)
        require_everywhere(actor, service)
        found = await store.get(tx, scope, provisioner)
        await tell(engine, tx, actor, service, "provisioner.revealed", provisioner)
    return engine.keys.unseal(found.sealed, place=store.place_of(provisioner)).decode()


async def _check_name(tx: ScopedTx, provisioner: ProvisionerId, name: str, service: Service) -> None:
    await serving.hold_names(tx, PROVISIONER, service.organization_id)
    if await serving.is_taken(tx, PROVISIONER, name, service, besides=provisioner):
        raise ProvisionerNameTaken(name)


async def _check_unused(tx: ScopedTx, provisioner: ProvisionerId, workspaces: Sequence[WorkspaceId]) -> None:
    if workspaces and (processes := await store.processes_placed_on(tx, provisioner, workspaces)):
        raise ProvisionerInUse(provisioner, processes)


def _checked_secret(secret: str) -> str:
    if not secret or len(secret) > _LONGEST_SECRET:
        raise ProvisionerInvalid(f"a secret has 1 to {_LONGEST_SECRET:,} characters")
    return secret


def _checked_lifetime(lifetime: timedelta | None) -> timedelta | None:
    if lifetime is not None and not timedelta(minutes=1) <= lifetime <= MOST_LIFETIME:
        raise ProvisionerInvalid(f"a worker lives a minute to {MOST_LIFETIME.days} days")
    return lifetime
