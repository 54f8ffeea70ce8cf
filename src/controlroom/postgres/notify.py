"""Wake-ups between processes by LISTEN and NOTIFY.

What: a `Notifier` tells channels that something is due, a `Listener` calls handlers when told. Who else: every process
has its own pair; all of them are equal. When it dies half-way: wake-ups are hints, never facts; whoever is woken looks
into the tables, and looks now and then unasked, so that a lost one costs time and nothing else. What it costs: a NOTIFY
holds a lock of the whole server in its commit, therefore it is never sent in a writing transaction, but after it, in
batches, without waiting for the disk.
"""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from controlroom.errors import Unavailable
from controlroom.postgres.connection import Connection, connect
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UNREACHABLE, translate
from controlroom.tasks import cancelled

log = structlog.get_logger(__name__)

Handler = Callable[[str | None], None]

_BATCH = 0.004
"""Seconds between two batches. The first wake-up of a quiet room goes at once, a busy one sends 250 batches per s."""
_PAYLOAD_LIMIT = 7999  # bytes, PostgreSQL's
_CHANNEL_LIMIT = 63
_PENDING_LIMIT = 10_000
_RETRY = (0.05, 2.0)
"""Seconds between attempts to connect, at first and at most."""
_PULSE = 15.0
"""Seconds after which a silent connection is asked whether it is still there."""


class Notifier:
    """Sends wake-ups: the first one at once, then at most one batch every few milliseconds, the same ones merged."""

    def __init__(self, database: Statements) -> None:
        self._database = database
        self._pending: dict[tuple[str, str], None] = {}
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run(), name="notifier")

    async def stop(self) -> None:
        """Send what is pending and end."""
        if self._task is None:
            return
        await cancelled(self._task)
        self._task = None
        with contextlib.suppress(Unavailable):
            await self._send()

    def notify(self, channel: str, payload: str = "") -> None:
        """Wake whoever listens to the channel, soon. Call it once the thing to see is committed.

        Raises:
            ValueError: if PostgreSQL would not take it: a payload of 8 kB, a channel's name of 64 bytes or none.
        """
        if len(payload.encode()) > _PAYLOAD_LIMIT:
            raise ValueError("a notification's payload has less than 8,000 bytes")
        if not 0 < len(channel.encode()) <= _CHANNEL_LIMIT:
            raise ValueError("a notification's channel has a name of less than 64 bytes")
        if len(self._pending) < _PENDING_LIMIT:  # more than that in one outage: the listeners look anyway
            self._pending[channel, payload] = None
        self._wanted.set()

    async def _run(self) -> None:
        pause = _RETRY[0]
        while True:
            await self._wanted.wait()
            try:
                await self._send()
            except Unavailable:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _RETRY[1])
            except Exception:  # one batch is lost, which listeners make up for; the next one must not be
                log.exception("wake-ups could not be sent")
                await asyncio.sleep(pause)
            else:
                pause = _RETRY[0]
                await asyncio.sleep(_BATCH)

    async def _send(self) -> None:
        """Send all that is pending, in one statement; it is pending again if the database is away."""
        self._wanted.clear()
        batch, self._pending = self._pending, {}
        if not batch:
            return
        try:
            await self._database.execute(
                """
                with hint as materialized (   -- nothing is lost if the server forgets it: don't wait for the disk
                    select set_config('synchronous_commit', 'off', true)
                )
                select pg_notify(channel, payload)
                  from hint, unnest(%(channels)s::text[], %(payloads)s::text[]) as pending (channel, payload)
                """,
                channels=[channel for channel, _ in batch],
                payloads=[payload for _, payload in batch],
            )
        except (Unavailable, asyncio.CancelledError):
            self._pending = batch | self._pending
            self._wanted.set()
            raise


class Listener:
    """Calls handlers when their channel is notified, on a connection of its own that is made anew when it is lost.

    A handler gets the payload, or None for "you may have missed something": after a lost connection, and when listening
    to a channel has just begun. It is called in the event loop and must not block.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._handlers: dict[str, list[Handler]] = {}
        self._listening: set[str] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def on(self, channel: str, handler: Handler) -> Callable[[], None]:
        """Have the handler called from now on; returns what ends that."""
        self._handlers.setdefault(channel, []).append(handler)
        self._changed.set()

        def unsubscribe() -> None:
            handlers = self._handlers.get(channel, [])
            if handler in handlers:
                handlers.remove(handler)
            if not handlers:
                self._handlers.pop(channel, None)
            self._changed.set()

        return unsubscribe

    async def start(self) -> None:
        """Connect; when it returns, the channels known so far are being listened to.

        Raises:
            Unavailable: if the database cannot be reached.
        """
        try:
            connection = await self._connected()
        except UNREACHABLE as error:
            raise translate(error) from error
        self._task = asyncio.create_task(self._run(connection), name="listener")

    async def stop(self) -> None:
        """Disconnect; no handler is called any more."""
        if self._task is not None:
            await cancelled(self._task)
            self._task = None

    async def _run(self, connection: Connection) -> None:
        while True:
            try:
                await self._listen(connection)
            except Exception as error:  # noqa: BLE001 - whatever it is, a new connection mends it
                log.warning("listening is interrupted", error=str(error))
            finally:
                connection.terminate()
            connection = await self._reconnected()
            for channel in list(self._handlers):
                self._call(channel, None)

    async def _listen(self, connection: Connection) -> None:
        """Follow the wishes for channels until the connection is lost."""
        connection.add_termination_listener(lambda _: self._changed.set())
        while not connection.is_closed():
            self._changed.clear()
            for channel in await self._follow(connection):
                self._call(channel, None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PULSE):
                    await self._changed.wait()
                    continue
            await connection.fetchval("select 1", timeout=5)  # a peer that is gone without a word

    async def _follow(self, connection: Connection) -> set[str]:
        """Listen to what is wanted now and to nothing else; the channels that are new."""
        wanted = set(self._handlers)
        new = wanted - self._listening
        for channel in new:
            await connection.add_listener(channel, self._heard)
            self._listening.add(channel)
        for channel in self._listening - wanted:
            await connection.remove_listener(channel, self._heard)
            self._listening.discard(channel)
        return new

    async def _connected(self) -> Connection:
        self._listening.clear()
        connection = await connect(self._dsn, application_name="controlroom listener")
        try:
            await self._follow(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _reconnected(self) -> Connection:
        pause = _RETRY[0]
        while True:
            try:
                return await self._connected()
            except Exception as error:  # noqa: BLE001 - a listener has nobody to tell; it tries for ever
                log.debug("listening is not possible yet", error=str(error))
                await asyncio.sleep(pause)
                pause = min(2 * pause, _RETRY[1])

    def _heard(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        self._call(channel, str(payload))

    def _call(self, channel: str, payload: str | None) -> None:
        for handler in list(self._handlers.get(channel, ())):
            try:
                handler(payload)
            except Exception:  # one handler's bug is no reason to leave the others asleep
                log.exception("a handler of a wake-up failed", channel=channel)
