"""What a stopped run has left is settled, some at a time: of a million items in one transaction others would wait."""

from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.work_items.model import ItemException, ItemState
from controlroom.ids import RunId, WorkItemId

NO_ITEM: Final = WorkItemId(UUID(int=0))
"""Before every item, in the order of ids."""


async def settle_remaining(
    tx: ScopedTx,
    run: RunId,
    state: ItemState,
    exception: ItemException | None,
    *,
    after: WorkItemId | None,
    limit: int,
) -> WorkItemId | None:
    """Mark up to `limit` items that a stopped run has left, done or failed; None if it was all, else where to go on.

    Without `after` it finds the few that wait among many that have ended; with it, it goes on behind that one in the
    order of ids: what was settled before is not looked at again, whoever holds an old snapshot.
    """
    of_run, still = "run_id = %(run)s", "state in ('pending', 'held')"
    if after is None:
        picked = f"""(select id from work_item where {of_run} and state = 'pending' limit %(limit)s)
                     union all (select id from work_item where {of_run} and state = 'held' limit %(limit)s)
                     limit %(limit)s"""
    else:
        picked = f"""select id from work_item where {of_run} and {still} and id > %(after)s
                      order by id limit %(limit)s"""
    found = await tx.one(
        _Settled,
        f"""
        with picked as ({picked}), settled as (
            update work_item
               set state = %(state)s, state_at = clock_now(),
                   exception_type = %(type)s, exception_code = %(code)s, exception_message = %(message)s
             where id in (select id from picked) and {still}
        )
        select count(*) as count, (select id from picked order by id desc limit 1) as last from picked
        """,
        run=run,
        limit=limit,
        state=state,
        type=None if exception is None else exception.type,
        code="" if exception is None else exception.code,
        message="" if exception is None else exception.message,
        **({} if after is None else {"after": after}),
    )
    if found.count < limit:
        return None
    return NO_ITEM if after is None else found.last


class _Settled(Struct, frozen=True):
    count: int
    last: WorkItemId | None
