import asyncio
import os
import signal
import time

import pytest

from controlroom.postgres.database import Database
from controlroom.postgres.notify import Listener, Notifier


@pytest.fixture
async def notifier(database):
    notifier = Notifier(database)
    await notifier.start()
    yield notifier
    await notifier.stop()


@pytest.fixture
async def listener(postgres):
    listener = Listener(postgres)
    await listener.start()
    yield listener
    await listener.stop()


async def subscribed(listener, channel):
    """A queue of what the channel's handler is called with, once it listens."""
    heard = asyncio.Queue()
    listener.on(channel, heard.put_nowait)
    assert await heard.get() is None  # what was sent before is missed
    return heard


async def test_a_wake_up_arrives(notifier, listener):
    """With its payload, at whoever listens to the channel, and soon."""
    heard, elsewhere = await subscribed(listener, "items"), await subscribed(listener, "runs")

    sent = time.perf_counter()
    notifier.notify("items", "7")

    assert await heard.get() == "7"
    print(f"notified after {(time.perf_counter() - sent) * 1000:.2f} ms")
    assert elsewhere.empty()


async def test_the_same_wake_ups_are_one(notifier, listener):
    """A thousand of the same arrive as a few, different ones arrive each, and the last one is never swallowed."""
    heard = await subscribed(listener, "many")

    for n in range(1000):
        notifier.notify("many", f"{n % 3}")
    notifier.notify("many", "last")

    received = []
    while "last" not in received:
        received.append(await heard.get())
    assert received == ["0", "1", "2", "last"]


async def test_stopping_sends_what_is_pending(database, listener):
    """A wake-up that was accepted before the end is sent."""
    heard = await subscribed(listener, "ending")
    notifier = Notifier(database)
    await notifier.start()

    notifier.notify("ending", "bye")
    await notifier.stop()

    assert await heard.get() == "bye"


async def test_payload_and_channel_have_limits(database):
    """What PostgreSQL would refuse later is refused at once."""
    with pytest.raises(ValueError, match="8,000 bytes"):
        Notifier(database).notify("items", "é" * 4000)
    for channel in ("", "x" * 64):
        with pytest.raises(ValueError, match="64 bytes"):
            Notifier(database).notify(channel)


async def test_handlers_can_leave_and_do_not_hurt_each_other(notifier, listener):
    """One that failed or left keeps no other from being called."""
    left = []

    def fail(_payload):
        raise LookupError

    unsubscribe = listener.on("shared", left.append)
    listener.on("shared", fail)
    heard = await subscribed(listener, "shared")
    unsubscribe()
    left.clear()

    notifier.notify("shared")

    assert await heard.get() == ""
    assert left == []


@pytest.mark.fault
async def test_a_listener_comes_back_and_says_that_it_was_away(server, folder, start):
    """After a lost connection every handler is called without payload, and then hears again."""
    listener, database = Listener(server.dsn), await Database.connect(server.dsn, min_size=1)
    notifier = Notifier(database)
    await listener.start()
    await notifier.start()
    heard, other = await subscribed(listener, "items"), await subscribed(listener, "runs")

    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    notifier.notify("items", "while away")
    await start(folder / "postgres")

    assert await heard.get() is None
    assert await other.get() is None
    notifier.notify("items", "again")
    while await heard.get() != "again":
        pass
    await notifier.stop()
    await listener.stop()
    await database.close()
