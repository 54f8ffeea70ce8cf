"""A server for the worker's tests. What tests share lies beside them and is imported by its name."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from room_server import RoomServer


@pytest.fixture
async def room() -> AsyncIterator[RoomServer]:
    server = RoomServer()
    await server.start()
    yield server
    await server.stop()
