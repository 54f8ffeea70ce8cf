"""The verbs of processes."""

from collections.abc import Mapping, Sequence
from typing import assert_never
from uuid import UUID

from msgspec import UNSET, structs

from controlroom.engine import restoring
from controlroom.engine.access.grants.holding import ensure_runtime
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.connections.seeing import usable_file
from controlroom.engine.connections.store import CONNECTION
from controlroom.engine.engine import Engine
from controlroom.engine.locks.actions import hold_declared
from controlroom.engine.locks.rules import wanted as wanted_locks
from controlroom.engine.nouns import Ways
from controlroom.engine.packages import store as packages
from controlroom.engine.packages.errors import TaskNotFound
from controlroom.engine.processes import store, versions
from controlroom.engine.processes.errors import (
    ItemsWaiting,
    ProcessNotFound,
    ProcessRunning,
    ProvisionerUnknown,
    StepInvalid,
)
from controlroom.engine.processes.forms import Form, check_form
from controlroom.engine.processes.model import (
    Group,
    NamedTask,
    OnDemand,
    PackageCommands,
    Placement,
    Process,
    ProcessChange,
    ProcessDefinition,
    StepDefinition,
    Workers,
)
from controlroom.engine.processes.rules import KnownStep, check_steps, match_steps
from controlroom.engine.references import Reference, resolve_all
from controlroom.engine.work_items.limits import check_payload
from controlroom.engine.workers import store as workers
from controlroom.ids import ConnectionId, PackageId, ProcessId, TaskId, UserId, WorkerGroupId, WorkerId, WorkspaceId
from controlroom.postgres.database import Tx


async def create(engine: Engine, actor: Actor, workspace: WorkspaceId, definition: ProcessDefinition) -> Process:
    """A new process with its steps.

    Raises StepInvalid, LockInvalid, what a payload may be refused for, and NotFound for tasks, packages, workers,
    groups and locks of the organization that are not there.
    """
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    await check_payload(engine, definition.default_item)
    async with scoped(engine.database, scope) as tx:
        return await create_in(tx, engine, actor, scope, definition)


async def create_in(tx: ScopedTx, engine: Engine, actor: Actor, scope: Scope, definition: ProcessDefinition) -> Process:
    """Likewise, in the caller's transaction, who has had the default item checked."""
    name = checked_name(definition.name, what="process's name")
    locks = wanted_locks(definition.locks)
    process = await store.insert(
        tx,
        scope,
        name=name,
        is_enabled=definition.is_enabled,
        default_item=definition.default_item,
        form=_checked(definition.form),
        locks=locks,
    )
    if process is None:
        await ensure_seen(tx, scope)
        raise ProcessNotFound(name)
    await hold_declared(tx, scope, locks)
    await _write_steps(tx, actor, scope, process, definition.steps)
    await record(engine, tx, actor, scope, "process.created", process_id=process, name=name)
    made = await store.get(tx, scope, process)
    await versions.keep(tx, scope, made, made_by=actor)
    return made


async def update(
    engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, change: ProcessChange
) -> Process:
    """Change what is set. Steps are given whole; old ones are known by name, else by place, and keep id and queue.

    Runs under way go on with the new settings. Raises ProcessRunning when steps would be removed or moved below a run,
    ItemsWaiting when one would be removed whose queue has waiting items, and what `create` raises.
    """
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    if change.default_item is not UNSET:
        await check_payload(engine, change.default_item)
    async with scoped(engine.database, scope) as tx:
        return await update_in(tx, engine, actor, scope, process, change)


