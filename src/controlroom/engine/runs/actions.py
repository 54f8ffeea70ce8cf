"""What users and API keys do with runs."""

from collections.abc import Awaitable, Callable, Sequence
from typing import assert_never

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from controlroom.engine.access.grants.holding import ensure_runtime
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, by, scope_of, scoped
from controlroom.engine.connections.rules import lock_of_file
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import append
from controlroom.engine.locks.actions import hold_declared
from controlroom.engine.locks.model import LockName, LockState
from controlroom.engine.locks.rules import wanted as wanted_locks
from controlroom.engine.processes import store as processes
from controlroom.engine.processes.actions import check_placement, implicit_process
from controlroom.engine.processes.errors import ProcessNotConfigured
from controlroom.engine.processes.model import ANYWHERE, Placement, Process, Step
from controlroom.engine.runs import locks as run_locks
from controlroom.engine.runs import repeated_starts, shares
from controlroom.engine.runs.dispatch import dispatch_in
from controlroom.engine.runs.errors import ProcessDisabled, RunNotEnded, RunNotFound
from controlroom.engine.runs.listings import RUNS
from controlroom.engine.runs.model import (
    Cause,
    DefaultInput,
    FromQueue,
    Inputs,
    OneEmptyItem,
    Run,
    RunState,
    StartedBy,
    StopRequest,
    WithCopies,
    WithItems,
    WithPayloads,
    WithWaiting,
)
from controlroom.engine.runs.overrides import overridden_versions
from controlroom.engine.runs.parameters import AS_USUAL, RunParameters, StoredParameters, check, stored
from controlroom.engine.runs.projects import starts as projects
from controlroom.engine.runs.projects.errors import NotOfJob
from controlroom.engine.runs.stopping import order_stop
from controlroom.engine.runs.unstarted import fail_unstarted
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import copies, schemas
from controlroom.engine.work_items import store as work_items
from controlroom.engine.work_items.errors import WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.limits import check_payloads
from controlroom.errors import Invalid
from controlroom.ids import ProcessId, RunId, TaskId, WorkItemId, WorkspaceId, uuid7
from controlroom.protocol import ErrorCode, StepRunError


async def start(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    process: ProcessId,
    inputs: Inputs,
    parameters: RunParameters = AS_USUAL,
) -> Run | None:
    """Start a run of a process; None when it should take what waits, and nothing does.

    Run, items and first step runs are one commit; a run that wants locks gets its step runs when it has them. Raises
    NotFound (process, items, a version, what a placement names, a lock of the organization), RuntimeMissing, Forbidden
    for who may not name the user as whom robots shall run, ProcessDisabled, Conflict `PROCESS_NOT_CONFIGURED` (no steps
    or one that runs nothing), WorkItemStateConflict (an item is not waiting), Invalid for parameters that no run may
    have, KeyReused, PayloadRefused, and what a payload may be refused for before (`check_payload`).
    """

    async def known(_tx: ScopedTx, _scope: Scope) -> ProcessId:
        return process

    return await _begin(engine, actor, workspace, known, inputs, parameters)


async def start_task(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    task: TaskId,
    inputs: Inputs,
    parameters: RunParameters = AS_USUAL,
) -> Run | None:
    """Start a run of a bare task, by the process that is its own, made in the same commit if it is the first run.

    Raises TaskNotFound, and what `start` raises.
    """

    async def of_task(tx: ScopedTx, scope: Scope) -> ProcessId:
        return await implicit_process(tx, scope, task)

    return await _begin(engine, actor, workspace, of_task, inputs, parameters)


async def _begin(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    find: Callable[[ScopedTx, Scope], Awaitable[ProcessId]],
    inputs: Inputs,
    parameters: RunParameters,
) -> Run | None:
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    if isinstance(inputs, WithPayloads) and inputs.count <= engine.limits.items_per_start:
        await check_payloads(engine, inputs.array)

    async def begin() -> Run | None:
        async with scoped(engine.database, scope) as tx:
            process = await find(tx, scope)
            return await start_in(tx, engine, actor, workspace, process, inputs, parameters, cause=cause_of(actor))

    return await schemas.settled(engine, begin)


