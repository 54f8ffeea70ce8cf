"""Copies of items, with payload and files: what one run put out becomes the input of another, or is worked on again."""

from collections.abc import Sequence

from controlroom.ids import ProcessId, QueueId, RunId, StepId, WorkItemId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements


async def insert(
    tx: Statements,
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
