"""Queues and their items leave the room as files, and come back: exports and imports.

An archive of queues is a zip with `queues.json`: each queue with its item model or schema and, if that was asked for,
the items that wait. With a password it is encrypted by AES (as WinZip does), and opened by that password alone.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from controlroom.engine.access.model import Actor, system
from controlroom.engine.access.scope import EACH, SEEN, Of, Room, Scope, ScopedTx, scoped
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.engine import Engine
from controlroom.engine.item_models import actions as item_models
from controlroom.engine.item_models import store as model_store
from controlroom.engine.item_models.model import AttributeKind, NewAttribute
from controlroom.engine.queues import actions, archives, feeding, jobs, store, tables
from controlroom.engine.queues.feeding import Put
from controlroom.engine.queues.jobs import QueueJob
from controlroom.engine.queues.listings import STANDING
from controlroom.engine.queues.model import NO_NOTES, OrderedBy, Queue, QueueNotes, QueueSettings
from controlroom.engine.queues.rights import user_of
from controlroom.engine.work_items import schemas
from controlroom.engine.work_items.limits import check_payloads, check_schema_text
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.errors import Invalid
from controlroom.ids import ItemModelId, QueueId, WorkItemId, WorkspaceId
from controlroom.postgres.database import Statements

_NAME: Final = "queues.json"
_LARGEST: Final = 512 << 20
_PAGE: Final = 1000
_MOST_COPIES: Final = 1000


class ArchiveWrong(Invalid):
    """The file is no archive of queues, or the password is another one."""

    code = "ARCHIVE_INVALID"


class PackedAttribute(Struct, frozen=True, kw_only=True):
    """An attribute of an item model."""

    name: str
    kind: AttributeKind


class PackedQueue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A queue in an archive, without ids: it is made anew where it comes to."""

    name: str
    description: str = ""
    model: str | None = None
    attributes: list[PackedAttribute] = []
    retry: RetryPolicy | None = None
    refuses_duplicates: bool = False
    shown: tuple[str, ...] = ()
    ordering: tuple[OrderedBy, ...] = ()
    notes: QueueNotes = NO_NOTES
    is_draft: bool = True
    """Of a queue without a model: whether it takes no items yet. Archives that do not say so are of such."""
    schema: str = ""
    """As JSON, of a queue without a model; empty for none."""
    items: list[Raw] = []


class Packed(Struct, frozen=True, kw_only=True):
    """An archive of queues."""

    format: int = 1
    queues: list[PackedQueue] = []


class _Row(Struct, frozen=True):
    id: WorkItemId
    number: int
    state: str
    standing: str
    created_at: Any
    payload: Raw | None


# ---------------------------------------------------------------------------------------------------- out
async def export_items(engine: Engine, room: Room, job: QueueJob) -> None:
    """Write items into a table: their columns, and what became of them."""
    assert job.queue_id is not None and job.workspace_id is not None  # noqa: S101, PT018 - they are one queue's
    here = Of(job.organization_id, (job.workspace_id,))
    queue = await store.get(engine.database, here, job.queue_id)
    names = await _columns(engine.database, queue, job)
    rows: list[list[str]] = []
    async for item in _items(engine, here, job.queue_id, numbers=job.request.items, is_waiting=False):
        found = msgspec.json.decode(item.payload or b"{}")
        values = found if isinstance(found, dict) else {}
        if not names:
            names = list(values)
        cells = [_cell(values.get(name)) for name in names]
        word = job.request.words.get(item.standing, item.standing)
        rows.append([str(item.number), word, item.created_at.isoformat(), *cells])
    pieces = await asyncio.to_thread(lambda: b"".join(tables.written(["id", "status", "createdOn", *names], rows)))
    blob = await engine.objects.put_bytes(pieces)
    async with scoped(engine.database, room) as tx:
        await jobs.end(tx, job, made=blob, name=f"{queue.name}.csv")


async def _columns(db: Statements, queue: Queue, job: QueueJob) -> list[str]:
    if queue.item_model_id is None:
        return []
    model = await model_store.get(db, job.organization_id, queue.item_model_id)
    return [each.name for each in model.attributes]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


async def _items(engine: Engine, scope: Scope, queue: QueueId, *, numbers: Sequence[int], is_waiting: bool) -> Any:
    """The items of a queue, the oldest first, some at a time."""
    last: WorkItemId | None = None
    while True:
        page = await _page(engine.database, scope, queue, last, numbers=numbers, is_waiting=is_waiting)
        for item in page:
            yield item
        if len(page) < _PAGE:
            return
        last = page[-1].id


