"""Connections, log-ins, profiles, attributes, and the versions of a file."""

import pytest

from controlroom.engine.access.errors import NotOfOrganization
from controlroom.engine.access.scope import scoped
from controlroom.engine.connections import actions, attributes, files, logins, named_profiles, profiles
from controlroom.engine.connections.errors import (
    ConnectionNotFound,
    ConnectionUsed,
    ExtendedAttributesNotFound,
    LoginNotFound,
    LoginUsed,
    ProfileKeyTaken,
)
from controlroom.engine.connections.model import (
    ConnectionChange,
    ConnectionKind,
    DuckdbSettings,
    LoginChange,
    LoginDefinition,
    Overrides,
    PostgresSettings,
)
from controlroom.engine.connections.named_profiles import ProfileChange
from controlroom.engine.connections.rules import MASK
from controlroom.engine.targets import actions as targets
from controlroom.engine.targets.model import TargetDefinition
from controlroom.errors import NotFound
from controlroom.ids import RunId, StepRunId, uuid7

SERVER = PostgresSettings(host="db.example", database="sales")
ADA = LoginDefinition(kind=ConnectionKind.POSTGRES, username="ada", password="hunter22", schema_name="marts")


async def test_a_file_has_a_lock_and_a_server_none(engine, root, team):
    """One run at a time writes a file: its lock is declared with it, and goes with it."""
    file = await actions.create(engine, root, name="Warehouse", settings=DuckdbSettings())
    await actions.create(engine, root, name="Sales", settings=SERVER)

    assert await _locks(engine, team) == [f"database:{file.number}"]

    gone = await actions.delete(engine, root, file.id)
    assert gone.deleted_at is not None
    assert await _locks(engine, team) == []
    with pytest.raises(ConnectionNotFound):
        await actions.get(engine, root, file.id)


async def test_connections_are_the_organizations(engine, root, ada, cleo, workspace):
    """An owner of a workspace makes none, and sees those that the workspace uses; an outsider sees none."""
    made = await actions.create(engine, root, name="Sales", settings=SERVER)

    with pytest.raises(NotOfOrganization):
        await actions.create(engine, ada, name="Mine", settings=SERVER)
    for other in (ada, cleo):
        with pytest.raises(ConnectionNotFound):
            await actions.get(engine, other, made.id)
    await targets.create(engine, root, workspace, TargetDefinition(name="Production", connection_id=made.id))

    assert (await actions.get(engine, ada, made.id)).target_count == 1
    with pytest.raises(ConnectionNotFound):
        await actions.get(engine, cleo, made.id)
    with pytest.raises(ConnectionUsed, match="Production"):
        await actions.delete(engine, root, made.id)


async def test_a_connection_changes_in_part(engine, root):
    """What is left out stays."""
    made = await actions.create(engine, root, name="Sales", settings=SERVER)

    named = await actions.edit(engine, root, made.id, ConnectionChange(name="Shop"))

    assert (named.name, named.settings) == ("Shop", SERVER)


async def test_a_password_goes_in_and_comes_out_for_plans_alone(engine, root, ada, workspace, seen):
    """A log-in tells that there is one; a mask keeps it, an empty text ends it."""
    connection = await actions.create(engine, root, name="Sales", settings=SERVER)
    made = await logins.create(engine, ada, workspace, ADA)

    assert made.has_password
    assert "hunter22" not in repr(made)
    assert b"hunter22" not in await engine.database.value(
        "select sealed from connection_login where id = %(login)s", login=made.id
    )
    await logins.edit(engine, ada, workspace, made.id, LoginChange(password=MASK, threads=2))
    opened = await profiles.profile_of(
        engine.database, engine.keys, seen, connection=connection.id, login=made.id, overrides=Overrides(schema="pr_1")
    )

    assert opened.output["password"] == "hunter22"
    assert (opened.secrets, opened.schema, opened.threads) == (("hunter22",), "pr_1", 2)
    assert "hunter22" not in repr(opened)
    assert not (await logins.edit(engine, ada, workspace, made.id, LoginChange(password=""))).has_password