async def update_in(
    tx: ScopedTx, engine: Engine, actor: Actor, scope: Scope, process: ProcessId, change: ProcessChange
) -> Process:
    """Likewise, in the caller's transaction, who has had the default item checked."""
    before = await store.lock(tx, scope, process)
    if not await versions.has_any(tx, process):
        await versions.keep(tx, scope, before, made_by=None)
    name = before.name if change.name is UNSET else checked_name(change.name, what="process's name")
    default_item = before.default_item if change.default_item is UNSET else change.default_item
    form = before.form if change.form is UNSET else _checked(change.form)
    is_enabled = before.is_enabled if change.is_enabled is UNSET else change.is_enabled
    locks = tuple(before.locks)
    if change.locks is not UNSET:
        locks = wanted_locks(change.locks)
        await hold_declared(tx, scope, locks)
    if not await store.update(
        tx, scope, process, name=name, is_enabled=is_enabled, default_item=default_item, form=form, locks=locks
    ):
        await ensure_seen(tx, scope)
        raise ProcessNotFound(process)
    if change.steps is not UNSET:
        await _write_steps(tx, actor, scope, process, change.steps)
    await record(engine, tx, actor, scope, "process.updated", process_id=process, name=name, is_enabled=is_enabled)
    # Why: more step runs may be wanted now. Runs of the process are looked at again by the dispatcher's polling.
    changed = await store.get(tx, scope, process)
    await versions.keep(tx, scope, changed, made_by=actor)
    return changed


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId) -> None:
    """Delete a process of which no run is under way; what has run stays readable. Raises ProcessRunning."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, scope) as tx:
        await delete_in(tx, engine, actor, scope, process)


async def delete_in(tx: ScopedTx, engine: Engine, actor: Actor, scope: Scope, process: ProcessId) -> None:
    """Likewise, in the caller's transaction."""
    before = await store.lock(tx, scope, process)
    if await store.has_open_run(tx, process):
        raise ProcessRunning(process, "deletion")
    if not await store.delete(tx, scope, process):
        await ensure_seen(tx, scope)
        raise ProcessNotFound(process)
    await record(engine, tx, actor, scope, "process.deleted", process_id=process, name=before.name)


