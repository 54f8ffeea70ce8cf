"""The rows of a table become items of a queue, some hundred a transaction.

Each transaction takes the job, writes items and how many rows were read: whoever goes on after a server died, or
believes that it did, begins behind them, so that no row is put in twice and none is left out.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from controlroom.engine.access.record import happened, record
from controlroom.engine.access.scope import Of, Room, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, append
from controlroom.engine.queues import feeding, jobs
from controlroom.engine.queues.errors import QueueNotFound
from controlroom.engine.queues.feeding import Held, Put
from controlroom.engine.queues.jobs import QueueJob
from controlroom.engine.queues.tables import Table, TableWrong
from controlroom.errors import ControlRoomError
from controlroom.ids import WorkItemId

_ROWS: Final = 500
"""Rows of one transaction. Why: about 50 ms."""
_SECONDS: Final = 20.0
"""For one table, before others have their turn."""


async def load(engine: Engine, room: Room, job: QueueJob) -> None:
    """Put rows of a table into its queue, for a while; the job ends with the last one."""
    assert job.hash is not None  # noqa: S101 - a table that waits has its file
    began = time.monotonic()
    with engine.scratch.folder("table") as folder:
        path = folder / "table.csv"
        await engine.objects.fetch_file(job.hash, path)
        table = await asyncio.to_thread(_opened, path)
        rows = table.rows(after=job.rows_read)
        while time.monotonic() - began < _SECONDS:
            taken = list(islice(rows, _ROWS))
            if not await _put(engine, room, job, table.columns, taken):
                return
            if not taken:
                return
            job = replace(job, rows_read=job.rows_read + len(taken))


def _opened(path: Path) -> Table:
    return Table(path)


async def _put(engine: Engine, room: Room, job: QueueJob, columns: Sequence[str], rows: Sequence[list[str]]) -> bool:
    """Put some rows in, or end the job where there are none left; False if somebody else is at it."""
    assert job.queue_id is not None and job.workspace_id is not None  # noqa: S101, PT018 - a table is put into one
    here = Of(job.organization_id, (job.workspace_id,))
    async with scoped(engine.database, room) as tx:
        held = await feeding.hold(tx, here, job.queue_id)
        if not await jobs.take(tx, job):
            return False
        if not rows:
            ended = await jobs.end(tx, job)
            if ended:
                of = By("user" if job.created_by else "system", job.created_by)
                await record(engine, tx, of, here, "queue.loaded", job.queue_id, name=job.name)
            return ended
        puts = list(_read(held, columns, rows, engine.limits.payload_bytes))
        made = await feeding.insert(tx, here, held, job.queue_id, puts, by=job.created_by) if puts else []
        await _tell(tx, here, job, made)
        whole = sum(1 for row in rows if any(row))
        fit = len(made) - sum(1 for put in puts if put.fault is not None)
        await jobs.advance(tx, job, read=len(rows), put=len(made), refused=max(whole - fit, 0))
        return True


def _read(held: Held, columns: Sequence[str], rows: Sequence[list[str]], most: int) -> Iterator[Put]:
    """The rows as items. Raises TableWrong for a table that lacks a column of the queue's model."""
    names = {name.casefold(): place for place, name in enumerate(columns)}
    known = {each.name: names.get(each.name.casefold()) for each in held.attributes}
    if missing := [name for name, place in known.items() if place is None]:
        raise TableWrong(f"column {missing[0]} is missing in the file")
    places = known or {name: place for place, name in enumerate(columns) if name}
    for row in rows:
        if not any(row):
            continue
        cells = {name: row[place] if place is not None and place < len(row) else "" for name, place in places.items()}
        payload = {name: Raw(msgspec.json.encode(cell.replace("\0", ""))) for name, cell in cells.items()}
        put = feeding.fitted(held, payload)
        if len(memoryview(put.payload)) <= most:
            yield put


async def _tell(tx: ScopedTx, here: Of, job: QueueJob, made: Sequence[WorkItemId]) -> None:
    of = By("user" if job.created_by else "system", job.created_by)
    await append(tx, of, *(happened(here, "work_item.created", work_item_id=each) for each in made))


async def fail(engine: Engine, room: Room, job: QueueJob, why: ControlRoomError) -> None:
    """End a job that cannot be done. A queue that has only moved is looked for again."""
    if isinstance(why, QueueNotFound) and await _has_moved(engine, room, job):
        return
    async with scoped(engine.database, room) as tx:
        await jobs.end(tx, job, error=why.message)


async def _has_moved(engine: Engine, _room: Room, job: QueueJob) -> bool:
    return bool(
        await engine.database.value(
            """
            select exists (select from queue where id = %(queue)s and deleted_at is null
                              and workspace_id is distinct from %(workspace)s)
            """,
            queue=job.queue_id,
            workspace=job.workspace_id,
        )
    )
