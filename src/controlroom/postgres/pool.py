"""The connections of a process: few, kept, and never handed out dead.

Why not the driver's pool: it spends a round trip on every release to reset the session. Ours spends none; in return
nothing of the session may be changed by a statement (`set local` in a transaction is fine).
"""

import asyncio
import contextlib
from collections import deque
from datetime import timedelta

import structlog

from controlroom.errors import Unavailable
from controlroom.postgres.connection import Connection, connect
from controlroom.postgres.errors import UNREACHABLE, translate

log = structlog.get_logger(__name__)

_PATIENCE = 5.0
"""Seconds for which callers wait for a server that went away: longer than a restart of the private one (1 to 3 s)."""
_QUEUE_PATIENCE = 30.0
"""Seconds to wait for a free connection. Longer than any statement of ours; shorter than a client's own patience."""
_SETTLING = 1.0
"""Seconds for a cancelled statement to end. A cancellation can reach the server before its statement does, and is then
without effect: the connection is closed, which the server notices within a second."""
_IDLE = timedelta(minutes=5).total_seconds()


class Pool:
    """Connections to one address, at most `max_size`; waiting callers are served in order."""

    def __init__(self, dsn: str, *, min_size: int, max_size: int, application_name: str) -> None:
        self._dsn = dsn
        self._min_size = min_size
        self._max_size = max_size
        self._application_name = application_name
        self._idle: list[Connection] = []  # the last one used is the next: its caches are warm, the others can age
        self._size = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._settling: set[asyncio.Task[None]] = set()
        self._unreachable_since: float | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    async def open(self) -> None:
        """Open the first connections.

        Raises:
            Unavailable: if the server cannot be reached in time.
        """
        opened = await asyncio.gather(*(self.acquire() for _ in range(self._min_size)), return_exceptions=True)
        failed = [each for each in opened if isinstance(each, BaseException)]
        for connection in opened:
            if not isinstance(connection, BaseException):
                self.release(connection)
        if failed:
            await self.close()
            raise failed[0]
        self._sweep_later()

    async def acquire(self) -> Connection:
        """A connection that was alive a moment ago; the caller gives it back by `release`, `discard` or `settle`.

        Raises:
            Unavailable: if none can be had in time.
        """
        while True:
            self._check_open()
            if self._idle:
                connection = self._idle.pop()
                if await _alive(connection):
                    return connection
                self.discard(connection)
            elif self._size < self._max_size:
                self._size += 1
                return await self._opened()
            else:
                connection_or_slot = await self._turn()
                if connection_or_slot is None:
                    return await self._opened()
                self._idle.append(connection_or_slot)  # looked at like any other

    def release(self, connection: Connection) -> None:
        """Give a connection back that is ready for the next caller; one that is not is closed."""
        if connection.is_closed() or connection.is_in_transaction() or self._closed:
            self.discard(connection)
            return
        connection.idle_since = asyncio.get_running_loop().time()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    def discard(self, connection: Connection) -> None:
        """Close a connection that is of no more use."""
        connection.terminate()
        self._slot_is_free()

    def settle(self, connection: Connection) -> None:
        """Give a connection back whose caller was cancelled: it ends its statement and transaction aside."""
        task = asyncio.create_task(self.settled(connection))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def settled(self, connection: Connection) -> None:
        """Roll back whatever is open and give the connection back; one that cannot do that is closed."""
        if connection.is_closed():
            self.discard(connection)
            return
        try:
            async with asyncio.timeout(_SETTLING):
                await connection.execute("rollback")  # waits for the cancellation that the driver has asked for
        except BaseException as error:
            log.debug("connection given up", error=str(error))
            self.discard(connection)
            if not isinstance(error, Exception):
                raise
        else:
            self.release(connection)

    async def close(self) -> None:
        """Close everything; connections in use are closed as they come back."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        while self._settling:
            await asyncio.wait(self._settling)
        idle, self._idle = self._idle, []
        for connection in idle:
            with contextlib.suppress(*UNREACHABLE):
                await connection.close(timeout=2)
            self._size -= 1

    async def _turn(self) -> Connection | None:
        """Wait in line: for a connection, or None for the right to open one."""
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(_QUEUE_PATIENCE):
                return await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():  # it was our turn just when we went away: pass it on
                connection = waiter.result()
                if connection is None:
                    self._slot_is_free()
                else:
                    self.release(connection)
            if isinstance(error, TimeoutError):
                raise Unavailable("The database is too busy.", code="DATABASE_BUSY") from error
            raise

    async def _opened(self) -> Connection:
        """A new connection in the slot that the caller has taken; the slot is free again if that fails."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                self._check_open()
                try:
                    connection = await connect(self._dsn, application_name=self._application_name)
                except UNREACHABLE as error:
                    if self._unreachable_since is None:
                        self._unreachable_since = loop.time()
                        log.warning("database is not available", error=str(error))
                    # Why counted from the first failure: in a long outage nobody waits in vain.
                    if loop.time() - self._unreachable_since > _PATIENCE:
                        raise translate(error) from error
                    await asyncio.sleep(0.05)
                else:
                    self._unreachable_since = None
                    return connection
        except BaseException:
            self._slot_is_free()
            raise

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("The database connection pool is closed.", code="DATABASE_UNAVAILABLE")

    def _slot_is_free(self) -> None:
        while self._waiting and not self._closed:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._size -= 1

    def _sweep_later(self) -> None:
        self._sweep = asyncio.get_running_loop().call_later(_IDLE / 5, self._sweep_idle)

    def _sweep_idle(self) -> None:
        """Close what has not been used for a while: each connection is a process of the server."""
        limit = asyncio.get_running_loop().time() - _IDLE
        while self._size > self._min_size and self._idle and self._idle[0].idle_since < limit:
            self.discard(self._idle.pop(0))
        self._sweep_later()


async def _alive(connection: Connection) -> bool:
    """Whether an idle connection can be used: not one whose server has hung up, even if the driver has not noticed."""
    for _ in range(3):  # rounds of the event loop in which the driver reads what has come
        if connection.is_closed():
            return False
        if not connection.has_news():
            return True
        await asyncio.sleep(0)
    return False
