"""Files that are brought before the run that shall have them is started.

Each waits in an item of its own in the process's input queue, held, so that no run takes it. The token by which its
content is brought says which item that is, and opens nothing else. The start takes all of them at once: one item with
the payload and every file; in one transaction with the run.
"""

import time
from collections.abc import AsyncIterable, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Of, Scope, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.nouns import Ways
from controlroom.engine.processes import store as processes
from controlroom.engine.references import Reference, resolve_all
from controlroom.engine.runs import actions
from controlroom.engine.runs.model import Run, WithItems
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.work_items import actions as items
from controlroom.engine.work_items import schemas, store
from controlroom.engine.work_items.errors import WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.files import checked_file
from controlroom.engine.work_items.limits import check_payload
from controlroom.engine.work_items.model import ItemState
from controlroom.engine.work_items.terms import USUAL
from controlroom.errors import Unauthenticated
from controlroom.ids import FileId, OrganizationId, ProcessId, WorkItemId, WorkspaceId, uuid7

PREFIX: Final = "crf_"
_LIVES: Final = 3600
"""Seconds, as of any link by which something is brought."""


class Brought(Struct, frozen=True):
    """A file that was promised, or has come."""

    number: int
    """Of the item in which it waits."""
    name: str
    size: int
    token: str


class _Token(Struct, frozen=True, array_like=True):
    organization: OrganizationId
    workspace: WorkspaceId
    item: WorkItemId
    number: int
    name: str
    expires: int


_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
_decoder = msgspec.msgpack.Decoder(_Token)


async def promise(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, name: str) -> Brought:
    """A place for a file of a run that is yet to be started, and the token by which its content is brought.

    It takes the right to write work items. Raises what a new item of the process is refused for, and Invalid.
    """
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    checked = checked_file(engine, name, 0)
    async with scoped(engine.database, scope) as tx:
        first = await processes.first_step(tx, scope, process)
        item = await items.create_in(tx, actor, scope, first.queue_id, process, None, USUAL)
        await store.set_state(tx, [item.id], ItemState.HELD)
    expires = int(time.time()) + _LIVES
    token = _Token(actor.organization_id, workspace, item.id, item.number, checked, expires)
    return Brought(item.number, checked, 0, engine.keys.pack_token(PREFIX, _encoder.encode(token)))


def check_token(engine: Engine, token: str) -> str:
    """The name of the file that a token is for. Raises Unauthenticated, before anything of a stranger's is read."""
    return _read(engine, token).name


def number_in(engine: Engine, token: str) -> int:
    """The number of the item that a token is for. Raises Unauthenticated."""
    return _read(engine, token).number


async def bring(engine: Engine, token: str, content: AsyncIterable[bytes]) -> Brought:
    """Store the content of a promised file; once more in place of what came before.

    Raises Unauthenticated, WorkItemNotFound, WorkItemStateConflict once a start has taken it, OBJECT_TOO_LARGE.
    """
    said = _read(engine, token)
    blob = await engine.objects.put(content, max_size=engine.limits.file_bytes)
    scope = Of(said.organization, (said.workspace,))
    async with scoped(engine.database, scope) as tx:
        await _hold(tx, scope, [said.item])
        file = FileId(uuid7())
        await store.put_file(tx, said.item, file, name=said.name, size=blob.size, digest=blob.hash)
    return Brought(said.number, said.name, blob.size, token)


async def start_with(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    process: ProcessId,
    numbers: Sequence[int],
    payload: Raw,
    parameters: RunParameters,
) -> Run:
    """Start a run of a process with a payload and files that were brought, by the numbers of their items.

    Raises WorkItemNotFound, WorkItemStateConflict for those that another start has taken, and what `start` raises.
    """
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    await check_payload(engine, payload)
    named = [Reference(store.WORK_ITEM, str(number), Ways.NUMBER) for number in dict.fromkeys(numbers)]
    found = await resolve_all(engine.database, scope, named)

    async def begin() -> Run:
        async with scoped(engine.database, scope) as tx:
            first, *others = await _hold(tx, scope, found, process)
            for file in await store.list_files(tx, scope, others) if others else ():
                await store.put_file(tx, first, FileId(uuid7()), name=file.name, size=file.size, digest=file.hash)
            if others:
                await store.set_state(tx, others, ItemState.DELETED)
            await store.set_payload(tx, first, payload)
            await store.set_state(tx, [first], ItemState.PENDING)  # of no run: it is new in its queue
            cause = actions.cause_of(actor)
            run = await actions.start_in(
                tx, engine, actor, workspace, process, WithItems((first,)), parameters, cause=cause
            )
            assert run is not None  # noqa: S101 - its item was named
            return run

    return await schemas.settled(engine, begin)


async def _hold(
    tx: ScopedTx, scope: Scope, wanted: Sequence[WorkItemId], process: ProcessId | None = None
) -> list[WorkItemId]:
    """Those items, locked, in their order: each still set aside, and of no run."""
    found = {item.id: item for item in await store.lock(tx, scope, wanted)}
    for each in wanted:
        item = found.get(each)
        if item is None or (process is not None and item.process_id != process):
            raise WorkItemNotFound(each)
        if item.state is not ItemState.HELD or item.run_id is not None:
            raise WorkItemStateConflict(each, item.state, "given a file, or started with it")
    return list(wanted)


def _read(engine: Engine, token: str) -> _Token:
    try:
        said = _decoder.decode(engine.keys.unpack_token(PREFIX, token))
    except msgspec.MsgspecError as foreign:
        raise WrongCredential("token") from foreign
    if time.time() >= said.expires:
        raise Unauthenticated("the token has expired", code="TOKEN_EXPIRED")
    return said
