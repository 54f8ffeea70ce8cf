"""The account of the room, and the numbers of what is in it."""

import pytest

from contract.dbt_cloud.furnished import Site
from controlroom.dialects.dbt_cloud.permission_sets import ROLES
from controlroom.engine.access.grants.model import WantedGrant
from controlroom.engine.access.service_tokens import actions
from controlroom.engine.projects.actions import found


@pytest.fixture
async def account(room) -> int:
    """The number of the room's organization."""
    return await room.number()


@pytest.fixture
async def numbers(room, ada, process) -> list[str]:
    """Numbers of a workspace and a process that another key must not see."""
    value = room.engine.database.value
    return [
        str(await value("select number from workspace where id = %(id)s", id=ada.workspace)),
        str(await value("select number from process where id = %(id)s", id=process)),
    ]


@pytest.fixture
async def site(room, workspace, stranger):
    """What the operations need: a project with one thing of each noun; `call` calls with a token of its account."""
    await found(room.engine, room.admin, workspace)
    wanted = [WantedGrant(ROLES["account_admin"], None)]
    _, value = await actions.create(room.engine, room.admin, name="boss", wanted=wanted)
    token, _ = await actions.create(room.engine, room.admin, name="another", wanted=[])
    account = await room.number()
    project = await room.engine.database.value("select number from workspace where id = %(id)s", id=workspace)
    stranger.headers["Authorization"] = f"Token {value}"
    return await Site(stranger, {"account": account, "project": project, "token": token.number}).furnished()
