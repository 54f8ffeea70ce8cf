"""Items that nobody has begun by their deadline fail."""

from typing import Final

from msgspec import Struct

from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import Room, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.events import store as events
from controlroom.engine.events.store import By, Event
from controlroom.engine.wakes import Topic
from controlroom.ids import OrganizationId, ProcessId, RunId, WorkItemId, WorkspaceId

CODE: Final = "DEADLINE_EXCEEDED"
EVERY: Final = 2.0
"""Seconds between two looks. In between, such an item is not handed out either: reserving looks at its deadline."""

_BATCH: Final = 1000
_SYSTEM: Final = By("system")


class Overdue(Struct, frozen=True, kw_only=True):
    """An item that was failed."""

    id: WorkItemId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    process_id: ProcessId | None
    run_id: RunId | None


async def fail_overdue(engine: Engine, room: Room) -> int:
    """Fail all that is past its deadline; how many. Each batch is one transaction, with its events."""
    total = 0
    while True:
        async with scoped(engine.database, room) as tx:
            failed = await _fail(tx)
            await events.append(tx, _SYSTEM, *map(_failed, failed))
            for run in {item.run_id for item in failed if item.run_id is not None}:
                tx.after_commit(lambda run=run: engine.wakes.wake_here(Topic.RUN, run))  # type: ignore[misc]
        total += len(failed)
        if len(failed) < _BATCH:
            return total


async def _fail(tx: ScopedTx) -> list[Overdue]:
    return await tx.all(
        Overdue,
        """
        with late as (
            select id from work_item
             where deadline <= clock_now() and state in ('new', 'pending', 'held') and queue_id is not null
             order by deadline
             limit %(limit)s
               for update skip locked
        ), failed as (
            update work_item
               set state = 'failed', state_at = clock_now(), exception_type = 'orchestrator',
                   exception_code = %(code)s, exception_message = 'Nobody had begun it by its deadline.'
             where id in (select id from late)
            returning id, workspace_id, process_id, run_id
        )
        select failed.id, failed.workspace_id, workspace.organization_id, failed.process_id, failed.run_id
          from failed join workspace on workspace.id = failed.workspace_id
        """,
        limit=_BATCH,
        code=CODE,
    )


def _failed(item: Overdue) -> Event:
    return happened(
        item,
        "work_item.failed",
        process_id=item.process_id,
        run_id=item.run_id,
        work_item_id=item.id,
        exception={"type": "orchestrator", "code": CODE},
    )
