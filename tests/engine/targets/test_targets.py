"""Targets: what a workspace's commands work on."""

import pytest
from msgspec.structs import replace

from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Role
from controlroom.engine.connections import actions as connections
from controlroom.engine.connections import logins
from controlroom.engine.connections.errors import ConnectionNotFound, LoginUnfit
from controlroom.engine.connections.model import ConnectionKind, DuckdbSettings, LoginDefinition, PostgresSettings
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, Within, equal
from controlroom.engine.targets import actions, profiles, store
from controlroom.engine.targets.errors import TargetInvalid, TargetNameTaken, TargetNotFound
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Purpose, Target, TargetDefinition, TargetKind
from controlroom.engine.tenancy import SEEN
from controlroom.errors import Forbidden, NotFound


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": TargetKind.DEVELOPMENT, "purpose": Purpose.PRODUCTION},
        {"branch": "--upload-pack=x"},
        {"uses_branch": True},
        {"tool_version": "1.11; rm"},
        {"tool_version": "zz"},
        {"subdirectory": "../other"},
    ],
)
async def test_a_target_can_be_worked_on(engine, ada, workspace, wrong):
    """What makes no sense is refused, and nothing is there."""
    with pytest.raises(TargetInvalid):
        await actions.create(engine, ada, workspace, TargetDefinition(name="Production", **wrong))


async def test_a_target_is_made_replaced_and_gone(engine, ada, workspace, seen):
    """Whole each time; a deleted one is found by who asks for deleted ones, and its name is free again."""
    made = await actions.create(engine, ada, workspace, TargetDefinition(name="Production", purpose=Purpose.PRODUCTION))

    assert made.created_by == ada.id
    with pytest.raises(TargetNameTaken):
        await actions.create(engine, ada, workspace, TargetDefinition(name="Production"))
    changed = await actions.replace(engine, ada, workspace, made.id, TargetDefinition(name="Live", branch="main"))
    assert (changed.name, changed.purpose, changed.branch) == ("Live", None, "main")

    assert (await actions.delete(engine, ada, workspace, made.id)).deleted_at is not None
    with pytest.raises(TargetNotFound):
        await store.get(engine.database, seen, made.id)
    await actions.create(engine, ada, workspace, TargetDefinition(name="Live"))
    within, asked = Within.one(SEEN, **seen.params), Asked(length=9, filter=equal(is_there=False))
    assert [each.id for each in await pages.rows(engine.database, Target, TARGETS, within, asked)] == [made.id]


async def test_who_may(engine, ada, cleo, workspace):
    """A viewer changes nothing, an outsider finds nothing."""
    viewer = replace(ada, grants={workspace: PERMISSIONS_OF_ROLE[Role.VIEWER]})

    with pytest.raises(Forbidden):
        await actions.create(engine, viewer, workspace, TargetDefinition(name="Production"))
    with pytest.raises(NotFound):
        await actions.create(engine, cleo, workspace, TargetDefinition(name="Production"))


async def test_a_target_names_what_is_there_and_fits(engine, root, ada, workspace):
    """Not a connection that its maker does not see, nor a log-in of another kind."""
    file = await connections.create(engine, root, name="Warehouse", settings=DuckdbSettings())
    login = await logins.create(engine, ada, workspace, LoginDefinition(kind=ConnectionKind.POSTGRES, username="ada"))

    with pytest.raises(ConnectionNotFound):
        await actions.create(engine, ada, workspace, TargetDefinition(name="Mine", connection_id=file.id))
    unfit = TargetDefinition(name="Mine", connection_id=file.id, login_id=login.id)
    with pytest.raises(LoginUnfit):
        await actions.create(engine, root, workspace, unfit)


async def test_a_target_without_a_connection_has_its_projects(engine, root, ada, workspace, seen):
    """What the project says is worked on where the target says nothing."""
    server = await connections.create(engine, root, name="Sales", settings=PostgresSettings(host="h", database="d"))
    login = await logins.create(engine, ada, workspace, LoginDefinition(kind=ConnectionKind.POSTGRES, username="ada"))
    target = await actions.create(engine, ada, workspace, TargetDefinition(name="Production", login_id=login.id))

    opened = await profiles.profile_of(engine.database, engine.keys, seen, target, of_project=server.id)

    assert (opened.connection.id, opened.output["user"]) == (server.id, "ada")
