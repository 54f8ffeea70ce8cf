"""A live server, people who log in by the form, and what a page says."""

from dataclasses import dataclass

import httpx2
import pytest

from controlroom.engine.access.actions import create_api_key  # noqa: F401 - what the fixtures of `live` need
from controlroom.engine.access.model import Role
from controlroom.engine.access.users.actions import create_user
from controlroom.ids import UserId, WorkspaceId, uuid7
from live import (  # noqa: F401 - fixtures are found by being here
    Live,
    ada,
    ben,
    cleo,
    hire,
    process,
    room,
    stranger,
    walt,
    workspace,
)

PASSWORD = "a long password of a test"


@dataclass
class Browser:
    """Somebody in a browser: cookies are kept, and what is posted says from where."""

    http: httpx2.AsyncClient
    user: UserId
    username: str
    base: str

    async def get(self, path: str, status: int = 200, **headers: str) -> str:
        """A page below the workspace, or at a whole path that begins with two slashes."""
        answer = await self.http.get(self.path(path), headers={"Accept": "text/html", **headers})
        assert answer.status_code == status, answer.text
        return answer.text

    async def post(self, path: str, status: int = 303, **fields: str) -> httpx2.Response:
        """A form, as a page of ours posts it."""
        answer = await self.http.post(
            self.path(path), data=fields, headers={"Origin": str(self.http.base_url).rstrip("/")}
        )
        assert answer.status_code == status, answer.text
        return answer

    def path(self, path: str) -> str:
        return path[1:] if path.startswith("//") else f"{self.base}{path}"


@pytest.fixture
async def visit(room: Live):  # noqa: F811 - the fixture
    """Makes users of a role in a workspace, who log in."""
    clients = []

    async def come(workspace: WorkspaceId, role: Role = Role.OWNER) -> Browser:  # noqa: F811 - the fixture's
        username = f"user-{uuid7().hex[-12:]}"
        user = await create_user(room.engine, room.admin, workspace, username=username, password=PASSWORD, role=role)
        client = httpx2.AsyncClient(base_url=room.url, timeout=120, trust_env=False)
        clients.append(client)
        answer = await client.post(
            "/login", data={"username": username, "password": PASSWORD, "to": "/"}, headers={"Origin": room.url}
        )
        assert answer.status_code == 303, answer.text
        number = await room.engine.database.value("select number from workspace where id = %(id)s", id=workspace)
        slug = (await client.get(f"/w/{number}/more")).headers["location"].split("/")[2]
        return Browser(client, user.id, username, f"/w/{slug}")

    yield come
    for client in clients:
        await client.aclose()
