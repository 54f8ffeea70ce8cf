"""The statements of retention: what workspaces want, and how what is too old goes, in small batches.

What is deleted here is of runs that have ended: nobody works on it, so no claim waits for it. Ids are of version 7, so
that what was made before a moment is found by its id, without an index by time.
"""

from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

import msgspec
from msgspec import Struct

from controlroom.engine.access.errors import WorkspaceNotFound
from controlroom.engine.access.scope import SEEN, Room, Scope, ScopedTx
from controlroom.engine.retention.model import Overrides
from controlroom.ids import RunId, WorkspaceId
from controlroom.postgres.database import Statements


class Prune(Protocol):
    """Deletes some of what is too old in a workspace; how much, less than `limit` when nothing is left."""

    async def __call__(self, tx: ScopedTx, workspace: WorkspaceId, *, kept: timedelta, limit: int) -> int: ...  # noqa: D102


# ---------------------------------------------------------------------------------------------------- what is wanted
async def get(db: Statements, scope: Scope, *, for_update: bool = False) -> Overrides:
    """What a workspace keeps otherwise than the installation. Raises WorkspaceNotFound."""
    found = await db.one_or_none(
        _Wanted,
        f"""
        select id, settings -> 'retention' as overrides from workspace where id = {SEEN}
        {"for update" if for_update else ""}""",
        **scope.params,
    )
    if found is None:
        raise WorkspaceNotFound
    return found.overrides or Overrides()


async def set_overrides(tx: ScopedTx, scope: Scope, wanted: Overrides) -> None:
    """Write what a workspace keeps otherwise, that the caller has locked."""
    await tx.execute(
        f"""
        update workspace set settings = jsonb_set(settings, '{{retention}}', %(wanted)s::jsonb) where id = {SEEN}
        """,
        wanted=msgspec.Raw(msgspec.json.encode(wanted)),
        **scope.params,
    )


class _Wanted(Struct, frozen=True):
    id: WorkspaceId
    overrides: Overrides | None


async def of_workspaces(db: Statements, _room: Room) -> dict[WorkspaceId, Overrides]:
    """What every workspace keeps otherwise."""
    rows = await db.all(_Wanted, "select id, settings -> 'retention' as overrides from workspace order by id")
    return {row.id: row.overrides or Overrides() for row in rows}


# ---------------------------------------------------------------------------------------------------- runs
_OLD_RUNS: Final = """
    select id from run
     where workspace_id = %(workspace)s and state in ('completed', 'unresolved')
       and id < uuid_before(clock_now() - %(kept)s::interval) and ended_at < clock_now() - %(kept)s::interval
"""


async def lock_old_runs(tx: ScopedTx, workspace: WorkspaceId, *, kept: timedelta, limit: int) -> list[RunId]:
    """Runs that ended longer ago than they are kept, oldest first."""
    return await tx.all(
        RunId,
        f"{_OLD_RUNS} order by id limit %(limit)s for update skip locked",
        workspace=workspace,
        kept=kept,
        limit=limit,
    )


async def prune_console(tx: ScopedTx, workspace: WorkspaceId, *, kept: timedelta, limit: int) -> int:
    """Delete the console of runs that ended longer ago than it is kept; of how many runs."""
    runs = await tx.all(
        RunId,
        f"""
        update run set console_pruned_at = clock_now()
         where id in ({_OLD_RUNS} and console_pruned_at is null order by id limit %(limit)s for update skip locked)
        returning id
        """,
        workspace=workspace,
        kept=kept,
        limit=limit,
    )
    for table in ("console_chunk", "console_archive", "secret_mask"):
        await tx.execute(
            f"""
            delete from {table} where step_run_id in (select id from step_run where run_id = any(%(runs)s::uuid[]))
            """,
            runs=runs,
        )
    return len(runs)


async def prune_artifacts(tx: ScopedTx, workspace: WorkspaceId, *, kept: timedelta, limit: int) -> int:
    """Delete the artifacts of runs that ended longer ago than they are kept; of how many runs."""
    runs = await tx.all(
        RunId,
        f"""
        update run set artifacts_pruned_at = clock_now()
         where id in ({_OLD_RUNS} and artifacts_pruned_at is null order by id limit %(limit)s for update skip locked)
        returning id
        """,
        workspace=workspace,
        kept=kept,
        limit=limit,
    )
    await tx.execute(
        "delete from artifact where step_run_id in (select id from step_run where run_id = any(%(runs)s::uuid[]))",
        runs=runs,
    )
    return len(runs)


# ---------------------------------------------------------------------------------------------------- assistants
async def prune_assistant_runs(tx: ScopedTx, workspace: WorkspaceId, *, kept: timedelta, limit: int) -> int:
    """Delete runs of assistants that ended longer ago than they are kept, and what they left; how many runs."""
    runs = await tx.all(
        UUID,
        """
        select id from assistant_run
         where workspace_id = %(workspace)s and state <> 'in_progress'
           and id < uuid_before(clock_now() - %(kept)s::interval) and ended_at < clock_now() - %(kept)s::interval
         order by id
         limit %(limit)s
           for update skip locked
        """,
        workspace=workspace,
        kept=kept,
        limit=limit,
    )
    await tx.execute("delete from assistant_artifact where assistant_run_id = any(%(runs)s::uuid[])", runs=runs)
    await tx.execute("delete from assistant_run where id = any(%(runs)s::uuid[])", runs=runs)
    return len(runs)


