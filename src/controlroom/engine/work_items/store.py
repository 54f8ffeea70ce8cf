"""The statements over work items, their files and their history; taking and giving back is in `claims`.

Items are listed by id, newest first, by keyset.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from msgspec import Raw, Struct
from msgspec.structs import asdict, replace

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import NEWEST_FIRST, Asked, Listing, behind, equal
from controlroom.engine.nouns import InWorkspace, Missing, Noun, reading
from controlroom.engine.work_items.errors import WorkItemNotFound
from controlroom.engine.work_items.listings import ALL_BUT_DATA, COLUMNS_WITHOUT_DATA, ITEMS, WITH_DATA
from controlroom.engine.work_items.model import (
    ItemAttempt,
    ItemException,
    ItemFile,
    ItemState,
    ListedItem,
    WorkItem,
    WrittenItem,
)
from controlroom.ids import (
    FileId,
    ProcessId,
    QueueId,
    RunId,
    StepId,
    WorkItemId,
    WorkspaceId,
    first_id_at,
    uuid7,
)
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import fitting, oldest_first, until_full

WORK_ITEM: Final = Noun[WorkItemId](
    "work item",
    WorkItemNotFound,
    "work_item",
    InWorkspace("work_item.workspace_id"),
    there="work_item.state <> 'deleted'",
)
FILE: Final = Noun[FileId](
    "file",
    partial(Missing, "file"),
    "work_item_file",
    InWorkspace("work_item.workspace_id"),
    joined="join work_item on work_item.id = work_item_file.work_item_id",
    there="work_item.state <> 'deleted'",
)

COLUMNS: Final = f"{ALL_BUT_DATA}, payload"
IS_DUE: Final = "(work_item.due <= clock_now() or not work_item.is_postponed)"
"""The condition of claims. Only what was postponed on purpose waits for a clock: one that is put back halts nothing."""

RETRY: Final = """coalesce((select queue.retry from queue
                      where queue.id = (select held.queue_id from work_item as held
                                         where held.step_run_id = step_run.id and held.turn is not null
                                         order by held.turn desc
                                         limit 1)), step.retry)"""
"""When the item that a `step_run` holds is tried again: as its queue says, else as the `step` does."""

FILES: Final = """(
    select coalesce(jsonb_agg(jsonb_build_object('id', file.id, 'number', file.number, 'work_item_id', work_item_id,
                                                 'name', name, 'size', size, 'hash', hash,
                                                 'created_at', file.created_at)
                              order by name), '[]')
      from work_item_file as file where file.work_item_id = work_item.id)"""
"""The files of an item as JSON, as a column beside others: whoever waits for them waits for one round trip."""


class _Payload(Struct, frozen=True):
    id: WorkItemId
    payload: Raw | None


# ---------------------------------------------------------------------------------------------------- reading
async def get(db: Statements, scope: Scope, item: WorkItemId) -> WorkItem:
    """One item of the workspace; raises WorkItemNotFound, also for one that was deleted."""
    found = await db.one_or_none(
        WorkItem,
        f"""
        select {COLUMNS} from work_item
         where workspace_id = {SEEN} and id = %(item)s and state <> 'deleted'
        """,
        item=item,
        **scope.params,
    )
    if found is None:
        raise WorkItemNotFound(item)
    return found


async def named(db: Statements, scope: Scope, text: str) -> WorkItem:
    """The item that a text names by its number or its id, in one round trip; raises WorkItemNotFound."""
    asked = reading(text)
    found = await db.one_or_none(
        WorkItem,
        f"""
        select {COLUMNS} from work_item
         where workspace_id = {SEEN} and state <> 'deleted'
           and (id = %(asked_id)s::uuid or (number = %(asked_number)s::bigint and %(asked_id)s::uuid is null))
        """,
        asked_id=asked.id,
        asked_number=asked.number,
        **scope.params,
    )
    if found is None:
        raise WORK_ITEM.missing(text)
    return found


async def list_items(
    db: Statements,
    scope: Scope,
    *,
    process: ProcessId | None = None,
    run: RunId | None = None,
    queue: QueueId | None = None,
    state: ItemState | None = None,
    before: WorkItemId | None = None,
    limit: int,
) -> list[WorkItem]:
    """Items of the list, newest first."""
    which = equal(process_id=process, run_id=run, queue_id=queue, state=state)
    asked = Asked(filter=which, sort=NEWEST_FIRST, start=behind(before), length=limit)
    return await pages.rows(db, WorkItem, ITEMS, within(scope), asked)


async def list_written(
    db: Statements,
    scope: Scope,
    listing: Listing,
    *,
    process: ProcessId | None = None,
    run: RunId | None = None,
    queue: QueueId | None = None,
    state: ItemState | None = None,
    before: WorkItemId | None = None,
    limit: int,
    most_bytes: int,
) -> pages.Written | list[WrittenItem | ListedItem]:
    """Likewise, with their payloads, as a list of `written_items` writes them: as many as `until_full` says.

    Mostly all of them in one piece. Only items of which there is more to tell are asked for again, and their long
    payloads some at a time.
    """
    which = equal(process_id=process, run_id=run, queue_id=queue, state=state)
    asked = Asked(filter=which, sort=NEWEST_FIRST, start=behind(before), length=limit)
    while True:
        found = await pages.written(db, listing, within(scope), asked)
        if found.is_whole and len(found.text) <= most_bytes:
            return found
        rows = [WrittenItem(id_, Raw(text)) for id_, text in zip(found.ids, found.texts(), strict=True)]
        odd = [row.id for row in rows if not memoryview(row.text)]
        items = await _with_data(db, scope, odd)
        if len(items) == len(odd):
            break
        # One went meanwhile, without which the page would seem to be the last.
    long = [id_ for id_ in odd if items[id_].is_long]
    fetched = await _payloads_until(db, scope, long, most_bytes=most_bytes) if long else []
    payloads = {row.id: row.payload for row in fetched}
    told: list[WrittenItem | ListedItem] = []
    for row in rows:
        item = items.get(row.id)
        if item is not None and item.is_long:
            if row.id not in payloads:
                break
            item = replace(item, payload=payloads[row.id])
        told.append(row if item is None else item)
    return told


async def _with_data(db: Statements, scope: Scope, items: Sequence[WorkItemId]) -> dict[WorkItemId, ListedItem]:
    if not items:
        return {}
    rows = await db.all(
        ListedItem,
        f"""
        select {WITH_DATA} from work_item
         where workspace_id = {SEEN} and id = any (%(items)s) and state <> 'deleted'
        """,
        items=items,
        **scope.params,
    )
    return {row.id: row for row in rows}


async def list_outputs(
    db: Statements, scope: Scope, run: RunId, *, after: WorkItemId | None = None, limit: int, most_bytes: int
) -> list[WorkItem]:
    """What the last step of a run put out, oldest first, with payloads: as many as `until_full` says."""

    async def fetch(last: WorkItem | None, wanted: int) -> list[WorkItem]:
        return await db.all(
            WorkItem,
            f"""
            select {COLUMNS} from work_item
             where workspace_id = {SEEN} and run_id = %(run)s and queue_id is null and state = 'new'
               {oldest_first("id")}
            """,
            run=run,
            after=after if last is None else last.id,
            limit=wanted,
            **scope.params,
        )

    return await until_full(fetch, size_of, limit=limit, most=most_bytes)


def size_of(item: WorkItem | WrittenItem) -> int:
    """About the bytes that an item takes when it is told."""
    if isinstance(item, WrittenItem):
        return len(memoryview(item.text))
    return (0 if item.payload is None else len(memoryview(item.payload))) + len(item.exception_message)


async def payloads_of(
    db: Statements, scope: Scope, items: Sequence[WorkItemId], *, most_bytes: int
) -> dict[WorkItemId, Raw | None]:
    """The payload of the first of the items, as many as have no more bytes together; None for one that has none."""
    rows = await _payloads_until(db, scope, items, most_bytes=most_bytes)
    return {row.id: row.payload for row in fitting(rows, _size, most=most_bytes)}


async def _payloads_until(
    db: Statements, scope: Scope, items: Sequence[WorkItemId], *, most_bytes: int
) -> list[_Payload]:
    """Likewise, as many as `until_full` says."""

    async def fetch(last: _Payload | None, wanted: int) -> list[_Payload]:
        begin = 0 if last is None else items.index(last.id) + 1
        asked = items[begin : begin + wanted]
        rows = await db.all(
            _Payload,
            f"select id, payload from work_item where workspace_id = {SEEN} and id = any (%(items)s)",
            items=asked,
            **scope.params,
        )
        found = {row.id: row for row in rows}
        return [found.get(item, _Payload(item, None)) for item in asked]

    return await until_full(fetch, _size, limit=len(items), most=most_bytes)


def _size(row: _Payload) -> int:
    return 0 if row.payload is None else len(memoryview(row.payload))


async def list_files(db: Statements, scope: Scope, items: Sequence[WorkItemId]) -> list[ItemFile]:
    """The files of several items at once, by item and name."""
    return await db.all(
        ItemFile,
        f"""
        select file.id, file.number, work_item_id, name, size, hash, file.created_at
          from work_item_file as file join work_item as item on item.id = file.work_item_id
         where item.workspace_id = {SEEN} and file.work_item_id = any(%(items)s::uuid[])
         order by work_item_id, name
        """,
        items=list(items),
        **scope.params,
    )


async def history(db: Statements, scope: Scope, item: WorkItemId) -> list[ItemAttempt]:
    """The ended attempts at an item, first to last."""
    return await db.all(
        ItemAttempt,
        f"""
        select tried.attempt, tried.step_run_id, tried.reserved_at, tried.released_at, tried.outcome,
               tried.exception_type, tried.exception_code, tried.exception_message
          from work_item_attempt as tried join work_item as item on item.id = tried.work_item_id
         where item.workspace_id = {SEEN} and item.id = %(item)s
         order by tried.attempt
        """,
        item=item,
        **scope.params,
    )


class Period(Struct, frozen=True):
    """From a moment until another."""

    since: datetime
    until: datetime


_CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""How far the clock that makes ids may be from the one that keeps times."""


