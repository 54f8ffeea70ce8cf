"""The verbs of assistants and their runs."""

from typing import Any

from msgspec import UNSET

from controlroom.engine import restoring
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Room, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.assistants import rules, store
from controlroom.engine.assistants.errors import AssistantNotFound, AssistantRunEnded, AssistantRunNotFound
from controlroom.engine.assistants.model import (
    Assistant,
    AssistantChange,
    AssistantError,
    AssistantRun,
    AssistantRunState,
    Started,
)
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.engine.packages import store as packages
from controlroom.engine.packages.errors import TaskNotFound
from controlroom.errors import Conflict, Forbidden
from controlroom.ids import AssistantId, AssistantRunId, PackageId, UserId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements


async def create(
    engine: Engine, actor: Actor, workspace: WorkspaceId, *, name: str, package: PackageId, task: str
) -> Assistant:
    """A new assistant of a task. Raises PackageNotFound, TaskNotFound, AssistantNameTaken."""
    scope = scope_of(actor, Permission.WRITE_ASSISTANTS, workspace)
    assistant = AssistantId(uuid7())
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        known = (await packages.hold(tx, scope, package)).task_names
        if task not in known:
            raise TaskNotFound(task, known=known)
        await store.add(tx, scope, assistant, name=checked_name(name), task=await packages.task_of(tx, package, task))
        await record(engine, tx, actor, scope, "assistant.created", assistant, name=name)
        return await get(tx, scope, assistant)


async def edit(
    engine: Engine, actor: Actor, workspace: WorkspaceId, assistant: AssistantId, change: AssistantChange
) -> Assistant:
    """Call an assistant otherwise, or let it run another task; runs under way go on as they began.

    Raises AssistantNotFound, AssistantNameTaken, PackageNotFound, TaskNotFound.
    """
    scope = scope_of(actor, Permission.WRITE_ASSISTANTS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await get(tx, scope, assistant)
        task = before.task_id
        if change.task is not UNSET:
            package, name = change.task
            known = (await packages.hold(tx, scope, package)).task_names
            if name not in known:
                raise TaskNotFound(name, known=known)
            task = await packages.task_of(tx, package, name)
        name = before.name if change.name is UNSET else checked_name(change.name)
        await store.change(tx, assistant, name=name, task=task)
        await record(engine, tx, actor, scope, "assistant.updated", assistant, name=name)
        return await get(tx, scope, assistant)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, assistant: AssistantId) -> None:
    """Delete an assistant; runs under way go on, and stay in the lists. Raises AssistantNotFound."""
    scope = scope_of(actor, Permission.WRITE_ASSISTANTS, workspace)
    async with scoped(engine.database, scope) as tx:
        if not await store.delete(tx, scope, assistant):
            await ensure_seen(tx, scope)
            raise AssistantNotFound(assistant)
        await record(engine, tx, actor, scope, "assistant.deleted", assistant)


async def restore(engine: Engine, actor: Actor, workspace: WorkspaceId, assistant: AssistantId) -> Assistant:
    """Have an assistant again that was deleted. Raises AssistantNotFound, Conflict `NAME_TAKEN`."""
    scope = scope_of(actor, Permission.WRITE_ASSISTANTS, workspace)
    async with scoped(engine.database, scope) as tx:
        await restoring.restore(tx, scope, store.ASSISTANT, assistant)
        found = await get(tx, scope, assistant)
        await record(engine, tx, actor, scope, "assistant.restored", assistant, name=found.name)
        return found


async def get(tx: Statements, scope: Scope, assistant: AssistantId) -> Assistant:
    """One assistant. Raises AssistantNotFound."""
    found = await store.get(tx, scope, assistant)
    if found is None:
        await ensure_seen(tx, scope)
        raise AssistantNotFound(assistant)
    return found


async def get_run(tx: Statements, scope: Scope, run: AssistantRunId) -> AssistantRun:
    """One run. Raises AssistantRunNotFound."""
    found = await store.get_run(tx, scope, run)
    if found is None:
        raise AssistantRunNotFound(run)
    return found


async def start(engine: Engine, actor: Actor, workspace: WorkspaceId, assistant: AssistantId) -> Started:
    """Begin a run on the actor's machine, who must be a user: what to run there, of the package's latest version.

    Raises AssistantNotFound, Conflict `PACKAGE_EMPTY`, TaskNotFound when the latest version lacks the task.
    """
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    if actor.kind is not ActorKind.USER or actor.id is None:
        raise Forbidden("assistants are run by users", code="USER_NEEDED")
    run = AssistantRunId(uuid7())
    async with scoped(engine.database, scope) as tx:
        found = await get(tx, scope, assistant)
        latest = await packages.latest_version(tx, scope, found.package_id)
        if latest is None:
            raise _empty(found)
        names = [task.name for task in latest.robot.tasks]
        if found.task_name not in names:
            raise TaskNotFound(found.task_name, known=names)
        await store.add_run(tx, run, found, user=UserId(actor.id), version=latest.id)
        begun = await get_run(tx, scope, run)
        await record(engine, tx, actor, scope, "assistant_run.started", run, assistant_id=str(assistant))
    return Started(
        run=begun, package_id=found.package_id, task_name=found.task_name, sha256=latest.hash, folder=latest.folder
    )


async def beat(engine: Engine, actor: Actor, workspace: WorkspaceId, run: AssistantRunId, number: int) -> None:
    """A sign of life from the machine; raises AssistantRunEnded when it comes too late."""
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await _mine(tx, scope, actor, run)
        if found.state is not AssistantRunState.IN_PROGRESS:
            raise AssistantRunEnded(run, found.state.value)
        await store.beat(tx, run, number)


async def complete(
    engine: Engine, actor: Actor, workspace: WorkspaceId, run: AssistantRunId, error: AssistantError | None
) -> None:
    """The machine reports the end. The same report twice is fine; another raises AssistantRunEnded."""
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await _mine(tx, scope, actor, run)
        if found.state is not AssistantRunState.IN_PROGRESS:
            if rules.is_repetition(found.state, found.error_code, reported=error):
                return
            raise AssistantRunEnded(run, found.state.value)
        await _end(engine, tx, By(actor.kind.value, actor.id), found, error)


async def lose_silent(engine: Engine, room: Room) -> bool:
    """End one run of which nothing was heard for too long, if there is one; whether there was."""
    async with scoped(engine.database, room) as tx:
        silent = await store.lock_silent(tx, room, rules.SILENCE)
        if silent is None:
            return False
        await _end(engine, tx, By(ActorKind.SYSTEM.value), silent, AssistantError.LOST)
        return True


async def _end(engine: Engine, tx: ScopedTx, who: By, run: AssistantRun, error: AssistantError | None) -> None:
    state = rules.ending(error)
    await store.end_run(tx, run.id, state, error)
    told: dict[str, Any] = {} if error is None else {"error": error.value}
    await record(engine, tx, who, run, f"assistant_run.{state.value}", run.id, **told)


async def _mine(tx: ScopedTx, scope: Scope, actor: Actor, run: AssistantRunId) -> AssistantRun:
    """A run, locked, that the actor has begun; others' are not found."""
    found = await store.lock_run(tx, scope, run)
    if found is None or found.user_id != actor.id:
        raise AssistantRunNotFound(run)
    return found


def _empty(assistant: Assistant) -> Conflict:
    return Conflict(f"nothing has been uploaded for the assistant {assistant.name!r} yet", code="PACKAGE_EMPTY")
