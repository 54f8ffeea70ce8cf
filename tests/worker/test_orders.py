"""Orders as they come, for the task that runs an attempt."""

import asyncio
from uuid import uuid4

import pytest

from controlroom.protocol import Assignment, Command, Commands, Order, PackageRef
from controlroom.worker.orders import EndReason, Orders


@pytest.fixture
def orders() -> Orders:
    """Those of some attempt."""
    return Orders(an_assignment())


def an_assignment(**of) -> Assignment:
    """Some attempt."""
    ids = dict.fromkeys(
        ("step_run_id", "workspace_id", "organization_id", "process_id", "run_id", "step_id", "work_item_id"), uuid4()
    )
    work = Commands((Command(name="one", words=("true",)),))
    package = PackageRef(hash="0", size=0, name="p")
    names = {"process_name": "process", "step_name": "step", "token": "", "variables": {}}
    return Assignment(attempt=1, work=work, package=package, timeout_seconds=None, **ids, **names, **of)


@pytest.mark.parametrize("last", [Order.CONTINUE, Order.TERMINATE, Order.ABANDON])
async def test_nothing_begins_in_a_pause(orders, last):
    """Who is about to begin something waits while a pause is ordered, until another order comes."""
    await orders.unpaused()
    orders.obey(Order.PAUSE)
    waiting = asyncio.create_task(orders.unpaused())
    orders.obey(Order.PAUSE)
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()

    orders.obey(last)

    await asyncio.wait_for(waiting, 60)
    assert orders.end is {Order.TERMINATE: EndReason.TERMINATED, Order.ABANDON: EndReason.ABANDONED}.get(last)


async def test_what_was_paused_before_it_came_begins_when_it_is_resumed():
    """The pause that an assignment brings is obeyed from the first, and told to the server as obeyed."""
    orders = Orders(an_assignment(paused=True))
    assert orders.held.order is Order.PAUSE
    waiting = asyncio.create_task(orders.unpaused())
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()

    orders.obey(Order.CONTINUE)

    await asyncio.wait_for(waiting, 60)