async def start_in(
    tx: ScopedTx,
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    process: ProcessId,
    inputs: Inputs,
    parameters: RunParameters = AS_USUAL,
    *,
    cause: Cause,
    asked: str | None = None,
) -> Run | None:
    """Likewise, in the caller's transaction, which whatever is raised makes useless.

    To be called within `schemas.settled`. `asked` is the fingerprint of what was asked for, where that is not what the
    parameters say.
    """
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    check(parameters)
    key, asked = parameters.idempotency_key, asked or repeated_starts.fingerprint(engine, (inputs, parameters))
    if (first := await repeated_starts.first_of(tx, scope, process, key, asked)) is not None:
        return first
    found = await processes.lock_for_start(tx, scope, process)
    if not found.is_enabled:
        raise ProcessDisabled(process)
    steps = await processes.list_steps(tx, scope, process)
    if not steps or any(step.work is None for step in steps):
        raise ProcessNotConfigured(process)
    project = await _project(tx, scope, found, steps, parameters, cause)
    if project is not None:
        inputs, parameters = projects.input_of(inputs), _placed(parameters, project.placement)
    of_project = () if project is None else project.locks
    locks = wanted_locks(found.locks, parameters.locks, of_project, _of_databases(steps, parameters))
    await hold_declared(tx, scope, locks)
    run = RunId(uuid7())
    for placement in parameters.shares or (parameters.placement,):
        await _check_placement(tx, actor, scope, steps, placement)
    versions = await overridden_versions(tx, scope, steps, parameters.overrides)
    kept = stored(engine, run, parameters, cause, fingerprint=asked, versions=versions, locks=locks)
    made = await _insert(tx, scope, process, run, kept, cause, parameters.priority)
    if made is None:  # somebody who gave the same key at once has just committed
        return await repeated_starts.first_of(tx, scope, process, key, asked)
    if not await _bring_items(engine, tx, scope, run, steps[0], found.default_item, inputs, parameters.priority):
        await _take_back(tx, run)
        return None
    if project is not None:
        await projects.begin(engine, tx, scope, run, project, cause)
    await append(tx, by(actor), happened(scope, "run.started", process_id=process, run_id=run))
    if locks:
        await run_locks.ask(engine, tx, scope, run, locks)
        made = msgspec.structs.replace(made, lock_state=LockState.WAITING)
    else:
        await dispatch_in(engine, tx, run)
    tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))
    return made


async def _project(
    tx: ScopedTx, scope: Scope, process: Process, steps: Sequence[Step], parameters: RunParameters, cause: Cause
) -> projects.Asked | None:
    """What the run would be as a project's; None if its process is no job. Raises NotOfJob."""
    overrides = parameters.overrides.project
    if process.is_job:
        return await projects.asked(tx, scope, process.id, steps, overrides, cause.retry)
    if overrides is not None:
        raise NotOfJob
    return None


def _of_databases(steps: Sequence[Step], parameters: RunParameters) -> list[LockName]:
    """The locks of the files that steps work on. Raises Invalid for a run that would work on one in several places."""
    databases = [step.database for step in steps if step.database is not None]
    if databases and parameters.shares:
        raise Invalid(
            f"one step run at a time works on the database {databases[0].name}: the run cannot be shared out",
            code="RUN_INVALID",
        )
    return [lock_of_file(database.number) for database in databases]


def _placed(parameters: RunParameters, placement: Placement) -> RunParameters:
    """The parameters, with a placement where the start names none."""
    return parameters if parameters.placement != ANYWHERE else replace(parameters, placement=placement)


