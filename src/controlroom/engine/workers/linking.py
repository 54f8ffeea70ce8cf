"""How workers come: link tokens, and what becomes of them."""

import secrets
from datetime import datetime

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.scope import Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.access.uses import Use, Used, uses_of
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.engine.workers import defaults, link_tokens, serving, store
from controlroom.engine.workers.errors import (
    LinkTokenForAnother,
    LinkTokenInvalid,
    LinkTokenNotFound,
    WorkerGroupNotFound,
)
from controlroom.engine.workers.link_tokens import LINK_TOKEN
from controlroom.engine.workers.model import (
    LINK_TOKEN_PREFIX,
    WORKER_TOKEN_PREFIX,
    LinkToken,
    NewLinkToken,
    Serves,
    TheseWorkspaces,
    UsableLinkToken,
)
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
from controlroom.errors import Invalid
from controlroom.ids import LinkTokenId, WorkerGroupId, WorkerId, WorkspaceId, uuid7
from controlroom.keys import is_well_formed, mint
from controlroom.protocol import Link, Linked

MOST_SLOTS = 1000


_TO_LINK = "worker.link"
"""For what a link token is used."""


async def create_link_token(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    *,
    expires_at: datetime | None = None,
    name: str = "",
    worker: WorkerId | None = None,
    serves: Serves | None = None,
) -> NewLinkToken:
    """A token for one new worker, of the workspace unless others are named; with `worker`, for one with that id."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    wanted = wished(actor, serves or TheseWorkspaces((workspace,)))
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        return await _create(
            engine,
            tx,
            actor,
            scope,
            wanted,
            group=None,
            worker=worker,
            name=name,
            is_reusable=False,
            expires_at=expires_at,
        )


async def create_group_link_token(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    group: WorkerGroupId,
    *,
    name: str,
    expires_at: datetime | None = None,
    serves: Serves | None = None,
) -> NewLinkToken:
    """A token for any number of new workers, of the workspace unless others are named, which come into the group."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    wanted = wished(actor, serves or TheseWorkspaces((workspace,)))
    async with scoped(engine.database, scope) as tx:
        if not await store.lock_group(tx, scope, group):
            await ensure_seen(tx, scope)
            raise WorkerGroupNotFound(group)
        return await _create(
            engine,
            tx,
            actor,
            scope,
            wanted,
            group=group,
            worker=None,
            name=name,
            is_reusable=True,
            expires_at=expires_at,
        )


async def update_link_token(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    token: LinkTokenId,
    *,
    group: WorkerGroupId | None = None,
    name: str,
    expires_at: datetime | None,
) -> LinkToken:
    """Change what a token (of a group, if one is named) is called and how long it works. Raises ServesOthers."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        service = await _held(tx, scope, token, group)
        require_everywhere(actor, service)
        updated = await link_tokens.update(tx, token, name=_checked_token_name(name), expires_at=expires_at)
        await tell(engine, tx, actor, service, "link_token.updated", token)
        return updated


async def delete_link_token(
    engine: Engine, actor: Actor, workspace: WorkspaceId, token: LinkTokenId, *, group: WorkerGroupId | None = None
) -> None:
    """Let a token (of a group, if one is named) link nobody for the workspace; for the last one: delete it.

    Workers that it has linked stay as they are.
    """
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        left = without(service := await _held(tx, scope, token, group), workspace)
        if left is None:
            await link_tokens.delete(tx, token)
        else:
            await serving.change(tx, LINK_TOKEN, token, left)
        await tell_in(engine, tx, actor, service.organization_id, (workspace,), "link_token.deleted", token)


async def serve_with_link_token(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    token: LinkTokenId,
    wanted: Serves,
    *,
    group: WorkerGroupId | None = None,
) -> Served:
    """Say which workspaces the workers will serve that come with a token from now on. Raises ServesOthers."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await _held(tx, scope, token, group)
        require_everywhere(actor, before)
        after = await written(tx, LINK_TOKEN, token, wished(actor, wanted))
        await tell_service(engine, tx, actor, "link_token", token, before, after)
        return await serving.named(tx, after)


async def reveal_link_token(
    engine: Engine, actor: Actor, workspace: WorkspaceId, token: LinkTokenId, *, group: WorkerGroupId | None = None
) -> str:
    """The value of a token, once more; the event log tells who asked. Needs also the permissions that it gives."""
    scope = scope_of(actor, Permission.REVEAL, workspace)
    actor.require(Permission.WRITE_WORKERS, workspace)  # what it gives
    async with scoped(engine.database, scope) as tx:
        service = await _held(tx, scope, token, group)
        require_everywhere(actor, service)
        found = await link_tokens.sealed(tx, scope, token, group=group)
        if found is None:
            raise LinkTokenNotFound(token)
        await tell(engine, tx, actor, service, "link_token.revealed", token)
    return engine.keys.unseal(found.sealed, place=link_tokens.place_of(token)).decode()