async def prune_assistant_artifacts(tx: ScopedTx, workspace: WorkspaceId, *, kept: timedelta, limit: int) -> int:
    """Delete what runs of assistants left that ended longer ago than artifacts are kept; how many files."""
    return await tx.execute(
        """
        delete from assistant_artifact
         where id in (select artifact.id
                        from assistant_artifact as artifact join assistant_run on assistant_run.id = assistant_run_id
                       where artifact.workspace_id = %(workspace)s
                         and artifact.id < uuid_before(clock_now() - %(kept)s::interval)
                         and assistant_run.ended_at < clock_now() - %(kept)s::interval
                       order by artifact.id
                       limit %(limit)s)
        """,
        workspace=workspace,
        kept=kept,
        limit=limit,
    )


# ---------------------------------------------------------------------------------------------------- beside runs
async def prune_stray_items(tx: ScopedTx, workspace: WorkspaceId, *, kept: timedelta, limit: int) -> int:
    """Delete items that belong to no run and that nobody will work on any more; how many."""
    items = await tx.all(
        UUID,
        """
        select id from work_item
         where workspace_id = %(workspace)s and run_id is null and state in ('done', 'failed', 'invalid', 'deleted')
           and state_at < clock_now() - %(kept)s::interval
         order by state_at
         limit %(limit)s
           for update skip locked
        """,
        workspace=workspace,
        kept=kept,
        limit=limit,
    )
    await tx.execute("delete from work_item_file where work_item_id = any(%(items)s::uuid[])", items=items)
    await tx.execute("delete from work_item_attempt where work_item_id = any(%(items)s::uuid[])", items=items)
    await tx.execute("delete from work_item where id = any(%(items)s::uuid[])", items=items)
    return len(items)


async def prune_occurrences(tx: ScopedTx, workspace: WorkspaceId, *, kept: timedelta) -> int:
    """Delete what became of schedules and chains longer ago than runs are kept; how many rows."""
    schedules = await tx.execute(
        """
        delete from schedule_occurrence
         where schedule_id in (select id from schedule where workspace_id = %(workspace)s)
           and due < clock_now() - %(kept)s::interval and state <> 'waiting'
        """,
        workspace=workspace,
        kept=kept,
    )
    return schedules + await tx.execute(
        """
        delete from chain_link
         where chain_id in (select id from chain where workspace_id = %(workspace)s)
           and at < clock_now() - %(kept)s::interval and state <> 'pending'
           and not exists (select from run where run.id = chain_link.run_id)
        """,
        workspace=workspace,
        kept=kept,
    )


async def prune_uploads(tx: ScopedTx, *, kept: timedelta, limit: int) -> int:
    """Delete what is remembered of uploads that were promised longer ago; how many."""
    return await tx.execute(
        """
        delete from upload
         where id in (select id from upload where id < uuid_before(clock_now() - %(kept)s::interval)
                       order by id limit %(limit)s)
        """,
        kept=kept,
        limit=limit,
    )


# ---------------------------------------------------------------------------------------------------- events
class Place(Struct, frozen=True):
    """A place in the record of events."""

    xid: int
    id: int


class EventsPruned(Struct, frozen=True):
    """What one pass over some events did; `xid` and `id` are the last that was looked at."""

    xid: int
    id: int
    deleted: int
    is_young: bool
    """Whether the last one is younger than all that may be deleted: what follows is, too."""


async def prune_events(
    tx: ScopedTx,
    after: Place,
    *,
    days: dict[WorkspaceId, int],
    usual_days: int,
    least_days: int,
    limit: int,
) -> EventsPruned | None:
    """Delete what is too old of the next events behind a place; None if there are no more.

    An event that some reader has not read yet stays.
    """
    return await tx.one_or_none(
        EventsPruned,
        """
        with unread as (
            select xid, id from event_cursor order by xid, id limit 1
        ), batch as (
            select event.xid, event.id, event.at, event.workspace_id
              from event, unread
             where (event.xid, event.id) > (%(xid)s::xid8, %(id)s::bigint)
               and (event.xid, event.id) <= (unread.xid, unread.id)
             order by event.xid, event.id
             limit %(limit)s
        ), old as (
            select batch.xid, batch.id
              from batch
              left join unnest(%(workspaces)s::uuid[], %(days)s::int[]) as kept (workspace_id, days)
                     on kept.workspace_id = batch.workspace_id
             where coalesce(kept.days, %(usual)s) > 0
               and batch.at < clock_now() - make_interval(days => coalesce(kept.days, %(usual)s))
        ), gone as (
            delete from event using old where event.xid = old.xid and event.id = old.id returning event.id
        )
        select xid, id, (select count(*) from gone) as deleted,
               at >= clock_now() - make_interval(days => %(least)s) as is_young
          from batch
         order by xid desc, id desc
         limit 1
        """,
        xid=after.xid,
        id=after.id,
        workspaces=list(days),
        days=list(days.values()),
        usual=usual_days,
        least=least_days,
        limit=limit,
    )
