"""Wake-ups: how a change that was committed here is noticed at once by whoever waits for it, on this server or another.

A wake-up is a hint, never the truth: every waiter also looks by itself after a while. Locally it is delivered in the
same tick; other servers get it by LISTEN/NOTIFY, outside of the writing transaction and coalesced (DESIGN §7).
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from enum import StrEnum
from uuid import UUID

from controlroom.postgres.notify import Listener, Notifier

_CHANNEL = "controlroom"


class Topic(StrEnum):
    """What may have changed. The key says of whom."""

    STEP_RUNS_AWAIT = "step_runs_await"
    """Step runs of the workspace (key) wait for a worker; who serves all listens to the organization (key)."""
    SERVICE = "service"
    """The worker (key), or those that serve all workspaces of the organization (key), serve others than before."""
    ORDERS = "orders"
    """The worker (key) has something to obey."""
    RUN = "run"
    """The run (key) may have something to dispatch, or its end."""
    RUN_ENDED = "run_ended"
    """The run (key) has ended."""
    EVENTS = "events"
    """Events were appended (no key)."""
    DELIVERIES = "deliveries"
    """Something is to be delivered (no key)."""
    TRANSFERS = "transfers"
    """An export or import is to be done (no key)."""
    TRANSFER_ENDED = "transfer_ended"
    """The export or import (key) has ended."""
    ANALYSES = "analyses"
    """Code of the workspace (key) waits to be read; who serves all listens to the organization (key)."""
    ANALYSIS_ENDED = "analysis_ended"
    """The analysis of code (key) has ended."""
    CONSOLE = "console"
    """The step run (key) has new console lines."""
    PROGRESS = "progress"
    """A robot of the run (key: organization/workspace/run) has said how far it is."""


class Watch:
    """Somebody who waits. Made before the look at the database, so that no wake-up falls between look and wait."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self.topics: set[str] = set()
        """Of which topics it has heard since it was made."""
        self.passing: tuple[tuple[str, str], ...] = ()
        """The places of a wake-up that was for some of many, if it was woken by such a one last."""

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
        self.passing = ()
        return was_woken


class Wakes:
    """The switchboard of one server process."""

    def __init__(self, notifier: Notifier, listener: Listener) -> None:
        self._notifier = notifier
        # Why dicts: who waits comes and goes in the order of their coming, and a thousand wait at one place.
        self._watches: dict[tuple[str, str], dict[Watch, None]] = defaultdict(dict)
        self._handlers: dict[str, list[Callable[[str], None]]] = defaultdict(list)
        self._stop = listener.on(_CHANNEL, self._heard)

    def wake(self, topic: Topic, *keys: UUID | str, count: int | None = None) -> None:
        """Wake those who wait for a key of a topic here, and likewise on every other server.

        With `count` so many of them alone: those of the first key first, of each key who has waited longest.
        """
        texts = [str(key) for key in keys or ("",)]
        self._deliver(topic.value, texts, count)
        self._notifier.notify(_CHANNEL, f"{topic.value}:{','.join(texts)}:{count or ''}")

    def wake_here(self, topic: Topic, key: UUID | str = "") -> None:
        """Wake those of this server only: one of them does what is to be done, and the others need not hear of it."""
        self._deliver(topic.value, [str(key)], None)

    def on(self, topic: Topic, handler: Callable[[str], None]) -> None:
        """Call the handler with the key at each wake-up of the topic; with "" when some may have been missed."""
        self._handlers[topic.value].append(handler)

    def watch(self, topic: Topic, key: UUID | str = "") -> AbstractContextManager[Watch]:
        """Wait for one topic and key: look at the database inside, then `wait`."""
        return self.watch_any([(topic, key)])

    @contextmanager
    def watch_any(self, of: Sequence[tuple[Topic, UUID | str]]) -> Iterator[Watch]:
        """Likewise for any of several. A wake-up for some of many that finds its hearer leaving goes to another."""
        watch = Watch()
        places = [(topic.value, str(key)) for topic, key in of]
        for place in places:
            self._watches[place][watch] = None
        try:
            yield watch
        finally:
            for place in places:
                watches = self._watches[place]
                del watches[watch]
                if not watches:
                    del self._watches[place]
            if watch.is_set and watch.passing:
                self._wake_some(watch.passing, 1)

    def close(self) -> None:
        """Hear no more."""
        self._stop()

    def _deliver(self, topic: str, keys: Sequence[str], count: int | None) -> None:
        places = tuple((topic, key) for key in keys)
        if count is None:
            for place in places:
                for watch in self._watches.get(place, ()):
                    watch.topics.add(topic)
                    watch.set()
        else:
            self._wake_some(places, count)
        for handler in self._handlers.get(topic, ()):
            for key in keys:
                handler(key)

    def _wake_some(self, places: tuple[tuple[str, str], ...], count: int) -> None:
        """Wake so many who are not awake yet."""
        for place in places:
            for watch in self._watches.get(place, ()):
                if count == 0:
                    return
                if not watch.is_set:
                    watch.passing = places
                    watch.set()
                    count -= 1

    def _heard(self, payload: str | None) -> None:
        if payload is None:  # the connection was away: anything may have happened
            for (topic, _), watches in self._watches.items():
                for watch in watches:
                    watch.topics.add(topic)
                    watch.set()
            for handlers in self._handlers.values():
                for handler in handlers:
                    handler("")
            return
        topic, keys, count = payload.split(":")
        self._deliver(topic, keys.split(","), int(count) if count else None)
