"""Databases and servers for the tests of the border to PostgreSQL."""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from controlroom.postgres.database import Database
from controlroom.postgres.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
async def database(postgres):
    """A pool of the session's database."""
    database = await Database.connect(postgres)
    yield database
    await database.close()


@pytest.fixture
def folder():
    """A folder of the test's own, with a short path: a socket's path has 107 bytes at most."""
    path = Path(tempfile.mkdtemp(prefix="cr-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
async def start():
    """Starts private servers that end with the test."""
    async with AsyncExitStack() as stack:

        async def start(folder: Path, **options) -> EmbeddedPostgres:
            server = await EmbeddedPostgres.start(folder, **options)
            stack.push_async_callback(server.stop)
            return server

        yield start


@pytest.fixture(scope="session")
async def prepared():
    """The folder of a server that was created and stopped: copying it takes a tenth of creating another."""
    path = Path(tempfile.mkdtemp(prefix="cr-"))
    server = await EmbeddedPostgres.start(path / "postgres")
    await server.stop()
    yield path / "postgres"
    shutil.rmtree(path)


@pytest.fixture
async def server(folder, prepared, start):
    """A server that the test may kill, in `folder / "postgres"`."""
    copied = await asyncio.create_subprocess_exec("cp", "-a", prepared, folder / "postgres")
    assert await copied.wait() == 0
    return await start(folder / "postgres")
