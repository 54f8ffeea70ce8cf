"""Items become those of a run: copied, with payload and files, from earlier ones, or taken over where they wait."""

from collections.abc import Sequence
from typing import Final

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.work_items.store import IS_DUE
from controlroom.ids import ProcessId, QueueId, RunId, StepId, WorkItemId, WorkspaceId, uuid7


async def insert(
    tx: ScopedTx,
    *,
    workspace: WorkspaceId,
    process: ProcessId,
    queue: QueueId,
    step: StepId,
    run: RunId,
    sources: Sequence[WorkItemId],
    priority: int = 0,
) -> list[WorkItemId]:
    """One pending item of the run for each source of the workspace, whose child it is, in the order given.

    Files are the same objects. A source that was deleted has no copy.
    """
    ids = [WorkItemId(uuid7()) for _ in sources]
    made = await tx.all(
        WorkItemId,
        """
        insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state, priority, payload,
                               parent_id)
        select copy.id, %(workspace)s, %(process)s, %(queue)s, %(step)s, %(run)s, 'pending', %(priority)s,
               source.payload, source.id
          from unnest(%(ids)s::uuid[], %(sources)s::uuid[]) as copy (id, source_id)
          join work_item as source on source.id = copy.source_id
         where source.workspace_id = %(workspace)s and source.state <> 'deleted'
        returning id
        """,
        workspace=workspace,
        process=process,
        queue=queue,
        step=step,
        run=run,
        priority=priority,
        ids=ids,
        sources=list(sources),
    )
    await tx.execute(
        """
        with files as (
            select copy.id as item_id, file.name, file.size, file.hash
              from unnest(%(ids)s::uuid[], %(sources)s::uuid[]) as copy (id, source_id)
              join work_item_file as file on file.work_item_id = copy.source_id
             where copy.id = any(%(made)s::uuid[])
               for share of file                   -- or their object could be freed before the copy names it
        )
        insert into work_item_file (id, work_item_id, name, size, hash)
        select gen_random_uuid(), item_id, name, size, hash from files
        """,
        ids=ids,
        sources=list(sources),
        made=made,
    )
    return made


async def adopt_waiting(tx: ScopedTx, *, queue: QueueId, run: RunId, step: StepId, priority: int) -> int:
    """Take all that waits in a queue into a run; how many there were."""
    return await tx.execute(
        """
        update work_item
           set state = 'pending', state_at = clock_now(), run_id = %(run)s, step_id = %(step)s,
               priority = greatest(priority, %(priority)s)
         where id in (select id from work_item where queue_id = %(queue)s and state = 'new' for update skip locked)
        """,
        queue=queue,
        run=run,
        step=step,
        priority=priority,
    )


async def adopt(
    tx: ScopedTx, scope: Scope, *, queue: QueueId, items: Sequence[WorkItemId], run: RunId, step: StepId
) -> list[WorkItemId]:
    """Take the named items, where they wait in the queue, into a run; those that were taken."""
    return await tx.all(
        WorkItemId,
        f"""
        update work_item
           set state = 'pending', state_at = clock_now(), run_id = %(run)s, step_id = %(step)s
         where workspace_id = {SEEN} and id = any(%(items)s::uuid[]) and queue_id = %(queue)s and state = 'new'
        returning id
        """,
        queue=queue,
        items=list(items),
        run=run,
        step=step,
        **scope.params,
    )


_KEYS: Final = 10
_BY_ATTRIBUTES: Final = "".join(
    f"""case when not descending[{key}] then payload -> attributes[{key}] end,
                                case when descending[{key}] then payload -> attributes[{key}] end desc,
                                """
    for key in range(1, _KEYS + 1)
)
"""As PostgreSQL compares JSON: numbers by their size, texts by their letters; what lacks the attribute comes last."""
_ORDERING: Final = """, lateral (
                              select array_agg(each ->> 'attribute' order by place) as attributes,
                                     array_agg(coalesce((each ->> 'is_descending')::boolean, false) order by place)
                                         as descending
                                from queue, jsonb_array_elements(queue.ordering) with ordinality as by (each, place)
                               where queue.id = %(queue)s) as asked"""


async def adopt_due(
    tx: ScopedTx, *, queue: QueueId, run: RunId, step: StepId, limit: int, is_ordered: bool = False
) -> int:
    """Take the most urgent due items of a queue into a run; how many. Items that somebody else takes are left out.

    Those of one priority as they came; with `is_ordered` by what the queue says, for which all that waits is looked at.
    """
    return await tx.execute(
        f"""
        update work_item
           set state = 'pending', state_at = clock_now(), run_id = %(run)s, step_id = %(step)s
         where id in (select work_item.id from work_item{_ORDERING if is_ordered else ""}
                       where queue_id = %(queue)s and state = 'new' and {IS_DUE}
                         and (deadline is null or deadline > clock_now())
                       order by priority desc, {_BY_ATTRIBUTES if is_ordered else ""}due, work_item.id
                       limit %(limit)s
                         for update of work_item skip locked)
        """,
        queue=queue,
        run=run,
        step=step,
        limit=limit,
    )
