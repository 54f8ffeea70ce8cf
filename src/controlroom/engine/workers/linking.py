"""How workers come: link tokens, and what becomes of them."""

from datetime import datetime

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Of, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.engine.workers import link_tokens, store
from controlroom.engine.workers.errors import (
    LinkTokenForAnother,
    LinkTokenInvalid,
    LinkTokenNotFound,
    WorkerGroupNotFound,
)
from controlroom.engine.workers.model import (
    LINK_TOKEN_PREFIX,
    WORKER_TOKEN_PREFIX,
    LinkToken,
    NewLinkToken,
    UsableLinkToken,
)
from controlroom.errors import Invalid
from controlroom.ids import LinkTokenId, WorkerGroupId, WorkerId, WorkspaceId, uuid7
from controlroom.keys import is_well_formed, mint
from controlroom.protocol import Link, Linked

MOST_SLOTS = 1000


async def create_link_token(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    *,
    expires_at: datetime | None = None,
    name: str = "",
    worker: WorkerId | None = None,
) -> NewLinkToken:
    """A token for one new worker; with `worker`, for one with that id."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        return await _create(
            engine, tx, actor, scope, group=None, worker=worker, name=name, is_reusable=False, expires_at=expires_at
        )


async def create_group_link_token(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    group: WorkerGroupId,
    *,
    name: str,
    expires_at: datetime | None = None,
) -> NewLinkToken:
    """A token for any number of new workers, which come into the group."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        if not await store.lock_group(tx, scope, group):
            await ensure_seen(tx, scope)
            raise WorkerGroupNotFound(group)
        return await _create(
            engine, tx, actor, scope, group=group, worker=None, name=name, is_reusable=True, expires_at=expires_at
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
    """Change what a token (of a group, if one is named) is called and how long it works."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        updated = await link_tokens.update(
            tx, scope, token, group=group, name=_checked_token_name(name), expires_at=expires_at
        )
        if updated is None:
            await ensure_seen(tx, scope)
            raise LinkTokenNotFound(token)
        await record(engine, tx, actor, scope, "link_token.updated", token)
        return updated


async def delete_link_token(
    engine: Engine, actor: Actor, workspace: WorkspaceId, token: LinkTokenId, *, group: WorkerGroupId | None = None
) -> None:
    """Delete a token (of a group, if one is named); workers that it has linked stay."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        if not await link_tokens.delete(tx, scope, token, group=group):
            await ensure_seen(tx, scope)
            raise LinkTokenNotFound(token)
        await record(engine, tx, actor, scope, "link_token.deleted", token)


async def reveal_link_token(
    engine: Engine, actor: Actor, workspace: WorkspaceId, token: LinkTokenId, *, group: WorkerGroupId | None = None
) -> str:
    """The value of a token, once more; the event log tells who asked. Needs also the permission that it gives."""
    scope = scope_of(actor, Permission.REVEAL, workspace)
    actor.require(Permission.WRITE_WORKERS, workspace)  # what it gives
    async with scoped(engine.database, scope) as tx:
        found = await link_tokens.sealed(tx, scope, token, group=group)
        if found is None:
            await ensure_seen(tx, scope)
            raise LinkTokenNotFound(token)
        await record(engine, tx, actor, scope, "link_token.revealed", token)
    return engine.keys.unseal(found.sealed, place=link_tokens.place_of(token)).decode()


async def link(engine: Engine, request: Link) -> Linked:
    """A new worker comes with a link token and gets its lasting one, which is shown only here.

    Of any number of workers that come with the same one-time token, one is linked. Raises LinkTokenInvalid,
    LinkTokenForAnother, Invalid for a name or a number of slots that cannot be.
    """
    name = checked_name(request.name, what="worker's name")
    if not 1 <= request.slots <= MOST_SLOTS:
        raise Invalid(f"a worker has 1 to {MOST_SLOTS:,} slots", code="SLOTS_INVALID")
    if not (request.link_token.startswith(LINK_TOKEN_PREFIX) and is_well_formed(request.link_token)):
        raise LinkTokenInvalid
    async with engine.database.transaction() as tx:
        token = await link_tokens.use(tx, engine.keys.lookup(request.link_token))
        if token is None:
            raise LinkTokenInvalid
        if request.worker_id is not None and request.worker_id != token.worker_id:
            raise LinkTokenForAnother
        return await _admit(engine, ScopedTx(tx), token, name, request.slots)


async def _admit(engine: Engine, tx: ScopedTx, token: UsableLinkToken, name: str, slots: int) -> Linked:
    worker, value = token.worker_id or WorkerId(uuid7()), mint(WORKER_TOKEN_PREFIX)
    scope = Of(token.organization_id, (token.workspace_id,))
    await store.insert(tx, scope, worker=worker, name=name, slots=slots, lookup=engine.keys.lookup(value))
    if token.worker_group_id is not None:
        await store.add_member(tx, token.worker_group_id, worker)
    await record(engine, tx, By("worker", worker), scope, "worker.linked", worker, link_token_id=str(token.id))
    return Linked(worker_id=worker, workspace_id=token.workspace_id, name=name, token=value)


async def _create(
    engine: Engine,
    tx: ScopedTx,
    actor: Actor,
    scope: Scope,
    *,
    group: WorkerGroupId | None,
    worker: WorkerId | None,
    name: str,
    is_reusable: bool,
    expires_at: datetime | None,
) -> NewLinkToken:
    token, value = LinkTokenId(uuid7()), mint(LINK_TOKEN_PREFIX)
    written = await link_tokens.insert(
        tx,
        scope,
        token=token,
        group=group,
        worker=worker,
        name=_checked_token_name(name),
        is_reusable=is_reusable,
        expires_at=expires_at,
        lookup=engine.keys.lookup(value),
        sealed=engine.keys.seal(value.encode(), place=link_tokens.place_of(token)),
    )
    if written is None:
        await ensure_seen(tx, scope)
        raise LinkTokenNotFound(token)
    await record(engine, tx, actor, scope, "link_token.created", token)
    return NewLinkToken(written, value)


def _checked_token_name(name: str) -> str:
    return checked_name(name, what="link token's name") if name else ""
