"""A worker comes, asks for work, keeps its leases, and goes."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from controlroom.dialects.worker_api.asking import WorkerRequest
from controlroom.dialects.worker_api.routing import delete, get, post
from controlroom.engine.allocations import keeping
from controlroom.engine.runs import awaiting, claims, leases
from controlroom.engine.wakes import Topic
from controlroom.engine.workers import linking
from controlroom.engine.workers.waiting import waiting
from controlroom.protocol import (
    HEARTBEAT_HOLD_SECONDS,
    Assignments,
    Claim,
    Heartbeat,
    Held,
    Keeping,
    Link,
    Linked,
    OpenSession,
    Orders,
    Session,
)

LONGEST_WAIT_SECONDS = 30.0
"""How long a claim is held at most. Why: proxies between worker and server cut silent connections after a minute."""


@post("/link")
async def link(request: WorkerRequest, data: JSONBody[Link]) -> Linked:
    """Exchange a link token for a worker's lasting token."""
    return await linking.link(request.engine, data)


@post("/sessions")
async def open_session(request: WorkerRequest, data: JSONBody[OpenSession]) -> Session:
    """Say that a worker process has started; what an earlier one held is lost."""
    return await leases.open_session(*request.serving, data)


@delete("/sessions/{session:uuid}")
async def close_session(request: WorkerRequest, session: FromPath[UUID]) -> dict[str, str]:
    """Say good-bye."""
    await leases.close_session(*request.serving, session)
    return {}


@post("/claims")
async def claim(request: WorkerRequest, data: JSONBody[Claim]) -> Assignments:
    """Ask for work; the answer comes with the first assignment, or empty when the wait is over."""
    engine, worker = request.serving
    wait = min(data.wait_seconds, LONGEST_WAIT_SECONDS)
    with waiting(engine, worker) as watch:
        claimed = await claims.claim(engine, worker, data)
        if claimed.assignments or wait <= 0:
            return claimed
        async with request.holds.hold(request, watch, wait) as hold:
            # who serves others than before asks anew
            while not claimed.assignments and await hold.goes_on() and Topic.SERVICE not in watch.topics:
                if hold.was_woken or await awaiting.something_waits(engine, worker):
                    claimed = await claims.claim_again(engine, worker, data)
    return claimed


@get("/kept")
async def get_kept(request: WorkerRequest) -> Keeping:
    """Tell what the worker shall keep ready to be called."""
    return await keeping.kept_by(*request.serving)


@post("/heartbeats")
async def heartbeat(request: WorkerRequest, data: JSONBody[Heartbeat]) -> Orders:
    """Prolong leases; the answer comes when an order differs from the ones that the worker obeys, or after the hold."""
    engine, worker = request.serving
    with engine.wakes.watch_any([(Topic.ORDERS, worker.worker_id), (Topic.SERVICE, worker.worker_id)]) as watch:
        orders = await leases.heartbeat(engine, worker, data)
        if not _are_obeyed(orders, data.held):
            return orders
        async with request.holds.hold(request, watch, min(data.hold_seconds, HEARTBEAT_HOLD_SECONDS)) as hold:
            # likewise: the next heartbeat is heard by what the worker serves then
            while _are_obeyed(orders, data.held) and Topic.SERVICE not in watch.topics and await hold.goes_on():
                orders = await leases.heartbeat(engine, worker, data)
    return orders


def _are_obeyed(orders: Orders, held: tuple[Held, ...]) -> bool:
    return set(orders.orders) == set(held)


handlers = [open_session, close_session, claim, get_kept, heartbeat]
