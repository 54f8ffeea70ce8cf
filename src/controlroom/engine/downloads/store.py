"""Which blob a row names. Reads a column of several slices' tables, because a link may name a row of any of them."""

from typing import Final
from uuid import UUID

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.downloads.model import DownloadKind, Stored
from controlroom.postgres.database import Statements

_BLOB: Final = {
    DownloadKind.WORK_ITEM_FILE: f"""
        select file.hash, file.size, null as content_type
          from work_item_file as file join work_item as item on item.id = file.work_item_id
         where file.id = %(row)s and item.workspace_id = {SEEN} and item.state <> 'deleted'
        """,
    DownloadKind.ARTIFACT: f"""
        select hash, size, null as content_type from artifact where id = %(row)s and workspace_id = {SEEN}
        """,
    DownloadKind.ASSISTANT_ARTIFACT: f"""
        select hash, size, null as content_type from assistant_artifact
         where id = %(row)s and workspace_id = {SEEN}
        """,
    DownloadKind.ASSET: f"""
        select hash, size, content_type from asset
         where id = %(row)s and workspace_id = {SEEN} and hash is not null
        """,
    DownloadKind.SHARED_ASSET: f"""
        select hash, size, content_type from shared_asset
         where id = %(row)s and organization_id = (select organization_id from workspace where id = {SEEN})
        """,
    DownloadKind.PACKAGE_VERSION: f"""
        select version.hash, version.size, 'application/zip' as content_type
          from package_version as version join package on package.id = version.package_id
         where version.id = %(row)s and package.workspace_id = {SEEN} and package.deleted_at is null
        """,
    DownloadKind.QUEUE_ARCHIVE: f"""
        select hash, size, 'application/zip' as content_type from queue_job
         where id = %(row)s and workspace_id = {SEEN} and kind = 'queue_export' and state = 'completed'
           and hash is not null
        """,
}


async def blob_of(db: Statements, scope: Scope, kind: DownloadKind, row: UUID) -> Stored | None:
    """The blob that a row of the workspace names now; None if the row is gone, or has no content."""
    return await db.one_or_none(Stored, _BLOB[kind], row=row, **scope.params)
