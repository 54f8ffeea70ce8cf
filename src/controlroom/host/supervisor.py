"""A small process that owns the parts of a room on one machine and keeps them running: `up`, and several servers.

What it does: starts the private database, one or more servers and a worker side by side; restarts what ends by itself;
ends all in the order worker, servers, database. Who else may do it: nobody, the data folder is locked. When it dies
half-way: the children are killed with it by the kernel, the database goes on and is adopted by the next start. What it
costs: a process that sleeps.
"""

import asyncio
import os
import secrets
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controlroom.cli.errors import CommandFailed
from controlroom.host import handover
from controlroom.host.children import Child, reason
from controlroom.host.progress import patiently, tell
from controlroom.host.sharing import AWAY, Counts
from controlroom.worker.codes import NOT_KNOWN, SANDBOX_MISSING
from controlroom.worker.folder import is_linked, set_aside

_STEADY_SECONDS = 20.0
"""A part that ran this long had started well: its next end is a new trouble, not the same one."""
_PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_ROTATION_SECONDS = 10.0
_REFUSED_SECONDS = 300.0
"""After so long a worker that was refused looks again. Why: somebody has to change its machine, or what it serves."""
_WORKER_PATIENCE_SECONDS = 15.0
_SERVER_PATIENCE_SECONDS = 10.0
_COUNTED_IN = "PROMETHEUS_MULTIPROC_DIR"
"""See `border/metrics`."""
_SECRETS = ("CONTROLROOM_", "PGPASSWORD")
"""Variables of the server that a worker, whose robots inherit what it has, shall not have."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What shall run, and how."""

    data: Path
    """The data folder."""
    settings: dict[str, Any]
    """Settings of the servers that differ from their environment."""
    servers: int
    """How many processes share what is listened at."""
    database_connections: int
    """Of each of them."""
    database_url: str | None
    """None: a private database, in the data folder."""
    postgres_bin: Path | None
    sockets: list[socket.socket]
    """Where the servers listen. They are ours, so that nobody is refused while a server is restarted."""
    tls_sockets: list[socket.socket]
    url: str
    https_url: str | None
    worker: dict[str, Any] | None
    """Settings of the local worker; None for none."""
    stop_grace_seconds: float
    """What running robots get to end when the room is asked to."""
    log_format: str
    logs: Path | None
    """Folder of the parts' logs; None: they write where we do."""
    on_ready: Callable[[dict[str, Any]], None]
    """Is called once, with what the server knows about the room."""


@dataclass
class _Part:
    """A part of the room: what runs now, and how its troubles went so far."""

    name: str
    run: Callable[["_Part"], Awaitable[str]]
    """Runs the part until it ends; gives the reason."""
    troubles: int = 0
    was_ready: bool = False
    child: Child | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    number: int | None = None
    """Which of several alike it is, from 1."""

    @property
    def log(self) -> str:
        """The name of the file of its log."""
        return f"{self.name.replace(' ', '-')}.log"


