"""Turns events into deliveries: one for each webhook, callback and notification that is to be told.

What it does: reads the record of events behind its cursor, writes what each receiver is told, and moves the cursor, all
in one transaction. It is woken by every commit that says that it appended events, and looks by itself each second.
Who else may do it: every server. The cursor's row is locked, and who does not get it leaves it to the one who has.
When it dies half-way: the transaction is undone, and the next one reads the same events. A delivery is unique by event
and subscription, so nothing is told twice even then.
What it costs: four statements for each batch of up to 1,000 events, and three more if it has any that somebody may be
told of; three statements a second while nothing happens. Events that nobody is told of (each work item leaves one)
are read once a second and not as they come.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from msgspec import Struct

from controlroom.engine.access.scope import Room, ScopedTx, scoped
from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.deliveries.model import NewDelivery
from controlroom.engine.engine import Engine
from controlroom.engine.events import cursor
from controlroom.engine.events.cursor import Span
from controlroom.engine.wakes import Topic
from controlroom.errors import Unavailable
from controlroom.ids import DeliveryId

log = structlog.get_logger(__name__)


class Recipients(Struct, frozen=True):
    """Those of one kind of subscription: webhooks, callbacks, notifications."""

    kinds: tuple[str, ...]
    """Of events of these kinds only."""
    of: Callable[[ScopedTx, Span], Awaitable[list[NewDelivery]]]
    """Who is to be told what of the events in a span."""


_READER: Final = "deliveries"
_BATCH: Final = 1000
_POLL: Final = 1.0
_REST: Final = 0.02
"""Between two batches, so that hundreds of events a second make some dozens of transactions; and until those are looked
at again that may not be read yet, because an older transaction has not ended."""


class Batch(Struct, frozen=True):
    """What one transaction did."""

    deliveries: int
    has_more: bool
    """There may be a whole batch left, or an event of which somebody may be told, perhaps not readable yet."""


async def fan_out(engine: Engine, recipients: Sequence[Recipients]) -> Batch:
    """Read the next events, and write what is to be delivered of them."""
    async with scoped(engine.database, Room()) as tx:
        position = await cursor.hold(tx, _READER)
        if position is None:
            return Batch(0, has_more=False)
        span = await cursor.next_span(tx, position, limit=_BATCH)
        written: list[DeliveryId] = []
        if span is not None:
            told = [one for one in recipients if not set(one.kinds).isdisjoint(span.kinds)]
            written = await deliveries.insert(tx, [each for one in told for each in await one.of(tx, span)])
            position = await cursor.move(tx, position, span)
        if written:
            tx.after_commit(lambda: engine.wakes.wake_here(Topic.DELIVERIES))
        has_more = span is not None and span.count == _BATCH
        kinds = sorted({kind for one in recipients for kind in one.kinds})
        return Batch(len(written), has_more=has_more or await cursor.has_more(tx, position, kinds))


class FanOut:
    """The fan-out of one server."""

    def __init__(self, engine: Engine, recipients: Sequence[Recipients]) -> None:
        self._engine = engine
        self._recipients = recipients

    async def serve(self) -> None:
        """Fan out what is appended, until cancelled."""
        with self._engine.wakes.watch(Topic.EVENTS) as watch:
            while True:
                has_more = False
                try:
                    has_more = (await fan_out(self._engine, self._recipients)).has_more
                except Unavailable as away:
                    log.warning("fan-out cannot reach the database", reason=str(away))
                except Exception:  # the edge of a loop: it must go on
                    log.exception("fan-out failed")
                await (asyncio.sleep(_REST) if has_more else watch.wait(_POLL))