async def test_outsiders_find_no_log_in(engine, ada, cleo, workspace, strange):
    """Neither by its workspace, nor by their own."""
    made = await logins.create(engine, ada, workspace, ADA)

    with pytest.raises(NotFound):
        await logins.delete(engine, cleo, workspace, made.id)
    with pytest.raises(LoginNotFound):
        await logins.get(engine.database, strange, made.id)


async def test_a_profile_is_a_connection_with_its_log_in(engine, root, ada, workspace, seen):
    """It goes before what a target says by itself, and what it names cannot go."""
    connection = await actions.create(engine, root, name="Sales", settings=SERVER)
    login = await logins.create(engine, ada, workspace, ADA)
    made = await named_profiles.create(engine, root, workspace, key="main", connection=connection.id, login=login.id)

    with pytest.raises(ProfileKeyTaken):
        await named_profiles.create(engine, root, workspace, key="main", connection=connection.id, login=login.id)
    with pytest.raises(LoginUsed, match="main"):
        await logins.delete(engine, ada, workspace, login.id)
    opened = await profiles.profile_of(engine.database, engine.keys, seen, connection=None, profile=made.id)
    assert opened.output["user"] == "ada"

    renamed = await named_profiles.edit(engine, ada, workspace, made.id, ProfileChange(key="other"))
    assert (renamed.key, renamed.connection_id) == ("other", connection.id)
    await named_profiles.delete(engine, ada, workspace, made.id)
    assert (await logins.delete(engine, ada, workspace, login.id)).deleted_at is not None


async def test_secrets_in_attributes_are_sealed(engine, root, ada, workspace, seen):
    """They are masked where they are shown, kept where the mask is brought back, and clear in the output."""
    connection = await actions.create(engine, root, name="Warehouse", settings=DuckdbSettings())
    made = await attributes.create(engine, ada, workspace, {"secrets": [{"secret": "s3cr3t!"}], "schema": "a"})

    assert "s3cr3t!" not in repr(made)
    changed = await attributes.replace(engine, ada, workspace, made.id, {**made.attributes, "schema": "b"})
    opened = await profiles.profile_of(
        engine.database, engine.keys, seen, connection=connection.id, attributes=changed.id
    )

    assert opened.output["secrets"] == [{"secret": "s3cr3t!"}]
    assert opened.schema == "b"
    assert opened.secrets == ("s3cr3t!",)
    await attributes.delete(engine, ada, workspace, made.id)
    with pytest.raises(ExtendedAttributesNotFound):
        await attributes.get(engine.database, seen, made.id)


async def test_the_latest_version_of_a_file_is_the_current_one(engine, root, team, seen):
    """What a step run brings counts from its end on, only so many are kept, and what was lost never counts."""
    connection = await actions.create(engine, root, name="Warehouse", settings=DuckdbSettings())
    lost, runs = StepRunId(uuid7()), [StepRunId(uuid7()) for _ in range(4)]

    async def bring(step_run, hash_):
        async with scoped(engine.database, seen) as tx:
            await files.bring(
                tx, connection=connection.id, run=RunId(uuid7()), step_run=step_run, attempt=1, hash_=hash_, size=7
            )

    await bring(lost, "lost")
    assert await files.current(engine.database, team.organization, connection.id) is None
    for number, step_run in enumerate(runs):
        await bring(step_run, f"hash {number}")
        async with scoped(engine.database, seen) as tx:
            assert await files.publish(tx, step_run, 2, most=2) is None  # another attempt than the one that brought it
            assert await files.publish(tx, step_run, 1, most=2) == number + 1

    kept = await files.versions(engine.database, team.organization, connection.id)
    assert [(each.version, each.hash) for each in kept] == [(4, "hash 3"), (3, "hash 2")]
    assert await files.current(engine.database, team.elsewhere, connection.id) is None
    async with scoped(engine.database, seen) as tx:
        assert await files.publish(tx, lost, 1, most=2) is None


async def _locks(engine, team):
    return await engine.database.all(
        str, "select name from run_lock where organization_id = %(organization)s", organization=team.organization
    )
