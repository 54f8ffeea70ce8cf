"""Who calls in this grammar: users of the organization with a token, not keys of a workspace.

`root` governs the organization; `ben_user` operates in the test's workspace; `nobody` has no place anywhere. Others
are enrolled: `await enrol("cleo", role=Role.VIEWER, workspace=workspace)`. What `live.py` has is there beside them:
`ada` with her key (she makes processes by the management API), `walt` the worker, `process`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from controlroom.engine.access import jwts
from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import Actor, Role
from controlroom.engine.access.roles.model import ADMIN, OF_MEMBERS
from controlroom.engine.access.scope import scoped
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.access.users.store import add_user
from controlroom.ids import GrantId, UserId, WorkspaceId, uuid7
from live import Live, client_of


@dataclass
class Caller:
    """A user with a token, and a client that sends it in `X-Authorization`."""

    actor: Actor
    number: int
    token: str
    http: httpx2.AsyncClient

    async def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Any answer."""
        return await self.http.request(method, path, **options)

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET that must succeed."""
        return _told(await self.call("GET", path, **({"params": params} if params else {})))

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """The JSON of a POST that must succeed, by this status.

        Who asks for no page of a list must get all, and who asks for a size must get less: others share the room.
        """
        told = _told(await self.call("POST", path, json=body), status)
        assert _has_asked(body) or not _is_cut(told), f"{path} is cut: ask for a page, or for `rows`"
        assert not _is_full(body, told), f"{path} may be cut: ask as one who sees only the test's workspace"
        return told

    async def put(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Likewise, of a PUT."""
        return _told(await self.call("PUT", path, json=body), status)

    async def delete(self, path: str, *, status: int = 204) -> None:
        """A DELETE that must succeed."""
        _told(await self.call("DELETE", path), status)

    async def rows(self, path: str, field: str = "", value: Any = None, **body: Any) -> list[Any]:
        """The rows of a list, all unless a page is asked for; of those where a field has a value, if one is named."""
        if field:
            body["filter"] = {"operator": "eq", "field": field, "value": value}
        told = _told(await self.call("POST", path, json=body))
        rows: list[Any] = told["list"]
        while not _has_asked(body) and _is_cut(told):
            page = {"offset": len(rows), "length": len(told["list"])}
            told = _told(await self.call("POST", path, json={**body, "page": page}))
            assert told["list"], f"{path} tells of more rows than it has"
            rows += told["list"]
        return rows


def _has_asked(body: Any) -> bool:
    return isinstance(body, dict) and "page" in body


def _is_cut(told: Any) -> bool:
    """Whether more rows follow those of a page."""
    if not isinstance(told, dict) or not isinstance(page := told.get("page"), dict):
        return False
    return int(page.get("offset", 0)) + len(told.get("list", ())) < int(page.get("totalFilter", 0))


def _is_full(body: Any, told: Any) -> bool:
    """Whether there are as many rows as were asked for, so that more may have been left out."""
    if not isinstance(body, dict) or "size" not in body or not isinstance(told, dict):
        return False
    return any(isinstance(rows, list) and len(rows) >= int(body["size"]) for rows in told.values())


def _told(answer: httpx2.Response, status: int = 200) -> Any:
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    return answer.json() if answer.content else None


Enrol = Callable[..., Awaitable[Caller]]


@pytest.fixture
async def enrol(room: Live):
    """Makes users who are logged in."""
    clients: list[httpx2.AsyncClient] = []

    async def create(
        name: str, *, is_admin: bool = False, role: Role | None = None, workspace: WorkspaceId | None = None
    ):
        engine, organization = room.engine, room.organization
        async with scoped(engine.database, organization) as tx:
            user = await add_user(
                tx, user=UserId(uuid7()), organization=organization, username=f"{name}-{uuid7()}", password_hash=None
            )
            for wanted, where in ((ADMIN if is_admin else None, None), (role and OF_MEMBERS[role], workspace)):
                if wanted is not None:
                    principal = Principal(PrincipalKind.USER, user.id)
                    await grants.add(
                        tx, organization, grant=GrantId(uuid7()), principal=principal, role=wanted, workspace=where
                    )
        actor = await actor_of_user(engine.database, user.id)
        token = (await jwts.issue(engine, actor, life=timedelta(hours=1))).token
        client = client_of(room.url, **{"X-Authorization": token})
        clients.append(client)
        return Caller(actor, user.number, token, client)

    yield create
    for client in clients:
        await client.aclose()


@pytest.fixture
async def root(enrol: Enrol) -> Caller:
    """Governs the organization."""
    return await enrol("root", is_admin=True)


@pytest.fixture
async def ben_user(enrol: Enrol, workspace: WorkspaceId) -> Caller:
    """Operates in the workspace of the test."""
    return await enrol("ben", role=Role.OPERATOR, workspace=workspace)


@pytest.fixture
async def nobody(enrol: Enrol) -> Caller:
    """Is a user of the room, and may do nothing."""
    return await enrol("nobody")
