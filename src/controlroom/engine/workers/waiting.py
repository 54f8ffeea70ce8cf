"""How a worker waits for what it may take, in whichever of the workspaces that it serves."""

from contextlib import AbstractContextManager

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.engine import Engine
from controlroom.engine.wakes import Topic, Watch


def waiting(engine: Engine, worker: WorkerActor) -> AbstractContextManager[Watch]:
    """Hears of step runs that wait, and of a change of what the worker serves.

    Who serves all workspaces of the organization listens at one place for all of them, those to come as well. Of those
    whom a wake-up is for, they come last: who serves fewer can do nothing else.
    """
    keys = (worker.organization_id,) if worker.serves_all else worker.workspaces
    awaited = [(Topic.STEP_RUNS_AWAIT, key) for key in keys]
    changes = [(Topic.SERVICE, worker.worker_id), (Topic.SERVICE, worker.organization_id)]
    return engine.wakes.watch_any([*awaited, *(changes if worker.serves_all else changes[:1])])
