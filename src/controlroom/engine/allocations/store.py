"""The statements over allocations."""

from typing import Any, Final

from controlroom.engine.access.scope import Scope, ScopedTx, within
from controlroom.engine.allocations.errors import AllocationNotFound
from controlroom.engine.allocations.listings import ALLOCATIONS
from controlroom.engine.allocations.model import Allocation
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import OLDEST_FIRST, Asked, behind, equal
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.ids import AllocationId, TaskId, UserId
from controlroom.postgres.database import Statements

ALLOCATION: Final = Noun[AllocationId](
    "allocation",
    AllocationNotFound,
    "allocation",
    InWorkspace("allocation.workspace_id"),
    there="allocation.deleted_at is null",
)


async def get(db: Statements, scope: Scope, allocation: AllocationId) -> Allocation:
    """One allocation; raises AllocationNotFound, also when the package of its task is gone."""
    found = await _find(db, scope, id=allocation)
    if found is None:
        raise AllocationNotFound(allocation)
    return found


async def of_task(db: Statements, scope: Scope, task: TaskId) -> Allocation | None:
    """The allocation of a task, if it has one."""
    return await _find(db, scope, task_id=task)


async def _find(db: Statements, scope: Scope, **values: object) -> Allocation | None:
    asked = Asked(filter=equal(**values), length=1)
    return next(iter(await pages.rows(db, Allocation, ALLOCATIONS, within(scope), asked)), None)


async def list_allocations(
    db: Statements, scope: Scope, *, after: AllocationId | None = None, limit: int
) -> list[Allocation]:
    """Allocations, oldest first."""
    asked = Asked(sort=OLDEST_FIRST, start=behind(after), length=limit)
    return await pages.rows(db, Allocation, ALLOCATIONS, within(scope), asked)


async def put(
    tx: ScopedTx,
    scope: Scope,
    allocation: AllocationId,
    *,
    task: TaskId,
    run_as: UserId | None,
    most: int,
    by: Any,
) -> AllocationId:
    """Write the allocation of a task that is held, in place of one that it has."""
    return await tx.one(
        AllocationId,
        """
        insert into allocation (id, workspace_id, task_id, run_as, most, created_by)
        values (%(allocation)s, %(workspace)s, %(task)s, %(run_as)s, %(most)s, %(by)s)
            on conflict (task_id) where deleted_at is null
            do update set run_as = excluded.run_as, most = excluded.most, updated_at = clock_now()
        returning id
        """,
        allocation=allocation,
        workspace=scope.workspace,
        task=task,
        run_as=run_as,
        most=most,
        by=by,
    )


async def delete(tx: ScopedTx, allocation: AllocationId) -> None:
    """Mark an allocation that the transaction has found as deleted; calls that run go on."""
    await tx.execute("update allocation set deleted_at = clock_now() where id = %(allocation)s", allocation=allocation)
