"""What a robot does in one call of our own API: an item with its payload and files, a release with all that it brings.

The laws are those of `held_items`, and so are the statements: an item is handed out when the robot asks for it and
never before, a release is one commit, and all of it may be repeated after a lost answer. An output has a key of the
robot's, by which a repeated one is known again: there is no twin, as there can be where the wire has no key
(`repeated_outputs`).
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Annotated, Final

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from controlroom.engine.access.model import StepRunActor
from controlroom.engine.access.scope import Robot, ScopedTx, scope_of_robot, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.runs import held_items, outputs
from controlroom.engine.runs.held_items import Done, Failed
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import claims, schemas, store
from controlroom.engine.work_items import files as item_files
from controlroom.engine.work_items.claims import ReservedWhole
from controlroom.engine.work_items.limits import check_payload
from controlroom.engine.work_items.model import ItemFile, ItemState
from controlroom.engine.work_items.rules import shortened
from controlroom.errors import ControlRoomError, Invalid, NotFound
from controlroom.ids import FileId, WorkItemId, uuid7
from controlroom.objects.store import Blob

MOST_OUTPUTS: Final = 1000
"""That a release may bring. Why: they are written one after another, in the transaction that releases."""

Key = Annotated[str, Meta(min_length=1, max_length=200)]
"""By which a robot's output is known again, within its step run."""


class SmallFile(Struct, frozen=True):
    """A file that comes with what it belongs to."""

    name: str
    content: bytes


class NewOutput(Struct, frozen=True):
    """What a robot puts out."""

    key: Key
    payload: Raw = Raw(b"null")
    files: tuple[SmallFile, ...] = ()


class Brought(Struct, frozen=True):
    """What a release brings along."""

    payload: Raw | UnsetType | None = UNSET
    """What the robot has saved last; left out: the item keeps what it has."""
    outputs: tuple[NewOutput, ...] = ()


async def reserve(engine: Engine, robot: StepRunActor) -> ReservedWhole | None:
    """The next item for the step run, or the one it holds, with payload and files; None when none is left."""
    return await held_items.reserve_as(engine, robot, ReservedWhole)


async def release(
    engine: Engine, robot: StepRunActor, item: WorkItemId, outcome: Done | Failed, brought: Brought
) -> list[WorkItemId]:
    """Give an item back, with all that it brings, or with nothing of it; the ids of its outputs in their order.

    The same release twice is fine. Raises NotHolding for a conflicting one, KeyReused for an output whose key has made
    one of another item, and what payloads and files are refused with.
    """
    if isinstance(brought.payload, Raw):
        await check_payload(engine, brought.payload)
    if isinstance(outcome, Done) and not brought.outputs:
        await held_items.finish(engine, robot, item, brought.payload)
        return []
    if len(brought.outputs) > MOST_OUTPUTS:
        raise Invalid(f"a release brings at most {MOST_OUTPUTS:,} outputs", code="TOO_MANY_OUTPUTS")
    stored = [await _stored(engine, output) for output in brought.outputs]
    return await schemas.settled(engine, lambda: _release_with_outputs(engine, robot, item, outcome, brought, stored))


class Passed(Struct, frozen=True):
    """What a release made, and the item in its place."""

    outputs: list[WorkItemId]
    item: ReservedWhole | UnsetType | None
    """None: there is none left; UNSET: it could not be told, and `reserve` says why."""


async def release_and_reserve(
    engine: Engine, robot: StepRunActor, item: WorkItemId, outcome: Done | Failed, brought: Brought
) -> Passed:
    """Give an item back, and take the next one in the same call: what is asked for is handed out, once it is released.

    Repeated after a lost answer it gives the same item, which the step run holds by then. A release that is refused
    reserves nothing; one that stands is answered, whatever becomes of the claim.
    """
    made = await release(engine, robot, item, outcome, brought)
    try:
        return Passed(made, await reserve(engine, robot))
    except ControlRoomError:  # the run has just been ended, the database went away …
        return Passed(made, UNSET)


async def _release_with_outputs(
    engine: Engine,
    robot: StepRunActor,
    item: WorkItemId,
    outcome: Done | Failed,
    brought: Brought,
    stored: Sequence["_Stored"],
) -> list[WorkItemId]:
    scope = scope_of_robot(robot)
    async with scoped(engine.database, scope) as tx:
        held = await held_items.lock_held(tx, scope)
        if held is None or held.item.id != item:
            await held_items.explain(tx, scope, item, outcome)
            return await _made_before(tx, scope, item, brought)
        if brought.payload is not UNSET:
            await _set_payload(tx, scope, item, brought.payload)
        made = [await _make(tx, robot, item, output) for output in stored]
        match outcome:
            case Done():
                has_work = await claims.finish_held(tx, scope, item, process=robot.process_id, run=robot.run_id)
                if has_work:
                    tx.after_commit(lambda: engine.wakes.wake_here(Topic.RUN, robot.run_id))
            case Failed(exception):
                await held_items.fail_held(engine, tx, robot, held, shortened(exception))
        return made


