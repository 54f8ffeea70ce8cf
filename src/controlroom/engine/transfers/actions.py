"""Exports and imports are asked for, and done later by a loop: each is a row before it is answered, none is lost."""

from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

import msgspec

from controlroom.engine.access.model import Actor, ActorKind
from controlroom.engine.access.names import checked_text
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.repository import nodes
from controlroom.engine.repository.model import Right
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.transfers import store
from controlroom.engine.transfers.errors import TransferInProgress
from controlroom.engine.transfers.model import (
    ExportWish,
    ImportWish,
    Sealed,
    Target,
    Transfer,
    TransferKind,
    Wanted,
)
from controlroom.engine.wakes import Topic
from controlroom.errors import Forbidden, Invalid
from controlroom.ids import UserId, uuid7
from controlroom.objects.store import Blob

_LONGEST_PASSWORD = 256


async def export(
    engine: Engine,
    actor: Actor,
    name: str,
    files: Sequence[tuple[UUID | int, int | None]],
    *,
    label: str | None = None,
    with_values: bool = False,
    password: str | None = None,
) -> Transfer:
    """Ask for an archive of bots, files and folders. What they need comes along, if the asker may download it.

    Raises NodeNotFound, RightMissing.
    """
    return await _export(
        engine, actor, name, files, label, Sealed(password=_checked(password)), with_values=with_values
    )


async def promote(
    engine: Engine,
    actor: Actor,
    name: str,
    files: Sequence[tuple[UUID | int, int | None]],
    *,
    target: Target,
    key: str,
    label: str | None = None,
) -> Transfer:
    """Likewise, and another room imports it. Whether that may be spoken to is the operator's to say: else it fails."""
    return await _export(engine, actor, name, files, label, Sealed(key=key), target=target)


async def _export(
    engine: Engine,
    actor: Actor,
    name: str,
    files: Sequence[tuple[UUID | int, int | None]],
    label: str | None,
    sealed: Sealed,
    *,
    with_values: bool = False,
    target: Target | None = None,
) -> Transfer:
    if not files:
        raise Invalid("nothing is named that is to be exported", code="NOTHING_TO_EXPORT")
    user = _user(actor)
    async with scoped(engine.database, actor.organization_id) as tx:
        rights = await rights_of(tx, actor)
        found = await nodes.get_all(tx, rights, [named for named, _ in files], Right.DOWNLOAD)
        wanted = [Wanted(node.id, version) for node, (_, version) in zip(found, files, strict=True)]
        wish = ExportWish(files=wanted, label=label or None, with_values=with_values)
        kind = TransferKind.EXPORT if target is None else TransferKind.PROMOTION
        whole = msgspec.to_builtins(wish) | ({} if target is None else {"target": msgspec.to_builtins(target)})
        return await _ask(engine, tx, actor, user, kind, name, msgspec.json.encode(whole), sealed)


async def import_(
    engine: Engine,
    actor: Actor,
    name: str,
    archive: Blob,
    *,
    overwrites: bool,
    is_public: bool,
    with_values: bool = False,
    password: str | None = None,
) -> Transfer:
    """Ask for a stored archive to be imported, by the rights that the asker has when it is done."""
    user = _user(actor)
    wish = msgspec.json.encode(ImportWish(overwrites=overwrites, is_public=is_public, with_values=with_values))
    async with scoped(engine.database, actor.organization_id) as tx:
        rights = await rights_of(tx, actor)
        if is_public and not (rights.workspaces(Right.UPDATE) or rights.folders(Right.UPDATE) or actor.is_admin):
            raise Forbidden("you may put nothing into any workspace", code="PERMISSION_MISSING")
        sealed = Sealed(password=_checked(password))
        return await _ask(engine, tx, actor, user, TransferKind.IMPORT, name, wish, sealed, archive)


async def _ask(
    engine: Engine,
    tx: ScopedTx,
    actor: Actor,
    user: UserId,
    kind: TransferKind,
    name: str,
    wish: bytes,
    sealed: Sealed,
    archive: Blob | None = None,
) -> Transfer:
    transfer = uuid7()
    await store.insert(
        tx,
        transfer=transfer,
        organization=actor.organization_id,
        user=user,
        kind=kind,
        name=checked_text(name, what="name"),
        wish=wish,
        sealed=None if sealed == Sealed() else engine.keys.seal(msgspec.json.encode(sealed), place=place_of(transfer)),
        digest=None if archive is None else archive.hash,
        size=None if archive is None else archive.size,
    )
    await record(engine, tx, actor, actor.organization_id, f"transfer.{kind.value}_requested", transfer, name=name)
    tx.after_commit(lambda: engine.wakes.wake(Topic.TRANSFERS))
    return await store.get(tx, actor, transfer)


async def forget(engine: Engine, actor: Actor, transfer: UUID) -> Transfer:
    """Forget one that has ended, as it was: one's own, or anybody's for who governs. Its archive is swept.

    Raises TransferNotFound, TransferInProgress.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        found = await store.get(tx, actor, transfer)
        if not await store.delete_ended(tx, found):
            raise TransferInProgress(found.name)
        await record(engine, tx, actor, actor.organization_id, "transfer.deleted", found.id, name=found.name)
    return found


def place_of(transfer: UUID) -> str:
    """To what the sealed part of a transfer is bound."""
    return f"transfer/{transfer}/sealed"


def file_name(transfer: Transfer, username: str) -> str:
    """What the archive of an export is called when it is saved."""
    at = transfer.created_at.astimezone(UTC)
    name = transfer.name.strip() or f"Export.{at:%Y%m%d_%H%M%S}.{username}"
    return name if name.lower().endswith(".zip") else f"{name}.zip"


def _user(actor: Actor) -> UserId:
    if actor.kind is not ActorKind.USER or actor.id is None:
        raise Forbidden("only a user exports and imports", code="USERS_ONLY")
    return UserId(actor.id)


def _checked(password: str | None) -> str | None:
    if password is not None and len(password) > _LONGEST_PASSWORD:
        raise Invalid(f"a password has at most {_LONGEST_PASSWORD} characters", code="PASSWORD_UNFIT")
    return password or None
