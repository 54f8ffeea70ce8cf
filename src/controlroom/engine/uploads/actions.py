"""How bytes come to an upload: by a link that it signs, and by one transaction that also gives the target its content.

`/objects` verifies the link, reads the upload (`of_link`), puts the bytes into the store and calls the verb of the
target's slice, which is `complete_upload(engine, scope, upload_id, blob)` in each: it claims the upload (`claim`) and
writes its own rows in one commit. So there is never content without an upload, nor an upload without content.
"""

import time
from datetime import timedelta
from typing import Literal

from controlroom.engine.access.scope import Scope, ScopedTx, scope_of_signed
from controlroom.engine.engine import Engine
from controlroom.engine.uploads import store
from controlroom.engine.uploads.errors import UploadEnded, UploadNotFound
from controlroom.engine.uploads.model import Upload, UploadKind, UploadState
from controlroom.ids import OrganizationId, UploadId, WorkspaceId
from controlroom.objects.links import Link
from controlroom.objects.store import Blob

LINK_KIND = "upload"
"""The kind of every link to upload by: its row is the upload, whose kind says what it is for."""


def signed_link(engine: Engine, upload: Upload, *, method: Literal["PUT", "POST"] = "PUT") -> str:
    """The token of the link by which the bytes may come, good for `limits.link_seconds` from now."""
    return engine.links.sign(
        Link(
            kind=LINK_KIND,
            row=upload.id,
            method=method,
            size=upload.size,
            # by the clock that links are verified by, not the database's, which may have been put back
            expires=int(time.time()) + engine.limits.link_seconds,
            workspace=upload.workspace_id,
            organization=upload.organization_id,
            file_name=upload.name or None,
            content_type=upload.content_type or None,
        )
    )


async def get(engine: Engine, scope: Scope, upload: UploadId, *, kind: UploadKind | None = None) -> Upload:
    """One upload as it stands. Raises UploadNotFound."""
    life = timedelta(seconds=engine.limits.link_seconds)
    found = await store.get(engine.database, scope, upload, kind=kind, link_life=life)
    if found is None:
        raise UploadNotFound
    return found


async def of_link(engine: Engine, link: Link) -> Upload:
    """The upload that a verified link is for, as it stands. Raises UploadNotFound."""
    organization = None if link.organization is None else OrganizationId(link.organization)
    scope = await scope_of_signed(engine.database, WorkspaceId(link.workspace), organization)
    if scope is None:
        raise UploadNotFound
    return await get(engine, scope, UploadId(link.row))


async def claim(tx: ScopedTx, scope: Scope, upload: UploadId, kind: UploadKind, blob: Blob) -> Upload | None:
    """Complete the upload with this blob, for the target's slice to write the content; None if that is done already.

    Repeating the same content after a lost answer is fine. Raises UploadEnded for other content, and for an upload that
    has failed; UploadNotFound.
    """
    found = await store.lock(tx, scope, upload, kind)
    if found is None:
        raise UploadNotFound
    match found.state:
        case UploadState.PENDING:
            await store.complete(tx, upload, digest=blob.hash, size=blob.size)
            return found
        case UploadState.COMPLETED if found.hash == blob.hash:
            return None
        case _:
            raise UploadEnded(found.state.value)


async def fail(engine: Engine, scope: Scope, upload: UploadId, reason: str) -> None:
    """Give an upload up, with the reason that whoever polls it is told; fine if it has ended already."""
    await store.fail(engine.database, scope, upload, reason)
