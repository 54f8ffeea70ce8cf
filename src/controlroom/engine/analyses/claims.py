"""A worker asks what there is to read, and tells what it has found."""

from contextlib import AbstractContextManager

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import scope_of_worker
from controlroom.engine.analyses import store
from controlroom.engine.engine import Engine
from controlroom.engine.wakes import Topic, Watch
from controlroom.errors import Conflict
from controlroom.ids import CodeAnalysisId
from controlroom.protocol import CodeToRead, FoundInCode, PackageRef


def waiting(engine: Engine, worker: WorkerActor) -> AbstractContextManager[Watch]:
    """Hears of code that is to be read, in whichever of the workspaces that the worker serves."""
    keys = (worker.organization_id,) if worker.serves_all else worker.workspaces
    return engine.wakes.watch_any([(Topic.ANALYSES, key) for key in keys])


async def claim(engine: Engine, worker: WorkerActor) -> CodeToRead | None:
    """What the worker is to read next; None if there is nothing."""
    found = await store.claim(engine.database, scope_of_worker(worker), worker.worker_id)
    if found is None:
        return None
    package = PackageRef(found.package_hash, found.package_size, found.package_name, found.package_folder)
    return CodeToRead(id=found.id, attempt=found.attempt, package=package, rules=found.policy.rules)


async def size_of(engine: Engine, worker: WorkerActor, digest: str) -> int | None:
    """How large a content is that the worker is to read; None for any other."""
    return await store.size_of(engine.database, scope_of_worker(worker), worker.worker_id, digest)


async def finish(engine: Engine, worker: WorkerActor, which: CodeAnalysisId, attempt: int, found: FoundInCode) -> None:
    """What it has found. Raises Conflict `SUPERSEDED` when it is another worker's by now."""
    scope = scope_of_worker(worker)
    if not await store.finish(engine.database, scope, worker.worker_id, which, attempt, found.findings, found.message):
        raise Conflict("this reading is over, or another worker's", code="SUPERSEDED")
    engine.wakes.wake(Topic.ANALYSIS_ENDED, which)
