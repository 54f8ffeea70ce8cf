"""Callers that prove themselves: they bring a secret once, and sign with it afterwards."""

import hashlib
import hmac

import msgspec

from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.triggers import store
from controlroom.engine.triggers.errors import HandshakeMissing, SignatureWrong
from controlroom.errors import Forbidden, Invalid
from controlroom.ids import ApiKeyId, ProcessId, WorkspaceId

_LONGEST_SECRET = 512


class _Events(msgspec.Struct, frozen=True):
    events: list[msgspec.Raw]


async def shake(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, secret: str) -> None:
    """Keep the secret that the caller brought, for this process and API key, in place of the one before."""
    scope, key = _scope_and_key(actor, workspace)
    if not secret.isascii() or not secret.isprintable() or not 0 < len(secret) <= _LONGEST_SECRET:
        raise Invalid(f"a secret has 1 to {_LONGEST_SECRET} printable characters", code="SECRET_UNFIT")
    sealed = engine.keys.seal(secret.encode(), place=store.place_of_handshake(process, key))
    async with scoped(engine.database, scope) as tx:
        if not await store.put_handshake(tx, scope, process, key, sealed=sealed):
            await ensure_seen(tx, scope)
            raise ProcessNotFound(process)
        await record(engine, tx, actor, scope, "handshake.made", key, process_id=process)


async def verify(
    engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, *, body: bytes, signature: str
) -> None:
    """Check that the raw body was signed (lower-case hex HMAC-SHA-256) by the secret of the handshake.

    Raises HandshakeMissing, SignatureWrong.
    """
    scope, key = _scope_and_key(actor, workspace)
    sealed = await store.handshake(engine.database, scope, process, key)
    if sealed is None:
        raise HandshakeMissing
    secret = engine.keys.unseal(sealed, place=store.place_of_handshake(process, key))
    wanted = hmac.new(secret, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), signature.strip().lower().encode("utf-8", "replace")):
        raise SignatureWrong


def is_heartbeat(body: bytes) -> bool:
    """Whether a body says only that the caller is alive: it has a list of events, and the list is empty."""
    try:
        return not msgspec.json.decode(body, type=_Events).events
    except msgspec.MsgspecError:
        return False


def _scope_and_key(actor: Actor, workspace: WorkspaceId) -> tuple[Scope, ApiKeyId]:
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    if actor.kind is not ActorKind.API_KEY or actor.id is None:
        raise Forbidden("handshakes are made with an API key", code="API_KEY_NEEDED")
    return scope, ApiKeyId(actor.id)
