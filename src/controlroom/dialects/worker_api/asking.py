"""Who asks: the worker of a token."""

from litestar.types import Scope

from controlroom.border.arrivals import known
from controlroom.border.asking import Asking, entrance
from controlroom.border.credentials import credential_of
from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import Of, scope_of_worker
from controlroom.engine.callers import Door, Kind, resolve
from controlroom.engine.engine import Engine
from controlroom.errors import Unauthenticated

_SCHEME = "bearer"
_WORKERS = Door[WorkerActor](frozenset({Kind.WORKER}), Kind.WORKER)


class WorkerRequest(Asking):
    """A request of a worker."""

    __slots__ = ()

    most_read = None  # Why: batches of console lines are larger, and a worker is known before its body is read

    @property
    def worker(self) -> WorkerActor:
        """Who asks."""
        worker: WorkerActor = self.scope["state"]["caller"]
        return worker

    @property
    def seen(self) -> Of:
        """What the worker serves."""
        return scope_of_worker(self.worker)

    @property
    def serving(self) -> tuple[Engine, WorkerActor]:
        """What every verb of a worker begins with: `leases.heartbeat(*request.serving, beat)`."""
        return self.engine, self.worker


async def _worker(engine: Engine, scope: Scope) -> WorkerActor:
    scheme, token = credential_of(scope)
    if scheme != _SCHEME:
        raise Unauthenticated("Send the worker's token as `Authorization: Bearer <token>`.")
    worker = await resolve(engine, token, _WORKERS)
    known(scope, f"worker:{worker.worker_id}")
    return worker


linked = entrance(_worker)
"""Let in to everything but `link`: a worker's lasting token, before any body is read."""
