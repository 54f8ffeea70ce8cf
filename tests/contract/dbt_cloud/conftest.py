"""The account of the room, and the numbers of what is in it."""

import pytest


@pytest.fixture
async def account(room) -> int:
    """The number of the room's organization."""
    return await room.engine.database.value("select number from organization")


@pytest.fixture
async def numbers(room, ada, process) -> list[str]:
    """Numbers of a workspace and a process that another key must not see."""
    value = room.engine.database.value
    return [
        str(await value("select number from workspace where id = %(id)s", id=ada.workspace)),
        str(await value("select number from process where id = %(id)s", id=process)),
    ]
