"""How the room itself is: its database, how far the readers of its record are behind, what waits. For admins.

Of the record it tells how old the oldest event is that a reader has not read, whosever that is, and nothing else of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec import Struct

from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import EACH, Of, scoped
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden
from controlroom.postgres.database import Database


class Reader(Struct, frozen=True, array_like=True):
    """A reader of the record of events."""

    name: str
    behind_since: datetime | None
    """When the oldest event happened that it has not read; None: it has read all."""


class RoomState(Struct, frozen=True, kw_only=True):
    """What the database says of the room."""

    now: datetime
    database_version: str
    database_bytes: int
    connections: int
    most_connections: int
    oldest_transaction: datetime | None
    """When the transaction began that is open for the longest time."""
    schema: str
    """The newest migration."""
    pending_deliveries: int
    oldest_delivery: datetime | None
    """Since when the oldest one is due."""
    waiting_step_runs: int
    oldest_step_run: datetime | None
    readers: list[Reader]


async def room_state(engine: Engine, actor: Actor) -> RoomState:
    """How the room is now. Raises Forbidden for who is no admin."""
    _ensure_admin(actor, "only an admin is told how the room works")
    return await _read(engine.database, Of(actor.organization_id, tuple(actor.grants)))


async def record_behind(engine: Engine, actor: Actor) -> datetime | None:
    """When the oldest event happened that a loop has not read; None: all have read all. Raises Forbidden."""
    _ensure_admin(actor, "only an admin is told how the room works")
    return await _behind(engine.database, Of(actor.organization_id, tuple(actor.grants)))


@asynccontextmanager
async def making_backup(engine: Engine, actor: Actor, name: str) -> AsyncIterator[None]:
    """Say in the record that a backup is made: what begins it stands within, and nothing is said if that fails.

    Raises Forbidden for who is no admin.
    """
    _ensure_admin(actor, "only an admin makes backups")
    async with scoped(engine.database, actor.organization_id) as tx:
        await record(engine, tx, actor, actor.organization_id, "backup.started", None, name=name)
        yield


def _ensure_admin(actor: Actor, why: str) -> None:
    if not actor.is_admin:
        raise Forbidden(why, code="ADMIN_ONLY")


async def _read(db: Database, scope: Of) -> RoomState:
    return await db.one(
        RoomState,
        f"""
        select clock_now() as now, current_setting('server_version') as database_version,
               pg_database_size(current_database()) as database_bytes,
               (select count(*) from pg_stat_activity where datname = current_database()) as connections,
               current_setting('max_connections')::int as most_connections,
               (select min(xact_start) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()
                   and backend_type = 'client backend' and state <> 'idle' and query !~ '^show transaction_isolation')
                   as oldest_transaction,
               (select max(name) from schema_migration) as schema,
               pending.count as pending_deliveries, pending.oldest as oldest_delivery,
               waiting.count as waiting_step_runs, waiting.oldest as oldest_step_run,
               (select jsonb_agg(jsonb_build_array(reader.reader, reader.since) order by reader.reader)
                  from (select event_cursor.reader,
                               (select event.at from event
                                 where (event.xid, event.id) > (event_cursor.xid, event_cursor.id)
                                   and event.xid < pg_snapshot_xmin(pg_current_snapshot())
                                 order by event.xid, event.id limit 1) as since
                          from event_cursor where event_cursor.reader <> 'statistics anew') as reader) as readers
          from (select count(*), min(due) as oldest from
                   (select due from delivery
                     where state = 'pending' and workspace_id in {EACH} limit 10000) as each) as pending,
               (select count(*), min(created_at) as oldest from
                   (select created_at from step_run
                     where state = 'awaiting_worker' and workspace_id in {EACH} limit 10000) as each) as waiting
        """,
        **scope.each,
    )


async def _behind(db: Database, scope: Of) -> datetime | None:
    """When the oldest unread event happened, whosever that is; nothing else of it is told."""
    found: datetime | None = await db.value(
        f"""
        select min((select event.at from event
                     where (event.xid, event.id) > (event_cursor.xid, event_cursor.id)
                       and event.xid < pg_snapshot_xmin(pg_current_snapshot())
                     order by event.xid, event.id limit 1))
          from event_cursor
         where event_cursor.reader <> 'statistics anew' and exists (select from workspace where id in {EACH})
        """,
        **scope.each,
    )
    return found
