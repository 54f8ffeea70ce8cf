"""Identity moves to its new tables: what was there comes along, and the release before goes on working meanwhile."""

import asyncpg
import pytest

from controlroom.ids import uuid7
from controlroom.postgres.database import Database
from controlroom.postgres.migrate import migrate, migrations, pending

CREDENTIALS = "20261129150100_pre_credentials.sql"
ROLES = "20261129150000_pre_roles_and_grants.sql"
ROLES_POST = "20261129160000_post_roles_and_grants.sql"


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


async def people(connection, **admins: bool):
    """An organization with a workspace, and users by name."""
    organization, workspace = uuid7(), uuid7()
    await connection.execute("insert into organization (id, name) values ($1, 'o')", organization)
    await connection.execute(
        "insert into workspace (id, organization_id, name) values ($1, $2, 'w')", workspace, organization
    )
    users = {name: uuid7() for name in admins}
    for name, user in users.items():
        await connection.execute(
            "insert into app_user (id, organization_id, username, is_admin) values ($1, $2, $3, $4)",
            user,
            organization,
            name,
            admins[name],
        )
    return organization, workspace, users


async def granted(connection):
    """Who has which role: in the workspace, or in the organization (None)."""
    rows = await connection.fetch(
        """
        select app_user.username, role.name, access_grant.workspace_id
          from access_grant join role on role.id = role_id join app_user on app_user.id = user_id
        """
    )
    return {tuple(row) for row in rows}


async def members(connection):
    """What the release before reads of it."""
    rows = await connection.fetch("select username, role from member join app_user on id = user_id")
    admins = await connection.fetch("select username, 'admin' from app_user where is_admin")
    return {tuple(row) for row in [*rows, *admins]}


MEMBER = "insert into member (workspace_id, user_id, role) values ($1, $2, $3)"


async def test_members_and_admins_come_along_as_grants(room, tmp_path):
    """Every membership is a grant of its role, with its time; every admin holds the admin's role."""
    dsn, connection = room
    await migrated(dsn, tmp_path, until=ROLES)
    _, workspace, users = await people(connection, ada=False, ben=False, root=True)
    for name, role in (("ada", "owner"), ("ben", "viewer"), ("root", "operator")):
        await connection.execute(MEMBER, workspace, users[name], role)
    since = await connection.fetchval("select created_at from member where role = 'viewer'")

    await migrate(dsn)

    assert await granted(connection) == {
        ("ada", "owner", workspace),
        ("ben", "viewer", workspace),
        ("root", "operator", workspace),
        ("root", "admin", None),
    }
    assert since == await connection.fetchval("select created_at from access_grant where user_id = $1", users["ben"])
    assert await connection.fetchval("select to_regclass('member')") is None


async def test_two_releases_see_the_same_members(room, tmp_path):
    """What a server of the release before writes, new ones read, and the other way round, until it is gone."""
    dsn, connection = room
    await migrated(dsn, tmp_path, until=ROLES_POST, post=False)
    organization, workspace, users = await people(connection, ada=False, ben=False, root=True)
    assert await granted(connection) == {("root", "admin", None)}

    await connection.execute(MEMBER, workspace, users["ada"], "owner")
    await connection.execute(MEMBER, workspace, users["ben"], "operator")
    await connection.execute("update member set role = 'viewer' where user_id = $1", users["ben"])
    await connection.execute("update app_user set is_admin = false where id = $1", users["root"])
    assert await granted(connection) == {("ada", "owner", workspace), ("ben", "viewer", workspace)}
    await connection.execute("delete from member where user_id = $1", users["ben"])
    assert await granted(connection) == {("ada", "owner", workspace)}

    give = """insert into access_grant (id, organization_id, workspace_id, user_id, role_id)
              select $1, $2, $3, $4, id from role where name = $5"""
    await connection.execute(give, uuid7(), organization, workspace, users["ben"], "operator")
    await connection.execute(give, uuid7(), organization, None, users["root"], "admin")
    await connection.execute(
        "update access_grant set role_id = (select id from role where name = 'viewer') where user_id = $1", users["ben"]
    )
    assert await members(connection) == {("ada", "owner"), ("ben", "viewer"), ("root", "admin")}
    await connection.execute("delete from access_grant where user_id <> $1", users["ada"])
    assert await members(connection) == {("ada", "owner")}


async def test_cleaning_up_waits_for_servers_of_the_release_before(room):
    """While one is connected its tables stay; a server that starts when it is gone takes them away."""
    dsn, connection = room
    old = await asyncpg.connect(dsn, server_settings={"application_name": "controlroom listener"})
    new = await Database.connect(dsn, min_size=1)

    await migrate(dsn)
    waiting = await pending(dsn)
    assert ROLES_POST in waiting
    assert {name[14:20] for name in waiting} == {"_post_"}
    assert await connection.fetchval("select to_regclass('member')") is not None

    await old.close()
    while await connection.fetchval(
        "select count(*) from pg_stat_activity where application_name = 'controlroom listener'"
    ):
        pass
    assert await migrate(dsn) == waiting
    assert await connection.fetchval("select to_regclass('member')") is None
    await new.close()


