"""Statements on assets."""

from typing import Final
from uuid import UUID

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.assets.errors import AssetNameTaken, AssetNotFound
from controlroom.engine.assets.model import Asset, AssetRef, Content
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.ids import AssetId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation
from controlroom.postgres.keyset import oldest_first

ASSET: Final = Noun[AssetId](
    "asset",
    lambda _: AssetNotFound(),
    "asset",
    InWorkspace("asset.workspace_id"),
    name="asset.name",
)

_ASSET = """id, number, name, created_at, updated_at,
    case when hash is not null then
        jsonb_build_object('content_type', content_type, 'size', size, 'hash', hash) end as content"""


async def get(tx: Statements, scope: Scope, asset: AssetRef, *, for_share: bool = False) -> Asset | None:
    """One asset by id or by name; `for_share`: it is not deleted before the transaction ends."""
    return await tx.one_or_none(
        Asset,
        f"""
        select {_ASSET} from asset
         where workspace_id = {SEEN} and (id = %(id)s or name = %(name)s)
        """
        + ("for key share" if for_share else ""),
        id=asset if isinstance(asset, UUID) else None,
        name=asset if isinstance(asset, str) else None,
        **scope.params,
    )


async def list_assets(tx: Statements, scope: Scope, *, after: AssetId | None, limit: int) -> list[Asset]:
    """Assets of the workspace by the time of their making, those behind `after`."""
    return await tx.all(
        Asset,
        f"""
        select {_ASSET} from asset
         where workspace_id = {SEEN}
         {oldest_first("id")}
        """,
        after=after,
        limit=limit,
        **scope.params,
    )


async def add(tx: Statements, scope: Scope, asset: AssetId, name: str) -> Asset | None:
    """Write a new asset without content; None if nothing is seen. Raises AssetNameTaken: the transaction is lost."""
    try:
        return await tx.one_or_none(
            Asset,
            f"""
            insert into asset (id, workspace_id, name) select %(asset)s, seen.id, %(name)s from {SEEN} as seen
            returning {_ASSET}
            """,
            asset=asset,
            name=name,
            **scope.params,
        )
    except UniqueViolation as taken:
        raise AssetNameTaken(name) from taken


async def set_content(tx: Statements, scope: Scope, asset: AssetId, content: Content) -> str | None:
    """Give an asset its content, whoever gave it one before: the last write stays. Its name; None: there is no such."""
    name: str | None = await tx.value(
        f"""
        update asset set content_type = %(content_type)s, size = %(size)s, hash = %(hash)s, updated_at = clock_now()
         where id = %(asset)s and workspace_id = {SEEN}
        returning name
        """,
        asset=asset,
        content_type=content.content_type,
        size=content.size,
        hash=content.hash,
        **scope.params,
    )
    return name


async def delete(tx: Statements, scope: Scope, asset: AssetId) -> bool:
    """Remove an asset; whether there was one. Its content is swept when nothing refers to it any more."""
    return (
        await tx.execute(
            f"delete from asset where workspace_id = {SEEN} and id = %(asset)s", asset=asset, **scope.params
        )
        > 0
    )
