"""How far deliveries have come in the record of events, and what comes next (DESIGN §4.12).

Events are read in (transaction, id) order, and only those of transactions below which all have ended: one that commits
late is never skipped. Whoever holds the cursor's row reads; what they write and where the cursor goes is one commit.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from controlroom.postgres.database import Statements, Tx

_READER: Final = "deliveries"


class Position(Struct, frozen=True):
    """The last event that was read."""

    xid: int
    id: int


class Span(Struct, frozen=True, kw_only=True):
    """Events behind one position, up to and including another. All of them are there, and none comes in between."""

    after_xid: int
    after_id: int
    to_xid: int
    to_id: int
    count: int

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that `IN_SPAN` names."""
        named = msgspec.structs.asdict(self)
        del named["count"]
        return named


IN_SPAN: Final = """(event.xid, event.id) > (%(after_xid)s::xid8, %(after_id)s::bigint)
   and (event.xid, event.id) <= (%(to_xid)s::xid8, %(to_id)s::bigint)"""
"""The condition that an event lies in the span."""


async def hold(tx: Tx) -> Position | None:
    """Where deliveries have come, held until the transaction ends; None while somebody else holds it."""
    return await tx.one_or_none(
        Position,
        "select xid, id from event_cursor where reader = %(reader)s for update skip locked",
        reader=_READER,
    )


async def next_span(tx: Statements, position: Position, *, limit: int) -> Span | None:
    """The next events, `limit` at most; None if none may be read yet."""
    return await tx.one_or_none(
        Span,
        """
        with batch as (
            select xid, id from event
             where (xid, id) > (%(xid)s::xid8, %(id)s::bigint)
               and xid < pg_snapshot_xmin(pg_current_snapshot())
             order by xid, id
             limit %(limit)s
        )
        select %(xid)s::xid8 as after_xid, %(id)s::bigint as after_id, xid as to_xid, id as to_id,
               (select count(*) from batch) as count
          from batch
         order by xid desc, id desc
         limit 1
        """,
        xid=position.xid,
        id=position.id,
        limit=limit,
    )


async def has_more(tx: Statements, position: Position) -> bool:
    """Whether there are events behind the position at all, those that may not be read yet included."""
    return bool(
        await tx.value(
            "select exists (select from event where (xid, id) > (%(xid)s::xid8, %(id)s::bigint))",
            xid=position.xid,
            id=position.id,
        )
    )


async def move(tx: Tx, span: Span) -> None:
    """All of the span is read."""
    await tx.execute(
        "update event_cursor set xid = %(xid)s::xid8, id = %(id)s where reader = %(reader)s",
        reader=_READER,
        xid=span.to_xid,
        id=span.to_id,
    )


OCCURRENCE: Final = """
    event.id as event_id, event.at, event.kind, event.organization_id, event.workspace_id, event.process_id,
    process.name as process_name, event.run_id, run.number as run_number, run.started_at as run_started_at,
    event.step_run_id, step.name as step_name,
    coalesce(event.data -> 'error' ->> 'code', case when event.kind = 'run.unresolved' then (
        select failed.error_code from step_run as failed
         where failed.run_id = event.run_id and failed.state = 'failed'
         order by failed.ended_at desc limit 1) end) as error_code,
    event.data"""
"""The columns of `Occurrence`, of an event joined with `WHAT_OF`."""

WHAT_OF: Final = """
      left join process on process.id = event.process_id
      left join run on run.id = event.run_id
      left join step_run on step_run.id = event.step_run_id
      left join step on step.id = step_run.step_id"""
