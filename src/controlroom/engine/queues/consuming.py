"""What the room does with due items of standing queues: it opens a run for them, in the commit that claims them."""

from msgspec.structs import replace

from controlroom.engine.access.model import system
from controlroom.engine.access.scope import Room, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import labels
from controlroom.engine.packages import store as packages
from controlroom.engine.processes.actions import implicit_process
from controlroom.engine.processes.model import Group
from controlroom.engine.queues import store
from controlroom.engine.queues.model import is_open
from controlroom.engine.queues.store import ReadyConsumer
from controlroom.engine.queues.zones import check_zone
from controlroom.engine.runs.actions import start_in
from controlroom.engine.runs.model import Cause, FromQueue, Overrides, StartedBy
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.workers.whole_groups import take_turns
from controlroom.errors import Conflict, Invalid, NotFound
from controlroom.ids import QueueConsumerId


async def _overrides(tx: ScopedTx, found: ReadyConsumer) -> Overrides:
    """The version that its runs run: a pinned one goes before a label. Raises PackageVersionNotFound."""
    wanted = found.consumer
    if wanted.version is None:
        return Overrides(label=wanted.label)
    task = await packages.hold_task(tx, found.scope, wanted.task_id)
    return Overrides(version=(await labels.get_version(tx, found.scope, task.package_id, wanted.version)).id)


async def consume(engine: Engine, room: Room, consumer: QueueConsumerId) -> bool:
    """Open a run for a consumer, if it is still ready and one of its windows is open; whether it was opened.

    A task whose package is gone opens nothing, until somebody mends the consumer.
    """
    try:
        async with scoped(engine.database, room) as tx:
            found = await store.lock_ready(tx, consumer)
            if found is None:
                return False
            wanted = found.consumer
            if not is_open(wanted.windows, found.now.astimezone(check_zone(wanted.zone))):
                return False
            process = await implicit_process(tx, found.scope, wanted.task_id)
            placement = wanted.placement
            if found.run_as is not None:
                placement = replace(placement, run_as=found.run_as)
            groups = [place.group for place in placement.places if isinstance(place, Group)]
            priority = 0 if await take_turns(tx, groups) else wanted.priority
            run = await start_in(
                tx,
                engine,
                system(found.scope.organization),
                wanted.workspace_id,
                process,
                FromQueue(wanted.queue_id, wanted.batch, is_ordered=found.is_ordered),
                RunParameters(
                    name=wanted.name,
                    placement=placement,
                    priority=priority,
                    overrides=await _overrides(tx, found),
                ),
                cause=Cause(StartedBy.QUEUE, wanted.id),
            )
            return run is not None
    except (Conflict, Invalid, NotFound):
        return False
