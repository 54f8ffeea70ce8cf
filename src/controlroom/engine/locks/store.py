"""The lines of locks: asking, taking, giving back.

Who changes who holds what, or looks in order to, first enters the lines of its locks (`_enter`): one at a time in each,
until the end of the transaction. Whoever does so has locked the row of one run at most, and locks nothing of others
afterwards; lines are entered in one order. So transactions never wait for each other in a circle.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from controlroom.engine.access.scope import Room, ScopedTx
from controlroom.engine.locks.model import LockName, LockOf
from controlroom.engine.locks.rules import Place
from controlroom.ids import OrganizationId, RunId, WorkspaceId
from controlroom.postgres.database import Statements

_NOBODY: Final = UUID(int=0)

_CAPACITY: Final = "coalesce(run_lock.capacity, 1)"

_IN_FRONT: Final = f"""
    (select count(*) from (select from run_lock_claim as other
                            where other.owner_id = claim.owner_id and other.name = claim.name
                              and other.held_at is not null and other.run_id <> %(leaving)s
                            limit {_CAPACITY}) as holding)
    + (select count(*) from (select from run_lock_claim as other
                              where other.owner_id = claim.owner_id and other.name = claim.name
                                and other.held_at is null and other.run_id <> %(leaving)s
                                and other.ticket < claim.ticket
                              limit {_CAPACITY}) as older)"""
"""Who stands before a `claim`, but for one who leaves. Counted no further than needed: a line may be long."""

_NEXT: Final = f"""
    (select claim.run_id from run_lock_claim as claim
      where claim.owner_id = line.owner_id and claim.name = line.name
        and claim.held_at is null and claim.run_id <> %(leaving)s
      order by claim.ticket
      limit greatest({_CAPACITY} - (select count(*) from (
                     select from run_lock_claim as other
                      where other.owner_id = line.owner_id and other.name = line.name
                        and other.held_at is not null and other.run_id <> %(leaving)s
                      limit {_CAPACITY}) as holding), 0))"""
"""The first of a `line`, as many as it has room for."""

_HAS_ROOM_EVERYWHERE: Final = f"""
    not exists (select from run_lock_claim as claim left join run_lock using (owner_id, name)
                 where claim.run_id = next.run_id and {_CAPACITY} <= {_IN_FRONT})"""


async def ask(
    tx: ScopedTx, run: RunId, *, workspace: WorkspaceId, organization: OrganizationId, locks: Sequence[LockName]
) -> None:
    """Let a run line up for its locks, behind all who did before. It does not wait for anybody."""
    await tx.execute(
        """
        with ticket as materialized (select nextval('run_lock_ticket') as next)
        insert into run_lock_claim (run_id, workspace_id, owner_id, name, ticket)
        select %(run)s, %(workspace)s, wanted.owner_id, wanted.name, ticket.next
          from ticket, unnest(%(owners)s::uuid[], %(names)s::text[]) as wanted (owner_id, name)
        """,
        run=run,
        workspace=workspace,
        owners=[organization if lock.of is LockOf.ORGANIZATION else workspace for lock in locks],
        names=[lock.name for lock in locks],
    )


async def places(tx: ScopedTx, run: RunId) -> list[Place]:
    """Where a run stands in the lines of its locks, in which nothing changes before the transaction ends."""
    await _enter(tx, run)
    return await tx.all(
        Place,
        f"""
        select {_CAPACITY} as capacity, {_IN_FRONT} as in_front
          from run_lock_claim as claim left join run_lock using (owner_id, name)
         where claim.run_id = %(run)s
        """,
        run=run,
        leaving=_NOBODY,
    )


async def take(tx: ScopedTx, run: RunId) -> list[str]:
    """Give a run all of its locks, whose places have been looked at; their names."""
    return await tx.all(
        str,
        "update run_lock_claim set held_at = clock_now() where run_id = %(run)s and held_at is null returning name",
        run=run,
    )


async def give_back(tx: ScopedTx, run: RunId) -> list[RunId]:
    """Let a run have and want no locks any more; the runs that can take theirs now, and could not before.

    Nobody who waits is overlooked: who lines up while this transaction lasts looks after it. Only where two runs give
    back at once what a third one waits for, it may be told by neither: `runs_with_room` is the truth.
    """
    await _enter(tx, run)
    return await tx.all(
        RunId,
        f"""
        with line as (
            delete from run_lock_claim where run_id = %(leaving)s returning owner_id, name
        ), next as (
            select distinct first.run_id
              from line left join run_lock using (owner_id, name) cross join lateral {_NEXT} as first
        )
        select run_id from next where {_HAS_ROOM_EVERYWHERE}
        """,
        leaving=run,
    )


async def runs_in_line(tx: ScopedTx, owner: UUID, name: str) -> list[RunId]:
    """The runs that can take their locks now, as far as they wait for this one."""
    return await tx.all(
        RunId,
        f"""
        with line as (select %(owner)s::uuid as owner_id, %(name)s::text as name), next as (
            select first.run_id
              from line left join run_lock using (owner_id, name) cross join lateral {_NEXT} as first
        )
        select run_id from next where {_HAS_ROOM_EVERYWHERE}
        """,
        owner=owner,
        name=name,
        leaving=_NOBODY,
    )


async def runs_with_room(db: Statements, _room: Room, *, limit: int) -> list[RunId]:
    """The runs that wait for locks and can have them: the truth by polling.

    It goes from line to line and looks at the first of each, however long they are.
    """
    return await db.all(
        RunId,
        f"""
        with recursive line as (
            (select owner_id, name from run_lock_claim
              where held_at is null order by owner_id, name limit 1)
            union all
            select following.owner_id, following.name
              from line cross join lateral (
                   select owner_id, name from run_lock_claim
                    where held_at is null and (owner_id, name) > (line.owner_id, line.name)
                    order by owner_id, name limit 1) as following
        ), next as (
            select distinct first.run_id
              from line left join run_lock using (owner_id, name) cross join lateral {_NEXT} as first
        )
        select run_id from next where {_HAS_ROOM_EVERYWHERE}
         order by run_id
         limit %(limit)s
        """,
        leaving=_NOBODY,
        limit=limit,
    )


async def _enter(tx: ScopedTx, run: RunId) -> None:
    await tx.execute(
        """
        select pg_advisory_xact_lock(line.key)
          from (select distinct hashtextextended(name, 0) # hashtextextended(owner_id::text, 0) as key
                  from run_lock_claim where run_id = %(run)s
                 order by 1) as line
        """,
        run=run,
    )


async def enter_line(tx: ScopedTx, owner: UUID, name: str) -> None:
    """Be the only one who changes the line of a lock, until the transaction ends."""
    await tx.execute(
        "select pg_advisory_xact_lock(hashtextextended(%(name)s, 0) # hashtextextended(%(owner)s::uuid::text, 0))",
        owner=owner,
        name=name,
    )


# ---------------------------------------------------------------------------------------------------- declared locks
async def hold_declared(tx: ScopedTx, organization: OrganizationId, names: Sequence[str]) -> list[str]:
    """Those of the names that are declared for the organization, held so that they cannot go meanwhile."""
    return await tx.all(
        str,
        """
        select name from run_lock where owner_id = %(organization)s and name = any(%(names)s)
         order by name
           for key share
        """,
        organization=organization,
        names=list(names),
    )


async def declare(tx: ScopedTx, organization: OrganizationId, owner: UUID, name: str, capacity: int) -> None:
    """Say how many may hold a lock at once."""
    await tx.execute(
        """
        insert into run_lock (owner_id, name, organization_id, capacity)
        values (%(owner)s, %(name)s, %(organization)s, %(capacity)s)
            on conflict (owner_id, name) do update set capacity = excluded.capacity, follows_workers = false
        """,
        owner=owner,
        name=name,
        organization=organization,
        capacity=capacity,
    )


async def forget(tx: ScopedTx, owner: UUID, name: str) -> bool:
    """Undo a declaration; whether there was one. Waits for starts that name it."""
    return bool(
        await tx.execute("delete from run_lock where owner_id = %(owner)s and name = %(name)s", owner=owner, name=name)
    )


async def is_wanted(tx: ScopedTx, owner: UUID, name: str) -> bool:
    """Whether runs hold a lock or wait for it."""
    return bool(
        await tx.value(
            "select exists (select from run_lock_claim where owner_id = %(owner)s and name = %(name)s)",
            owner=owner,
            name=name,
        )
    )
