"""The verbs of allocations: keep a task ready, call it, let it go.

A call is a run of the task as any other, waited for. How many of them run at once is a lock of the workspace with that
capacity: what is too many waits for its turn, whoever asked and by whichever server.
"""

from typing import Final

import msgspec
from msgspec import Raw

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx, scope_of, scoped
from controlroom.engine.allocations import store
from controlroom.engine.allocations.errors import AllocationInvalid, AllocationNotFound
from controlroom.engine.allocations.model import Allocation
from controlroom.engine.engine import Engine
from controlroom.engine.locks import store as locks
from controlroom.engine.locks.model import LockName
from controlroom.engine.packages import store as packages
from controlroom.engine.processes.actions import check_placement
from controlroom.engine.processes.model import Placement
from controlroom.engine.runs.calls import Called, Waiting, start_and_wait
from controlroom.engine.runs.model import OfTask, WithPayloads
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.runs.task_inputs import inputs_of_task
from controlroom.engine.wakes import Topic
from controlroom.ids import AllocationId, TaskId, UserId, WorkspaceId, uuid7

MOST_CALLS: Final = 1000
"""Of one task at once."""


async def allocate(
    engine: Engine, actor: Actor, workspace: WorkspaceId, task: TaskId, *, run_as: UserId | None, most: int
) -> Allocation:
    """Keep a task ready, for so many calls at once; one that is kept so already is from now on kept as is said here.

    It takes the right to change the workspace, beside what it takes to name the user. Raises TaskNotFound,
    AllocationInvalid, and what `check_placement` raises.
    """
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    if not 1 <= most <= MOST_CALLS:
        raise AllocationInvalid(f"1 to {MOST_CALLS:,} calls of a task run at once")
    async with scoped(engine.database, scope) as tx:
        await packages.hold_task(tx, scope, task)
        await check_placement(tx, actor, scope, Placement(run_as=run_as))
        put = await store.put(tx, scope, AllocationId(uuid7()), task=task, run_as=run_as, most=most, by=actor.id)
        allocation = await store.get(tx, scope, put)
        await _limit(engine, tx, actor, allocation)
        await record(engine, tx, actor, scope, "allocation.put", put, task_id=str(task), most=most)
    return allocation


async def release(engine: Engine, actor: Actor, workspace: WorkspaceId, allocation: AllocationId) -> None:
    """Keep a task ready no longer; calls that run go on. Raises AllocationNotFound."""
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, allocation)
        await store.delete(tx, allocation)
        await record(engine, tx, actor, scope, "allocation.released", allocation, task_id=str(found.task_id))


async def call(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    task: TaskId,
    payload: Raw | None,
    *,
    name: str = "",
    waiting: Waiting,
) -> Called:
    """Call a task that is kept ready, and wait for its end, as long as `waiting` lets it.

    Raises AllocationNotFound for one that is not kept ready, and what `start_and_wait` raises.
    """
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    allocation = await store.of_task(engine.database, scope, task)
    if allocation is None:
        raise AllocationNotFound(task)
    taken = await inputs_of_task(engine.database, scope, task, payload)
    inputs = WithPayloads(Raw(b"[" + bytes(taken) + b"]"), 1)
    parameters = RunParameters(
        name=name, placement=Placement(run_as=allocation.run_as), locks=(LockName(allocation.lock),)
    )
    caller = _as_allocated(actor, workspace)
    called = await start_and_wait(engine, caller, workspace, OfTask(task), inputs, parameters, waiting=waiting)
    assert called is not None  # noqa: S101 - its item is its own
    return called


def _as_allocated(actor: Actor, workspace: WorkspaceId) -> Actor:
    """The caller, who may read the answer, and name the user as whom it runs: whoever allocated was asked for that."""
    mine = actor.permissions_in(workspace) | {Permission.START_AS, Permission.READ_WORK_ITEMS}
    return msgspec.structs.replace(actor, grants={**actor.grants, workspace: mine})


async def _limit(engine: Engine, tx: ScopedTx, actor: Actor, allocation: Allocation) -> None:
    """Say how many calls hold the lock at once; who can have it now gets it."""
    owner = allocation.workspace_id
    await locks.enter_line(tx, owner, allocation.lock)
    await locks.declare(tx, actor.organization_id, owner, allocation.lock, allocation.most)
    for run in await locks.runs_in_line(tx, owner, allocation.lock):
        tx.after_commit(lambda run=run: engine.wakes.wake_here(Topic.RUN, run))  # type: ignore[misc]
