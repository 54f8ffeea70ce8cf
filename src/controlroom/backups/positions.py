"""Positions in the record of events, in a database that counts its transactions anew.

Events are read in the order of their transactions' numbers. Those of a new cluster begin at some hundreds: what happens
next would stand before what happened last year, and no reader would ever come to it. So the numbers of old events are
made small, in their order, and new transactions begin behind them.
"""

from typing import Final

import asyncpg

_SMALLEST: Final = 3  # the first number that a transaction can have

_RENUMBER: Final = f"""
create temp table renumbered on commit drop as
with unread as (
    select coalesce((select min(xid::text::numeric) from event_cursor), 1e19) as first
), kept as (
    select xid from event_cursor
     union
    select xid from event, unread where xid::text::numeric >= unread.first
)
select xid, ({_SMALLEST} + dense_rank() over (order by xid))::text::xid8 as now from kept;
update event set xid = coalesce((select now from renumbered where renumbered.xid = event.xid), '{_SMALLEST}');
update event_cursor set xid = (select now from renumbered where renumbered.xid = event_cursor.xid);
"""
"""Events that every reader has read have one number: `id`, by which they are also ordered, tells them apart."""

_BURN: Final = """
do $$ begin
    create temp table if not exists passed (number int);
    for number in 1 .. 5000 loop
        begin
            insert into passed values (number);
        exception when others then null;
        end;
    end loop;
    truncate passed;
end $$
"""
"""Each inner block with a row is a transaction with a number of its own."""


async def renumber(connection: asyncpg.Connection) -> None:
    """Make the numbers of all events smaller than that of any transaction to come."""
    async with connection.transaction():
        await connection.execute(_RENUMBER)
    last = await connection.fetchval(
        "select greatest((select max(xid) from event), (select max(xid) from event_cursor))::text::numeric"
    )
    while last is not None and await connection.fetchval("select pg_current_xact_id()::text::numeric") <= last:
        await connection.execute(_BURN)
