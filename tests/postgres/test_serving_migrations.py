"""What belonged to a workspace belongs to its organization and serves it; the release before goes on meanwhile."""

import asyncpg
import pytest

from controlroom.ids import uuid7
from controlroom.postgres.migrate import migrate, migrations

SERVING = "20261129183000_pre_serving.sql"

TOKEN = """
    insert into credential (id, kind, organization_id, workspace_id, name, lookup, sealed)
    values ($1, 'link_token', $2, $3, 'n', $4, '')
"""


@pytest.fixture
async def room(new_database):
    """A new database, and a connection to it."""
    dsn = await new_database()
    connection = await asyncpg.connect(dsn)
    yield dsn, connection
    await connection.close()


async def migrated(dsn, folder, *, until="", post=True):
    """Apply the migrations before one, or all; without those that clean up."""
    for migration in migrations():
        if (not until or migration.name < until) and (post or not migration.is_post):
            (folder / migration.name).write_text(migration.sql)
    return await migrate(dsn, folder)


async def places(connection):
    """An organization with two workspaces."""
    organization, first, second = uuid7(), uuid7(), uuid7()
    await connection.execute("insert into organization (id, name) values ($1, 'o')", organization)
    for each in (first, second):
        await connection.execute(
            "insert into workspace (id, organization_id, name) values ($1, $2, $3)", each, organization, str(each)
        )
    return organization, first, second


async def made_before(connection, organization, workspace, name):
    """A worker, a group, a provisioner and a link token, as the release before makes them."""
    ids = [uuid7() for _ in range(4)]
    worker, group, provisioner, token = ids
    await connection.execute(
        "insert into worker (id, workspace_id, name, lookup) values ($1, $2, $3, $4)",
        worker,
        workspace,
        name,
        worker.bytes,
    )
    await connection.execute(
        "insert into worker_group (id, workspace_id, name) values ($1, $2, $3)", group, workspace, name
    )
    await connection.execute(
        "insert into provisioner (id, workspace_id, name, endpoint, sealed) values ($1, $2, $3, 'https://x', '')",
        provisioner,
        workspace,
        name,
    )
    await connection.execute(TOKEN, token, organization, workspace, token.bytes)
    await connection.execute("insert into linking (credential_id, is_reusable) values ($1, false)", token)
    return ids


async def served(connection):
    """What serves which workspace."""
    return {tuple(row) for row in await connection.fetch("select subject_id, workspace_id from serving")}


async def test_what_was_a_workspaces_serves_it(room, tmp_path):
    """Workers, groups, provisioners and tokens come along, and serve the workspace that they were of."""
    dsn, connection = room
    await migrated(dsn, tmp_path, until=SERVING)
    organization, first, second = await places(connection)
    before = [
        (each, here) for here in (first, second) for each in await made_before(connection, organization, here, "a")
    ]

    await migrated(dsn, tmp_path)

    assert await served(connection) == set(before)
    for table in ("worker", "worker_group", "provisioner"):
        owners = await connection.fetch(f"select organization_id, serves_all from {table}")
        assert [tuple(row) for row in owners] == [(organization, False)] * 2


async def test_both_releases_see_what_the_other_makes(room, tmp_path):
    """Of an old server serves its workspace; of a new one is shown by an old one in the first that it serves."""
    dsn, connection = room
    await migrated(dsn, tmp_path, post=False)
    organization, first, second = await places(connection)

    old = await made_before(connection, organization, first, "old")
    assert await served(connection) == {(each, first) for each in old}

    worker, everywhere, token = uuid7(), uuid7(), uuid7()
    made = """
        insert into worker (id, organization_id, name, lookup, serves_all) values ($1, $2, 'new', $3, $4::text = 'all')
    """
    await connection.execute(made, worker, organization, worker.bytes, "some")
    await connection.execute(made, everywhere, organization, everywhere.bytes, "all")
    await connection.execute(TOKEN, token, organization, None, token.bytes)
    await connection.execute("insert into linking (credential_id, is_reusable) values ($1, false)", token)
    for subject in (worker, token):
        await connection.execute("insert into serving (subject_id, workspace_id) values ($1, $2)", subject, second)
    shown = await connection.fetch("select id, workspace_id from worker where name = 'new'")
    assert {tuple(row) for row in shown} == {(worker, second), (everywhere, first)}
    assert await connection.fetchval("select workspace_id from credential where id = $1", token) == second
