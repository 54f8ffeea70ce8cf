"""Wake-ups: how a change that was committed here is noticed at once by whoever waits for it, on this server or another.

A wake-up is a hint, never the truth: every waiter also looks by itself after a while. Locally it is delivered in the
same tick; other servers get it by LISTEN/NOTIFY, outside of the writing transaction and coalesced (DESIGN §7).
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from uuid import UUID

from controlroom.postgres.notify import Listener, Notifier

_CHANNEL = "controlroom"


class Topic(StrEnum):
    """What may have changed. The key says of whom."""

    STEP_RUNS_AWAIT = "step_runs_await"
    """Step runs of the workspace (key) wait for a worker."""
    ORDERS = "orders"
    """The worker (key) has something to obey."""
    RUN = "run"
    """The run (key) may have something to dispatch, or its end."""
    EVENTS = "events"
    """Events were appended (no key)."""
    DELIVERIES = "deliveries"
    """Something is to be delivered (no key)."""
    CONSOLE = "console"
    """The step run (key) has new console lines."""


class Watch:
    """Somebody who waits. Made before the look at the database, so that no wake-up falls between look and wait."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def set(self) -> None:
        """Wake it."""
        self._woken.set()

    @property
    def is_set(self) -> bool:
        """Whether it was woken since the last `wait`."""
        return self._woken.is_set()

    async def wait(self, seconds: float) -> bool:
        """Wait until woken (True) or until the time is over (False); ready to be used again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        was_woken = self._woken.is_set()
        self._woken.clear()
        return was_woken


class Wakes:
    """The switchboard of one server process."""

    def __init__(self, notifier: Notifier, listener: Listener) -> None:
        self._notifier = notifier
        self._watches: dict[tuple[str, str], list[Watch]] = defaultdict(list)
        self._handlers: dict[str, list[Callable[[str], None]]] = defaultdict(list)
        self._stop = listener.on(_CHANNEL, self._heard)

    def wake(self, topic: Topic, key: UUID | str = "", *, count: int | None = None) -> None:
        """Wake `count` of those who wait for it (all of them by default) here, and likewise on every other server."""
        text = f"{topic.value}:{key}:{count or ''}"
        self._deliver(topic.value, str(key), count)
        self._notifier.notify(_CHANNEL, text)

    def wake_here(self, topic: Topic, key: UUID | str = "") -> None:
        """Wake those of this server only: one of them does what is to be done, and the others need not hear of it."""
        self._deliver(topic.value, str(key), None)

    def on(self, topic: Topic, handler: Callable[[str], None]) -> None:
        """Call the handler with the key at each wake-up of the topic; with "" when some may have been missed."""
        self._handlers[topic.value].append(handler)

    @contextmanager
    def watch(self, topic: Topic, key: UUID | str = "") -> Iterator[Watch]:
        """Wait for one topic and key: look at the database inside, then `wait`."""
        watch, place = Watch(), (topic.value, str(key))
        self._watches[place].append(watch)
        try:
            yield watch
        finally:
            watches = self._watches[place]
            watches.remove(watch)
            if not watches:
                del self._watches[place]

    def close(self) -> None:
        """Hear no more."""
        self._stop()

    def _deliver(self, topic: str, key: str, count: int | None) -> None:
        left = count
        for watch in self._watches.get((topic, key), ()):
            if left == 0:
                break
            if not watch.is_set:
                watch.set()
                left = None if left is None else left - 1
        for handler in self._handlers.get(topic, ()):
            handler(key)

    def _heard(self, payload: str | None) -> None:
        if payload is None:  # the connection was away: anything may have happened
            for watches in self._watches.values():
                for watch in watches:
                    watch.set()
            for handlers in self._handlers.values():
                for handler in handlers:
                    handler("")
            return
        topic, key, count = payload.split(":")
        self._deliver(topic, key, int(count) if count else None)