async def _page(
    db: Statements,
    scope: Scope,
    queue: QueueId,
    after: WorkItemId | None,
    *,
    numbers: Sequence[int],
    is_waiting: bool,
) -> list[_Row]:
    return await db.all(
        _Row,
        f"""
        select id, number, state, {STANDING} as standing, created_at, payload from work_item
         where workspace_id in {EACH} and queue_id = %(queue)s and process_id is null and state <> 'deleted'
           and (cardinality(%(numbers)s::bigint[]) = 0 or number = any(%(numbers)s::bigint[]))
           and (not %(is_waiting)s or state in ('new', 'held', 'invalid'))
           and (%(after)s::uuid is null or id > %(after)s)
         order by id limit %(limit)s
        """,
        queue=queue,
        numbers=list(numbers),
        is_waiting=is_waiting,
        after=after,
        limit=_PAGE,
        **scope.each,
    )


async def export_queues(engine: Engine, room: Room, job: QueueJob) -> None:
    """Write queues into an archive: those that are still there."""
    packed = []
    for queue, place in await _places(engine.database, room, job.request.queues):
        here = Of(job.organization_id, (place,))
        packed.append(await _packed(engine, here, job, await store.get(engine.database, here, queue)))
    text = msgspec.json.encode(Packed(queues=packed))
    with engine.scratch.folder("queues") as folder:
        path = folder / "queues.zip"
        await asyncio.to_thread(pack, path, text, archives.password_of(engine, job))
        blob = await engine.objects.put_file(path)
    async with scoped(engine.database, room) as tx:
        await jobs.end(tx, job, made=blob, name=f"{job.name}.zip")


class _Place(Struct, frozen=True):
    id: QueueId
    workspace_id: WorkspaceId


async def _places(db: Statements, _room: Room, queues: Sequence[QueueId]) -> list[tuple[QueueId, WorkspaceId]]:
    found = await db.all(
        _Place,
        "select id, workspace_id from queue where id = any(%(queues)s::uuid[]) and deleted_at is null order by id",
        queues=list(queues),
    )
    return [(each.id, each.workspace_id) for each in found]


async def _packed(engine: Engine, here: Of, job: QueueJob, queue: Queue) -> PackedQueue:
    model = None
    if queue.item_model_id is not None:
        model = await model_store.get(engine.database, job.organization_id, queue.item_model_id)
    items: list[Raw] = []
    size = 0
    if job.request.with_items:
        async for item in _items(engine, here, queue.id, numbers=(), is_waiting=True):
            payload = Raw(b"null") if item.payload is None else item.payload
            size += len(memoryview(payload))
            if size > _LARGEST:
                raise Invalid(f"the items have more than {_LARGEST:,} bytes", code="ARCHIVE_TOO_LARGE")
            items.append(payload)
    return PackedQueue(
        name=queue.name,
        description=queue.description,
        model=None if model is None else model.name,
        attributes=[PackedAttribute(name=each.name, kind=each.kind) for each in (model.attributes if model else ())],
        retry=queue.retry,
        refuses_duplicates=queue.refuses_duplicates,
        shown=queue.shown,
        ordering=queue.ordering,
        notes=queue.notes,
        is_draft=queue.is_draft,
        schema="" if model is not None or queue.schema is None else bytes(queue.schema).decode(),
        items=items,
    )


# ---------------------------------------------------------------------------------------------------- in
async def import_queues(engine: Engine, room: Room, job: QueueJob) -> None:
    """Make the queues of an archive, with their items, as who has asked for it may.

    Each is one transaction, with its items and how many were made: after a server died the next goes on behind them.
    """
    assert job.hash is not None and job.workspace_id is not None  # noqa: S101, PT018 - it has come to one workspace
    with engine.scratch.folder("queues") as folder:
        path = folder / "queues.zip"
        await engine.objects.fetch_file(job.hash, path)
        packed = await asyncio.to_thread(unpack, path, archives.password_of(engine, job))
    actor = system(job.organization_id)
    if job.created_by is not None:
        actor = await actor_of_user(engine.database, job.created_by)
    here = Of(job.organization_id, (job.workspace_id,))
    for queue in packed.queues[job.rows_read :]:
        model = await _model(engine, actor, queue)
        await _check(engine, here, queue)
        if not await schemas.settled(engine, partial(_advanced, engine, room, job, actor, here, queue, model)):
            return
        job = replace(job, rows_read=job.rows_read + 1)
    async with scoped(engine.database, room) as tx:
        await jobs.end(tx, job)


async def _check(engine: Engine, here: Of, packed: PackedQueue) -> None:
    """Raise Invalid for a schema that is none, and for payloads that could not be kept."""
    if packed.schema:
        await check_schema_text(Raw(packed.schema.encode()))
        await schemas.check_schema(engine, here.workspace, Raw(packed.schema.encode()))
    await check_payloads(engine, Raw(msgspec.json.encode(packed.items)))


