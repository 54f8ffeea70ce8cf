"""Turns events into deliveries: one for each webhook, callback and notification that is to be told.

What it does: reads the record of events behind its cursor, writes what each receiver is told, and moves the cursor, all
in one transaction. It is woken by every commit that says that it appended events, and looks by itself each second.
Who else may do it: every server. The cursor's row is locked, and who does not get it leaves it to the one who has.
When it dies half-way: the transaction is undone, and the next one reads the same events. A delivery is unique by event
and subscription, so nothing is told twice even then.
What it costs: five statements for each batch of up to 1,000 events; two look-ups a second while nothing happens.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from msgspec import Struct

from controlroom.engine.deliveries import store as deliveries
from controlroom.engine.deliveries.model import NewDelivery
from controlroom.engine.engine import Engine
from controlroom.engine.events import cursor
from controlroom.engine.events.cursor import Span
from controlroom.engine.wakes import Topic
from controlroom.errors import Unavailable
from controlroom.postgres.database import Statements

log = structlog.get_logger(__name__)

News = Callable[[Statements, Span], Awaitable[list[NewDelivery]]]
"""Who is to be told what of the events in a span."""

_READER: Final = "deliveries"
_BATCH: Final = 1000
_POLL: Final = 1.0
_REST: Final = 0.02
"""Between two batches, so that hundreds of events a second make some dozens of transactions; and until events are
looked at again that may not be read yet, because an older transaction has not ended."""


class Batch(Struct, frozen=True):
    """What one transaction did."""

    deliveries: int
    has_more: bool
    """There are events left, though perhaps none that may be read yet."""


async def fan_out(engine: Engine, news: Sequence[News]) -> Batch:
    """Read the next events, and write what is to be delivered of them."""
    async with engine.database.transaction() as tx:
        position = await cursor.hold(tx, _READER)
        if position is None:
            return Batch(0, has_more=False)
        span = await cursor.next_span(tx, position, limit=_BATCH)
        if span is None:
            return Batch(0, has_more=await cursor.has_more(tx, position))
        new = [each for told in news for each in await told(tx, span)]
        written = await deliveries.insert(tx, new)
        await cursor.move(tx, position, span)
        if written:
            tx.after_commit(lambda: engine.wakes.wake_here(Topic.DELIVERIES))
        return Batch(len(written), has_more=True)


class FanOut:
    """The fan-out of one server."""

    def __init__(self, engine: Engine, news: Sequence[News]) -> None:
        self._engine = engine
        self._news = news

    async def serve(self) -> None:
        """Fan out what is appended, until cancelled."""
        with self._engine.wakes.watch(Topic.EVENTS) as watch:
            while True:
                has_more = False
                try:
                    has_more = (await fan_out(self._engine, self._news)).has_more
                except Unavailable as away:
                    log.warning("fan-out cannot reach the database", reason=str(away))
                except Exception:  # the edge of a loop: it must go on
                    log.exception("fan-out failed")
                await (asyncio.sleep(_REST) if has_more else watch.wait(_POLL))
