"""How a verb says what happened: an event in its own transaction, and a wake-up for those who read events."""

from typing import Any
from uuid import UUID

from controlroom.engine.access.model import Actor, StepRunActor, WorkerActor
from controlroom.engine.access.scope import Scope, by
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, Event, append
from controlroom.engine.wakes import Topic
from controlroom.ids import ProcessId
from controlroom.postgres.database import Tx


async def record(engine: Engine, tx: Tx, who: Actor | StepRunActor | WorkerActor | By, *events: Event) -> None:
    """Append the events of who did it; readers are woken once they are committed."""
    await append(tx, who if isinstance(who, By) else by(who), *events)
    tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))


async def record_of(
    engine: Engine,
    tx: Tx,
    who: Actor | StepRunActor | WorkerActor | By,
    scope: Scope,
    subject: UUID,
    kind: str,
    /,
    *,
    process: ProcessId | None = None,
    **data: Any,
) -> None:
    """Likewise, of one thing in a workspace: `subject` is its id, `kind` is `noun.verb`, `process` whose it is."""
    event = Event(
        kind=kind,
        organization_id=scope.organization,
        workspace_id=scope.workspace,
        process_id=process,
        subject_id=subject,
        data=data,
    )
    await record(engine, tx, who, event)
