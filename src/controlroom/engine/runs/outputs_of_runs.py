"""What a run was given, and what it has put out so far: for whoever tells of it as one thing."""

from typing import Final

from msgspec import Raw

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.engine import Engine
from controlroom.engine.runs.rules import merged
from controlroom.engine.work_items import store as work_items
from controlroom.ids import RunId
from controlroom.postgres.database import Statements

_MOST: Final = 1000


async def given_and_put_out(engine: Engine, scope: Scope, run: RunId) -> tuple[Raw | None, dict[str, Raw]]:
    """The payload of a run's first item, and the fields of what its last step has put out, the last of a name."""
    db = engine.database
    items = await work_items.list_outputs(db, scope, run, limit=_MOST, most_bytes=engine.limits.page_bytes)
    return await _given(db, scope, run), merged(item.payload for item in items)


async def _given(db: Statements, scope: Scope, run: RunId) -> Raw | None:
    found = await db.all(
        Raw,
        f"""
        select coalesce(payload, 'null') from work_item
         where workspace_id = {SEEN} and run_id = %(run)s and parent_id is null
         order by id limit 1
        """,
        run=run,
        **scope.params,
    )
    return next(iter(found), None)
