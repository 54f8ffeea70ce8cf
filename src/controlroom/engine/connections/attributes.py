"""Extended attributes: what a workspace puts over a connection's settings. With a secret in them they are sealed."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.connections.errors import ExtendedAttributesNotFound, LoginUsed
from controlroom.engine.connections.model import ExtendedAttributes
from controlroom.engine.connections.rules import checked_attributes, has_secrets, hidden, kept
from controlroom.engine.engine import Engine
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.ids import ExtendedAttributesId, WorkspaceId, uuid7
from controlroom.keys import Keys
from controlroom.postgres.database import Statements

ATTRIBUTES: Final = Noun[ExtendedAttributesId](
    "extended attributes",
    lambda _: ExtendedAttributesNotFound(),
    "extended_attributes",
    InWorkspace("extended_attributes.workspace_id"),
    there="extended_attributes.deleted_at is null",
)

COLUMNS: Final = """extended_attributes.id, extended_attributes.number, extended_attributes.workspace_id,
    attributes_workspace.number as workspace_number, extended_attributes.attributes, extended_attributes.created_at,
    extended_attributes.updated_at, extended_attributes.deleted_at"""
JOINS: Final = "join workspace as attributes_workspace on attributes_workspace.id = extended_attributes.workspace_id"

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class SealedAttributes(ExtendedAttributes, frozen=True, kw_only=True):
    """Extended attributes with all of them encrypted, where there is a secret in them."""

    sealed: bytes | None


async def create(
    engine: Engine, actor: Actor, workspace: WorkspaceId, attributes: Mapping[str, Any]
) -> ExtendedAttributes:
    """New extended attributes. Raises AttributesInvalid."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    checked = checked_attributes(attributes)
    made = ExtendedAttributesId(uuid7())
    async with scoped(engine.database, scope) as tx:
        await _add(tx, scope, made, hidden(checked), _sealed(engine.keys, made, checked))
        await record(engine, tx, actor, scope, "extended_attributes.created", made)
        return await get(tx, scope, made)


async def get(
    db: Statements, scope: Scope, attributes: ExtendedAttributesId, *, deleted: bool = False
) -> ExtendedAttributes:
    """Extended attributes, each secret masked. Raises ExtendedAttributesNotFound."""
    return await _found(db, scope, attributes, deleted=deleted)


async def replace(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    attributes: ExtendedAttributesId,
    wanted: Mapping[str, Any],
) -> ExtendedAttributes:
    """Let extended attributes be others; a mask stands for the secret that is there.

    Raises ExtendedAttributesNotFound, AttributesInvalid.
    """
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await _found(tx, scope, attributes, is_held=True)
        checked = checked_attributes(kept(wanted, _clear(engine.keys, before)))
        await _change(tx, attributes, hidden(checked), _sealed(engine.keys, attributes, checked))
        await record(engine, tx, actor, scope, "extended_attributes.updated", attributes)
        return await get(tx, scope, attributes)


async def delete(
    engine: Engine, actor: Actor, workspace: WorkspaceId, attributes: ExtendedAttributesId
) -> ExtendedAttributes:
    """Delete extended attributes that no target names. Raises ExtendedAttributesNotFound, LoginUsed."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        await _found(tx, scope, attributes, is_held=True)
        await _ensure_unused(tx, attributes)
        await _remove(tx, attributes)
        await record(engine, tx, actor, scope, "extended_attributes.deleted", attributes)
        return await get(tx, scope, attributes, deleted=True)


async def opened(db: Statements, keys: Keys, scope: Scope, attributes: ExtendedAttributesId) -> dict[str, Any]:
    """Extended attributes with their secrets, for the plan of a run. Raises ExtendedAttributesNotFound."""
    return _clear(keys, await _found(db, scope, attributes))


async def _add(
    tx: ScopedTx, scope: Scope, made: ExtendedAttributesId, shown: dict[str, Any], sealed: bytes | None
) -> None:
    await tx.execute(
        f"""
        insert into extended_attributes (id, workspace_id, attributes, sealed)
        select %(id)s, seen.id, %(attributes)s, %(sealed)s from {SEEN} as seen
        """,
        id=made,
        attributes=shown,
        sealed=sealed,
        **scope.params,
    )


async def _change(tx: ScopedTx, attributes: ExtendedAttributesId, shown: dict[str, Any], sealed: bytes | None) -> None:
    await tx.execute(
        """
        update extended_attributes
           set attributes = %(attributes)s, sealed = %(sealed)s, updated_at = clock_now()
         where id = %(id)s
        """,
        id=attributes,
        attributes=shown,
        sealed=sealed,
    )


async def _remove(tx: ScopedTx, attributes: ExtendedAttributesId) -> None:
    await tx.execute(
        """
        update extended_attributes set deleted_at = clock_now(), updated_at = clock_now(), sealed = null
         where id = %(id)s
        """,
        id=attributes,
    )


async def _ensure_unused(tx: ScopedTx, attributes: ExtendedAttributesId) -> None:
    user = await tx.value(
        """
        (select 'the target ' || target.name from target
          where target.extended_attributes_id = %(id)s and target.deleted_at is null limit 1)
        union all
        (select 'the profile ' || connection_profile.key from connection_profile
          where connection_profile.extended_attributes_id = %(id)s and connection_profile.deleted_at is null limit 1)
        """,
        id=attributes,
    )
    if user is not None:
        raise LoginUsed("extended attributes", user)


async def _found(
    db: Statements, scope: Scope, attributes: ExtendedAttributesId, *, is_held: bool = False, deleted: bool = False
) -> SealedAttributes:
    found = await db.one_or_none(
        SealedAttributes,
        f"""
        select {COLUMNS}, extended_attributes.sealed from extended_attributes {JOINS}
         where extended_attributes.id = %(id)s and extended_attributes.workspace_id = {SEEN}
           and (%(deleted)s or extended_attributes.deleted_at is null)
         {"for update of extended_attributes" if is_held else ""}
        """,
        id=attributes,
        deleted=deleted,
        **scope.params,
    )
    if found is None:
        await ensure_seen(db, scope)
        raise ExtendedAttributesNotFound
    return found


def _clear(keys: Keys, found: SealedAttributes) -> dict[str, Any]:
    if found.sealed is None:
        return found.attributes
    return _decode(keys.unseal(found.sealed, place=_place(found.id)))


def _sealed(keys: Keys, attributes: ExtendedAttributesId, checked: Mapping[str, Any]) -> bytes | None:
    return keys.seal(msgspec.json.encode(checked), place=_place(attributes)) if has_secrets(checked) else None


def _place(attributes: ExtendedAttributesId) -> str:
    return f"extended_attributes/{attributes}"
