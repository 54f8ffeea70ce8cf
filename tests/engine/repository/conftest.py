"""A repository with a robot in it, and somebody who has rights in folders by a role alone."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from tests.engine.packages.conftest import robot_yaml, zipped

from controlroom.engine.access.grants.actions import grant
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import Actor
from controlroom.engine.access.passwords import hash_password
from controlroom.engine.access.roles.actions import create_role
from controlroom.engine.access.users import store as users
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.engine import Engine
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, equal
from controlroom.engine.packages.actions import push
from controlroom.engine.repository import nodes
from controlroom.engine.repository.model import ListedNode, Node, Right
from controlroom.engine.repository.nodes import Words, listing
from controlroom.engine.repository.rights import rights_of
from controlroom.ids import UserId, uuid7
from controlroom.objects.store import Blob

NODES = listing(
    Words(root="Robots", root_name="Robots", separator="/", folder_type="folder", task_type="bot", label="live")
)


@dataclass
class Tree:
    """Reads a repository as somebody sees it."""

    engine: Engine

    async def all(self, actor: Actor, right: Right = Right.VIEW, **where: object) -> list[ListedNode]:
        """All that somebody sees, by path."""
        rights = await rights_of(self.engine.database, actor)
        asked = Asked(filter=equal(**where), length=100)
        rows = await pages.rows(self.engine.database, ListedNode, NODES, rights.seen(right), asked)
        return sorted(rows, key=lambda row: row.path)

    async def paths(self, actor: Actor, right: Right = Right.VIEW, **where: object) -> list[str]:
        """Likewise, the paths alone."""
        return [row.path for row in await self.all(actor, right, **where)]

    async def node(self, actor: Actor, path: str) -> Node:
        """What somebody sees at a path."""
        [row] = await self.all(actor, path=path)
        return await nodes.get(self.engine.database, await rights_of(self.engine.database, actor), row.id)


@pytest.fixture
def tree(engine) -> Tree:
    """The repository."""
    return Tree(engine)


@pytest.fixture
def zip_of(engine):
    """Stores a robot with these tasks."""

    async def store(*tasks: str, content: str = "print()") -> Blob:
        return await engine.objects.put_bytes(zipped(robot_yaml=robot_yaml(*tasks), tasks_py=content))

    return store


@pytest.fixture
async def invoices(engine, ada, workspace, zip_of):
    """A package with two tasks."""
    return (await push(engine, ada, workspace, "invoices", await zip_of("Read", "Write"))).package


@dataclass
class Clerk:
    """A user of the organization who is a member of no workspace, and the role that they hold."""

    engine: Engine
    id: UserId
    role: UUID
    organization: UUID

    async def actor(self) -> Actor:
        """Who they are now."""
        found = await actor_of_user(self.engine.database, self.id)
        assert found is not None
        return found


@pytest.fixture
async def clerk(engine, root, team) -> Clerk:
    """Dora, who holds a role without a permission."""
    user = UserId(uuid7())
    await users.add_user(
        engine.database,
        user=user,
        organization=team.organization,
        username="dora",
        password_hash=await hash_password("correct horse"),
    )
    role = await create_role(engine, root, name="clerks", description="", permissions=set())
    await grant(engine, root, Principal(PrincipalKind.USER, user), role.id, None)
    return Clerk(engine, user, role.id, team.organization)