KEY = """insert into api_key (id, number, workspace_id, name, permissions, lookup, sealed, use_count, used_at,
                              expires_at)
         values ($1, 1001, $2, 'deploys', '{runs.read}', 'key', 'sealed key', 7, '2026-01-02T00:00Z',
                 '2999-01-01T00:00Z')"""
PAIR = "insert into user_credential (id, user_id, name, identifier, sealed) values ($1, $2, 'laptop', '123', 'secret')"
TOKEN = """insert into link_token (id, number, workspace_id, worker_id, name, lookup, sealed, is_reusable)
           values ($1, 1002, $2, $1, 'tower', 'token', 'sealed token', false)"""


async def credentials(connection):
    """Every credential, with what a link token is for."""
    rows = await connection.fetch(
        """
        select id, number, kind, workspace_id, user_id, name, identifier, lookup, sealed, permissions, use_count,
               used_at is not null as is_used, expires_at, worker_id, is_reusable
          from credential left join linking on credential_id = id order by number
        """
    )
    return [dict(row) for row in rows]


async def test_credentials_come_along_whole(room, tmp_path):
    """With ids, numbers, hashes, sealed values and counts; a handshake stays with its key, and goes with it."""
    dsn, connection = room
    await migrated(dsn, tmp_path, until=CREDENTIALS)
    _, workspace, users = await people(connection, ada=False)
    key, pair, token, process = (uuid7() for _ in range(4))
    await connection.execute(KEY, key, workspace)
    await connection.execute(PAIR, pair, users["ada"])
    await connection.execute(TOKEN, token, workspace)
    await connection.execute("insert into process (id, workspace_id, name) values ($1, $2, 'p')", process, workspace)
    await connection.execute("insert into handshake (process_id, api_key_id, sealed) values ($1, $2, '')", process, key)

    await migrate(dsn)

    of_pair, of_key, of_token = sorted(await credentials(connection), key=lambda row: row["kind"] != "user_credential")
    assert (of_key["id"], of_key["number"], of_key["kind"]) == (key, 1001, "workspace_key")
    assert (of_key["name"], of_key["permissions"], of_key["use_count"]) == ("deploys", ["runs.read"], 7)
    assert (of_key["lookup"], of_key["sealed"], of_key["is_used"]) == (b"key", b"sealed key", True)
    assert (of_pair["id"], of_pair["user_id"], of_pair["identifier"]) == (pair, users["ada"], "123")
    assert (of_pair["sealed"], of_pair["workspace_id"]) == (b"secret", None)
    assert (of_token["id"], of_token["number"], of_token["worker_id"]) == (token, 1002, token)
    assert (of_token["lookup"], of_token["is_reusable"], of_token["is_used"]) == (b"token", False, False)
    await connection.execute("delete from credential where id = $1", key)
    assert await connection.fetchval("select count(*) from handshake") == 0


async def test_two_releases_see_the_same_credentials(room, tmp_path):
    """What one makes, renames, uses or deletes is so for the other; uses of both add up."""
    dsn, connection = room
    await migrated(dsn, tmp_path, post=False)
    organization, workspace, users = await people(connection, ada=False)
    key, pair, token = (uuid7() for _ in range(3))

    await connection.execute(KEY, key, workspace)
    await connection.execute(PAIR, pair, users["ada"])
    await connection.execute(TOKEN, token, workspace)
    await connection.execute("update api_key set use_count = use_count + 2, permissions = '{}', name = 'mine'")
    await connection.execute("update credential set use_count = use_count + 1 where id = $1", key)
    await connection.execute("update link_token set used_at = clock_now()")
    found = {row["kind"]: row for row in await credentials(connection)}
    assert (found["workspace_key"]["use_count"], found["workspace_key"]["permissions"]) == (10, [])
    assert await connection.fetchval("select use_count from api_key") == 10
    assert (found["workspace_key"]["name"], found["link_token"]["is_used"]) == ("mine", True)
    for table in ("api_key", "user_credential", "link_token"):
        await connection.execute(f"delete from {table}")
    assert await credentials(connection) == []

    made = """insert into credential (id, kind, organization_id, workspace_id, user_id, name, identifier, lookup,
                                      sealed)
              values ($1, $2, $3, $4, $5, 'n', $6, $7, '')"""
    await connection.execute(made, key, "workspace_key", organization, workspace, None, None, b"k")
    await connection.execute(made, pair, "user_credential", organization, None, users["ada"], "456", None)
    await connection.execute(made, token, "link_token", organization, workspace, None, None, b"t")
    await connection.execute("insert into linking (credential_id, is_reusable) values ($1, true)", token)
    await connection.execute("update credential set used_at = clock_now(), expires_at = '2999-01-01T00:00Z'")
    for table, id_ in (("api_key", key), ("user_credential", pair), ("link_token", token)):
        rows = await connection.fetch(f"select id from {table} where used_at is not null")
        assert [row["id"] for row in rows] == [id_], table
    await connection.execute("delete from credential")
    for table in ("api_key", "user_credential", "link_token"):
        assert await connection.fetchval(f"select count(*) from {table}") == 0, table