class Supervisor:
    """The parts of one room."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._servers = [_Part("server", self._run_server)]
        self._together: _Together | None = None
        if plan.servers > 1:
            self._together = _Together(plan)
            self._servers = [
                _Part(f"server {number}", self._run_server, number=number) for number in range(1, plan.servers + 1)
            ]
        self._worker = _Part("worker", self._run_worker)
        self._database = _Part("database", self._run_database)
        self._dsn = plan.database_url
        self._postgres: Any = None
        self._own_worker_token = None if plan.worker is None else secrets.token_urlsafe(32)
        self._room: dict[str, Any] = {}
        # Why now: their imports take longer than all else, and the database can be started meanwhile
        for server in self._servers:
            server.child = self._launch(server)
        if plan.worker is not None:
            self._worker.child = self._launch(self._worker)

    async def run(self) -> int:
        """Keep the room running until a signal asks to end. Raises CommandFailed if it never comes to run."""
        asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, asked)
        if self._dsn is not None:
            self._database.ready.set()
        parts = list(self._servers)
        parts += [self._database] if self._plan.database_url is None else []
        parts += [self._worker] if self._plan.worker is not None else []
        keepers = [asyncio.create_task(self._keep(part)) for part in parts]
        welcome = asyncio.create_task(self._welcome())
        stopping = asyncio.create_task(asked.wait())
        rotating = asyncio.create_task(self._rotate())
        watched = {stopping, welcome, *keepers}
        try:
            while stopping in watched:
                done, watched = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {stopping}:
                    task.result()  # a part that could not start at all ends its keeper: by raising; so does the welcome
        finally:
            for task in (welcome, stopping, rotating, *keepers):
                task.cancel()
            await asyncio.gather(welcome, stopping, rotating, *keepers, return_exceptions=True)
            await self._end()
        return 0

    async def _keep(self, part: _Part) -> None:
        """Run a part again and again. Raises CommandFailed if its first start fails."""
        while True:
            began = time.monotonic()
            why = await part.run(part)
            part.ready.clear()
            if self._together is not None:
                self._together.ended(part)
            if not part.was_ready:
                words = part.child.last_words() if part.child is not None else ""
                raise CommandFailed(f"the {part.name} did not start: {why}", hint=words)
            if time.monotonic() - began > _STEADY_SECONDS:
                part.troubles = 0
            pause = _PAUSES[min(part.troubles, len(_PAUSES) - 1)]
            part.troubles += 1
            tell(f"the {part.name} has ended ({why}) and is started again" + (f" in {pause} s" if pause else ""))
            part.child = None
            await asyncio.sleep(pause)

    def _is_up(self, part: _Part) -> None:
        if part.was_ready:
            tell(f"the {part.name} runs again")
        part.was_ready = True
        part.ready.set()

    async def _run_database(self, part: _Part) -> str:
        from controlroom.postgres.embedded import EmbeddedPostgres  # noqa: PLC0415
        from controlroom.postgres.programs import ClusterError  # noqa: PLC0415 - not needed with a shared database

        try:
            async with patiently() as begin:
                self._postgres = await EmbeddedPostgres.start(
                    self._plan.data / "postgres", bin_dir=self._plan.postgres_bin, on_log=begin
                )
        except (ClusterError, OSError) as failed:
            return str(failed)
        self._dsn = self._postgres.dsn
        self._is_up(part)
        code = await self._postgres.wait()
        return reason(code) if code != -1 else "by itself"

    async def _run_server(self, part: _Part) -> str:
        child = part.child or self._launch(part)
        part.child = child
        await self._database.ready.wait()
        connections = {"database_connections": self._plan.database_connections}
        async with patiently(f"starting the {part.name}"):
            await child.send(
                {
                    "settings": {**self._plan.settings, **connections, "database_url": self._dsn},
                    "sockets": [each.fileno() for each in self._plan.sockets],
                    "tls_sockets": [each.fileno() for each in self._plan.tls_sockets],
                    "own_worker_token": self._own_worker_token,
                    "share": None if self._together is None else self._together.share_of(part),
                }
            )
            told = await child.receive()
        if told is not None and handover.FAILED not in told:
            self._room = told
            self._is_up(part)
        return await _end_of(child, told)

    async def _served(self) -> None:
        """Wait until a server answers."""
        waiting = [asyncio.create_task(server.ready.wait()) for server in self._servers]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    async def _run_worker(self, part: _Part) -> str:
        assert self._plan.worker is not None  # noqa: S101  # only then this part is kept
        child = part.child or self._launch(part)
        part.child = child
        await self._served()
        async with patiently("starting the worker"):
            is_known = is_linked(Path(self._plan.worker["folder"]), self._plan.url)
            token = None if is_known else self._own_worker_token
            settings = {**self._plan.worker, "link_token": token}
            if authority := self._room.get("ca_file"):
                settings["authorities"] = [*settings["authorities"], authority]
            await child.send({"settings": settings, "log_format": self._plan.log_format})
            told = await child.receive()
        if told is not None and told.get(handover.CODE) == NOT_KNOWN:
            tell("the room does not know its worker, which was deleted or is another room's; it is linked anew")
            await child.ended()
            set_aside(Path(self._plan.worker["folder"]))
            part.child = None
            return await self._run_worker(part)
        if told is not None and told.get(handover.CODE) == SANDBOX_MISSING:
            tell(f"no robot is run here: {told[handover.FAILED]}")
            await child.ended()
            self._is_up(part)
            await asyncio.sleep(_REFUSED_SECONDS)
            return "it is looked whether it may work now"
        if told is not None and handover.FAILED not in told:
            self._is_up(part)
        return await _end_of(child, told)

    async def _welcome(self) -> None:
        for server in self._servers:
            await server.ready.wait()
        if self._plan.worker is not None:
            await self._worker.ready.wait()
        self._plan.on_ready(self._room)

    async def _rotate(self) -> None:
        """Begin logs anew that have grown long."""
        while True:
            await asyncio.sleep(_ROTATION_SECONDS)
            for part in (*self._servers, self._worker):
                if part.child is not None:
                    part.child.rotate_log()

    async def _end(self) -> None:
        """End what runs, so that each part still has those that it needs."""
        if self._worker.child is not None:
            await self._worker.child.stop(_WORKER_PATIENCE_SECONDS + self._plan.stop_grace_seconds)
        servers = [server.child for server in self._servers if server.child is not None]
        await asyncio.gather(*(child.stop(_SERVER_PATIENCE_SECONDS) for child in servers))
        if self._postgres is not None:
            await self._postgres.stop()
        if self._together is not None:
            self._together.close()

    def _on_signal(self, asked: asyncio.Event) -> None:
        if asked.is_set():  # asked twice: somebody is in a hurry
            for part in (self._worker, *self._servers):
                if part.child is not None:
                    part.child.kill()
        asked.set()

    def _launch(self, part: _Part) -> Child:
        variables = dict(os.environ)
        program, inherited = ["worker"], list[int]()
        if part is self._worker:
            variables = {name: value for name, value in variables.items() if not name.startswith(_SECRETS)}
        else:
            program = ["server"] if part.number is None else ["server", str(part.number)]
            inherited = [each.fileno() for each in (*self._plan.sockets, *self._plan.tls_sockets)]
            if self._together is not None:
                inherited.append(self._together.counts.descriptor)
                variables |= self._together.variables
        log = None if self._plan.logs is None else self._plan.logs / part.log
        return Child(program, variables, log, inherited)


class _Together:
    """What several servers share besides sockets: how many connections each has, and the files that they count in."""

    def __init__(self, plan: Plan) -> None:
        from controlroom.scratch import Scratch  # noqa: PLC0415 - one server does without

        self._parts = ExitStack()
        self._folder = self._parts.enter_context(Scratch(plan.data / "scratch").folder("metrics"))
        self.counts = Counts.make(plan.servers)
        self.variables = {_COUNTED_IN: str(self._folder.absolute())}

    def share_of(self, part: _Part) -> dict[str, int]:
        """What a server is told of the others."""
        assert part.number is not None  # noqa: S101  # only then there are others
        descriptor, processes = self.counts.descriptor, self.counts.processes
        return {"counts": descriptor, "processes": processes, "number": part.number}

    def ended(self, part: _Part) -> None:
        """A part has ended: nobody leaves a connection to a server that is away."""
        if part.number is not None and part.child is not None:
            self.counts.say(part.number, AWAY)
            for counted in self._folder.glob(f"gauge_live*_{part.child.pid}.db"):  # what it had in hand is no more
                counted.unlink(missing_ok=True)

    def close(self) -> None:
        """Nobody counts any more."""
        self._parts.close()


async def _end_of(child: Child, told: dict[str, Any] | None) -> str:
    """Wait until a part has ended: why it did, in its own last words if it found some."""
    while told is not None and handover.FAILED not in told:
        told = await child.receive()
    code = await child.ended()
    return str(told[handover.FAILED]) if told is not None else reason(code)
