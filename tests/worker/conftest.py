"""A server for the worker's tests. What tests share lies beside them and is imported by its name."""

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from room_server import RoomServer

from controlroom.worker.environments.build_place import remove_tree


@pytest.fixture
async def room() -> AsyncIterator[RoomServer]:
    server = RoomServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    remove_tree(folder)  # environments are closed even against their owner