async def output(engine: Engine, robot: StepRunActor, parent: WorkItemId, new: NewOutput) -> WorkItemId:
    """Make an output of the item in hand, with its files: a draft until the item is released.

    One of the same key is made once, and is told again, with payload and files of the first. Raises NotHolding,
    KeyReused.
    """
    stored = await _stored(engine, new)
    if not stored.files:  # one round trip
        made = await outputs.make_at_once(engine, robot, parent, new.payload, key=new.key)
    else:
        made = await schemas.settled(engine, lambda: _make_with_files(engine, robot, parent, stored))
    if made.state is ItemState.PENDING:
        engine.wakes.wake_here(Topic.RUN, robot.run_id)
    return made.id


class _StoredFile(Struct, frozen=True):
    name: str
    blob: Blob


class _Stored(Struct, frozen=True):
    """An output whose files lie in the store already: a transaction waits for no disk of it."""

    key: str
    payload: Raw
    files: tuple[_StoredFile, ...]


async def _stored(engine: Engine, output: NewOutput) -> _Stored:
    await check_payload(engine, output.payload)
    named = [item_files.checked_file(engine, file.name, len(file.content)) for file in output.files]
    kept = [
        _StoredFile(name, await engine.objects.put_bytes(file.content))
        for name, file in zip(named, output.files, strict=True)
    ]
    return _Stored(output.key, output.payload, tuple(kept))


async def _make_with_files(engine: Engine, robot: StepRunActor, parent: WorkItemId, stored: _Stored) -> outputs.Made:
    async with scoped(engine.database, scope_of_robot(robot)) as tx:
        return await _made(tx, robot, parent, stored)


async def _make(tx: ScopedTx, robot: StepRunActor, parent: WorkItemId, stored: _Stored) -> WorkItemId:
    return (await _made(tx, robot, parent, stored)).id


async def _made(tx: ScopedTx, robot: StepRunActor, parent: WorkItemId, stored: _Stored) -> outputs.Made:
    made = await outputs.make(tx, robot, parent, stored.payload, key=stored.key)
    if made.is_new:
        for file in stored.files:
            await store.put_file(
                tx, made.id, FileId(uuid7()), name=file.name, size=file.blob.size, digest=file.blob.hash
            )
    return made


class _ByKey(Struct, frozen=True):
    id: WorkItemId
    robot_key: str


async def _made_before(tx: ScopedTx, scope: Robot, parent: WorkItemId, brought: Brought) -> list[WorkItemId]:
    """What the outputs of a release that is repeated were made as: those that a retry has discarded are not there."""
    rows = await tx.all(
        _ByKey,
        """
        select id, robot_key from work_item
         where created_by_step_run = %(step_run)s and robot_key = any(%(keys)s) and state <> 'deleted'
           and parent_id = %(parent)s
        """,
        keys=[each.key for each in brought.outputs],
        parent=parent,
        step_run=scope.step_run,
    )
    found = {row.robot_key: row.id for row in rows}
    return [found[each.key] for each in brought.outputs if each.key in found]


async def _set_payload(tx: ScopedTx, scope: Robot, item: WorkItemId, payload: Raw | UnsetType | None) -> None:
    """Of the item that the transaction has locked as held by the step run."""
    await tx.execute(
        "update work_item set payload = %(payload)s where id = %(item)s and step_run_id = %(step_run)s",
        payload=payload,
        item=item,
        step_run=scope.step_run,
    )


# ---------------------------------------------------------------------------------------------------- files
async def put_file(
    engine: Engine, robot: StepRunActor, item: WorkItemId, name: str, content: AsyncGenerator[bytes, None]
) -> None:
    """Add a file to an item that the robot may write, in place of one of its name. May be repeated."""
    name = item_files.checked_file(engine, name, 0)
    blob = await engine.objects.put(content, max_size=engine.limits.file_bytes)
    scope = scope_of_robot(robot)
    async with scoped(engine.database, scope) as tx:
        await held_items.lock_writable(tx, scope, item)
        await store.put_file(tx, item, FileId(uuid7()), name=name, size=blob.size, digest=blob.hash)


async def delete_file(engine: Engine, robot: StepRunActor, item: WorkItemId, name: str) -> None:
    """Remove a file from an item that the robot may write; one that is not there is NotFound."""
    file = await _file(engine, robot, item, name)
    await held_items.delete_file(engine, robot, item, file.id)


async def open_file(
    engine: Engine, robot: StepRunActor, item: WorkItemId, name: str
) -> tuple[ItemFile, AsyncIterator[bytes]]:
    """A file of an item that the robot has held or made, and its content."""
    file = await _file(engine, robot, item, name)
    return file, engine.objects.stream(file.hash)


async def _file(engine: Engine, robot: StepRunActor, item: WorkItemId, name: str) -> ItemFile:
    for file in await held_items.files(engine, robot, item):
        if file.name == name:
            return file
    raise NotFound(f"work item {item} has no file {name[:300]!r}", code="FILE_NOT_FOUND")