class Kin(Struct, frozen=True, kw_only=True):
    """An item from which another one came, or that came of it."""

    id: WorkItemId
    number: int
    state: ItemState
    reference: str | None
    step_name: str | None
    is_parent: bool


async def kin(db: Statements, scope: Scope, item: WorkItem, *, worked: Period | None, limit: int) -> list[Kin]:
    """The parent of an item, and what it put out while it was `worked` on, oldest first: at most `limit`.

    Cheap by this: ids tell when they were made, and of its run only those of that time are looked at.
    """
    return await db.all(
        Kin,
        f"""
        select kin.id, kin.number, kin.state, kin.reference, step.name as step_name, kin.id = %(parent)s as is_parent
          from (select * from work_item where id = %(parent)s
                union all
                (select * from work_item
                  where run_id = %(run)s and id >= %(since)s and id < %(until)s
                    and parent_id = %(item)s and state <> 'deleted'
                  order by id limit %(limit)s)) as kin
          left join step on step.id = kin.step_id
         where kin.workspace_id = {SEEN} and kin.state <> 'deleted'
         order by is_parent desc, kin.id
        """,
        item=item.id,
        parent=item.parent_id,
        run=item.run_id,
        since=None if worked is None else first_id_at(worked.since - _CLOCKS_DIFFER),
        until=None if worked is None else first_id_at(worked.until + _CLOCKS_DIFFER),
        limit=limit,
        **scope.params,
    )


