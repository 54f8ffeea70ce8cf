"""The figures keep up with the record of events, and are made anew beside those that are read."""

from typing import Final

from msgspec import Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Room, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.events import cursor
from controlroom.engine.statistics import queues_anew
from controlroom.engine.statistics.errors import RebuildUnderWay
from controlroom.engine.statistics.folding import ANEW, READER, fold
from controlroom.engine.usage.folding import fold_uses
from controlroom.ids import WorkspaceId
from controlroom.postgres.database import Statements

_KEPT: Final = "make_interval(days => 400)"


class _State(Struct, frozen=True):
    generation: int
    rebuilding: int | None


async def keep_up(engine: Engine, room: Room, *, limit: int) -> int:
    """Count the next events, `limit` at most; how many. What is counted, and how far the reader is, is one commit."""
    async with scoped(engine.database, room) as tx:
        position = await cursor.hold(tx, READER)
        if position is None:
            return 0
        span = await cursor.next_span(tx, position, limit=limit)
        if span is None:
            return 0
        state = await tx.one(_State, "select generation, rebuilding from statistics_state")
        await fold(tx, span, state.generation, is_anew=False)
        await fold_uses(tx, span)
        await cursor.move(tx, position, span)
        return span.count


async def make_anew(engine: Engine, room: Room, *, limit: int) -> int:
    """Count the next events for figures that are made anew; how many, and 0 when readers have gone over to them.

    The reader of what happens now rests for as long as one batch takes, so that both are at one place at the end.
    """
    async with scoped(engine.database, room) as tx:
        until = await cursor.hold(tx, READER)
        position = None if until is None else await cursor.hold(tx, ANEW)
        if until is None or position is None:
            return 0
        state = await tx.one(_State, "select generation, rebuilding from statistics_state for update")
        if state.rebuilding is None:
            return 0
        span = await cursor.next_span(tx, position, limit=limit, until=until)
        if span is None:
            if not await cursor.is_settled(tx, until):
                return 0
            if await queues_anew.next_workspace(tx):
                return 1
            await _go_over(tx, state.generation, state.rebuilding)
            return 0
        await fold(tx, span, state.rebuilding, is_anew=True)
        await queues_anew.fold_turns(tx, span)
        await cursor.move(tx, position, span)
        return span.count


async def _go_over(tx: ScopedTx, old: int, new: int) -> None:
    """Take over what is older than what was made anew, and have the new figures read."""
    older = f"""from {{}} as old join statistics_floor as floor using (workspace_id)
                where generation = {int(old)} and old.hour < floor.hour"""
    await tx.execute(
        f"""
        insert into hourly_figure
        select {int(new)}, workspace_id, noun, old.hour, process_id, step_id, task_id, worker_id, user_id, result,
               cause, count, milliseconds, longest, longest_id, latest_at, latest_id
          {older.format("hourly_figure")}
        """
    )
    await tx.execute(
        f"""
        with hours as (
            insert into failure_hour
            select {int(new)}, workspace_id, fingerprint, old.hour, count {older.format("failure_hour")}
            returning workspace_id, fingerprint, count
        ), summed as (
            select workspace_id, fingerprint, sum(count) as count from hours group by 1, 2
        )
        insert into failure_group as known (generation, workspace_id, fingerprint, noun, process_id, type, code,
                                            pattern, message, count, first_at, last_at, last_id)
        select {int(new)}, workspace_id, fingerprint, noun, process_id, type, code, pattern, message, summed.count,
               first_at, last_at, last_id
          from failure_group join summed using (workspace_id, fingerprint)
         where generation = {int(old)}
            on conflict (generation, workspace_id, fingerprint) do update
           set count = known.count + excluded.count, first_at = excluded.first_at
        """
    )
    for table in ("hourly_figure", "hourly_sum", "unresolved_figure", "failure_group", "failure_hour"):
        await tx.execute(f"delete from {table} where generation = %(old)s", old=old)
    await tx.execute("delete from statistics_floor")
    await tx.execute("delete from event_cursor where reader = %(reader)s", reader=ANEW)
    await tx.execute("update statistics_state set generation = %(new)s, rebuilding = null", new=new)


async def begin_anew(engine: Engine, actor: Actor, workspace: WorkspaceId) -> None:
    """Have all figures made anew of the events, runs and items that are kept; those of before stay as they are.

    Of all workspaces, because there is one record of events: who may edit any of them may ask for it, which changes
    nothing but what is wrong. Raises RebuildUnderWay.
    """
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    async with scoped(engine.database, scope) as tx:
        state = await tx.one(_State, "select generation, rebuilding from statistics_state for update")
        if state.rebuilding is not None:
            raise RebuildUnderWay
        await _keep_older(tx, state.generation)
        await queues_anew.begin(tx)
        await tx.execute(
            "insert into event_cursor (reader, xid, id) values (%(reader)s, '0', 0) on conflict do nothing", reader=ANEW
        )
        await tx.execute("update statistics_state set rebuilding = %(next)s", next=state.generation + 1)
        await record(engine, tx, actor, scope, "statistics.rebuild_requested")


async def _keep_older(tx: ScopedTx, generation: int) -> None:
    """Hours before the first of which all is kept are taken over: its own first hour may be kept in part."""
    await tx.execute(
        """
        with floors as (
            select workspace.id, date_trunc('hour', greatest(event.at, run.started_at), 'UTC')
                                 + interval '1 hour' as hour
              from workspace
             cross join lateral (select at from event
                                  where event.workspace_id = workspace.id and work_item_id is null
                                  order by at, id limit 1) as event
             cross join lateral (select started_at from run
                                  where run.workspace_id = workspace.id and started_at is not null
                                  order by started_at, id limit 1) as run
        )
        insert into statistics_floor (workspace_id, hour)
        select id, hour from floors
         where exists (select from hourly_figure as figure
                        where figure.generation = %(generation)s and figure.workspace_id = floors.id
                          and figure.hour < floors.hour - interval '1 hour')
        """,
        generation=generation,
    )


async def is_made_anew(db: Statements) -> bool:
    """Whether figures are being made anew now."""
    return bool(await db.value("select rebuilding is not null from statistics_state"))


async def forget_old(engine: Engine, room: Room) -> int:
    """Delete what is older than figures are kept; how many rows."""
    gone = 0
    async with scoped(engine.database, room) as tx:
        for table in ("hourly_figure", "hourly_sum", "failure_hour", "queue_hour"):
            gone += await tx.execute(f"delete from {table} where hour < clock_now() - {_KEPT}")
        gone += await tx.execute(f"delete from failure_group where last_at < clock_now() - {_KEPT}")
        gone += await tx.execute(
            """
            delete from forgotten_value
             where not exists (select from work_item where work_item.id = forgotten_value.work_item_id)
            """
        )
        gone += await tx.execute(f"delete from day_of_use where day < (clock_now() - {_KEPT})::date")
    return gone
