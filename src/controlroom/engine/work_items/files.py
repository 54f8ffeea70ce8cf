"""Files of work items: promised by a signed link, added when the bytes have come."""

from controlroom.engine.access.scope import Scope, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.uploads import actions as uploads
from controlroom.engine.uploads import store as upload_store
from controlroom.engine.uploads.model import Upload, UploadKind
from controlroom.engine.work_items import store
from controlroom.engine.work_items.errors import WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.model import ItemState
from controlroom.errors import Invalid
from controlroom.file_names import shortened
from controlroom.ids import FileId, UploadId, WorkItemId
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements

_OPEN = frozenset(
    {
        ItemState.DRAFT,
        ItemState.NEW,
        ItemState.PENDING,
        ItemState.HELD,
        ItemState.IN_PROGRESS,
        ItemState.FAILED,
        ItemState.INVALID,
    }
)


def checked_file(engine: Engine, name: str, size: int) -> str:
    """The name that the file is to have: the given one, shortened if no file system would take it.

    Raises Invalid for a name that no file can have, or a size over the limit.
    """
    if not name or "/" in name or "\\" in name or "\0" in name or name in {".", ".."}:
        raise Invalid(f"{name[:300]!r} is no file name", code="FILE_NAME")
    if not 0 <= size <= engine.limits.file_bytes:
        raise Invalid(f"a file may have 0 to {engine.limits.file_bytes:,} bytes", code="FILE_TOO_LARGE", size=size)
    return shortened(name)


async def promise(tx: Statements, scope: Scope, *, item: WorkItemId, name: str, size: int) -> Upload:
    """Promise a file of an item that the caller may write: the upload whose link will be signed."""
    return await upload_store.promise(tx, scope, kind=UploadKind.WORK_ITEM_FILE, target=item, name=name, size=size)


async def complete_upload(engine: Engine, scope: Scope, upload_id: UploadId, blob: Blob) -> None:
    """The bytes have come: the file is added to its item, in place of one of the same name. May be repeated.

    Raises UploadEnded; WorkItemNotFound or WorkItemStateConflict if the item was deleted or finished meanwhile, upon
    which the upload is failed.
    """
    try:
        async with scoped(engine.database, scope) as tx:
            upload = await uploads.claim(tx, scope, upload_id, UploadKind.WORK_ITEM_FILE, blob)
            if upload is not None:  # else it was told before, and done then
                await _add(tx, scope, upload, blob)
    except (WorkItemNotFound, WorkItemStateConflict) as gone:
        await uploads.fail(engine, scope, upload_id, str(gone))
        raise


async def _add(tx: ScopedTx, scope: Scope, upload: Upload, blob: Blob) -> None:
    item = WorkItemId(upload.target_id)
    found = await store.lock(tx, scope, [item])
    if not found:
        raise WorkItemNotFound(item)
    if found[0].state not in _OPEN:
        raise WorkItemStateConflict(item, found[0].state, "given a file")
    await store.put_file(tx, item, FileId(upload.id), name=upload.name, size=blob.size, digest=blob.hash)