async def lock(tx: Statements, scope: Scope, items: Sequence[WorkItemId]) -> list[WorkItem]:
    """The named items without payloads, locked in the order of their ids so that two callers cannot entangle."""
    return await tx.all(
        WorkItem,
        f"""
        select {COLUMNS_WITHOUT_DATA} from work_item
         where workspace_id = {SEEN} and id = any(%(items)s::uuid[]) and state <> 'deleted'
         order by id
           for update
        """,
        items=list(items),
        **scope.params,
    )


# ---------------------------------------------------------------------------------------------------- making
async def insert(
    tx: ScopedTx,
    *,
    workspace: WorkspaceId,
    process: ProcessId | None,
    queue: QueueId,
    step: StepId | None,
    run: RunId | None,
    payloads: Raw,
    count: int,
    priority: int = 0,
) -> list[WorkItemId]:
    """Make `count` items from a JSON array of payloads: pending in the run, or new in the queue when `run` is None.

    Ids rise in the order of the array. Several thousands a call are fine: it is one statement.
    """
    ids = [WorkItemId(uuid7()) for _ in range(count)]
    await tx.execute(
        """
        insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state, priority, payload)
        select made.id, %(workspace)s, %(process)s, %(queue)s, %(step)s, %(run)s,
               case when %(run)s::uuid is null then 'new' else 'pending' end, %(priority)s, given.payload
          from unnest(%(ids)s::uuid[]) with ordinality as made (id, place)
          join jsonb_array_elements(%(payloads)s::jsonb) with ordinality as given (payload, place) using (place)
        """,
        ids=ids,
        workspace=workspace,
        process=process,
        queue=queue,
        step=step,
        run=run,
        payloads=payloads,
        priority=priority,
    )
    return ids


class NewItem(Struct, frozen=True, kw_only=True):
    """One item to be made: pending in the run, or new in the queue when `run` is None; due now unless it says when."""

    workspace: WorkspaceId
    process: ProcessId | None
    queue: QueueId
    step: StepId | None = None
    run: RunId | None = None
    payload: Raw | None
    priority: int = 0
    due: datetime | None = None
    deadline: datetime | None = None
    reference: str | None = None


