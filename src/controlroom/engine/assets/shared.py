"""Assets of the organization: contents that the robots of all its workspaces read, and people write."""

from typing import Final

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.roles.actions import ensure_in_organization
from controlroom.engine.access.scope import SEEN, Scope, scoped
from controlroom.engine.assets.errors import AssetNameTaken, AssetNotFound, AssetTooLarge
from controlroom.engine.assets.model import Asset, Content
from controlroom.engine.assets.rules import checked_asset_name, checked_content_type
from controlroom.engine.engine import Engine
from controlroom.engine.nouns import InOrganization, Noun
from controlroom.ids import AssetId, OrganizationId, uuid7
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

SHARED_ASSET: Final = Noun[AssetId](
    "shared asset",
    lambda _: AssetNotFound(),
    "shared_asset",
    InOrganization("shared_asset.organization_id"),
    name="shared_asset.name",
)

COLUMNS: Final = """shared_asset.id, shared_asset.number, shared_asset.name, shared_asset.created_at,
    shared_asset.updated_at, true as is_shared,
    jsonb_build_object('content_type', shared_asset.content_type, 'size', shared_asset.size,
                       'hash', shared_asset.hash) as content"""


async def create(engine: Engine, actor: Actor, name: str, *, content_type: str, data: bytes) -> Asset:
    """Make an asset of the organization. Raises AssetNameTaken, AssetNameInvalid, AssetTooLarge."""
    return await _write(engine, actor, name, content_type=content_type, data=data, is_new=True)


async def put(engine: Engine, actor: Actor, name: str, *, content_type: str, data: bytes) -> Asset:
    """Make an asset of the organization, or give it other content. Raises AssetNameInvalid, AssetTooLarge."""
    return await _write(engine, actor, name, content_type=content_type, data=data, is_new=False)


async def _write(engine: Engine, actor: Actor, name: str, *, content_type: str, data: bytes, is_new: bool) -> Asset:
    ensure_in_organization(actor, Permission.WRITE_ASSETS)
    checked_asset_name(name)
    checked_content_type(content_type)
    if len(data) > engine.limits.inline_asset_bytes:
        raise AssetTooLarge(engine.limits.inline_asset_bytes)
    blob = await engine.objects.put_bytes(data)
    content = Content(content_type=content_type, size=blob.size, hash=blob.hash)
    async with scoped(engine.database, actor.organization_id) as tx:
        written = await _put(tx, actor.organization_id, name, content, is_new=is_new)
        if written is None:
            raise AssetNameTaken(name)
        await record(engine, tx, actor, actor.organization_id, "shared_asset.updated", written.id, name=name)
    return written


async def list_shared(engine: Engine, actor: Actor, *, after: AssetId | None = None, limit: int) -> list[Asset]:
    """Assets of the organization, oldest first."""
    ensure_in_organization(actor, Permission.READ_ASSETS)
    return await engine.database.all(
        Asset,
        f"select {COLUMNS} from shared_asset where organization_id = %(organization)s {oldest_first('id')}",
        organization=actor.organization_id,
        after=after,
        limit=limit,
    )


async def get(engine: Engine, actor: Actor, asset: AssetId) -> Asset:
    """One asset of the organization. Raises AssetNotFound."""
    ensure_in_organization(actor, Permission.READ_ASSETS)
    found = await engine.database.one_or_none(
        Asset,
        f"select {COLUMNS} from shared_asset where id = %(asset)s and organization_id = %(organization)s",
        asset=asset,
        organization=actor.organization_id,
    )
    if found is None:
        raise AssetNotFound
    return found


async def delete(engine: Engine, actor: Actor, asset: AssetId) -> None:
    """Delete an asset of the organization. Raises AssetNotFound."""
    ensure_in_organization(actor, Permission.WRITE_ASSETS)
    async with scoped(engine.database, actor.organization_id) as tx:
        name = await tx.value(
            "delete from shared_asset where id = %(asset)s and organization_id = %(organization)s returning name",
            asset=asset,
            organization=actor.organization_id,
        )
        if name is None:
            raise AssetNotFound
        await record(engine, tx, actor, actor.organization_id, "shared_asset.deleted", asset, name=name)


async def seen_from(tx: Statements, scope: Scope, name: str) -> Asset | None:
    """The organization's asset of this name, as it is read in a workspace that has none."""
    return await tx.one_or_none(
        Asset,
        f"""
        select {COLUMNS} from shared_asset
         where organization_id = (select organization_id from workspace where id = {SEEN}) and name = %(name)s
        """,
        name=name,
        **scope.params,
    )


async def _put(
    tx: Statements, organization: OrganizationId, name: str, content: Content, *, is_new: bool
) -> Asset | None:
    """Write an asset; None where it shall be new, and one of its name is there."""
    return await tx.one_or_none(
        Asset,
        f"""
        insert into shared_asset (id, organization_id, name, content_type, size, hash)
        values (%(id)s, %(organization)s, %(name)s, %(content_type)s, %(size)s, %(hash)s)
        on conflict (organization_id, name) do update
           set content_type = excluded.content_type, size = excluded.size, hash = excluded.hash,
               updated_at = clock_now()
         where not %(is_new)s
        returning {COLUMNS}
        """,
        id=uuid7(),
        is_new=is_new,
        organization=organization,
        name=name,
        content_type=content.content_type,
        size=content.size,
        hash=content.hash,
    )
