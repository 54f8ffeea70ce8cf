"""A live server, people who log in by the form, and what a page says."""

from dataclasses import dataclass

import httpx2
import pytest

from controlroom.engine.access import sessions
from controlroom.engine.access.actions import create_api_key  # noqa: F401 - what the fixtures of `live` need
from controlroom.engine.access.grants.actions import grant
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import Role
from controlroom.engine.access.passwords import hash_password
from controlroom.engine.access.roles.model import ADMIN
from controlroom.engine.access.users.actions import create_user
from controlroom.ids import SessionId, UserId, WorkspaceId, uuid7
from controlroom.keys import mint
from controlroom.ui.cookies import session_cookie
from live import (  # noqa: F401 - fixtures are found by being here
    Live,
    ada,
    ben,
    cleo,
    client_of,
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

    async def post(self, path: str, status: int | None = 303, **fields: str) -> httpx2.Response:
        """A form, as a page of ours posts it."""
        answer = await self.http.post(
            self.path(path), data=fields, headers={"Origin": str(self.http.base_url).rstrip("/")}
        )
        assert status in {None, answer.status_code}, answer.text
        return answer

    async def send(
        self, path: str, part: str, name: str, content: bytes, /, status: int = 303, **fields: str
    ) -> httpx2.Response:
        """A form with a file, as a page of ours sends it."""
        answer = await self.http.post(
            self.path(path),
            data=fields,
            files={part: (name, content, "application/octet-stream")},
            headers={"Origin": str(self.http.base_url).rstrip("/")},
        )
        assert answer.status_code == status, answer.text
        return answer

    def path(self, path: str) -> str:
        return path[1:] if path.startswith("//") else f"{self.base}{path}"


@pytest.fixture(scope="session")
async def password_hash() -> str:
    """The hash of PASSWORD. Why once: it takes a tenth of a second of a processor, and most tests have a visitor."""
    return await hash_password(PASSWORD)


@pytest.fixture
async def visit(room: Live, password_hash: str):  # noqa: F811 - the fixture
    """Makes users of a role in a workspace, who have logged in; by the form it is done in `test_session.py`."""
    clients = []

    async def come(workspace: WorkspaceId, role: Role = Role.OWNER) -> Browser:  # noqa: F811 - the fixture's
        username = f"user-{uuid7().hex[-12:]}"
        user = await create_user(room.engine, room.admin, workspace, username=username, password=None, role=role)
        await room.engine.database.execute(
            "update app_user set password_hash = %(hash)s where id = %(id)s", hash=password_hash, id=user.id
        )
        token = mint(sessions.SESSION_PREFIX)
        await sessions._add(room.engine.database, SessionId(uuid7()), user.id, room.engine.keys.lookup(token))
        client = client_of(room.url)
        clients.append(client)
        client.cookies.set(session_cookie(room.url), token, domain="127.0.0.1")
        number = await room.engine.database.value("select number from workspace where id = %(id)s", id=workspace)
        slug = (await client.get(f"/w/{number}/more")).headers["location"].split("/")[2]
        return Browser(client, user.id, username, f"/w/{slug}")

    yield come
    for client in clients:
        await client.aclose()


@pytest.fixture
def govern(visit, room):  # noqa: F811 - the fixture
    """Makes owners of a workspace who govern the organization, too."""

    async def come(workspace: WorkspaceId) -> Browser:  # noqa: F811 - the fixture's
        browser = await visit(workspace)
        await grant(room.engine, room.admin, Principal(PrincipalKind.USER, browser.user), ADMIN, None)
        return browser

    return come
