"""A room that speaks to the world: the loops that deliver, receivers of their own, and processes that run."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from controlroom.dialects.robocorp.provisioner_requests import ProvisionerRequests
from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.deliveries.store import list_of_subscription
from controlroom.maintenance.deliverer import Deliverer
from controlroom.maintenance.fan_out import FanOut
from controlroom.maintenance.loops import recipients
from controlroom.maintenance.senders import Outside, Senders
from controlroom.outgoing import Outgoing
from receivers import receiving


@asynccontextmanager
async def speaking(*, mail=None, allow=("127.0.0.1",)):
    """How a server speaks to the world, while the block runs."""
    async with Outgoing(allow) as outgoing:
        yield Outside(outgoing, ProvisionerRequests(), mail)


@asynccontextmanager
async def delivering(engine, **given):
    """The fan-out and the deliverer of a server, while the block runs."""
    async with speaking(**given) as outside:
        loops = [
            asyncio.create_task(FanOut(engine, recipients(engine)).serve()),
            asyncio.create_task(Deliverer(engine, Senders(engine, outside).senders).serve()),
        ]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)


@pytest.fixture
async def outside():
    """How a server speaks to the world."""
    async with speaking() as outside:
        yield outside


@pytest.fixture
async def deliveries(engine):
    """Delivers, as a server does."""
    async with delivering(engine):
        yield


@pytest.fixture
async def receiver():
    """Somebody who wants to be told."""
    async with receiving() as receiver:
        yield receiver


async def until(condition, seconds: float = 15):
    """The condition's value, once it has one."""
    async with asyncio.timeout(seconds):
        while not (value := await condition()):
            await asyncio.sleep(0.01)
        return value


async def log_of(engine, actor, workspace, subscription, limit=100):
    """What a webhook, a callback, a notification or a provisioner was sent, newest first."""
    scope = scope_of(actor, Permission.READ_WEBHOOKS, workspace)
    return await list_of_subscription(engine.database, scope, subscription, limit=limit)
