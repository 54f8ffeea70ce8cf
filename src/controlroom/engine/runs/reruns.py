"""Running items again: a new run of the process, with copies of items that have ended."""

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.engine import Engine
from controlroom.engine.processes import store as processes
from controlroom.engine.runs import actions
from controlroom.engine.runs.model import Run, WithCopies
from controlroom.engine.work_items import bulk
from controlroom.engine.work_items.bulk import ItemFilter, Preview
from controlroom.errors import Invalid
from controlroom.ids import ProcessId, WorkspaceId


async def preview(
    engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, which: ItemFilter
) -> Preview:
    """How many inputs of the process a filter finds, and how many of them have ended and would be run again."""
    scope = scope_of(actor, Permission.READ_WORK_ITEMS, workspace)
    first = await processes.first_step(engine.database, scope, process)
    return await bulk.count_ended(engine.database, scope, first.queue_id, which)


async def rerun(
    engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, which: ItemFilter
) -> Run | None:
    """Start a run with a copy, with its files, of each input of the process that the filter finds and that has ended.

    The items themselves stay as they are. None if the filter finds none. Raises Invalid `TOO_MANY_ITEMS`, and what a
    start raises.
    """
    scope = scope_of(actor, Permission.READ_WORK_ITEMS, workspace)
    first = await processes.first_step(engine.database, scope, process)
    most = engine.limits.items_per_start
    items = await bulk.list_ended(engine.database, scope, first.queue_id, which, limit=most + 1)
    if not items:
        return None
    if len(items) > most:
        raise Invalid(f"at most {most:,} items a start", code="TOO_MANY_ITEMS")
    return await actions.start(engine, actor, workspace, process, WithCopies(tuple(items)))
