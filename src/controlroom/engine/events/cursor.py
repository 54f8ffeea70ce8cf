"""Reading the record of events in order, with a cursor of one's own (DESIGN §4.12).

Events are read in (transaction, id) order, and only those of transactions below which all have ended: one that commits
late is never skipped. Whoever holds the cursor's row reads; what they write and where the cursor goes is one commit, so
that a reader has each event once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from controlroom.engine.tenancy import ScopedTx
from controlroom.ids import OrganizationId, ProcessId, RunId, StepRunId, WorkItemId, WorkspaceId


class Position(Struct, frozen=True):
    """The last event that a reader has read."""

    reader: str
    xid: int
    id: int


class Span(Struct, frozen=True, kw_only=True):
    """Events behind one position, up to and including another. All of them are there, and none comes in between."""

    after_xid: int
    after_id: int
    to_xid: int
    to_id: int
    count: int
    """How many there are, of any kind; never 0."""
    kinds: list[str]
    """Which kinds there are, each once."""

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that `IN_SPAN` names."""
        named = msgspec.structs.asdict(self)
        del named["count"], named["kinds"]
        return named


IN_SPAN: Final = """(event.xid, event.id) > (%(after_xid)s::xid8, %(after_id)s::bigint)
   and (event.xid, event.id) <= (%(to_xid)s::xid8, %(to_id)s::bigint)"""
"""The condition that an event lies in the span."""


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


async def hold(tx: ScopedTx, reader: str) -> Position | None:
    """Where a reader has come, held until the transaction ends; None while somebody else holds it."""
    return await tx.one_or_none(
        Position,
        "select reader, xid, id from event_cursor where reader = %(reader)s for update skip locked",
        reader=reader,
    )


_LAST_XID: Final = 2**63 - 1
_LAST_ID: Final = 2**63 - 1


async def next_span(tx: ScopedTx, position: Position, *, limit: int, until: Position | None = None) -> Span | None:
    """The next events, `limit` at most, none behind `until`; None if none may be read yet."""
    return await tx.one_or_none(
        Span,
        """
        with batch as (
            select xid, id, kind from event
             where (xid, id) > (%(xid)s::xid8, %(id)s::bigint)
               and (xid, id) <= (%(until_xid)s::xid8, %(until_id)s::bigint)
               and xid < pg_snapshot_xmin(pg_current_snapshot())
             order by xid, id
             limit %(limit)s
        )
        select %(xid)s::xid8 as after_xid, %(id)s::bigint as after_id, xid as to_xid, id as to_id,
               (select count(*) from batch) as count, (select array_agg(distinct kind) from batch) as kinds
          from batch
         order by xid desc, id desc
         limit 1
        """,
        xid=position.xid,
        id=position.id,
        until_xid=_LAST_XID if until is None else until.xid,
        until_id=_LAST_ID if until is None else until.id,
        limit=limit,
    )


async def is_settled(tx: ScopedTx, position: Position) -> bool:
    """Whether all transactions have ended that may have an event before the position."""
    return bool(await tx.value("select %(xid)s::xid8 <= pg_snapshot_xmin(pg_current_snapshot())", xid=position.xid))


async def has_more(tx: ScopedTx, position: Position, kinds: Sequence[str]) -> bool:
    """Whether there are events of these kinds behind the position, those that may not be read yet included."""
    return bool(
        await tx.value(
            """
            select exists (select from event
                            where (xid, id) > (%(xid)s::xid8, %(id)s::bigint) and kind = any(%(kinds)s::text[]))
            """,
            xid=position.xid,
            id=position.id,
            kinds=list(kinds),
        )
    )


async def events_in(tx: ScopedTx, span: Span, kinds: Sequence[str]) -> list[Happened]:
    """The events of these kinds in a span, in their order."""
    return await tx.all(
        Happened,
        f"""
        select id, at, kind, organization_id, workspace_id, process_id, run_id, step_run_id, work_item_id, data
          from event
         where {IN_SPAN} and kind = any(%(kinds)s::text[])
         order by xid, id
        """,
        kinds=list(kinds),
        **span.params,
    )


async def move(tx: ScopedTx, position: Position, span: Span) -> Position:
    """The reader whose position this was has read all of the span; where it is now."""
    moved = Position(position.reader, span.to_xid, span.to_id)
    await tx.execute(
        "update event_cursor set xid = %(xid)s::xid8, id = %(id)s where reader = %(reader)s",
        **msgspec.structs.asdict(moved),
    )
    return moved
