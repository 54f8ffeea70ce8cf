"""The verbs of assets. Open to people and keys with the permission, and to every living step run of the workspace."""

from collections.abc import AsyncGenerator

from controlroom.engine.access.model import Actor, ActorKind, Permission, StepRunActor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Robot, Scope, ScopedTx, by, ensure_seen, scope_of, scoped
from controlroom.engine.access.uses import Use, Used, uses_of
from controlroom.engine.assets import shared, store
from controlroom.engine.assets.errors import AssetNotFound, AssetTooLarge
from controlroom.engine.assets.model import Asset, AssetRef, Content
from controlroom.engine.assets.rules import checked_asset_name, checked_content_type
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.engine.uploads import actions as uploads
from controlroom.engine.uploads import store as upload_store
from controlroom.engine.uploads.errors import UploadNotFound
from controlroom.engine.uploads.model import Upload, UploadKind
from controlroom.ids import AssetId, UploadId, WorkspaceId, uuid7
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements

Caller = Actor | StepRunActor


async def create(engine: Engine, actor: Caller, workspace: WorkspaceId, name: str) -> Asset:
    """A new asset without content. Raises AssetNameTaken, AssetNameInvalid."""
    scope = scope_of(actor, Permission.WRITE_ASSETS, workspace)
    async with scoped(engine.database, scope) as tx:
        asset = await store.add(tx, scope, AssetId(uuid7()), checked_asset_name(name))
        if asset is None:
            raise await _missing(tx, scope)
        await record(engine, tx, actor, scope, "asset.created", asset.id, name=name)
    return asset


async def get(db: Statements, scope: Scope, asset: AssetRef) -> Asset:
    """One asset by id or name, with what it holds by the last completed upload. Raises AssetNotFound.

    A robot gets the organization's where its workspace has none of the name.
    """
    found = await store.get(db, scope, asset)
    if found is None and isinstance(scope, Robot) and isinstance(asset, str):
        found = await shared.seen_from(db, scope, asset)
    if found is None:
        raise await _missing(db, scope)
    return found


async def read(engine: Engine, caller: Caller, scope: Scope, asset: AssetRef) -> Asset:
    """Likewise, and counted as a use of the asset: by the process whose robot asks, or by others."""
    found = await get(engine.database, scope, asset)
    process = caller.process_id if isinstance(caller, StepRunActor) else None
    uses_of(engine).count(Use(caller.organization_id, scope.workspace, Used.ASSET, found.id, process=process))
    return found


async def put(
    engine: Engine,
    actor: Caller,
    workspace: WorkspaceId,
    name: str,
    *,
    content_type: str,
    content: AsyncGenerator[bytes, None],
) -> None:
    """Give the asset of a name its content as it comes; it is made if there is none. May be repeated.

    Raises AssetNameInvalid, ContentTypeInvalid; AssetNameTaken where another caller makes it at this moment.
    """
    scope = scope_of(actor, Permission.WRITE_ASSETS, workspace)
    checked_asset_name(name)
    checked_content_type(content_type)
    await ensure_seen(engine.database, scope)  # before anything is stored for strangers
    blob = await engine.objects.put(content, max_size=engine.limits.file_bytes)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, name, for_share=True)
        if found is None:
            found = await store.add(tx, scope, AssetId(uuid7()), name)
            if found is None:
                raise await _missing(tx, scope)
            await record(engine, tx, actor, scope, "asset.created", found.id, name=name)
        await _set_content(engine, tx, by(actor), scope, found.id, content_type, blob)


async def list_assets(db: Statements, scope: Scope, *, after: AssetId | None = None, limit: int) -> list[Asset]:
    """Assets of the workspace, oldest first, those behind `after`. Raises AttemptOver for a robot that is over."""
    found = await store.list_assets(db, scope, after=after, limit=limit)
    if not found:
        await ensure_seen(db, scope)
    return found


