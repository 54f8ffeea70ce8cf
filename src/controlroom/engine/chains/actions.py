"""The verbs of chains. What the room does when a run ends is in `following.py`."""

from typing import Any

import msgspec
from msgspec import UNSET

from controlroom.engine import restoring
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ensure_seen, scope_of, scoped
from controlroom.engine.chains import store
from controlroom.engine.chains.model import Chain, ChainChange, ChainDefinition, End
from controlroom.engine.engine import Engine
from controlroom.engine.processes import store as processes
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.errors import Invalid
from controlroom.ids import ChainId, ProcessId, WorkspaceId, uuid7


async def create(
    engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, definition: ChainDefinition
) -> Chain:
    """A new chain of a process; it takes the right to start runs, too. Raises ProcessNotFound, Invalid.

    A circle is allowed: a setting bounds how many runs may follow each other.
    """
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    actor.require(Permission.START_RUNS, workspace)
    ends = _checked(definition.ends)
    chain = ChainId(uuid7())
    async with scoped(engine.database, scope) as tx:
        is_seen = await store.insert(
            tx,
            scope,
            chain,
            process,
            definition.next_process,
            ends=ends,
            empty=definition.empty,
            is_enabled=definition.is_enabled,
            created_by=actor.id,
        )
        if not is_seen:
            await ensure_seen(tx, scope)
            await processes.get(tx, scope, process)
            raise ProcessNotFound(definition.next_process)
        made = await store.get(tx, scope, process, chain)
        await record(engine, tx, actor, scope, "chain.created", made.id, **_told(made))
    return made


async def update(
    engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, chain: ChainId, change: ChainChange
) -> Chain:
    """Change what is set. Raises ChainNotFound, Invalid."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    actor.require(Permission.START_RUNS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.get(tx, scope, process, chain)
        wanted = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
        after = msgspec.structs.replace(before, **wanted)
        await store.update(tx, chain, ends=_checked(tuple(after.ends)), empty=after.empty, is_enabled=after.is_enabled)
        await record(engine, tx, actor, scope, "chain.updated", before.id, **_told(before))
        return await store.get(tx, scope, process, chain)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, chain: ChainId) -> None:
    """Delete a chain. Raises ChainNotFound."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.get(tx, scope, process, chain)
        await store.delete(tx, chain)
        await record(engine, tx, actor, scope, "chain.deleted", before.id, **_told(before))


async def restore(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, chain: ChainId) -> Chain:
    """Have a chain again that was deleted; ends of runs in between are followed by nothing. Raises ChainNotFound."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    actor.require(Permission.START_RUNS, workspace)
    async with scoped(engine.database, scope) as tx:
        await restoring.restore(tx, scope, store.CHAIN, chain)
        found = await store.get(tx, scope, process, chain)
        await record(engine, tx, actor, scope, "chain.restored", found.id, **_told(found))
        return found


def _checked(ends: tuple[End, ...]) -> list[End]:
    if not ends:
        raise Invalid(f"a chain names the ends that it follows: {', '.join(End)}", code="CHAIN_INVALID")
    return sorted(set(ends))


def _told(chain: Chain) -> dict[str, Any]:
    return {"process_id": chain.process_id, "next_process_id": str(chain.next_process_id)}
