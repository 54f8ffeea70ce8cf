"""People of the organization who share secrets: `ada` and `ben` keep them, `dora` consumes, `root` governs."""

import pytest
from msgspec.structs import replace

from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.grants.store import add
from controlroom.engine.access.model import Permission, Role
from controlroom.engine.vault.shared import actions as secrets
from controlroom.engine.vault.shared.model import AttributeDefinition
from controlroom.ids import GrantId, RoleId, uuid7
from engine.conftest import new_user

KEEPING = frozenset({Permission.OWN_SECRETS})


@pytest.fixture
async def ada(engine, team):
    """Owns the workspace, and keeps secrets of the organization."""
    return replace(await new_user(engine, "ada", team.organization, team.workspace, Role.OWNER), throughout=KEEPING)


@pytest.fixture
async def ben(engine, team):
    """Operates in the workspace, and keeps secrets of the organization."""
    return replace(await new_user(engine, "ben", team.organization, team.workspace, Role.OPERATOR), throughout=KEEPING)


@pytest.fixture
async def dora(engine, team):
    """Has a place in the workspace, and nothing to do with any locker at first."""
    return await new_user(engine, "dora", team.organization, team.workspace, Role.VIEWER)


@pytest.fixture
def hold(engine, team):
    """Gives users a new role, everywhere or in a workspace; the role."""

    async def hold(*users, workspace=None) -> RoleId:
        role = RoleId(uuid7())
        await engine.database.execute(
            "insert into role (id, organization_id, name, permissions) values (%(id)s, %(of)s, %(name)s, '{}')",
            id=role,
            of=team.organization,
            name=str(role),
        )
        for user in users:
            await add(
                engine.database,
                team.organization,
                grant=GrantId(uuid7()),
                principal=Principal(PrincipalKind.USER, user.id),
                role=role,
                workspace=workspace,
            )
        return role

    return hold


@pytest.fixture
async def bank(engine, ada):
    """Ada's secret: a user name that is seen, a password that is masked, and a PIN that each user has."""
    return await secrets.create(
        engine,
        ada,
        name="bank",
        description="The bank",
        attributes=[
            AttributeDefinition(name="user"),
            AttributeDefinition(name="password", is_masked=True, is_password=True),
            AttributeDefinition(name="pin", is_user_provided=True, is_masked=True),
        ],
    )
