"""How a verb says what happened: an event in its own transaction, and a wake-up for those who read events."""

from controlroom.engine.access.model import Actor, StepRunActor, WorkerActor
from controlroom.engine.access.scope import by
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, Event, append
from controlroom.engine.wakes import Topic
from controlroom.postgres.database import Tx


async def record(engine: Engine, tx: Tx, who: Actor | StepRunActor | WorkerActor | By, *events: Event) -> None:
    """Append the events of who did it; readers are woken once they are committed."""
    await append(tx, who if isinstance(who, By) else by(who), *events)
    tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))
