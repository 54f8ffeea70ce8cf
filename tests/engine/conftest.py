"""A real engine for tests of the domain: its own database (migrated, copied), its own objects, a fresh team each test.

The database lasts for a test module; every test has its own organization and workspace in it, so that no test sees what
another has left. A test that needs an empty database asks for `empty_engine`.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from controlroom.engine.access.model import EVERYTHING, PERMISSIONS_OF_ROLE, Actor, ActorKind, Permission, Role
from controlroom.engine.engine import Engine
from controlroom.engine.wakes import Wakes
from controlroom.ids import OrganizationId, UserId, WorkspaceId, uuid7
from controlroom.keys import Keys
from controlroom.objects.links import Links
from controlroom.objects.store import ObjectStore
from controlroom.postgres.database import Database
from controlroom.postgres.migrate import migrate
from controlroom.postgres.notify import Listener, Notifier
from controlroom.settings import Limits


@asynccontextmanager
async def running_engine(dsn: str, objects: Path, *, keys: Keys | None = None, limits: Limits | None = None):
    """An engine as a server has it, on a migrated database; several with the same keys are the servers of one room."""
    keys = keys or Keys(secrets.token_bytes(32))
    database = await Database.connect(dsn, min_size=1, max_size=8)
    notifier, listener = Notifier(database), Listener(dsn)
    wakes = Wakes(notifier, listener)
    await notifier.start()
    await listener.start()
    yield Engine(
        database=database,
        objects=ObjectStore.open(objects, fsync="off"),
        keys=keys,
        links=Links(keys.link_key),
        wakes=wakes,
        limits=limits or Limits(),
    )
    wakes.close()
    await listener.stop()
    await notifier.stop()
    await database.close()


@pytest.fixture(scope="session")
async def migrated(new_database) -> str:
    """The address of a migrated database, to copy; nobody connects to it."""
    dsn = await new_database()
    await migrate(dsn)
    return dsn


@pytest.fixture(scope="module")
async def engine_dsn(new_database, migrated) -> str:
    """The address of the module's database, migrated and empty at first."""
    return await new_database(migrated)


@pytest.fixture(scope="module")
async def engine(engine_dsn, tmp_path_factory) -> AsyncIterator[Engine]:
    """The module's engine."""
    async with running_engine(engine_dsn, tmp_path_factory.mktemp("objects")) as engine:
        yield engine


@pytest.fixture
async def empty_engine(new_database, migrated, tmp_path) -> AsyncIterator[Engine]:
    """An engine on a database in which nobody has done anything yet."""
    async with running_engine(await new_database(migrated), tmp_path / "objects") as engine:
        yield engine


@dataclass(frozen=True)
class Team:
    """An organization with one workspace, and a second organization beside it."""

    organization: OrganizationId
    workspace: WorkspaceId
    elsewhere: OrganizationId
    other_workspace: WorkspaceId


@pytest.fixture
async def team(engine) -> Team:
    """A fresh organization and workspace, and those of strangers."""
    return await new_team(engine)


async def new_team(engine: Engine) -> Team:
    """Write an organization with a workspace, twice."""
    team = Team(OrganizationId(uuid7()), WorkspaceId(uuid7()), OrganizationId(uuid7()), WorkspaceId(uuid7()))
    for organization, workspace in (
        (team.organization, team.workspace),
        (team.elsewhere, team.other_workspace),
    ):
        await engine.database.execute("insert into organization (id, name) values (%(id)s, 'Acme')", id=organization)
        await engine.database.execute(
            "insert into workspace (id, organization_id, name) values (%(id)s, %(organization)s, 'Default')",
            id=workspace,
            organization=organization,
        )
    return team


async def new_user(
    engine: Engine,
    name: str,
    organization: OrganizationId,
    workspace: WorkspaceId,
    role: Role,
) -> Actor:
    """Write a user with a place in a workspace, and give the actor that they are."""
    user = UserId(uuid7())
    await engine.database.execute(
        """
        insert into app_user (id, organization_id, username, first_name)
        values (%(id)s, %(organization)s, %(name)s, initcap(%(name)s))
        """,
        id=user,
        organization=organization,
        name=name,
    )
    await engine.database.execute(
        "insert into member (workspace_id, user_id, role) values (%(workspace)s, %(user)s, %(role)s)",
        workspace=workspace,
        user=user,
        role=role,
    )
    return Actor(
        kind=ActorKind.USER,
        id=user,
        name=name,
        organization_id=organization,
        grants={workspace: PERMISSIONS_OF_ROLE[role]},
    )


@pytest.fixture
def workspace(team) -> WorkspaceId:
    """The workspace that ada owns."""
    return team.workspace


@pytest.fixture
async def ada(engine, team) -> Actor:
    """Owns the workspace."""
    return await new_user(engine, "ada", team.organization, team.workspace, Role.OWNER)


@pytest.fixture
async def ben(engine, team) -> Actor:
    """Operates in the workspace."""
    return await new_user(engine, "ben", team.organization, team.workspace, Role.OPERATOR)


@pytest.fixture
async def cleo(engine, team) -> Actor:
    """An outsider: owns another organization's workspace and must see nothing of ours."""
    return await new_user(engine, "cleo", team.elsewhere, team.other_workspace, Role.OWNER)


@pytest.fixture
async def root(engine, team) -> Actor:
    """An admin of the organization."""
    user = await new_user(engine, "root", team.organization, team.workspace, Role.OWNER)
    await engine.database.execute("update app_user set is_admin = true where id = %(id)s", id=user.id)
    return Actor(
        kind=user.kind,
        id=user.id,
        name=user.name,
        organization_id=user.organization_id,
        grants=user.grants,
        is_admin=True,
    )


def allowed(actor: Actor, workspace: WorkspaceId, *permissions: Permission) -> Actor:
    """The same actor with these permissions only."""
    assert set(permissions) <= EVERYTHING
    return Actor(
        kind=actor.kind,
        id=actor.id,
        name=actor.name,
        organization_id=actor.organization_id,
        grants={workspace: frozenset(permissions)},
    )
