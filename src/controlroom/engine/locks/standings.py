"""Reading locks: who holds them, who waits for them, and for whom.

Runs of workspaces that the asker does not see are counted and not named: locks of an organization are shared by all.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Of, Scope
from controlroom.engine.locks.model import Lock, LockName, LockOf, Standing
from controlroom.ids import RunId
from controlroom.postgres.database import Statements

_TOLD: Final = 100
"""So many of those who hold a lock, or wait for it, are named. Why: a person reads no longer line."""


class Position(Struct, frozen=True, array_like=True):
    """The lock at which a page ended."""

    of: LockOf
    name: str


async def standings(db: Statements, scope: Scope, runs: Sequence[RunId], *, seen: Of) -> list[Standing]:
    """How open runs of the workspace stand with their locks, by run and name; `seen` says of whom it is told."""
    return await db.all(
        Standing,
        f"""
        select claim.run_id, claim.name, claim.asked_at, claim.held_at,
               case when claim.owner_id = claim.workspace_id then 'workspace' else 'organization' end as of,
               case when claim.held_at is null and count(front.run_id) >= coalesce(run_lock.capacity, 1)
                    then coalesce(jsonb_agg(jsonb_build_object('id', run.id, 'number', run.number, 'run_no', run.run_no,
                                                               'process_name', process.name)
                                            order by front.is_waiting, front.ticket)
                                  filter (where front.workspace_id = any(%(seen)s::uuid[])), '[]')
                    else '[]' end as blocked_by,
               case when claim.held_at is null and count(front.run_id) >= coalesce(run_lock.capacity, 1)
                    then count(*) filter (where front.workspace_id <> all(%(seen)s::uuid[]))
                    else 0 end as blocked_elsewhere
          from run_lock_claim as claim
          left join run_lock using (owner_id, name)
          left join lateral (
                (select other.run_id, other.workspace_id, other.ticket, false as is_waiting
                   from run_lock_claim as other
                  where other.owner_id = claim.owner_id and other.name = claim.name and other.held_at is not null
                  order by other.ticket limit coalesce(run_lock.capacity, 1))
                union all
                (select other.run_id, other.workspace_id, other.ticket, true as is_waiting
                   from run_lock_claim as other
                  where other.owner_id = claim.owner_id and other.name = claim.name and other.held_at is null
                    and other.ticket < claim.ticket
                  order by other.ticket limit coalesce(run_lock.capacity, 1))
                order by is_waiting, ticket
                limit coalesce(run_lock.capacity, 1)) as front on claim.held_at is null
          left join run on run.id = front.run_id
          left join process on process.id = run.process_id
         where claim.workspace_id = {SEEN} and claim.run_id = any(%(runs)s::uuid[])
         group by claim.run_id, claim.owner_id, claim.name, run_lock.capacity
         order by claim.run_id, claim.name, of
        """,
        runs=list(runs),
        seen=list(seen.workspaces),
        **scope.params,
    )


_ALL: Final = f"""
    select owner_id, name, true as is_declared from run_lock
     where owner_id = {SEEN} or owner_id = %(organization)s
    union all
    select distinct owner_id, name, false from run_lock_claim
     where owner_id = {SEEN} and not exists (select from run_lock where run_lock.owner_id = run_lock_claim.owner_id
                                                                    and run_lock.name = run_lock_claim.name)
"""
"""The locks that a workspace has: declared ones, also of its organization, and those that its runs want."""

_SHOWN: Final = """
    select line.of, line.name, coalesce(run_lock.capacity, 1) as capacity, line.is_declared,
           (select count(*) from run_lock_claim as claim
             where claim.owner_id = line.owner_id and claim.name = line.name and held_at is not null)::int as held,
           (select count(*) from run_lock_claim as claim
             where claim.owner_id = line.owner_id and claim.name = line.name and held_at is null)::int as waiting,
           {holders} as holders, {waiters} as waiters
      from line left join run_lock using (owner_id, name)
     order by line.of, line.name
"""

_NAMED: Final = """
    (select coalesce(jsonb_agg(jsonb_build_object(
                        'id', run.id, 'number', run.number, 'run_no', run.run_no,
                        'workspace_id', run.workspace_id, 'process_id', process.id, 'process_name', process.name,
                        'since', to_jsonb(told.since)) order by told.ticket), '[]')
       from (select claim.run_id, claim.ticket, {since} as since from run_lock_claim as claim
              where claim.owner_id = line.owner_id and claim.name = line.name and {which}
                and claim.workspace_id = any(%(seen)s::uuid[])
              order by claim.ticket limit %(told)s) as told
       join run on run.id = told.run_id join process on process.id = run.process_id)
"""

_LINES: Final = _SHOWN.format(
    holders=_NAMED.format(since="claim.held_at", which="claim.held_at is not null"),
    waiters=_NAMED.format(since="claim.asked_at", which="claim.held_at is null"),
)


async def list_locks(
    db: Statements, scope: Scope, *, seen: Of, after: Position | None = None, limit: int
) -> list[Lock]:
    """The locks of the workspace and of its organization, those first, by name; `seen` says of whom it is told."""
    return await db.all(
        Lock,
        f"""
        with every as ({_ALL}), line as (
            select owner_id, name, is_declared,
                   case when owner_id = %(organization)s then 'organization' else 'workspace' end as of
              from every
             where %(of)s::text is null
                or (case when owner_id = %(organization)s then 'organization' else 'workspace' end, name)
                   > (%(of)s::text, %(name)s::text)
             order by of, name
             limit %(limit)s
        )
        {_LINES}
        """,
        seen=list(seen.workspaces),
        told=_TOLD,
        of=None if after is None else after.of,
        name="" if after is None else after.name,
        limit=limit,
        **scope.params,
    )


async def get(db: Statements, scope: Scope, lock: LockName, *, seen: Of) -> Lock | None:
    """One of them; None if it is not declared, and no run wants it."""
    return await db.one_or_none(
        Lock,
        f"""
        with every as ({_ALL}), line as (
            select owner_id, name, is_declared, %(of)s::text as of from every
             where name = %(name)s and (owner_id = %(organization)s) = (%(of)s::text = 'organization')
        )
        {_LINES}
        """,
        seen=list(seen.workspaces),
        told=_TOLD,
        of=lock.of,
        name=lock.name,
        **scope.params,
    )
