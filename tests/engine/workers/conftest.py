"""Workers that were linked."""

import pytest

from controlroom.engine.workers import linking
from controlroom.ids import WorkerId
from controlroom.protocol import Link


@pytest.fixture
def new_worker(engine, ada, workspace):
    """Links a worker."""

    async def link(name: str) -> WorkerId:
        made = await linking.create_link_token(engine, ada, workspace)
        return (await linking.link(engine, Link(made.value, name))).worker_id

    return link


@pytest.fixture
async def walt(new_worker) -> WorkerId:
    """A worker."""
    return await new_worker("walt")


@pytest.fixture
async def wanda(new_worker) -> WorkerId:
    """Another worker."""
    return await new_worker("wanda")
