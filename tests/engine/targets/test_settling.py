"""A project and its production are settled in one commit, and settled again without a change."""

import asyncio

import pytest

from controlroom.engine.access.scope import Of
from controlroom.engine.connections import logins
from controlroom.engine.connections.errors import ConnectionInvalid
from controlroom.engine.connections.model import DuckdbSettings, LoginChange, PostgresSettings
from controlroom.engine.packages import source_store
from controlroom.engine.packages.fetches import RefKind
from controlroom.engine.packages.source_store import OWN_BRANCH, Ref
from controlroom.engine.packages.sources import Wanted
from controlroom.engine.targets.model import Purpose
from controlroom.engine.targets.settling import Settlement, settle
from controlroom.engine.vault.errors import SecretNotFound
from controlroom.errors import Conflict, Forbidden

SERVER = PostgresSettings(host="db.example.com", database="shop")


async def test_what_is_missing_is_made(engine, root):
    """A workspace that is a project, a package, a file as its connection, a log-in and a production."""
    done = await settle(engine, root, Settlement(name="shop"))

    assert done.project.name == done.connection.name == "shop"
    assert (done.project.package_id, done.project.connection_id) == (done.package_id, done.connection.id)
    assert done.connection.settings == DuckdbSettings()
    assert (done.target.name, done.target.purpose) == ("Production", Purpose.PRODUCTION)
    assert (done.target.connection_id, done.target.login_id) == (done.connection.id, done.login.id)
    assert done.upload is None


async def test_the_same_again_changes_nothing(engine, root):
    """Ids, revisions and times stay; nothing is recorded."""
    asked = Settlement(
        name="shop 2", settings=SERVER, login=LoginChange(username="dbt", password="hush", schema_name="a", threads=2)
    )
    done = await settle(engine, root, asked)
    events = await engine.database.value("select count(*) from event")

    assert await settle(engine, root, asked) == done
    assert await settle(engine, root, Settlement(name="shop 2")) == done
    assert await engine.database.value("select count(*) from event") == events


async def test_what_is_to_be_otherwise_is_changed(engine, root):
    """Under the same ids; what is not named stays, the password too; another kind takes another connection."""
    done = await settle(engine, root, Settlement(name="shop 3", settings=SERVER, login=LoginChange(password="hush")))
    moved = PostgresSettings(host="other.example.com", database="shop")
    again = await settle(engine, root, Settlement(name="shop 3", settings=moved, login=LoginChange(schema_name="b")))

    assert (again.connection.id, again.login.id, again.target.id) == (done.connection.id, done.login.id, done.target.id)
    assert (again.connection.settings, again.login.schema_name) == (moved, "b")
    seen = Of(root.organization_id, (again.project.id,))
    assert (await logins.opened(engine.database, engine.keys, seen, done.login.id)).password == "hush"
    with pytest.raises(ConnectionInvalid):
        await settle(engine, root, Settlement(name="shop 3", settings=DuckdbSettings()))
    file = await settle(engine, root, Settlement(name="shop 3", connection="file", settings=DuckdbSettings()))
    assert (file.target.id, file.project.connection_id) == (done.target.id, file.connection.id)
    assert file.login.kind == "duckdb"


async def test_files_are_pushed_or_fetched(engine, root):
    """Each way takes the place of the other; what is fetched keeps its push hook."""
    fetched = Wanted(url="https://example.com/shop", ref=Ref(RefKind.BRANCH, OWN_BRANCH))
    done = await settle(engine, root, Settlement(name="shop 4", source=fetched))
    seen = Of(root.organization_id, (done.project.id,))
    source = await source_store.get(engine.database, seen, done.package_id)
    assert (source.url, source.wanted_at is None) == (fetched.url, False)

    pushed = await settle(engine, root, Settlement(name="shop 4", is_pushed=True))
    assert pushed.upload.target_id == done.package_id
    assert await source_store.get(engine.database, seen, done.package_id) is None
    with pytest.raises(SecretNotFound):
        await settle(
            engine,
            root,
            Settlement(name="shop 5", source=Wanted(url=fetched.url, ref=fetched.ref, secret_name="no")),
        )
    assert not await engine.database.value("select exists (select from workspace where name = 'shop 5')")


async def test_of_several_at_once_one_makes_it(engine, root):
    """The others find it made."""
    done = await asyncio.gather(*(settle(engine, root, Settlement(name="shop 6")) for _ in range(4)))
    assert len({each.target.id for each in done}) == 1


async def test_who_lacks_a_permission_is_told_which(engine, workspace, ada, ben, root):
    """Owners settle in their own workspace what needs nothing of the organization."""
    with pytest.raises(Forbidden, match=r"workspaces\.write"):
        await settle(engine, ada, Settlement(name="another"))
    name = await engine.database.value("select name from workspace where id = %(id)s", id=workspace)
    with pytest.raises(Forbidden):
        await settle(engine, ada, Settlement(name=name))
    with pytest.raises(Forbidden):
        await settle(engine, ben, Settlement(name=name))
    done = await settle(engine, root, Settlement(name=name))
    assert await settle(engine, ada, Settlement(name=name)) == done


async def test_a_workspace_that_is_not_seen_is_no_project_of_ours(engine, cleo, root, team):
    """Another organization's is unknown; one of ours in which we are not has its name taken."""
    done = await settle(engine, root, Settlement(name="shop 7"))
    assert done.project.organization_id == team.organization
    with pytest.raises((Forbidden, Conflict)):
        await settle(engine, cleo, Settlement(name="shop 7"))
