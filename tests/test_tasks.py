"""Ending tasks ends whoever is to end, too."""

import asyncio

import pytest

from controlroom.tasks import cancelled


async def test_tasks_have_ended_whatever_their_end_is():
    """Cancelled, over already, failed: the caller goes on."""

    async def fail() -> None:
        raise ZeroDivisionError

    tasks = [asyncio.create_task(work) for work in (asyncio.sleep(600), asyncio.sleep(0), fail())]
    await asyncio.sleep(0)
    await cancelled(*tasks)

    assert all(task.done() for task in tasks)


async def test_who_is_cancelled_while_they_wait_ends():
    """A loop that is just ending its own task when it is cancelled does not go on."""
    rounds = []

    async def slow_to_end(ending: asyncio.Event) -> None:
        try:
            await asyncio.sleep(600)
        finally:
            ending.set()
            await asyncio.sleep(0.01)

    async def loop(ending: asyncio.Event) -> None:
        while True:
            rounds.append(asyncio.create_task(slow_to_end(ending)))
            await asyncio.sleep(0)
            await cancelled(rounds[-1])

    ending = asyncio.Event()
    going = asyncio.create_task(loop(ending))
    async with asyncio.timeout(60):
        await ending.wait()
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
    assert len(rounds) == 1
