"""The verbs of process secrets: credentials that open one process."""

import hmac
import re
import secrets

from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.rules import ensure_may_give
from controlroom.engine.access.scope import Scope, ensure_seen, scope_of, scoped
from controlroom.engine.access.uses import Used, noted
from controlroom.engine.engine import Engine
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.triggers import store
from controlroom.engine.triggers.errors import ProcessSecretOff
from controlroom.engine.triggers.model import ProcessSecret
from controlroom.ids import ProcessId, WorkspaceId
from controlroom.postgres.database import Statements

_SECRET_BYTES = 16  # 32 hex digits, as the one public example has
_FORM = re.compile(r"[0-9a-f]{32}")

MAY = frozenset({Permission.START_RUNS, Permission.READ_RUNS, Permission.READ_PROCESSES, Permission.READ_RUN_OUTPUTS})
"""What the secret opens, of its own process."""


async def switch_on(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId) -> str:
    """Give the process a new secret; the one before, if any, is refused from now on.

    It takes what the secret gives, too. Raises ProcessNotFound, BeyondOwnRights.
    """
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    ensure_may_give(actor, MAY, workspace)
    secret = secrets.token_hex(_SECRET_BYTES)
    async with scoped(engine.database, scope) as tx:
        written = await store.put_process_secret(
            tx,
            scope,
            process,
            lookup=engine.keys.lookup(secret),
            sealed=engine.keys.seal(secret.encode(), place=store.place_of_process_secret(process)),
        )
        if written is None:
            raise await _missing(tx, scope, process)
        await record(engine, tx, actor, scope, "process_secret.created", process_id=process)
    return secret


async def get(db: Statements, scope: Scope, process: ProcessId) -> ProcessSecret:
    """That the process has a secret, and since when. Raises ProcessSecretOff."""
    found = await store.process_secret(db, scope, process)
    if found is None:
        raise ProcessSecretOff(process)
    return found


async def reveal(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId) -> str:
    """The secret once more, for who could do all that it can. Audited. Raises ProcessSecretOff, BeyondOwnRights."""
    scope = scope_of(actor, Permission.REVEAL, workspace)
    ensure_may_give(actor, MAY, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.sealed_process_secret(tx, scope, process)
        if found is None:
            raise ProcessSecretOff(process)
        await record(engine, tx, actor, scope, "process_secret.revealed", process_id=process)
    return engine.keys.unseal(found.sealed, place=store.place_of_process_secret(process)).decode()


async def switch_off(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId) -> None:
    """Refuse the secret from now on. Raises ProcessSecretOff if there is none."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, scope) as tx:
        if not await store.delete_process_secret(tx, scope, process):
            raise ProcessSecretOff(process)
        await record(engine, tx, actor, scope, "process_secret.deleted", process_id=process)


def is_one(token: str) -> bool:
    """Whether a text is written like such a secret."""
    return _FORM.fullmatch(token) is not None


async def authenticate(engine: Engine, secret: str) -> Actor:
    """The actor of a process's secret: it has the process's id, and is `ensure_of` that one alone.

    Raises Unauthenticated.
    """
    if is_one(secret):
        lookup = engine.keys.lookup(secret)
        found = await store.process_secret_by_lookup(engine.database, lookup)
        if found and hmac.compare_digest(found.lookup, lookup):
            caller = Actor(
                kind=ActorKind.TRIGGER,
                id=found.process_id,
                name="process secret",
                organization_id=found.organization_id,
                grants={found.workspace_id: MAY},
            )
            return noted(engine, caller, found.process_id, Used.PROCESS_SECRET)
    raise WrongCredential("secret")


def ensure_of(actor: Actor, workspace: WorkspaceId, process: ProcessId) -> None:
    """Raise Unauthenticated for the secret of another process: it is as good as none."""
    if actor.id != process or not actor.is_inside(workspace):
        raise WrongCredential("secret")


async def _missing(tx: Statements, scope: Scope, process: ProcessId) -> ProcessNotFound:
    await ensure_seen(tx, scope)
    return ProcessNotFound(process)
