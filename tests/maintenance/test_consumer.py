"""Standing queues are worked on without a pause between two items."""

import asyncio
import time

import pytest
from tests.engine.queues.test_queues import a_queue, consumer, opened, put
from tests.engine.runs.conftest import Floor

from controlroom.maintenance.consumer import EVERY, Consumer
from controlroom.maintenance.loop import Loop, run_forever


@pytest.fixture
def floor(engine, ada, team) -> Floor:
    """The shop floor of ada's workspace."""
    return Floor(engine, ada, team.workspace, team.organization)


async def test_the_next_run_is_opened_as_soon_as_the_last_has_ended(floor):
    """Five items one after the other take less than five ticks of the loop."""
    queue = await a_queue(floor)
    await consumer(floor, queue, batch=1, max_runs=1)
    await put(floor, queue, *[b"1"] * 5)
    walt = await floor.worker()
    consumes = Consumer(floor.engine)
    loop = Loop(name="consumer", every=EVERY, tick=consumes.tick, woken=consumes.woken)
    ticking = asyncio.create_task(run_forever(loop, observe=lambda *_: None))
    began = time.monotonic()
    try:
        for nth in range(5):
            async with asyncio.timeout(20):
                while len(await opened(floor)) == nth:
                    await asyncio.sleep(0.01)
            assignment, robot = await walt.take()
            await floor.drain(robot, assignment.work_item_id)
            await walt.finish(assignment)
            await floor.run((await opened(floor))[nth])  # what the dispatcher does
    finally:
        ticking.cancel()
    assert len(await opened(floor)) == 5
    assert time.monotonic() - began < 4 * EVERY
