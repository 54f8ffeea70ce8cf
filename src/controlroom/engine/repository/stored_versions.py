"""Statements on versions of plain files, and on the bytes of those and of packages' versions.

Who calls has found the node by its rights (`rights.py`), and locked what is written.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from controlroom.engine.access.scope import Room, ScopedTx
from controlroom.engine.nouns import InOrganization, Noun
from controlroom.engine.repository.errors import NodeNotFound
from controlroom.engine.repository.model import Content, Node, NodeKind, StoredVersion
from controlroom.ids import uuid7
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements

FILE_VERSION: Final = Noun[UUID](
    "repository file version",
    NodeNotFound,
    "repository_file_version",
    InOrganization("repository_file.organization_id"),
    joined="join repository_file on repository_file.id = repository_file_version.file_id",
    there="repository_file.deleted_at is null and repository_file.workspace_id is not null",
)
KEPT: Final = timedelta(days=30)
"""How long what was in a deleted file can be had back from the database."""
LARGEST_VERSION: Final = 2**31 - 1


async def add_version(tx: ScopedTx, node: UUID, blob: Blob, *, by: UUID | None, has_errors: bool) -> int:
    """The next version of a locked file; which it is."""
    version: int = await tx.value(
        """
        insert into repository_file_version (id, file_id, version, hash, size, created_by)
        select %(id)s, %(file)s, coalesce(max(version), 0) + 1, %(hash)s, %(size)s, %(by)s
          from repository_file_version where file_id = %(file)s
        returning version
        """,
        id=uuid7(),
        file=node,
        hash=blob.hash,
        size=blob.size,
        by=by,
    )
    await tx.execute(
        """
        update repository_file set has_errors = %(has_errors)s, updated_at = clock_now(), updated_by = %(by)s
         where id = %(file)s
        """,
        file=node,
        has_errors=has_errors,
        by=by,
    )
    return version


async def set_type(tx: ScopedTx, node: UUID, content_type: str) -> None:
    """Write the media type of a locked file."""
    await tx.execute("update repository_file set content_type = %(type)s where id = %(id)s", id=node, type=content_type)


async def content(tx: Statements, node: Node, version: int | None) -> Content | None:
    """The bytes of a version of a file or of the zip of a package, a task's being its package's; None: the latest."""
    if version is not None and not 0 < version <= LARGEST_VERSION:
        return None
    if node.kind is NodeKind.FILE:
        return await tx.one_or_none(
            Content,
            """
            select version, hash, size from repository_file_version
             where file_id = %(id)s and (%(version)s::int is null or version = %(version)s)
             order by version desc limit 1
            """,
            id=node.id,
            version=version,
        )
    return await tx.one_or_none(
        Content,
        """
        select version, hash, size, coalesce(folder, '') as folder from package_version
         where package_id = %(id)s and (%(version)s::int is null or version = %(version)s)
         order by version desc limit 1
        """,
        id=node.container_id,
        version=version,
    )


async def versions(db: Statements, node: Node, *, limit: int) -> list[StoredVersion]:
    """The versions of a file that was found, the latest first, with the labels that they bear."""
    return await db.all(
        StoredVersion,
        """
        select each.version, each.hash, each.size, each.created_at, app_user.username as created_by_name,
               array(select label.name from repository_file_label as label
                      where label.file_id = each.file_id and label.version_id = each.id
                      order by label.name collate "C") as labels
          from repository_file_version as each left join app_user on app_user.id = each.created_by
         where each.file_id = %(id)s
         order by each.version desc limit %(limit)s
        """,
        id=node.id,
        limit=limit,
    )


async def set_label(tx: ScopedTx, node: Node, label: str, version: int) -> bool:
    """Give a label to a version of a file; whether there is such a version."""
    return (
        await tx.execute(
            """
            insert into repository_file_label (file_id, name, version_id)
            select file_id, %(label)s, id from repository_file_version
             where file_id = %(id)s and version = %(version)s
            on conflict (file_id, name) do update set version_id = excluded.version_id
            """,
            id=node.id,
            label=label,
            version=version,
        )
        > 0
    )


async def forget_deleted(tx: ScopedTx, room: Room) -> int:  # noqa: ARG001 - every tenant's
    """Forget what was in files that were deleted long ago; their contents are swept. How many versions that were."""
    await tx.execute(
        """
        delete from repository_file_label using repository_file as file
         where file.id = file_id and file.deleted_at < clock_now() - %(kept)s::interval
        """,
        kept=KEPT,
    )
    return await tx.execute(
        """
        delete from repository_file_version using repository_file as file
         where file.id = file_id and file.deleted_at < clock_now() - %(kept)s::interval
        """,
        kept=KEPT,
    )