_INSERT_ONE: Final = """
    insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state, priority, payload,
                           due, is_postponed, deadline, reference)
    values (%(item)s, %(workspace)s, %(process)s, %(queue)s, %(step)s, %(run)s,
            case when %(run)s::uuid is null then 'new' else 'pending' end, %(priority)s, %(payload)s,
            coalesce(%(due)s::timestamptz, clock_now()), coalesce(%(due)s > clock_now(), false), %(deadline)s,
            %(reference)s)
"""


async def insert_one(tx: ScopedTx, new: NewItem) -> WorkItemId:
    """Make one item."""
    item = WorkItemId(uuid7())
    await tx.execute(_INSERT_ONE, item=item, **asdict(new))
    return item


async def make_one(tx: ScopedTx, new: NewItem) -> WorkItem:
    """Make one item, and give it as it is kept: for whoever asked for it, in the same round trip."""
    return await tx.one(WorkItem, f"{_INSERT_ONE} returning {COLUMNS}", item=uuid7(), **asdict(new))


# ---------------------------------------------------------------------------------------------------- changing
async def leave_wakes(tx: ScopedTx, runs: Sequence[RunId]) -> None:
    """Have the runs looked at after the commit, even if this server dies then: ended runs are polled by this."""
    await tx.execute(
        "insert into run_wake (run_id) select unnest(%(runs)s::uuid[]) order by 1 on conflict do nothing",
        runs=list(runs),
    )


async def set_state(
    tx: ScopedTx, items: Sequence[WorkItemId], state: ItemState, exception: ItemException | None = None
) -> None:
    """Set the state of items that the caller has locked and decided about.

    A pending one is due at once, whatever its deadline was, unless it was only held; if it belongs to no run, it is new
    in its queue.
    """
    await tx.execute(
        """
        update work_item
           set state = case when %(state)s = 'pending' and run_id is null then 'new' else %(state)s end,
               state_at = clock_now(),
               due = case when %(state)s = 'pending' and state <> 'held' then clock_now() else due end,
               deadline = case when %(state)s = 'pending' and state <> 'held' and deadline <= clock_now() then null
                               else deadline end,
               is_postponed = is_postponed and (%(state)s <> 'pending' or state = 'held'),
               fault = case when %(state)s = 'done' then null else fault end, failure = null,
               exception_type = %(type)s, exception_code = %(code)s, exception_message = %(message)s
         where id = any(%(items)s::uuid[])
        """,
        items=list(items),
        state=state,
        type=None if exception is None else exception.type,
        code="" if exception is None else exception.code,
        message="" if exception is None else exception.message,
    )


async def keep_payload(tx: ScopedTx, item: WorkItemId) -> None:
    """Keep the payload of an item that the caller has locked as its last attempt left it, before somebody edits it."""
    await tx.execute(
        """
        insert into work_item_edit (work_item_id, attempt, payload)
        select id, attempt, payload from work_item where id = %(item)s and attempt > 0
            on conflict (work_item_id, attempt) do nothing
        """,
        item=item,
    )


async def set_payload(tx: ScopedTx, item: WorkItemId, payload: Raw | None) -> None:
    """Replace the payload of an item that the caller has locked and checked."""
    await tx.execute(
        "update work_item set payload = %(payload)s, fault = null where id = %(item)s",
        item=item,
        payload=payload,
    )


# ---------------------------------------------------------------------------------------------------- files
async def put_file(tx: ScopedTx, item: WorkItemId, file: FileId, *, name: str, size: int, digest: str) -> None:
    """Add a file to an item that the caller has locked; one of its name gives way to it, number and all."""
    await tx.execute(
        """
        insert into work_item_file (id, work_item_id, name, size, hash)
        values (%(file)s, %(item)s, %(name)s, %(size)s, %(hash)s)
            on conflict (work_item_id, name)
            do update set id = excluded.id, number = excluded.number, size = excluded.size, hash = excluded.hash,
                          created_at = clock_now()
        """,
        item=item,
        file=file,
        name=name,
        size=size,
        hash=digest,
    )


async def delete_file(tx: ScopedTx, item: WorkItemId, file: UUID) -> bool:
    """Remove a file from an item that the caller may write; whether it was there."""
    return bool(
        await tx.execute(
            "delete from work_item_file where work_item_id = %(item)s and id = %(file)s",
            item=item,
            file=file,
        )
    )