async def delete(engine: Engine, actor: Caller, workspace: WorkspaceId, asset: AssetRef) -> AssetId:
    """Delete an asset; uploads on their way to it will fail. Raises AssetNotFound."""
    scope = scope_of(actor, Permission.WRITE_ASSETS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await _found(tx, scope, asset)
        if not await store.delete(tx, scope, found.id):
            raise AssetNotFound
        await record(engine, tx, actor, scope, "asset.deleted", found.id, name=found.name)
    return found.id


async def upload(
    engine: Engine, actor: Caller, workspace: WorkspaceId, asset: AssetRef, *, content_type: str
) -> Upload:
    """Promise an upload: bytes may come by `uploads.signed_link`. The asset keeps its content until they have come."""
    scope = scope_of(actor, Permission.WRITE_ASSETS, workspace)
    checked_content_type(content_type)
    async with scoped(engine.database, scope) as tx:
        found = await _found(tx, scope, asset, for_share=True)
        return await upload_store.promise(
            tx, scope, kind=UploadKind.ASSET, target=found.id, name=found.name, content_type=content_type
        )


async def upload_inline(
    engine: Engine, actor: Caller, workspace: WorkspaceId, asset: AssetRef, *, content_type: str, data: bytes
) -> Upload:
    """Give an asset its content at once, as an upload that is completed. Raises AssetTooLarge."""
    scope = scope_of(actor, Permission.WRITE_ASSETS, workspace)
    checked_content_type(content_type)
    if len(data) > engine.limits.inline_asset_bytes:
        raise AssetTooLarge(engine.limits.inline_asset_bytes)
    found = await _found(engine.database, scope, asset)  # before anything is stored for strangers
    blob = await engine.objects.put_bytes(data)
    async with scoped(engine.database, scope) as tx:
        found = await _found(tx, scope, found.id, for_share=True)
        promised = await upload_store.promise(
            tx, scope, kind=UploadKind.ASSET, target=found.id, name=found.name, content_type=content_type
        )
        await _complete(engine, tx, by(actor), scope, promised.id, blob)
    return await uploads.get(engine, scope, promised.id)


async def get_upload(engine: Engine, scope: Scope, asset: AssetRef, upload: UploadId) -> Upload:
    """An upload to this asset as it stands."""
    found = await _found(engine.database, scope, asset)
    promised = await uploads.get(engine, scope, upload, kind=UploadKind.ASSET)
    if promised.target_id != found.id:
        raise UploadNotFound
    return promised


async def complete_upload(engine: Engine, scope: Scope, upload_id: UploadId, blob: Blob) -> None:
    """What came by an upload's link becomes the asset's content: whoever reads after this returns reads it.

    May be repeated with the same content. Raises UploadEnded; AssetNotFound when the asset was deleted meanwhile, upon
    which the upload is failed.
    """
    try:
        async with scoped(engine.database, scope) as tx:
            await _complete(engine, tx, By(ActorKind.SYSTEM.value), scope, upload_id, blob)
    except AssetNotFound:
        await uploads.fail(engine, scope, upload_id, "the asset was deleted")
        raise


async def _complete(engine: Engine, tx: ScopedTx, who: By, scope: Scope, upload: UploadId, blob: Blob) -> None:
    claimed = await uploads.claim(tx, scope, upload, UploadKind.ASSET, blob)
    if claimed is None:  # told before, and done then
        return
    await _set_content(engine, tx, who, scope, AssetId(claimed.target_id), claimed.content_type, blob)


async def _set_content(
    engine: Engine, tx: ScopedTx, who: By, scope: Scope, asset: AssetId, content_type: str, blob: Blob
) -> None:
    content = Content(content_type=content_type, size=blob.size, hash=blob.hash)
    name = await store.set_content(tx, scope, asset, content)
    if name is None:
        raise AssetNotFound
    await record(engine, tx, who, scope, "asset.updated", asset, name=name, size=blob.size)


async def _found(tx: Statements, scope: Scope, asset: AssetRef, *, for_share: bool = False) -> Asset:
    found = await store.get(tx, scope, asset, for_share=for_share)
    if found is None:
        raise await _missing(tx, scope)
    return found


async def _missing(tx: Statements, scope: Scope) -> AssetNotFound:
    await ensure_seen(tx, scope)
    return AssetNotFound()
