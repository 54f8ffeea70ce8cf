"""One reader of the record of events for all who watch this server: it nudges those whom something concerns.

What: while somebody watches, it looks what is new since its last look, when it is woken and twice a second unasked, and
gives each subscription the topics that it asked for. New console lines and progress are told at once, by wake-ups.
Who else: every server has its own, none of them writes anything. When it dies half-way: nothing is lost, because a
subscription names the place from which it wants to hear, and whoever is nudged loads the page's part as it loads the
page. What it costs: one look at the end of an index, at most ten times a second, and none while nobody watches; whoever
writes pays nothing, since they wake those who read events anyway.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeAlias
from uuid import UUID

import structlog

from controlroom.engine.access.scope import Room
from controlroom.engine.nudges import store
from controlroom.engine.nudges.model import CONSOLE, EVERYTHING, PROGRESS, News, Topic
from controlroom.engine.wakes import Topic as Waking
from controlroom.engine.wakes import Wakes, Watch
from controlroom.errors import Unavailable
from controlroom.ids import OrganizationId, WorkspaceId
from controlroom.postgres.database import Database
from controlroom.tasks import cancelled

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 0.5
"""Seconds between two looks that nobody asked for. Why: what hot paths append wakes nobody, and is shown within 1 s."""
REST: Final = 0.1
"""Seconds of rest after a look, in which wake-ups are merged."""
LINGER: Final = 120.0
"""Seconds for which it reads on when nobody watches: a page that was just shown is about to."""

Gathered: TypeAlias = dict[tuple[OrganizationId, WorkspaceId | None], set[str]]
"""The topics of some news, by where they happened. Why so: told once, however many watch."""
_NOTHING: Final[frozenset[str]] = frozenset()


def gathered(news: Iterable[News]) -> Gathered:
    """The topics of all news."""
    found: Gathered = defaultdict(set)
    for each in news:
        found[each.organization_id, each.workspace_id] |= each.topics()
    return found


class Subscription:
    """What one watcher wants to hear, and has not been told yet."""

    def __init__(self, organization: OrganizationId, workspace: WorkspaceId, topics: Sequence[Topic]) -> None:
        self._organization = organization
        self._workspace = workspace
        self._wanted = frozenset(map(str, topics))
        self.consoles = [str(each.id) for each in topics if each.noun == CONSOLE]
        self._pending: dict[str, None] = {}
        self.watch = Watch()

    def hear(self, gathered: "Gathered") -> None:
        """Keep what of it was asked for."""
        for workspace in (None, self._workspace):
            self.tell(*(gathered.get((self._organization, workspace), _NOTHING) & self._wanted))

    def tell(self, *topics: str) -> None:
        """Keep these topics, whatever was asked for."""
        if topics:
            self._pending.update(dict.fromkeys(topics))
            self.watch.set()

    def tell_all(self, noun: str) -> None:
        """Keep all topics of a noun that were asked for."""
        self.tell(*(each for each in self._wanted if each.startswith(f"{noun}-")))

    async def next(self, seconds: float) -> list[str]:
        """What is to be told, as soon as there is something; nothing after so many seconds."""
        await self.watch.wait(seconds)
        told, self._pending = list(self._pending), {}
        return told


class Feed:
    """The reader of one server."""

    def __init__(self, database: Database, wakes: Wakes, room: Room) -> None:
        self._database = database
        self._wakes = wakes
        self._room = room
        self._place = ""
        self._task: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._wanted_at = 0.0
        self._subscriptions: set[Subscription] = set()
        self._consoles: dict[str, set[Subscription]] = defaultdict(set)
        wakes.on(Waking.CONSOLE, self._console)
        wakes.on(Waking.PROGRESS, self._progress)

    @property
    def here(self) -> str:
        """Where the reader is; empty before it has begun."""
        return self._place

    async def place(self) -> str:
        """Where the reader is: whoever reads the database now sees all that happened before. It begins if it rests."""
        self._wanted_at = time.monotonic()
        if not self._is_reading:
            async with self._beginning:
                if not self._is_reading:
                    self._place = await store.place(self._database, self._room)
                    self._task = asyncio.create_task(self._run(), name="nudges")
        return self._place

    @property
    def _is_reading(self) -> bool:
        return self._task is not None and not self._task.done()

    @asynccontextmanager
    async def subscribe(
        self, organization: OrganizationId, workspace: WorkspaceId, topics: Sequence[Topic], *, after: str | None
    ) -> AsyncIterator[Subscription]:
        """Hear of topics that the watcher may hear of: from a place on, or from now on.

        What lies too far behind is told as `EVERYTHING`.
        """
        subscription = Subscription(organization, workspace, topics)
        self._subscriptions.add(subscription)
        for console in subscription.consoles:
            self._consoles[console].add(subscription)
        try:
            here = await self.place()
            if after is not None and after != here:
                found = await store.since(self._database, self._room, after)
                subscription.hear(gathered(found.news))
                if found.is_cut:
                    subscription.tell(EVERYTHING)
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            for console in subscription.consoles:
                self._consoles[console].discard(subscription)
                if not self._consoles[console]:
                    del self._consoles[console]
            self._wanted_at = time.monotonic()

    async def close(self) -> None:
        """Read no more."""
        if self._task is not None:
            await cancelled(self._task)
            self._task = None

    async def _run(self) -> None:
        with self._wakes.watch(Waking.EVENTS) as watch:
            while self._subscriptions or time.monotonic() - self._wanted_at < LINGER:
                await watch.wait(LOOK_EVERY)
                try:
                    await self._look()
                except Unavailable:  # those who watch see it by themselves; the place is kept
                    await asyncio.sleep(LOOK_EVERY)
                except Exception:
                    log.exception("what has changed could not be read")
                    await asyncio.sleep(LOOK_EVERY)
                await asyncio.sleep(REST)

    async def _look(self) -> None:
        found = await store.since(self._database, self._room, self._place)
        topics = gathered(found.news)
        for each in self._subscriptions:
            each.hear(topics)
            if found.is_cut:
                each.tell(EVERYTHING)
        self._place = found.place

    def _console(self, step_run: str) -> None:
        if not step_run:  # some wake-ups may have been missed
            for each in self._subscriptions:
                each.tell(*(f"{CONSOLE}-{one}" for one in each.consoles))
            return
        for each in self._consoles.get(step_run, ()):
            each.tell(f"{CONSOLE}-{step_run}")

    def _progress(self, key: str) -> None:
        if not key:  # some wake-ups may have been missed
            for each in self._subscriptions:
                each.tell_all(PROGRESS)
            return
        organization, workspace, run = map(UUID, key.split("/"))
        topics: Gathered = {(OrganizationId(organization), WorkspaceId(workspace)): {f"{PROGRESS}-{run}"}}
        for each in self._subscriptions:
            each.hear(topics)


def consoles_of(topics: Iterable[Topic]) -> list[UUID]:
    """The step runs whose lines are asked for."""
    return [each.id for each in topics if each.noun == CONSOLE and each.id is not None]
