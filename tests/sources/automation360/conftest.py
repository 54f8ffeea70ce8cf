"""Who loads a room in this grammar, and what the API itself tells of it."""

from functools import partial
from typing import Any

import pytest
from tests.dialects.automation360.conftest import (  # noqa: F401 - fixtures are found by being here
    ben_user,
    enrol,
    nobody,
    root,
)

from controlroom.engine.access import user_keys
from controlroom.sources import automation360_source
from live import a_room


@pytest.fixture(scope="module")
async def own_room(new_database, schema):
    """A room of a module alone, which imports it as `room`: what is loaded is the whole organization."""
    async with a_room(partial(new_database, schema)) as live:
        yield live


@pytest.fixture
async def source(room, root):  # noqa: F811
    """Makes the source of the room, as root sees it, by an API key."""
    _, key = await user_keys.make(room.engine, root.actor, root.actor.id)
    return partial(automation360_source, room.url, username=root.actor.name, api_key=key)


async def every(caller, path: str, length: int = 1000, **body: Any) -> list[Any]:
    """All rows of a list, asked for as a person would."""
    rows: list[Any] = []
    while True:
        told = await caller.post(path, {**body, "page": {"offset": len(rows), "length": length}})
        rows += told["list"]
        if not told["list"]:
            assert len(rows) == told["page"]["totalFilter"]
            return rows
