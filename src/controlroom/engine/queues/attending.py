"""Who works on standing queues, as people look at them: what they run, where, when, and who has let them rest."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import EACH, Scope
from controlroom.engine.queues.model import Window
from controlroom.ids import QueueConsumerId, QueueId
from controlroom.postgres.database import Statements


class Attending(Struct, frozen=True, kw_only=True):
    """A consumer of a queue."""

    id: QueueConsumerId
    number: int
    name: str
    queue_id: QueueId
    queue_number: int
    queue_name: str
    task_name: str
    package_name: str
    package_number: int
    groups: list[str]
    """On which it is placed; none: on any worker, or on named ones."""
    windows: tuple[Window, ...]
    zone: str
    max_runs: int
    batch: int
    priority: int
    running: int
    """Runs of it that are under way."""
    is_paused: bool
    changed_at: datetime
    changed_by: str | None


_MOST: Final = 200


async def attending(db: Statements, scope: Scope, *, queue: QueueId | None = None) -> list[Attending]:
    """The consumers of a queue, or those of all: 200 at most, those that rest behind those that work."""
    of_queue = "" if queue is None else "and queue_consumer.queue_id = %(queue)s"
    return await db.all(
        Attending,
        f"""
        select queue_consumer.id, queue_consumer.number, queue_consumer.name, queue_consumer.queue_id,
               queue.number as queue_number, queue.name as queue_name, task.name as task_name,
               package.name as package_name, package.number as package_number,
               array(select worker_group.name
                       from jsonb_array_elements(queue_consumer.placement -> 'places')
                            with ordinality as place (there, n)
                       join worker_group on worker_group.id = (there ->> 'group')::uuid
                      order by n) as groups,
               queue_consumer.windows, queue_consumer.zone, queue_consumer.max_runs, queue_consumer.batch,
               queue_consumer.priority,
               (select count(*) from run
                 where run.started_by_id = queue_consumer.id and run.started_by = 'queue'
                   and run.state in ('new', 'in_progress', 'stopping')) as running,
               queue_consumer.is_paused, queue_consumer.updated_at as changed_at, app_user.username as changed_by
          from queue_consumer
          join queue on queue.id = queue_consumer.queue_id
          join task on task.id = queue_consumer.task_id
          join package on package.id = task.package_id
          left join app_user on app_user.id = queue_consumer.updated_by
         where queue_consumer.workspace_id in {EACH} and queue_consumer.deleted_at is null {of_queue}
         order by queue_consumer.is_paused, queue_consumer.id
         limit {_MOST}
        """,
        **({} if queue is None else {"queue": queue}),
        **scope.each,
    )
