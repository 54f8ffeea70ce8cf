"""Backups that are made from the console: one at a time, and whoever asked learns what became of it."""

import asyncio

import pytest

from controlroom.errors import Conflict, Unavailable
from controlroom.ui.backups import Backups


async def test_one_is_made_at_a_time(tmp_path):
    """Another is refused meanwhile, and made afterwards; what is not whole is in no list."""
    goes_on = asyncio.Event()

    async def make(file) -> int:
        file.with_suffix(".part").write_bytes(b"half")
        await goes_on.wait()
        return file.write_bytes(b"whole")

    backups = Backups(tmp_path, make)
    backups.begin("first.backup")
    assert backups.is_running
    with pytest.raises(Conflict):
        backups.begin("second.backup")
    goes_on.set()
    while backups.is_running:
        await asyncio.sleep(0)
    assert [(each.name, each.size) for each in backups.files()] == [("first.backup", 5)]
    backups.begin("second.backup")
    while backups.is_running:
        await asyncio.sleep(0)
    assert {each.name for each in backups.files()} == {"first.backup", "second.backup"}


async def test_why_none_was_made_is_kept_until_the_next(tmp_path):
    """A page tells it; the folder need not be there."""

    async def make(file) -> int:
        raise Unavailable(f"no room for {file.name}")

    backups = Backups(tmp_path / "nowhere", make)
    backups.begin("one.backup")
    while not backups.failure:
        await asyncio.sleep(0)
    assert (backups.failure, backups.is_running, backups.files()) == ("no room for one.backup", False, [])
