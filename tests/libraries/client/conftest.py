"""A real room, in which there is one of everything, and clients of it."""

import pytest

from contract.robocorp.furnished import Furnished, furnish
from controlroom_client import AsyncClient, Client
from live import (  # noqa: F401 - fixtures are found by being here
    Live,
    Person,
    ada,
    ben,
    cleo,
    hire,
    process,
    robot_content,
    room,
    stranger,
    walt,
    workspace,
)


@pytest.fixture
async def furnished(room, ada, process, walt) -> Furnished:  # noqa: F811
    """One of everything, of a test alone."""
    return await furnish(room, ada, process, walt)


@pytest.fixture
def client(room: Live, ada: Person):  # noqa: F811
    """Ada's, for a thread of its own: the room is served by the test's."""
    with Client(room.url, str(ada.workspace), ada.key) as client:
        yield client


@pytest.fixture
async def async_client(room: Live, ada: Person):  # noqa: F811
    """Likewise, for the test's own loop."""
    async with AsyncClient(room.url, str(ada.workspace), ada.key) as client:
        yield client
