"""A project that is deleted takes along what was only for it, and its name is free."""

import msgspec
import pytest

from controlroom.engine.access.scope import Of
from controlroom.engine.assets import actions as assets
from controlroom.engine.connections import logins
from controlroom.engine.connections.errors import LoginNotFound
from controlroom.engine.connections.model import LoginChange
from controlroom.engine.connections.store import get as get_connection
from controlroom.engine.packages import store as packages
from controlroom.engine.packages.errors import PackageNotFound
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import PackageCommands, ProcessDefinition, StepDefinition
from controlroom.engine.projects import store as projects
from controlroom.engine.projects.errors import ProjectNotEmpty, ProjectNotFound
from controlroom.engine.targets import store as targets
from controlroom.engine.targets.dissolving import dissolve
from controlroom.engine.targets.errors import TargetNotFound
from controlroom.engine.targets.settling import Settlement, settle
from controlroom.errors import NotFound
from controlroom.protocol import Command


async def test_all_that_was_for_it_goes(engine, root, cleo):
    """Target, log-in with its password, package and workspace; the connection stays, and the name is free."""
    made = await settle(engine, root, Settlement(name="shop", login=LoginChange(password="hush")))
    seen = Of(root.organization_id, (made.project.id,))
    with pytest.raises(NotFound):
        await dissolve(engine, cleo, made.project.id)

    gone = await dissolve(engine, root_in(root, made.project.id), made.project.id)

    assert (gone.id, gone.state) == (made.project.id, "deleted")
    assert await projects.find(engine.database, seen) is None
    assert await get_connection(engine.database, root.organization_id, made.connection.id) is not None
    again = await settle(engine, root, Settlement(name="shop"))
    assert again.project.id != made.project.id
    assert again.connection.id == made.connection.id


async def test_what_else_is_there_keeps_the_workspace(engine, workspace, root):
    """And nothing of the project is in it."""
    name = await engine.database.value("select name from workspace where id = %(id)s", id=workspace)
    made = await settle(engine, root, Settlement(name=name))
    seen = Of(root.organization_id, (workspace,))
    await assets.create(engine, root, workspace, "ours")

    await dissolve(engine, root, workspace)

    assert await engine.database.value("select deleted_at is null from workspace where id = %(id)s", id=workspace)
    with pytest.raises(TargetNotFound):
        await targets.get(engine.database, seen, made.target.id)
    with pytest.raises(LoginNotFound):
        await logins.get(engine.database, seen, made.login.id)
    with pytest.raises(PackageNotFound):
        await packages.get(engine.database, seen, made.package_id)
    with pytest.raises(ProjectNotFound):
        await dissolve(engine, root, workspace)


async def test_jobs_come_first(engine, workspace, root):
    """The refusal names them, and nothing goes."""
    name = await engine.database.value("select name from workspace where id = %(id)s", id=workspace)
    made = await settle(engine, root, Settlement(name=name))
    commands = PackageCommands(made.package_id, (Command(name="dbt build", words=("dbt", "build")),))
    await processes.create(
        engine, root, workspace, ProcessDefinition(name="nightly", steps=(StepDefinition(name="dbt", work=commands),))
    )

    with pytest.raises(ProjectNotEmpty, match="nightly"):
        await dissolve(engine, root, workspace)
    seen = Of(root.organization_id, (workspace,))
    assert (await targets.get(engine.database, seen, made.target.id)).id == made.target.id


def root_in(root, workspace):
    """The admin, as they are known once the workspace is there."""
    return msgspec.structs.replace(root, grants=root.grants | {workspace: root.throughout})
