"""A live server on a free port, and the cast: `ada` owns, `ben` operates, `cleo` is an outsider."""

import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from controlroom.app import Room, serving
from controlroom.engine.access.actions import create_api_key
from controlroom.engine.access.model import EVERYTHING, PERMISSIONS_OF_ROLE, Actor, Permission, Role, system
from controlroom.engine.engine import Engine
from controlroom.engine.workspaces.actions import create as create_workspace
from controlroom.ids import OrganizationId, WorkspaceId, uuid7
from controlroom.postgres.migrate import migrate
from controlroom.settings import Limits, Settings


@dataclass
class Live:
    """A server that answers at `url`."""

    room: Room
    url: str
    organization: OrganizationId

    @property
    def engine(self) -> Engine:
        return self.room.engine

    @property
    def admin(self) -> Actor:
        return system(self.organization)


@pytest.fixture(scope="session")
async def room(new_database: Callable[..., Awaitable[str]]):
    """One server for the tests of all dialects; each test has its own workspace in it."""
    folder = Path(tempfile.mkdtemp(prefix="controlroom-dialects-"))
    dsn = await new_database()
    await migrate(dsn)
    settings = Settings(
        data=folder,
        port=0,
        database_url=dsn,
        objects_url=f"file://{folder}/objects?fsync=off",
        limits=Limits(request_bytes=2_000_000, payload_bytes=1_000_000, file_bytes=20_000_000),
    )
    async with serving(settings) as (room, addresses):
        organization = await room.engine.database.value("select id from organization")
        yield Live(room, addresses.url, OrganizationId(organization))
    shutil.rmtree(folder)


@dataclass
class Person:
    """Somebody with an API key of one workspace, and a client that sends it."""

    actor: Actor
    key: str
    workspace: WorkspaceId
    http: httpx2.AsyncClient

    async def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Call the public API below the workspace."""
        return await self.http.request(method, f"/api/v1/workspaces/{self.workspace}{path}", **options)

    async def get(self, path: str, **params: Any) -> Any:
        """The answer of a GET that must succeed."""
        answer = await self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None) -> Any:
        """The answer of a POST that must succeed."""
        answer = await self.call("POST", path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


Hire = Callable[..., Awaitable[Person]]


@pytest.fixture
async def hire(room: Live):
    """Makes people: a key with some permissions in a workspace, and a client."""
    clients: list[httpx2.AsyncClient] = []

    async def create(name: str, workspace: WorkspaceId, permissions: frozenset[Permission]) -> Person:
        key, value = await create_api_key(room.engine, room.admin, workspace, name=name, permissions=permissions)
        actor = Actor(
            kind="api_key", id=key.id, name=name, organization_id=room.organization, grants={workspace: permissions}
        )
        client = httpx2.AsyncClient(
            base_url=room.url, headers={"Authorization": f"RC-WSKEY {value}"}, timeout=30, trust_env=False
        )
        clients.append(client)
        return Person(actor, value, workspace, client)

    yield create
    for client in clients:
        await client.aclose()


async def _new_workspace(room: Live) -> WorkspaceId:
    return (await create_workspace(room.engine, room.admin, f"workspace {uuid7()}")).id


@pytest.fixture
async def workspace(room: Live) -> WorkspaceId:
    """A workspace of this test alone."""
    return await _new_workspace(room)


@pytest.fixture
async def ada(hire: Hire, workspace: WorkspaceId) -> Person:
    """Owns the workspace: her key has every permission."""
    return await hire("ada", workspace, EVERYTHING)


@pytest.fixture
async def ben(hire: Hire, workspace: WorkspaceId) -> Person:
    """Operates in the same workspace."""
    return await hire("ben", workspace, PERMISSIONS_OF_ROLE[Role.OPERATOR])


@pytest.fixture
async def cleo(hire: Hire, room: Live) -> Person:
    """An outsider: owns another workspace of the same organization."""
    return await hire("cleo", await _new_workspace(room), EVERYTHING)
