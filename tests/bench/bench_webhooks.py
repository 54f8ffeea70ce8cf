"""Deliveries of webhooks per second: from the record of events to a receiver's answer, signed and logged.

Beside it, the same requests by the same client without a database; and how long an idle room takes to tell.
"""

import asyncio
import contextlib
import logging
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import structlog
import uvloop

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.bench.figures import Figure, milliseconds, percentile, show

from controlroom.app import GRAMMARS
from controlroom.dialects.robocorp.messages import GRAMMAR
from controlroom.dialects.robocorp.provisioner_requests import ProvisionerRequests
from controlroom.engine.access.model import system
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, Event, append
from controlroom.engine.remarks import Remarks
from controlroom.engine.wakes import Topic, Wakes
from controlroom.engine.webhooks import actions as webhooks
from controlroom.engine.webhooks.model import WebhookDefinition, WebhookEvent
from controlroom.ids import OrganizationId, ProcessId, RunId, WorkspaceId, uuid7
from controlroom.keys import Keys
from controlroom.maintenance.deliverer import Deliverer
from controlroom.maintenance.fan_out import FanOut
from controlroom.maintenance.loops import recipients
from controlroom.maintenance.senders import Outside, Senders
from controlroom.objects.links import Links
from controlroom.objects.store import ObjectStore
from controlroom.outgoing import Outgoing
from controlroom.postgres.database import Database
from controlroom.postgres.embedded import EmbeddedPostgres
from controlroom.postgres.migrate import migrate
from controlroom.postgres.notify import Listener, Notifier
from controlroom.scratch import Scratch
from controlroom.settings import Limits

EVENTS = 1000
RECEIVERS = 4
IDLE = 40
_ANSWER = b"HTTP/1.1 204 Noted\r\n\r\n"


class Receiver(asyncio.Protocol):
    """Answers every request at once; counts those of all receivers together."""

    count = 0
    wanted = asyncio.Event()
    goal = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._transport.write(_ANSWER)
            Receiver.count += 1
            if Receiver.count >= Receiver.goal:
                Receiver.wanted.set()


def expecting(count: int) -> asyncio.Event:
    """What is set when so many more requests have come."""
    Receiver.goal = Receiver.count + count
    Receiver.wanted = asyncio.Event()
    return Receiver.wanted


@contextlib.asynccontextmanager
async def engine_on(dsn: str, folder: Path):
    """An engine as a server has it."""
    await migrate(dsn)
    database = await Database.connect(dsn)
    notifier, listener, keys = Notifier(database), Listener(dsn), Keys(secrets.token_bytes(32))
    await notifier.start()
    wakes, remarks = Wakes(notifier, listener), Remarks(notifier, listener)
    await listener.start()
    yield Engine(
        database=database,
        objects=ObjectStore.open(folder),
        keys=keys,
        links=Links(keys.link_key),
        wakes=wakes,
        remarks=remarks,
        limits=Limits(),
        scratch=Scratch(folder / "scratch"),
        grammars=GRAMMARS,
    )
    await listener.stop()
    await notifier.stop()
    await database.close()


async def happen(engine: Engine, organization: OrganizationId, workspace: WorkspaceId, count: int) -> None:
    """Runs of nothing start, and it is told so."""
    process = ProcessId(uuid7())
    async with engine.database.transaction() as tx:
        await append(
            tx,
            By("system"),
            *(
                Event(
                    kind="run.started",
                    organization_id=organization,
                    workspace_id=workspace,
                    process_id=process,
                    run_id=RunId(uuid7()),
                )
                for _ in range(count)
            ),
        )
        tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))


async def measured(engine: Engine, outgoing: Outgoing, addresses: list[str]) -> list[Figure]:
    """The figures, one after the other."""
    organization, workspace = OrganizationId(uuid7()), WorkspaceId(uuid7())
    await engine.database.execute("insert into organization (id, name) values (%(id)s, 'Acme')", id=organization)
    await engine.database.execute(
        "insert into workspace (id, organization_id, name) values (%(id)s, %(organization)s, 'Default')",
        id=workspace,
        organization=organization,
    )
    alone = await by_client_alone(outgoing, addresses[0])
    for address in addresses:
        wanted = WebhookDefinition(grammar=GRAMMAR, endpoint=address, events=(WebhookEvent.RUN_STARTED,))
        await webhooks.create(engine, system(organization), workspace, wanted)
    outside = Outside(outgoing, ProvisionerRequests())
    loops = [
        asyncio.create_task(FanOut(engine, recipients(engine)).serve()),
        asyncio.create_task(Deliverer(engine, Senders(engine, outside).senders).serve()),
    ]
    telling = []
    for _ in range(IDLE):
        await asyncio.sleep(0.05)  # an idle room
        all_told = expecting(len(addresses))
        began = time.perf_counter()
        await happen(engine, organization, workspace, 1)
        await all_told.wait()
        telling.append(time.perf_counter() - began)
    count = EVENTS * len(addresses)
    all_told = expecting(count)
    began, busy = time.perf_counter(), time.process_time()
    await happen(engine, organization, workspace, EVENTS)
    await all_told.wait()
    rate, cost = count / (time.perf_counter() - began), (time.process_time() - busy) / count
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    return [
        Figure(
            f"webhook deliveries per second, {len(addresses)} receivers, signed and logged",
            f"{rate:,.0f}, {cost * 1000:.2f} ms of processor each",
            beside=f"the same client alone: {alone:,.0f} requests per second; {rate / alone:.2f} of it",
        ),
        Figure(
            "commit → received, idle room (p50 / p99)",
            milliseconds(percentile(telling, 0.5), percentile(telling, 0.99)),
            goal="≤ 100 ms (p50)",
        ),
    ]


async def by_client_alone(outgoing: Outgoing, address: str) -> float:
    """Requests per second of the guarded client, as many side by side as a destination gets."""

    async def send(count: int) -> None:
        for _ in range(count):
            await outgoing.request("POST", address, content=b"{}" * 150)

    began = time.perf_counter()
    await asyncio.gather(*(send(EVENTS // 16) for _ in range(16)))
    return EVENTS // 16 * 16 / (time.perf_counter() - began)


async def measure() -> list[Figure]:
    """Start a database and receivers, measure, and end them."""
    with tempfile.TemporaryDirectory(prefix="controlroom-bench-") as name:
        folder = Path(name)
        postgres = await EmbeddedPostgres.start(folder / "postgres")
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(Receiver, "127.0.0.1", 0) for _ in range(RECEIVERS)]
        addresses = [f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook" for server in servers]
        try:
            async with engine_on(postgres.dsn, folder / "objects") as engine, Outgoing(["127.0.0.1"]) as outgoing:
                return await measured(engine, outgoing, addresses)
        finally:
            for server in servers:
                server.close()
            await postgres.stop()


def main() -> Iterator[Figure]:
    """The figures."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield from uvloop.run(measure())


if __name__ == "__main__":
    show(main())
