"""A queue finds the workspace of the task that works on it: its first consumer takes it there, with its items."""

from msgspec import Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, ScopedTx, scope_of
from controlroom.engine.engine import Engine
from controlroom.engine.queues import store
from controlroom.engine.queues.errors import QueueElsewhere, QueueNameTaken
from controlroom.engine.queues.model import Queue
from controlroom.ids import QueueId, WorkspaceId
from controlroom.postgres.errors import UniqueViolation


class _Tied(Struct, frozen=True):
    has_consumers: bool
    has_runs: bool


async def move(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, queue: Queue, to: WorkspaceId) -> Scope:
    """Move a queue that the caller has locked for update, with its items, to another workspace: its scope there.

    Whoever puts items in waits until it is there. Raises QueueElsewhere for a queue that somebody works on, or has
    worked on, QueueNameTaken, NotFound or Forbidden for who may start nothing there.
    """
    there = scope_of(actor, Permission.START_RUNS, to)
    if to == queue.workspace_id:
        return there
    tied = await tx.one(
        _Tied,
        """
        select exists (select from queue_consumer
                        where queue_id = %(queue)s and deleted_at is null) as has_consumers,
               exists (select from work_item
                        where queue_id = %(queue)s and process_id is null and run_id is not null
                          and state <> 'deleted') as has_runs
        """,
        queue=queue.id,
    )
    if tied.has_consumers or tied.has_runs:
        raise QueueElsewhere
    await _carry(tx, queue.id, queue.name, to)
    await record(engine, tx, actor, scope, "queue.moved_away", queue.id, name=queue.name, to=to)
    await record(engine, tx, actor, there, "queue.moved", queue.id, name=queue.name, from_=queue.workspace_id)
    return there


async def _carry(tx: ScopedTx, queue: QueueId, name: str, to: WorkspaceId) -> None:
    try:
        await tx.execute(
            "update queue set workspace_id = %(to)s, revision = revision + 1 where id = %(queue)s", queue=queue, to=to
        )
    except UniqueViolation as taken:
        raise QueueNameTaken(name) from taken
    await tx.execute("update queue_consumer set workspace_id = %(to)s where queue_id = %(queue)s", queue=queue, to=to)
    await tx.execute("update queue_job set workspace_id = %(to)s where queue_id = %(queue)s", queue=queue, to=to)
    await tx.execute(
        "update work_item set workspace_id = %(to)s where queue_id = %(queue)s and process_id is null",
        queue=queue,
        to=to,
    )


async def settle_at(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, queue: QueueId, to: WorkspaceId
) -> tuple[Queue, Scope]:
    """The queue, locked, in the workspace in which its consumer's task lies. Raises as `move`."""
    found = await store.get(tx, scope, queue, for_update=True)
    there = await move(engine, tx, actor, scope, found, to)
    return (found if there == scope else await store.get(tx, there, queue)), there
