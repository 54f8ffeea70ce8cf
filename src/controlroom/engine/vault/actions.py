"""The verbs of secrets."""

from collections.abc import Mapping
from typing import Any

import msgspec

from controlroom.engine.access.model import Actor, Permission, StepRunActor
from controlroom.engine.access.names import checked_text
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Robot, Scope, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.vault import masks, store
from controlroom.engine.vault.errors import SecretNotFound, SecretTooLarge
from controlroom.engine.vault.model import Secret, SecretKeys, SecretValues
from controlroom.engine.vault.rules import LONGEST_DESCRIPTION, checked_secret_name
from controlroom.engine.vault.shared import giving
from controlroom.ids import SecretId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements

_decode = msgspec.json.Decoder(dict[str, Any]).decode


async def read(engine: Engine, actor: Actor | StepRunActor, workspace: WorkspaceId, name: str) -> SecretValues:
    """A secret's values, for a living step run of the workspace or for who may use secrets. Audited.

    Where the workspace has none of this name, a step run gets the organization's, if it runs as a user who owns or
    consumes that. What a step run reads is masked in the lines that it prints from then on. Raises SecretNotFound;
    Unauthenticated when the step run has ended.
    """
    scope = scope_of(actor, Permission.USE_SECRETS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.sealed(tx, scope, name)
        if found is None and isinstance(actor, StepRunActor) and isinstance(scope, Robot):
            shared = await giving.read(engine, tx, actor, scope, name)
            if shared is not None:
                return shared
        if found is None:
            raise await missing(tx, scope, name)
        values = opened(engine, scope, found)
        if isinstance(actor, StepRunActor):
            await masks.remember(tx, engine.keys, actor.step_run_id, found.id, values)
        await record(engine, tx, actor, scope, "secret.read", found.id, **_of(actor), name=name)
    return SecretValues(name=found.name, description=found.description, values=values)


async def put(
    engine: Engine,
    actor: Actor | StepRunActor,
    workspace: WorkspaceId,
    name: str,
    *,
    values: Mapping[str, Any],
    description: str | None = None,
) -> Secret:
    """Create a secret, or replace all its values; without a description, it keeps the one it has.

    Raises SecretNameInvalid, SecretTooLarge; Unauthenticated when the step run has ended.
    """
    scope = scope_of(actor, Permission.WRITE_SECRETS, workspace)
    checked_secret_name(name)
    checked_text(description or "", what="description", longest=LONGEST_DESCRIPTION)
    plain = msgspec.json.encode(values)
    if len(plain) > engine.limits.secret_bytes:
        raise SecretTooLarge(engine.limits.secret_bytes)
    sealed = engine.keys.seal(plain, place=place_of(scope, name))
    async with scoped(engine.database, scope) as tx:
        written = await store.put(
            tx, scope, secret=SecretId(uuid7()), name=name, description=description, values=sealed
        )
        if written is None:
            raise await missing(tx, scope, name)
        kind = "secret.created" if written.is_new else "secret.updated"
        await record(engine, tx, actor, scope, kind, written.id, **_of(actor), name=name)
    return written.secret


async def show(engine: Engine, scope: Scope, name: str) -> SecretKeys:
    """A secret with the names of its values, never the values. Raises SecretNotFound."""
    found = await store.sealed(engine.database, scope, name)
    if found is None:
        raise await missing(engine.database, scope, name)
    return SecretKeys(secret=found, keys=list(opened(engine, scope, found)))


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, name: str) -> SecretId:
    """Delete a secret and its values for good. Raises SecretNotFound."""
    scope = scope_of(actor, Permission.WRITE_SECRETS, workspace)
    async with scoped(engine.database, scope) as tx:
        removed = await store.delete(tx, scope, name)
        if removed is None:
            raise await missing(tx, scope, name)
        await record(engine, tx, actor, scope, "secret.deleted", removed, name=name)
    return removed


def opened(engine: Engine, scope: Scope, secret: store.SealedSecret) -> dict[str, Any]:
    """The values of a secret."""
    return _decode(engine.keys.unseal(secret.sealed, place=place_of(scope, secret.name)))


def place_of(scope: Scope, name: str) -> str:
    """What the sealed values of a secret are bound to."""
    # Why not the row's id: a name never changes, and one statement creates or replaces without knowing which.
    return f"secret/{scope.workspace}/{name}"


async def missing(tx: Statements, scope: Scope, name: str) -> SecretNotFound:
    """What to raise where a statement of this scope has found no secret."""
    await ensure_seen(tx, scope)
    return SecretNotFound(name)


def _of(actor: Actor | StepRunActor) -> dict[str, Any]:
    """What a robot that does it belongs to."""
    if not isinstance(actor, StepRunActor):
        return {}
    return {"process_id": actor.process_id, "run_id": actor.run_id, "step_run_id": actor.step_run_id}