async def restore(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId) -> Process:
    """Have a process again that was deleted, with its steps, schedules, triggers and chains. Raises ProcessNotFound."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, scope) as tx:
        await restoring.restore(tx, scope, store.PROCESS, process)
        found = await store.get(tx, scope, process)
        await record(engine, tx, actor, scope, "process.restored", process_id=process, name=found.name)
        return found


async def implicit_process(tx: ScopedTx, scope: Scope, task: TaskId) -> ProcessId:
    """The process through which a bare task is run: one a task, made at its first run. Raises TaskNotFound.

    Of two that make it at once, one waits for the other and finds it. One that somebody deleted is there again.
    """
    found = await packages.hold_task(tx, scope, task)
    known = await store.implicit_of(tx, scope, task)
    if known is None and (made := await store.insert_implicit(tx, scope, task, found.name)) is not None:
        step = StepDefinition(name=found.name, work=task)
        await store.insert_step(tx, scope, made, 0, step, store.ChosenWork(task))
        return made
    known = known or await store.implicit_of(tx, scope, task)
    if known is None:
        raise TaskNotFound(task)
    if known.is_deleted:
        await store.restore(tx, known.id)
    return known.id


async def _write_steps(
    tx: ScopedTx, actor: Actor, scope: Scope, process: ProcessId, wanted: Sequence[StepDefinition]
) -> None:
    """Make the steps of a process that is locked, or new, what is wanted."""
    for step in wanted:
        checked_name(step.name, what="step's name")
    check_steps(wanted)
    before = {step.id: step for step in await store.list_steps(tx, scope, process)}
    existing = [KnownStep(step.id, step.name) for step in before.values()]
    plan = match_steps(existing, [step.name for step in wanted])
    if plan.loses_or_moves(existing) and await store.has_open_run(tx, process):
        raise ProcessRunning(process, "steps are removed or moved")
    if waiting := await store.with_waiting_items(tx, plan.removed):
        raise ItemsWaiting(waiting)
    await store.remove_steps(tx, process, plan.removed)
    await store.make_room(tx, process)
    named = await _packages(tx, scope, wanted)
    databases = await _databases(tx, scope, wanted)
    for position, (kept, step) in enumerate(zip(plan.kept, wanted, strict=True)):
        work = await _work(tx, scope, step, named)
        if step.database is not None:
            database = databases[step.database]
            keeps = kept is not None and before[kept].database_id == database
            await usable_file(tx, actor, scope, database, keeps=keeps)
            work = structs.replace(work, database=database)
        if kept is not None and before[kept].database_id != work.database and await store.has_open_run(tx, process):
            raise ProcessRunning(process, "change of the database that a step works on")
        await check_placement(tx, actor, scope, step.placement)
        if kept is None:
            await store.insert_step(tx, scope, process, position, step, work)
        else:
            await store.update_step(tx, process, kept, position, step, work)


def _checked(form: Form | None) -> Form | None:
    if form is not None:
        check_form(form)
    return form


async def _packages(tx: ScopedTx, scope: Scope, wanted: Sequence[StepDefinition]) -> dict[PackageId | str, PackageId]:
    """The packages that steps name, by what they call them. Raises PackageNotFound."""
    works = (step.work for step in wanted)
    named = list(dict.fromkeys(work.package for work in works if isinstance(work, NamedTask | PackageCommands)))
    found = await resolve_all(tx, scope, [Reference(packages.PACKAGE, str(each), Ways.ID_OR_NAME) for each in named])
    return dict(zip(named, found, strict=True))


async def _databases(
    tx: ScopedTx, scope: Scope, wanted: Sequence[StepDefinition]
) -> dict[ConnectionId | str, ConnectionId]:
    """The connections that steps name, by what they call them. Raises ConnectionNotFound."""
    named = [step.database for step in wanted if step.database is not None]
    found = await resolve_all(tx, scope, [Reference(CONNECTION, str(each), Ways.ID_OR_NAME) for each in named])
    if len(set(found)) < len(found):
        raise StepInvalid(wanted[-1].name, "two steps work on one database: one at a time does")
    return dict(zip(named, found, strict=True))


async def _work(
    tx: ScopedTx, scope: Scope, step: StepDefinition, named: Mapping[PackageId | str, PackageId]
) -> store.ChosenWork:
    """What a step shall run, held so that its package cannot go meanwhile."""
    match step.work:
        case None:
            return store.ChosenWork()
        case Form():
            return store.ChosenWork(form=_checked(step.work))
        case NamedTask(package, name):
            held = await packages.hold(tx, scope, named[package])
            if name not in held.task_names:
                raise TaskNotFound(name, known=held.task_names)
            return store.ChosenWork(await packages.task_of(tx, held.id, name))
        case PackageCommands(package, commands, _):
            held = await packages.hold(tx, scope, named[package])
            return store.ChosenWork(package=held.id, commands=commands)
        case UUID():
            return store.ChosenWork((await packages.hold_task(tx, scope, step.work)).id)


async def check_placement(tx: ScopedTx, actor: Actor, scope: Scope, placement: Placement) -> None:
    """Raise NotFound for workers, groups or a provisioner that the workspace does not have, or as `_check_run_as` does.

    The groups and the provisioner stay until the transaction ends.
    """
    named: list[WorkerId] = []
    groups: list[WorkerGroupId] = []
    for place in placement.places:
        match place:
            case Workers(ids):
                named.extend(ids)
            case Group(group):
                groups.append(group)
            case OnDemand(provisioner):
                if not await store.has_provisioner(tx, scope, provisioner):
                    raise ProvisionerUnknown(provisioner)
            case _:
                assert_never(place)
    if named:
        await workers.ensure_workers(tx, scope, named)
    if groups:
        await workers.ensure_groups(tx, scope, groups)
    if placement.run_as is not None:
        await _check_run_as(tx, actor, scope, placement.run_as)


async def _check_run_as(tx: Tx, actor: Actor, scope: Scope, user: UserId) -> None:
    """Raise Forbidden for who names somebody else and lacks the right to, and as `ensure_runtime` does."""
    if actor.kind is not ActorKind.USER or actor.id != user:
        actor.require(Permission.START_AS, scope.workspace)
    await ensure_runtime(tx, scope, [user])
