"""The first start of a control room."""

import asyncio
import re

import pytest

from controlroom.engine.access.actions import delete_api_key
from controlroom.engine.access.credentials import authenticate_api_key
from controlroom.engine.access.logins import log_in
from controlroom.engine.access.model import EVERYTHING
from controlroom.engine.access.users.actions import set_password
from controlroom.engine.workspaces.first_start import bootstrap, first_start
from controlroom.errors import NotFound
from controlroom.ids import ApiKeyId


async def test_first_start_makes_what_a_room_needs(empty_engine):
    """The key has every permission in the workspace, the admin can log in, the pair has the form that rcc takes."""
    made = await bootstrap(empty_engine)

    assert made is not None
    key = await authenticate_api_key(empty_engine, made.api_key)
    assert key.grants == {made.workspace_id: EVERYTHING}
    assert re.fullmatch(r"[0-9A-Za-z]{90,130}", made.api_key)
    admin = await log_in(empty_engine, username=made.username, password=made.password, place="here")
    assert admin.is_admin
    assert re.fullmatch(r"\d+:[0-9a-f]{96}", made.user_credentials)


async def test_what_the_first_start_made_can_be_told_again(empty_engine):
    """A server killed between the commit and the writing of its ready file leaves nobody outside."""
    made = await bootstrap(empty_engine)

    assert await bootstrap(empty_engine) is None
    assert await first_start(empty_engine) == made


async def test_one_of_several_servers_makes_the_first_start(empty_engine):
    """Servers that start at once on an empty database make one organization."""
    made = await asyncio.gather(*(bootstrap(empty_engine) for _ in range(4)))

    assert sum(one is not None for one in made) == 1
    assert await empty_engine.database.value("select count(*) from organization") == 1


async def test_first_start_forgets_what_was_changed_since(empty_engine):
    """A password that the admin has changed and a key that was deleted are not told again."""
    made = await bootstrap(empty_engine)
    admin = await log_in(empty_engine, username="admin", password=made.password, place="here")
    key = await authenticate_api_key(empty_engine, made.api_key)

    await set_password(empty_engine, admin, admin.id, "a password of my own")
    await delete_api_key(empty_engine, admin, made.workspace_id, ApiKeyId(key.id))

    again = await first_start(empty_engine)
    assert (again.password, again.api_key) == (None, None)
    assert again.user_credentials == made.user_credentials


async def test_nothing_is_told_before_the_first_start(empty_engine):
    """A room that was not founded has nothing to tell."""
    with pytest.raises(NotFound):
        await first_start(empty_engine)
