"""Tokens of robots and workers."""

import asyncio

import pytest

from controlroom.engine.access.credentials import authenticate_worker
from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import ensure_seen, scope_of
from controlroom.engine.access.server_keys import server_key
from controlroom.engine.access.tokens import mint_step_run_token, read_step_run_token
from controlroom.errors import NotFound, Unauthenticated
from controlroom.ids import WorkerId, uuid7
from controlroom.keys import Keys, mint


async def test_a_robots_token_says_whose_it_is(engine, robot):
    """What was minted is read back, and nothing else is accepted."""
    token = mint_step_run_token(engine.keys, robot)

    assert read_step_run_token(engine.keys, token) == robot
    for wrong in ("", "crr_", token[:-1], token[:-3] + "AAA", "x" + token, mint("crk", length=96)):
        with pytest.raises(Unauthenticated):
            read_step_run_token(engine.keys, wrong)
    with pytest.raises(Unauthenticated):
        read_step_run_token(Keys(b"another room's master key, 32 by"), token)


async def test_a_robots_right_dies_with_its_attempt(engine, robot, overtake, end):
    """A living attempt sees its workspace; an overtaken one, and one whose step run has ended, sees nothing."""
    scope = scope_of(robot, Permission.READ_ASSETS, robot.workspace_id)
    await ensure_seen(engine.database, scope)

    await overtake(robot)
    with pytest.raises(Unauthenticated):
        await ensure_seen(engine.database, scope)

    second = type(robot)(**{name: getattr(robot, name) for name in robot.__struct_fields__} | {"attempt": 2})
    scope = scope_of(second, Permission.READ_ASSETS, robot.workspace_id)
    await ensure_seen(engine.database, scope)
    await end(second)
    with pytest.raises(Unauthenticated):
        await ensure_seen(engine.database, scope)


async def test_a_robot_sees_its_own_workspace_only(engine, robot, team):
    """Another workspace does not exist for it."""
    with pytest.raises(NotFound):
        scope_of(robot, Permission.READ_ASSETS, team.other_workspace)


async def test_a_worker_is_known_by_its_token(engine, workspace, team):
    """The lasting token names worker, organization and what is served; another token names nobody."""
    token, worker = mint("crw_"), WorkerId(uuid7())
    await engine.database.execute(
        """
        insert into worker (id, organization_id, serves_all, name, lookup)
        values (%(id)s, %(organization)s, true, 'wanda', %(lookup)s)
        """,
        id=worker,
        organization=team.organization,
        lookup=engine.keys.lookup(token),
    )

    found = await authenticate_worker(engine, token)

    assert (found.worker_id, found.workspaces, found.organization_id) == (worker, (workspace,), team.organization)
    for wrong in (mint("crw_"), "nonsense"):
        with pytest.raises(Unauthenticated):
            await authenticate_worker(engine, wrong)


async def test_servers_share_a_key_that_one_of_them_made(engine):
    """However many ask at once, all get the same bytes, and what is stored is not them."""
    made = iter(range(100))

    keys = await asyncio.gather(*(server_key(engine, "test", lambda: b"key %d" % next(made)) for _ in range(8)))

    assert len(set(keys)) == 1
    stored = await engine.database.value("select sealed from server_key where name = 'test'")
    assert keys[0] not in stored
