"""Workers that speak to a live server by the protocol alone."""

import asyncio
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import httpx2
import msgspec
import pytest

from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import DefaultInput, Run
from controlroom.engine.workers.linking import create_link_token
from controlroom.protocol import (
    Assignment,
    Assignments,
    Claim,
    Heartbeat,
    Held,
    Link,
    Linked,
    OpenSession,
    Order,
    Orders,
    SandboxKind,
    Session,
)
from live import client_of

T = TypeVar("T")


@dataclass
class Wire:
    """One worker's connection: what it sends and what comes back."""

    http: httpx2.AsyncClient
    linked: Linked
    session: UUID

    async def call(self, method: str, path: str, body: Any = b"", **params: Any) -> httpx2.Response:
        """One call; a message of the protocol is sent as JSON."""
        content = msgspec.json.encode(body) if isinstance(body, msgspec.Struct) else body
        return await self.http.request(method, f"/worker/v1{path}", content=content, params=params or None)

    async def ask(self, path: str, body: Any, into: type[T]) -> T:
        """A POST that must succeed."""
        answer = await self.call("POST", path, body)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=into)

    async def claim(self, *, wait: float = 0, free: int = 1, running: tuple[UUID, ...] = ()) -> list[Assignment]:
        """Ask for work."""
        claim = Claim(session=self.session, free=free, wait_seconds=wait, running=running)
        return list((await self.ask("/claims", claim, Assignments)).assignments)

    async def beat(self, *assignments: Assignment, order: Order = Order.CONTINUE, hold: float = 0) -> list[Order]:
        """Keep leases, as a worker that obeys `order`."""
        held = tuple(Held(one.step_run_id, one.attempt, order) for one in assignments)
        orders = await self.ask("/heartbeats", Heartbeat(self.session, held, hold), Orders)
        return [one.order for one in orders.orders]


def of(assignment: Assignment) -> str:
    """The path of an attempt."""
    return f"/step-runs/{assignment.step_run_id}/attempts/{assignment.attempt}"


@pytest.fixture
async def hire_worker(room):
    """Links workers over the wire, each with a session."""
    clients: list[httpx2.AsyncClient] = []

    async def hire(person, name: str) -> Wire:
        token = await create_link_token(room.engine, person.actor, person.workspace)
        client = client_of(room.url)
        clients.append(client)
        wire = Wire(client, None, None)
        wire.linked = await wire.ask("/link", Link(token.value, name), Linked)
        client.headers["authorization"] = f"Bearer {wire.linked.token}"
        info = OpenSession(slots=2, version="1", platform="test", sandbox=SandboxKind.OFF)
        wire.session = (await wire.ask("/sessions", info, Session)).session
        return wire

    yield hire
    for client in clients:
        await client.aclose()


@pytest.fixture
async def walt(hire_worker, ada) -> Wire:
    """A worker of ada's workspace."""
    return await hire_worker(ada, "walt")


@pytest.fixture
async def wanda(hire_worker, ada) -> Wire:
    """Another worker of ada's workspace."""
    return await hire_worker(ada, "wanda")


@pytest.fixture
async def stray(hire_worker, cleo) -> Wire:
    """A worker of another workspace."""
    return await hire_worker(cleo, "stray")


@pytest.fixture
def start(room, ada, process):
    """Starts a run of the process with one empty item."""

    async def run() -> Run:
        return await runs.start(room.engine, ada.actor, ada.workspace, process, DefaultInput())

    return run


@pytest.fixture
async def assignment(start, walt) -> Assignment:
    """A step run that walt has in hand."""
    await start()
    [taken] = await walt.claim()
    return taken


@pytest.fixture
def watches(room):
    """How many requests wait in the server for a topic and key; `reach` waits until there are so many."""

    class Watches:
        def count(self, topic, key) -> int:
            return len(room.engine.wakes._watches.get((topic.value, str(key)), ()))

        async def reach(self, topic, key, count: int) -> None:
            async with asyncio.timeout(60):
                while self.count(topic, key) != count:
                    await asyncio.sleep(0.005)

    return Watches()
