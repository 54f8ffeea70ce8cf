"""What every test may ask for: a real PostgreSQL, and databases of its own in it."""

import gc
import itertools
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import argon2
import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from controlroom.engine.access import passwords
from controlroom.postgres.embedded import EmbeddedPostgres
from controlroom.postgres.migrate import migrate
from memory_folders import memory_folder

# No deadline, nor a look at how fast inputs are made: a machine that does other things, too, is no failure of ours.
# And the same examples every time: a change is not to fail by what was there before. `make fuzz` looks for new ones.
settings.register_profile(
    "here",
    deadline=None,
    derandomize=os.environ.get("EXAMPLES") != "new",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("here")

# Where the shell forbids it, every process that a test starts would compile our modules anew: half a second for a room.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A hash takes a tenth of a second of a processor on purpose, and hundreds of tests have passwords. What rooms hash by
# is a test of its own (`engine/access/test_passwords.py`).
_COSTLY = passwords._hasher
passwords._hasher = argon2.PasswordHasher.from_parameters(argon2.profiles.CHEAPEST)

os.environ["CONTROLROOM_ROOMS"] = ""  # no room of a test is remembered, and none of the user's is found


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Thousands of tests are kept to the end: the collector of garbage is not to walk them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


_HASTE = (
    # What survives the death of a process needs no disk; that of the machine would take the tests with it.
    *("fsync = off", "synchronous_commit = off", "full_page_writes = off"),
    "autovacuum = off",  # it would go round hundreds of databases that live for seconds
)


_LONG = (
    *("worker/test_spares.py", "host/test_up.py", "sources/automation360/test_source.py"),
    *("sources/dbt_cloud/test_account.py", "sources/robocorp/test_workspace.py", "host/test_several_servers.py"),
    *("worker/test_step_runs.py", "worker/dbt/test_runs.py", "worker/test_sandbox.py", "worker/test_ends.py"),
    *("worker/test_kept_homes.py", "worker/test_commands.py", "worker/environments/test_cache.py"),
    *("worker/test_console.py", "postgres/test_embedded.py", "robocorp/test_organization.py", "host/test_backup.py"),
    *("worker/environments/test_conda.py", "worker/environments/test_interpreters.py", "cli/test_verbs_at_work.py"),
    *("contract/robocorp/test_handed_out.py", "contract/robocorp/test_extremes.py", "worker/test_hanging.py"),
)
"""Files that take longest: begun last, one process of xdist would work them while the others have nothing left."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files; all else as it is."""

    def place(item: pytest.Item) -> int:
        path = item.path.as_posix()
        return next((number for number, name in enumerate(_LONG) if path.endswith(name)), len(_LONG))

    items.sort(key=place)


@pytest.fixture(scope="session")
async def postgres_server():
    """The test session's own server (one a worker of xdist, so that each can shift its clock)."""
    folder = memory_folder("controlroom-tests-")
    server = await EmbeddedPostgres.start(folder / "postgres")
    connection = await asyncpg.connect(server.dsn)
    for setting in _HASTE:
        await connection.execute(f"alter system set {setting}")
    await connection.execute("select pg_reload_conf()")
    await connection.close()
    yield server
    await server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres(postgres_server: EmbeddedPostgres) -> str:
    """The address of the session's database, empty at first."""
    return postgres_server.dsn


@pytest.fixture
def costly_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords take the time that they take in a room, where that is what a test is about."""
    monkeypatch.setattr(passwords, "_hasher", _COSTLY)
    passwords._nobodys_hash.cache_clear()
    yield
    passwords._nobodys_hash.cache_clear()


NewDatabase = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session")
def new_database(postgres: str) -> NewDatabase:
    """Makes a further database in the session's server and returns its address.

    `template` is the address of a database to copy (a migrated one, say): nobody may be connected to it meanwhile.
    """
    numbers = itertools.count(1)

    async def create(template: str | None = None) -> str:
        name = f"test_{os.getpid()}_{next(numbers)}"
        connection = await asyncpg.connect(_named(postgres, "template1"))
        try:
            copied = "template0" if template is None else template.partition("?")[0].rpartition("/")[2]
            # By files, not row by row through the log: half the time, of hundreds; nobody needs them safe.
            await connection.execute(f'create database "{name}" template "{copied}" strategy file_copy')
        finally:
            await connection.close()
        return _named(postgres, name)

    return create


@pytest.fixture(scope="session")
async def schema(new_database: NewDatabase) -> str:
    """The address of a database that has our schema, to copy; nobody connects to it."""
    dsn = await new_database()
    await migrate(dsn)
    return dsn


@pytest.fixture(scope="session")
async def shared_room(new_database: NewDatabase, schema: str):
    """What `room` of `live` is wherever it is imported: a start takes seconds of a processor."""
    from live import a_crowded_room  # noqa: PLC0415 - half of the folders need no server

    async with a_crowded_room(partial(new_database, schema)) as live:
        yield live


def _named(dsn: str, database: str) -> str:
    """The same server's address with another database."""
    server, _, options = dsn.partition("?")
    return f"{server.rpartition('/')[0]}/{database}?{options}"
