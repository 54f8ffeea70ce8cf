"""The verbs of retention. What is done about it is in `pruning.py`."""

import msgspec
from msgspec import UNSET

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.retention import store
from controlroom.engine.retention.model import MOST_DAYS, Overrides, OverridesChange
from controlroom.errors import Invalid
from controlroom.ids import WorkspaceId


async def change(engine: Engine, actor: Actor, workspace: WorkspaceId, wanted: OverridesChange) -> Overrides:
    """Change what is set. Raises Invalid. What is kept for a shorter time from now on goes within the hour."""
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    given = {name: days for name, days in msgspec.structs.asdict(wanted).items() if days is not UNSET}
    for name, days in given.items():
        if days is not None and not 0 <= days <= MOST_DAYS:
            raise Invalid(f"{name} is from 0 (for ever) to {MOST_DAYS:,} days", code="RETENTION_INVALID")
    async with scoped(engine.database, scope) as tx:
        before = await store.get(tx, scope, for_update=True)
        after = msgspec.structs.replace(before, **given)
        await store.set_overrides(tx, scope, after)
        await record(engine, tx, actor, scope, "retention.changed", workspace, **msgspec.to_builtins(after))
    return after