async def _advanced(
    engine: Engine, room: Room, job: QueueJob, actor: Actor, here: Of, packed: PackedQueue, model: ItemModelId | None
) -> bool:
    """Make one queue of an archive, and write that it is done; False if somebody else has gone on with the job."""
    async with scoped(engine.database, room) as tx:
        if not await jobs.take(tx, job):
            return False
        made = await _made(engine, tx, actor, here, packed, model, copies=job.request.copies)
        await jobs.advance(tx, job, read=1, put=int(made), refused=int(not made))
        return True


async def _made(
    engine: Engine,
    tx: ScopedTx,
    actor: Actor,
    here: Of,
    packed: PackedQueue,
    model: ItemModelId | None,
    *,
    copies: bool,
) -> bool:
    """Make the queue of an archive, with its items; False if one of its name is there and shall not be copied."""
    taken = await _names_like(tx, here, packed.name)
    names = [packed.name, *(_copy_of(packed.name, copy) for copy in range(1, _MOST_COPIES))]
    free = next((name for name in names if name not in taken), None)
    if free is None or (free != packed.name and not copies):
        return False
    settings = QueueSettings(
        description=packed.description,
        item_model=model,
        retry=packed.retry,
        refuses_duplicates=packed.refuses_duplicates,
        shown=packed.shown if model else (),
        ordering=packed.ordering if model else (),
        notes=packed.notes,
        is_draft=model is None and packed.is_draft,
    )
    schema = Raw(packed.schema.encode()) if packed.schema and model is None else None
    queue = await actions.create_in(engine, tx, actor, here.workspace, name=free, schema=schema, settings=settings)
    if not packed.items or settings.is_draft:
        return True
    held = await feeding.hold(tx, here, queue.id)
    items = packed.items if model is None else [each for each in packed.items if _is_object(each)]
    for begin in range(0, len(items), _PAGE):
        some = items[begin : begin + _PAGE]
        if model is not None:
            puts = [feeding.fitted(held, msgspec.json.decode(each, type=dict[str, Raw])) for each in some]
        else:
            puts = [Put(each, None) for each in some]
            if held.has_schema:
                await schemas.check_all(tx, here, queue.id, Raw(msgspec.json.encode(some)))
        await feeding.insert(tx, here, held, queue.id, puts, by=user_of(actor))
    return True


async def _names_like(tx: ScopedTx, here: Of, name: str) -> set[str]:
    return set(
        await tx.all(
            str,
            f"""
            select name from queue
             where workspace_id = {SEEN} and is_standing and deleted_at is null and starts_with(name, %(name)s)
            """,
            name=name,
            **here.params,
        )
    )


def _copy_of(name: str, copy: int) -> str:
    return f"{name} - Copy" if copy == 1 else f"{name} - Copy {copy}"


def _is_object(item: Raw) -> bool:
    return bytes(item).lstrip()[:1] == b"{"


async def _model(engine: Engine, actor: Actor, packed: PackedQueue) -> ItemModelId | None:
    """An item model with these attributes: the one of the name if it has them, else one that is made."""
    if packed.model is None:
        return None
    wanted = [NewAttribute(each.name, each.kind) for each in packed.attributes]
    for copy in range(_MOST_COPIES):
        name = packed.model if copy == 0 else _copy_of(packed.model, copy)
        found = await model_store.called(engine.database, actor.organization_id, name)
        if found is None:
            return (await item_models.create(engine, actor, name=name, attributes=wanted)).id
        if [NewAttribute(each.name, each.kind) for each in found.attributes] == wanted:
            return found.id
    raise Invalid("there are too many item models of this name", code="ARCHIVE_INVALID")


# ---------------------------------------------------------------------------------------------------- archives
def pack(path: Path, text: bytes, password: str) -> None:
    """Write an archive, encrypted where there is a password."""
    import pyzipper  # type: ignore[import-untyped]  # noqa: PLC0415 - for those who export

    with pyzipper.AESZipFile(path, "w", compression=pyzipper.ZIP_DEFLATED) as archive:
        if password:
            archive.setpassword(password.encode())
            archive.setencryption(pyzipper.WZ_AES, nbits=256)
        archive.writestr(_NAME, text)


def unpack(path: Path, password: str) -> Packed:
    """Read an archive, of so many bytes at most. Raises ArchiveWrong."""
    import pyzipper  # noqa: PLC0415 - for those who import

    try:
        with pyzipper.AESZipFile(path) as archive:
            if password:
                archive.setpassword(password.encode())
            with archive.open(_NAME) as file:
                text = file.read(_LARGEST + 1)
    except RuntimeError as wrong:
        raise ArchiveWrong("the password of the archive is another one") from wrong
    except (BadZipFile, pyzipper.BadZipFile, KeyError, OSError, NotImplementedError, ValueError) as broken:
        raise ArchiveWrong("the file is no archive of queues") from broken
    if len(text) > _LARGEST:
        raise ArchiveWrong(f"an archive has at most {_LARGEST:,} bytes")
    try:
        return msgspec.json.decode(text, type=Packed)
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise ArchiveWrong("the file is no archive of queues") from broken