async def _held(tx: ScopedTx, scope: Scope, token: LinkTokenId, group: WorkerGroupId | None) -> Service:
    service = await held(tx, scope, LINK_TOKEN, token)
    if group is not None and not await link_tokens.is_of_group(tx, token, group):
        raise LinkTokenNotFound(token)
    return service


async def link(engine: Engine, request: Link) -> Linked:
    """A new worker comes with a link token and gets its lasting one, which is shown only here.

    Of any number of workers that come with the same one-time token, one is linked. Raises LinkTokenInvalid,
    LinkTokenForAnother, Invalid for a name or a number of slots that cannot be.
    """
    name = checked_name(request.name, what="worker's name")
    if not 1 <= request.slots <= MOST_SLOTS:
        raise Invalid(f"a worker has 1 to {MOST_SLOTS:,} slots", code="SLOTS_INVALID")
    if engine.own_worker_token is not None and secrets.compare_digest(
        request.link_token.encode(), engine.own_worker_token.encode()
    ):
        return await _admit_own(engine, name, request.slots)
    if not (request.link_token.startswith(LINK_TOKEN_PREFIX) and is_well_formed(request.link_token)):
        raise LinkTokenInvalid
    async with engine.database.transaction() as tx:
        token = await link_tokens.use(tx, engine.keys.lookup(request.link_token))
        if token is None:
            raise LinkTokenInvalid
        if request.worker_id is not None and request.worker_id != token.worker_id:
            raise LinkTokenForAnother
        linked = await _admit(engine, ScopedTx(tx), token, name, request.slots)
    if token.id is not None:
        uses_of(engine).count(Use(token.organization_id, None, Used.CREDENTIAL, token.id, _TO_LINK))
    return linked


async def _admit_own(engine: Engine, name: str, slots: int) -> Linked:
    """The worker of this machine: it serves all workspaces of the organization whose room this is.

    It is the default worker of the room's first user, who needs to set up nothing before something is run as they.
    """
    async with engine.database.transaction() as tx:
        ours = ScopedTx(tx)
        founders = await link_tokens.of_founders(ours)
        linked = await _admit(engine, ours, founders, name, slots)
        await defaults.give_to_first_user(ours, founders.organization_id, WorkerId(linked.worker_id))
        return linked


async def _admit(engine: Engine, tx: ScopedTx, token: UsableLinkToken, name: str, slots: int) -> Linked:
    worker, value = token.worker_id or WorkerId(uuid7()), mint(WORKER_TOKEN_PREFIX)
    lookup, of = engine.keys.lookup(value), token.organization_id
    await store.insert(tx, of, worker=worker, name=name, slots=slots, lookup=lookup, serves=token.serves)
    if token.worker_group_id is not None:
        await store.add_member(tx, token.worker_group_id, worker)
    himself, by_token = By("worker", worker), None if token.id is None else str(token.id)
    await tell_in(engine, tx, himself, of, token.workspaces, "worker.linked", worker, link_token_id=by_token)
    return Linked(worker_id=worker, workspace_id=token.workspaces[0], name=name, token=value)


async def _create(
    engine: Engine,
    tx: ScopedTx,
    actor: Actor,
    scope: Scope,
    serves: Serves,
    *,
    group: WorkerGroupId | None,
    worker: WorkerId | None,
    name: str,
    is_reusable: bool,
    expires_at: datetime | None,
) -> NewLinkToken:
    token, value = LinkTokenId(uuid7()), mint(LINK_TOKEN_PREFIX)
    made = await link_tokens.insert(
        tx,
        scope.organization,
        token=token,
        group=group,
        worker=worker,
        name=_checked_token_name(name),
        is_reusable=is_reusable,
        expires_at=expires_at,
        lookup=engine.keys.lookup(value),
        sealed=engine.keys.seal(value.encode(), place=link_tokens.place_of(token)),
        serves=serves,
    )
    service = await serving.now(tx, LINK_TOKEN, token)
    await tell(engine, tx, actor, service, "link_token.created", token)
    return NewLinkToken(made, value)


def _checked_token_name(name: str) -> str:
    return checked_name(name, what="link token's name") if name else ""
