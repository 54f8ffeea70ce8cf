"""One spare interpreter, from its first import to the command that it becomes."""

import asyncio
import marshal
import socket

import structlog
from msgspec import Struct

from controlroom.robots.environment_spec import EnvironmentSpec
from controlroom.worker import preloads
from controlroom.worker.environments.cache import Lease
from controlroom.worker.launch import Command, Running
from controlroom.worker.places import Place

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 10.0

FIRST_GUESS_BYTES = 40 * 1024 * 1024
"""What a spare may hold, as long as none of its recipe was measured."""


class Recipe(Struct, frozen=True):
    """What a spare is good for."""

    interpreter: str
    preload: tuple[str, ...]
    share: str
    workspace: str
    """Whose kept home it sees."""
    environment: EnvironmentSpec | None


_MEASURED: dict["Recipe", int] = {}
"""What a spare of a recipe holds: all of them the same, and reading it takes the kernel a while."""


class Spare:
    """One waiting interpreter, in its own place and sandbox."""

    def __init__(
        self, recipe: Recipe, place: Place, lease: Lease, running: Running, line: socket.socket, *, is_forked: bool
    ) -> None:
        self.recipe = recipe
        self.is_forked = is_forked
        self.place = place
        self.variables: dict[str, str] = {}
        self.modules: frozenset[str] = frozenset()
        self.looked_at: frozenset[str] = frozenset()
        self.memory_bytes = FIRST_GUESS_BYTES
        self.is_ready = False
        self._lease = lease
        self._running = running
        self._line = line
        self._ready = asyncio.create_task(self._listen())

    @property
    def is_alive(self) -> bool:
        """Whether it can still be used."""
        return not self._running.tree.has_ended

    async def ready(self) -> bool:
        """Wait until it has imported everything; False if it died instead."""
        return await asyncio.shield(self._ready)

    async def become(self, command: Command) -> Running | None:
        """Let it be this command; None if it can't be, and then it is gone. Its place stays in any case."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                ready = await self.ready()
                job = preloads.job(command, self.place, self.variables, self.modules, self.looked_at) if ready else None
                if job is not None and await self._hand_over(job):
                    return self._running
        except TimeoutError:  # what it imports ahead of time is the environment's, and may never come to an end
            log.warning("a spare is not ready", interpreter=self.recipe.interpreter)
        finally:
            await self._hang_up()
            self._lease.release()
        await self._kill()
        return None

    async def discard(self) -> None:
        """End it. Its place is the caller's to clear."""
        await self._hang_up()
        self._lease.release()
        await self._kill()

    async def _hang_up(self) -> None:
        """Close the line, when nobody listens at it any more.

        Why so: the loop would take the next file of the same number for one that it watches already, and never look.
        """
        self._ready.cancel()
        await asyncio.wait({self._ready})
        self._line.close()

    async def _kill(self) -> None:
        await self._running.tree.kill()
        self._running.close()

    async def _hand_over(self, job: dict[str, object]) -> bool:
        data = marshal.dumps(job, 2)
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(self._line, len(data).to_bytes(4, "big") + data)
            return await loop.sock_recv(self._line, 1) == b"1"
        except OSError:
            return False

    async def _listen(self) -> bool:
        """Take in what the spare says when it is ready."""
        loop = asyncio.get_running_loop()
        heard = b""
        try:
            while heard.count(b"\n") < 2:  # noqa: PLR2004 - its two lines
                part = await loop.sock_recv(self._line, 65536)
                if not part:
                    return False
                heard += part
        except OSError:
            return False
        modules, looked_at, *_ = heard.decode("utf-8", "replace").split("\n")
        self.modules, self.looked_at = frozenset(modules.split()), frozenset(looked_at.split())
        if self.recipe not in _MEASURED:
            _MEASURED[self.recipe] = self._running.tree.memory_bytes() or FIRST_GUESS_BYTES
        self.memory_bytes = _MEASURED[self.recipe]
        self.is_ready = True
        log.debug("spare ready", interpreter=self.recipe.interpreter, memory=self.memory_bytes)
        return True
