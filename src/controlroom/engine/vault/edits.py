"""Changing a secret key by key, for who may write secrets and does not see them."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_text
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.vault import store
from controlroom.engine.vault.actions import missing, opened, place_of
from controlroom.engine.vault.errors import SecretTooLarge
from controlroom.engine.vault.model import Secret
from controlroom.engine.vault.rules import LONGEST_DESCRIPTION, checked_secret_name
from controlroom.errors import Conflict
from controlroom.ids import SecretId, WorkspaceId, uuid7


class SecretNameTaken(Conflict):
    """The workspace has a secret of this name."""

    code = "SECRET_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a secret called {name} already", name=name)


async def create(
    engine: Engine, actor: Actor, workspace: WorkspaceId, name: str, *, values: Mapping[str, Any], description: str
) -> Secret:
    """A new secret. Raises SecretNameTaken for a name that is there, SecretNameInvalid, SecretTooLarge."""
    return await _write(engine, actor, workspace, name, values=values, gone=(), description=description, is_new=True)


async def edit(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    name: str,
    *,
    values: Mapping[str, Any],
    gone: Collection[str] = (),
    description: str | None = None,
) -> Secret:
    """Write some values of a secret, and take keys away; the others stay as they are. Raises SecretNotFound.

    Of two who edit at once neither loses what the other has written, unless it is the same key.
    """
    return await _write(engine, actor, workspace, name, values=values, gone=gone, description=description, is_new=False)


async def _write(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    name: str,
    *,
    values: Mapping[str, Any],
    gone: Collection[str],
    description: str | None,
    is_new: bool,
) -> Secret:
    scope = scope_of(actor, Permission.WRITE_SECRETS, workspace)
    checked_secret_name(name)
    checked_text(description or "", what="description", longest=LONGEST_DESCRIPTION)
    async with scoped(engine.database, scope) as tx:
        found = await store.hold(tx, scope, name)
        if is_new and found is not None:
            raise SecretNameTaken(name)
        if not is_new and found is None:
            raise await missing(tx, scope, name)
        before = {} if found is None else opened(engine, scope, found)
        after = {key: value for key, value in before.items() if key not in gone} | dict(values)
        plain = msgspec.json.encode(after)
        if len(plain) > engine.limits.secret_bytes:
            raise SecretTooLarge(engine.limits.secret_bytes)
        sealed = engine.keys.seal(plain, place=place_of(scope, name))
        written = await store.put(
            tx, scope, secret=SecretId(uuid7()), name=name, description=description, values=sealed
        )
        if written is None:
            raise await missing(tx, scope, name)
        if is_new and not written.is_new:  # somebody else was quicker; nothing of theirs is touched
            raise SecretNameTaken(name)
        kind = "secret.created" if written.is_new else "secret.updated"
        await record(engine, tx, actor, scope, kind, written.id, name=name)
    return written.secret