async def stop(engine: Engine, actor: Actor, workspace: WorkspaceId, run: RunId, request: StopRequest) -> bool:
    """Ask a run to stop; False if it has ended already. Robots end as asked, and nothing that waits is begun any more.

    The first thousand items that wait are settled in the commit that answers, the others after it by the dispatcher.
    """
    async with scoped(engine.database, scope_of(actor, Permission.START_RUNS, workspace)) as tx:
        return await stop_in(tx, engine, actor, workspace, run, request)


async def stop_in(
    tx: ScopedTx, engine: Engine, actor: Actor, workspace: WorkspaceId, run: RunId, request: StopRequest
) -> bool:
    """Likewise, in the caller's transaction."""
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    found = await _lock(tx, scope, run)
    if found.has_ended:
        return False
    await order_stop(engine, tx, run, request)
    for share in await shares.waiting(tx, run):
        await fail_unstarted(engine, tx, share, StepRunError(ErrorCode.TERMINATED, shares.STOPPED))
    told = msgspec.structs.asdict(request)
    event = happened(scope, "run.stop_requested", process_id=found.process_id, run_id=run, **told)
    await append(tx, by(actor), event)
    await dispatch_in(engine, tx, run)
    return True


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, run: RunId) -> None:
    """Delete a run that has ended, with its items, step runs, console and artifacts; raises RunNotEnded."""
    scope = scope_of(actor, Permission.DELETE_RUNS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await _lock(tx, scope, run)
        if not found.has_ended:
            raise RunNotEnded(run, found.state)
        await erase(tx, run)
        await append(tx, by(actor), happened(scope, "run.deleted", process_id=found.process_id, run_id=run))


async def erase(tx: ScopedTx, run: RunId) -> None:
    """Remove all rows of a run that the caller has locked. Its objects are swept when nothing else names them."""
    for statement in _ERASURE:
        await tx.execute(statement, run=run)


_OF_RUN = "(select id from step_run where run_id = %(run)s)"
_ERASURE = (
    f"delete from phase where step_run_id in {_OF_RUN}",
    f"delete from artifact where step_run_id in {_OF_RUN}",
    f"delete from console_chunk where step_run_id in {_OF_RUN}",
    f"delete from console_archive where step_run_id in {_OF_RUN}",
    f"delete from secret_mask where step_run_id in {_OF_RUN}",
    "delete from work_item_attempt where work_item_id in (select id from work_item where run_id = %(run)s)",
    "delete from work_item_file where work_item_id in (select id from work_item where run_id = %(run)s)",
    "delete from work_item where run_id = %(run)s",
    "delete from step_run where run_id = %(run)s",
    "delete from run_wake where run_id = %(run)s",
    "delete from project_run where run_id = %(run)s",
    "delete from run where id = %(run)s",
)


def cause_of(actor: Actor) -> Cause:
    """That somebody starts a run, and nothing else does."""
    return Cause(StartedBy.USER if actor.kind is ActorKind.USER else StartedBy.API, actor.id)


async def _check_placement(
    tx: ScopedTx, actor: Actor, scope: Scope, steps: Sequence[Step], placement: Placement
) -> None:
    """What a start names is there, and the actor may name it; as whom its robots run, that user may still be run as.

    What a loop starts was placed by somebody who was asked then, and what has gone since is waited for visibly.
    """
    if placement != ANYWHERE and actor.kind is not ActorKind.SYSTEM:
        await check_placement(tx, actor, scope, placement)
    users = {placement.run_as} if placement.run_as else {step.placement.run_as for step in steps}
    if named := [user for user in users if user is not None]:
        await ensure_runtime(tx, scope, named)


async def _insert(
    tx: ScopedTx,
    scope: Scope,
    process: ProcessId,
    run: RunId,
    parameters: StoredParameters,
    cause: Cause,
    priority: int,
) -> Run | None:
    """Write the run; None if another one has its key: whoever is making that is waited for."""
    if_new = (
        ""
        if parameters.idempotency_key is None  # which spares nearly all starts the second look
        else """on conflict (process_id, (parameters ->> 'idempotency_key'))
            where parameters ? 'idempotency_key' do nothing"""
    )
    return await tx.one_or_none(
        Run,
        f"""
        with run as (
            insert into run (id, workspace_id, process_id, state, started_by, started_by_id, priority, parameters)
            values (%(run)s, %(workspace)s, %(process)s, 'new', %(started_by)s, %(by)s, %(priority)s, %(parameters)s)
            {if_new}
            returning *
        )
        {RUNS.select}
        """,
        run=run,
        workspace=scope.workspace,
        process=process,
        started_by=cause.kind,
        by=cause.id,
        priority=priority,
        parameters=parameters,
    )


async def _take_back(tx: ScopedTx, run: RunId) -> None:
    """There is nothing for it to do: it was never begun."""
    await tx.execute("delete from run where id = %(run)s", run=run)


async def _bring_items(
    engine: Engine,
    tx: ScopedTx,
    scope: Scope,
    run: RunId,
    first: Step,
    default: Raw | None,
    inputs: Inputs,
    priority: int,
) -> bool:
    """Give the run its items; False if it should take what waits and nothing does."""
    queue, step = first.queue_id, first.id
    where = {"workspace": scope.workspace, "process": first.process_id, "queue": queue, "step": step, "run": run}
    match inputs:
        case DefaultInput() | OneEmptyItem():
            payload = default if isinstance(inputs, DefaultInput) else None
            if first.has_schema:
                await schemas.check(tx, scope, queue, payload)
            new = work_items.NewItem(**where, payload=payload, priority=priority)  # type: ignore[arg-type]
            await work_items.insert_one(tx, new)
        case WithPayloads(array, count):
            await _check(engine, tx, scope, first, array, count)
            await work_items.insert(tx, **where, payloads=array, count=count, priority=priority)  # type: ignore[arg-type]
        case WithWaiting():
            return bool(await copies.adopt_waiting(tx, queue=queue, run=run, step=step, priority=priority))
        case WithItems(items):
            await _adopt(tx, scope, run, first, items)
        case FromQueue(standing, limit, is_ordered):
            adopted = await copies.adopt_due(tx, queue=standing, run=run, step=step, limit=limit, is_ordered=is_ordered)
            return bool(adopted)
        case WithCopies(sources):
            await copies.insert(tx, **where, sources=sources, priority=priority)  # type: ignore[arg-type]
        case _:
            assert_never(inputs)
    return True


async def _check(engine: Engine, tx: ScopedTx, scope: Scope, first: Step, payloads: Raw, count: int) -> None:
    if count > engine.limits.items_per_start:
        raise Invalid(f"at most {engine.limits.items_per_start:,} items a start", code="TOO_MANY_ITEMS")
    if count == 0:
        raise Invalid("no payloads were given", code="NO_PAYLOADS")
    if first.has_schema:
        await schemas.check_all(tx, scope, first.queue_id, payloads)


async def _adopt(tx: ScopedTx, scope: Scope, run: RunId, first: Step, items: Sequence[WorkItemId]) -> None:
    """Take the named items, all of which must wait in the queue."""
    if not items:
        raise Invalid("no work items were named", code="NO_WORK_ITEMS")
    taken = await copies.adopt(tx, scope, queue=first.queue_id, items=items, run=run, step=first.id)
    for item in set(items) - set(taken):
        found = await work_items.get(tx, scope, item)
        if found.queue_id != first.queue_id:
            raise WorkItemNotFound(item)
        raise WorkItemStateConflict(item, found.state, "started")


class _Locked(Struct, frozen=True):
    state: RunState
    process_id: ProcessId

    @property
    def has_ended(self) -> bool:
        """Whether nothing is left to stop."""
        return self.state in {RunState.COMPLETED, RunState.UNRESOLVED}


async def _lock(tx: ScopedTx, scope: Scope, run: RunId) -> _Locked:
    found = await tx.one_or_none(
        _Locked,
        f"select state, process_id from run where workspace_id = {SEEN} and id = %(run)s for no key update",
        run=run,
        **scope.params,
    )
    if found is None:
        raise RunNotFound(run)
    return found
