"""The statements over chains and what followed of them."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.chains.errors import ChainNotFound
from controlroom.engine.chains.model import Chain, ChainLink, Empty, End, LinkState
from controlroom.engine.events.cursor import Happened
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.processes import store as processes
from controlroom.ids import ChainId, OrganizationId, ProcessId, RunId, WorkItemId, WorkspaceId
from controlroom.postgres.database import Statements, Tx
from controlroom.postgres.keyset import oldest_first

CHAIN: Final = Noun[ChainId](
    "chain",
    ChainNotFound,
    "chain",
    InWorkspace("chain.workspace_id"),
    joined="join process on process.id = chain.process_id and process.deleted_at is null",
    there="chain.deleted_at is null",
)

_CHAIN: Final = """
    select chain.id, chain.number, chain.workspace_id, chain.process_id, chain.next_process_id,
           case next.workspace_id when chain.workspace_id then next.name else '' end as next_process_name,
           chain.ends, chain.empty, chain.is_enabled, chain.created_at
      from chain join process on process.id = chain.process_id and process.deleted_at is null
      join process as next on next.id = chain.next_process_id
     where chain.deleted_at is null
"""


# ---------------------------------------------------------------------------------------------------- reading
async def get(db: Statements, scope: Scope, process: ProcessId, chain: ChainId) -> Chain:
    """One chain of a process; raises ChainNotFound."""
    found = await db.one_or_none(
        Chain,
        f"""{_CHAIN}
           and chain.workspace_id = {SEEN} and chain.process_id = %(process)s and chain.id = %(chain)s""",
        process=process,
        chain=chain,
        **scope.params,
    )
    if found is None:
        raise ChainNotFound(chain)
    return found


async def list_chains(
    db: Statements, scope: Scope, process: ProcessId, *, after: ChainId | None = None, limit: int
) -> list[Chain]:
    """The chains of a process in the order of their making; raises ProcessNotFound."""
    found = await db.all(
        Chain,
        f"""{_CHAIN}
           and chain.workspace_id = {SEEN} and chain.process_id = %(process)s
         {oldest_first("chain.id")}""",
        process=process,
        after=after,
        limit=limit,
        **scope.params,
    )
    if not found:
        await processes.get(db, scope, process)
    return found


async def list_links(
    db: Statements, scope: Scope, process: ProcessId, chain: ChainId, *, before: int | None = None, limit: int
) -> list[ChainLink]:
    """What followed of the ends of runs, the latest first; raises ChainNotFound."""
    found = await db.all(
        ChainLink,
        f"""
        select link.event_id, link.run_id, link.state, link.next_run_id, link.reason, link.at
          from chain_link as link
          join chain on chain.id = link.chain_id
          join process on process.id = chain.process_id and process.deleted_at is null
         where link.chain_id = %(chain)s and chain.process_id = %(process)s and chain.deleted_at is null
           and chain.workspace_id = {SEEN}
           and (%(before)s::bigint is null or link.event_id < %(before)s)
         order by link.event_id desc
         limit %(limit)s
        """,
        process=process,
        chain=chain,
        before=before,
        limit=limit,
        **scope.params,
    )
    if not found:
        await get(db, scope, process, chain)
    return found


# ---------------------------------------------------------------------------------------------------- writing
async def insert(
    tx: Tx,
    scope: Scope,
    chain: ChainId,
    process: ProcessId,
    next_process: ProcessId,
    *,
    ends: Sequence[End],
    empty: Empty,
    is_enabled: bool,
    created_by: Any,
    beyond: Scope | None = None,
) -> bool:
    """Write a new chain; whether the scope sees its workspace, which has both processes.

    `beyond` is what the caller sees of the workspace that the next process is of, if it is another one of the
    organization.
    """
    return bool(
        await tx.execute(
            f"""
            insert into chain (id, workspace_id, process_id, next_process_id, ends, empty, is_enabled, created_by)
            select %(chain)s, seen.id, process.id, next.id, %(ends)s, %(empty)s, %(is_enabled)s, %(created_by)s
              from {SEEN} as seen
              join process on process.workspace_id = seen.id
              join process as next on next.workspace_id = coalesce(%(beyond)s::uuid, seen.id)
             where process.id = %(process)s and process.deleted_at is null
               and next.id = %(next)s and next.deleted_at is null
            """,
            chain=chain,
            process=process,
            next=next_process,
            ends=ends,
            empty=empty,
            is_enabled=is_enabled,
            created_by=created_by,
            beyond=None if beyond is None else beyond.workspace,
            **scope.params,
        )
    )


async def update(tx: ScopedTx, chain: ChainId, *, ends: Sequence[End], empty: Empty, is_enabled: bool) -> None:
    """Write what is to be changed of a chain that the caller has read."""
    await tx.execute(
        """
        update chain set ends = %(ends)s, empty = %(empty)s, is_enabled = %(is_enabled)s
         where id = %(chain)s and deleted_at is null
        """,
        chain=chain,
        ends=ends,
        empty=empty,
        is_enabled=is_enabled,
    )


async def delete(tx: ScopedTx, chain: ChainId) -> None:
    """Mark a chain as deleted, that the caller has read."""
    await tx.execute(
        "update chain set deleted_at = clock_now() where id = %(chain)s and deleted_at is null", chain=chain
    )


# ---------------------------------------------------------------------------------------------------- the loop
async def remember(tx: ScopedTx, ended: Sequence[tuple[Happened, frozenset[End]]]) -> int:
    """Write that the ends of these runs are to be followed, by each chain of their processes that follows such ends.

    How many there are.
    """
    return await tx.execute(
        """
        insert into chain_link (chain_id, event_id, run_id)
        select chain.id, ended.event_id, ended.run_id
          from unnest(%(events)s::bigint[], %(runs)s::uuid[], %(processes)s::uuid[], %(ends)s::text[])
               as ended (event_id, run_id, process_id, ends)
          join chain on chain.process_id = ended.process_id and chain.deleted_at is null and chain.is_enabled
         where chain.ends && string_to_array(ended.ends, ' ')
            on conflict do nothing
        """,
        events=[event.id for event, _ in ended],
        runs=[event.run_id for event, _ in ended],
        processes=[event.process_id for event, _ in ended],
        ends=[" ".join(ends) for _, ends in ended],
    )


class PendingLink(Struct, frozen=True, kw_only=True):
    """The end of a run that is to be followed, locked by the one who does."""

    chain_id: ChainId
    event_id: int
    run_id: RunId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    next_process_id: ProcessId
    next_workspace_id: WorkspaceId
    empty: Empty
    depth: int
    """How many runs stand before the one that ended."""
    priority: int


async def lock_pending(tx: ScopedTx) -> PendingLink | None:
    """The oldest end of a run that is to be followed and that nobody else is following."""
    return await tx.one_or_none(
        PendingLink,
        """
        select link.chain_id, link.event_id, link.run_id, chain.workspace_id, workspace.organization_id,
               chain.next_process_id, next.workspace_id as next_workspace_id, chain.empty,
               coalesce((run.parameters ->> 'chain_depth')::int, 0) as depth,
               coalesce(run.priority, 0) as priority
          from chain_link as link join chain on chain.id = link.chain_id
          join workspace on workspace.id = chain.workspace_id
          join process as next on next.id = chain.next_process_id
          left join run on run.id = link.run_id
         where link.state = 'pending'
         order by link.event_id, link.chain_id
         limit 1
           for update of link skip locked
        """,
    )


async def new_outputs(tx: ScopedTx, link: PendingLink) -> list[WorkItemId]:
    """What the run has put out and the chain has not handed on at an earlier end of the same run; oldest first."""
    return await tx.all(
        WorkItemId,
        """
        select output.id from work_item as output
         where output.workspace_id = %(workspace)s and output.run_id = %(run)s and output.queue_id is null
           and output.state = 'new'
           and not exists (select from chain_link as earlier
                            where earlier.chain_id = %(chain)s and earlier.run_id = %(run)s
                              and output.id = any(earlier.outputs))
         order by output.id
        """,
        workspace=link.workspace_id,
        run=link.run_id,
        chain=link.chain_id,
    )


async def has_started_before(tx: ScopedTx, link: PendingLink) -> bool:
    """Whether an earlier end of the same run was followed."""
    return bool(
        await tx.value(
            """
            select exists (select from chain_link
                            where chain_id = %(chain)s and run_id = %(run)s and state = 'started')
            """,
            chain=link.chain_id,
            run=link.run_id,
        )
    )


async def decide(
    tx: ScopedTx,
    link: PendingLink,
    state: LinkState,
    *,
    next_run: RunId | None = None,
    outputs: Sequence[WorkItemId] = (),
    reason: str = "",
) -> None:
    """Write what became of a pending link."""
    await tx.execute(
        """
        update chain_link
           set state = %(state)s, next_run_id = %(next)s, outputs = %(outputs)s, reason = %(reason)s, at = clock_now()
         where chain_id = %(chain)s and event_id = %(event)s and state = 'pending'
        """,
        chain=link.chain_id,
        event=link.event_id,
        state=state,
        next=next_run,
        outputs=outputs,
        reason=reason,
    )
