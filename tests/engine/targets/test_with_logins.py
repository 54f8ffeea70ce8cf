"""A target and as whom it is used, made and changed at once."""

import pytest
from msgspec.structs import replace

from controlroom.engine.connections import logins
from controlroom.engine.connections.errors import LoginInvalid
from controlroom.engine.connections.model import ConnectionKind, LoginChange
from controlroom.engine.targets import actions, with_logins
from controlroom.engine.targets.errors import TargetInvalid, TargetNameTaken
from controlroom.engine.targets.model import TargetDefinition

DEFINITION = TargetDefinition(name="Production")
LOGIN = LoginChange(username="dbt", password="hush hush")


async def test_both_are_made_or_none(engine, ada, workspace, seen):
    """What is wrong with either leaves nothing."""
    made = await with_logins.create(engine, ada, workspace, DEFINITION, LOGIN)
    count = await engine.database.value("select count(*) from connection_login")
    for wrong, change, failure in (
        (DEFINITION, LOGIN, TargetNameTaken),
        (replace(DEFINITION, name="Live", uses_branch=True), LOGIN, TargetInvalid),
        (replace(DEFINITION, name="Live"), LoginChange(threads=-1), LoginInvalid),
    ):
        with pytest.raises(failure):
            await with_logins.create(engine, ada, workspace, wrong, change)

    found = await logins.get(engine.database, seen, made.login_id)
    assert (found.kind, found.username, found.has_password) == (ConnectionKind.DUCKDB, "dbt", True)
    assert await engine.database.value("select count(*) from connection_login") == count


async def test_both_are_changed_or_none(engine, ada, workspace, seen):
    """A target without a log-in gets one; one that has its own keeps it, with what is left out."""
    bare = await actions.create(engine, ada, workspace, TargetDefinition(name="Staging"))

    async def edit(login, **changes):
        return await with_logins.edit(engine, ada, workspace, bare.id, lambda before: replace(before, **changes), login)

    first = await edit(LoginChange(schema_name="marts"), name="Stage")
    with pytest.raises(LoginInvalid):
        await edit(LoginChange(threads=-1), name="X")
    with pytest.raises(TargetInvalid):
        await edit(LoginChange(threads=9), uses_branch=True)
    second = await edit(LoginChange(threads=8))

    assert (second.name, second.login_id) == ("Stage", first.login_id)
    found = await logins.get(engine.database, seen, first.login_id)
    assert (found.schema_name, found.threads) == ("marts", 8)
