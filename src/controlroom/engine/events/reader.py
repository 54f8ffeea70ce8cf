"""Reading the record of events in order, with a cursor of one's own (DESIGN §4.12).

Events come in (transaction, id) order, and only those of transactions below which all have ended: one that commits late
is never skipped. What a reader writes and where its cursor goes is one commit, so that it reads each event once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from controlroom.ids import OrganizationId, ProcessId, RunId, StepRunId, WorkItemId, WorkspaceId
from controlroom.postgres.database import Tx


class Happened(Struct, frozen=True, kw_only=True):
    """An event as it was appended."""

    id: int
    at: datetime
    kind: str
    organization_id: OrganizationId
    workspace_id: WorkspaceId | None
    process_id: ProcessId | None
    run_id: RunId | None
    step_run_id: StepRunId | None
    work_item_id: WorkItemId | None
    data: dict[str, Any]


class News(Struct, frozen=True):
    """What a reader has read."""

    events: list[Happened]
    """Those of the kinds that were asked for."""
    count: int
    """How many of any kind the cursor has passed; 0 when there is nothing to read, or somebody else reads."""


class _Position(Struct, frozen=True):
    xid: int
    id: int


class _Span(Struct, frozen=True):
    to_xid: int
    to_id: int
    count: int


async def read_next(tx: Tx, reader: str, kinds: Sequence[str], *, limit: int) -> News:
    """Read on for a reader (a row of `event_cursor`), over `limit` events at most, and move its cursor.

    The cursor's row is locked until the transaction ends; who finds it locked reads nothing.
    """
    at = await tx.one_or_none(
        _Position, "select xid, id from event_cursor where reader = %(reader)s for update skip locked", reader=reader
    )
    if at is None:
        return News([], 0)
    span = await _next_span(tx, at, limit)
    if span is None:
        return News([], 0)
    found = await tx.all(
        Happened,
        """
        select id, at, kind, organization_id, workspace_id, process_id, run_id, step_run_id, work_item_id, data
          from event
         where (xid, id) > (%(xid)s::xid8, %(id)s::bigint) and (xid, id) <= (%(to_xid)s::xid8, %(to_id)s::bigint)
           and kind = any(%(kinds)s::text[])
         order by xid, id
        """,
        xid=at.xid,
        id=at.id,
        to_xid=span.to_xid,
        to_id=span.to_id,
        kinds=list(kinds),
    )
    await tx.execute(
        "update event_cursor set xid = %(xid)s::xid8, id = %(id)s where reader = %(reader)s",
        reader=reader,
        xid=span.to_xid,
        id=span.to_id,
    )
    return News(found, span.count)


async def _next_span(tx: Tx, at: _Position, limit: int) -> _Span | None:
    return await tx.one_or_none(
        _Span,
        """
        with batch as (
            select xid, id from event
             where (xid, id) > (%(xid)s::xid8, %(id)s::bigint)
               and xid < pg_snapshot_xmin(pg_current_snapshot())
             order by xid, id
             limit %(limit)s
        )
        select xid as to_xid, id as to_id, (select count(*) from batch) as count
          from batch
         order by xid desc, id desc
         limit 1
        """,
        xid=at.xid,
        id=at.id,
        limit=limit,
    )
