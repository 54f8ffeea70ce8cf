"""Who calls in this grammar: whoever has a token; `account` is the path of the room's organization.

`cloud` calls with ada's key, whose workspace is the project of the test; `as_` makes such a caller of anybody's token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from dialects.dbt_cloud.site import Site, make_site
from live import Live, Person, Worker, client_of


@dataclass
class Cloud:
    """A caller: paths are below the account, in version 2, unless they begin with `/`."""

    http: httpx2.AsyncClient
    account: int
    project: int
    """The number of the workspace of the test."""

    def address(self, path: str) -> str:
        """Whole: `jobs/` is `/api/v2/accounts/<account>/jobs/`, and `v3:users/` is of version 3."""
        if path.startswith("/"):
            return path
        version = "v3" if path.startswith("v3:") else "v2"
        return f"/api/{version}/accounts/{self.account}/{path.removeprefix('v3:')}"

    async def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Any answer."""
        return await self.http.request(method, self.address(path), **options)

    async def get(self, path: str, **params: Any) -> Any:
        """`data` of a GET that must succeed; of a list all rows, unless a page is asked for."""
        answer = await self.call("GET", path, **({"params": params} if params else {}))
        data, is_whole = _data(answer), bool(_PAGE & answer.request.url.params.keys())
        while not is_whole and _is_cut(answer.json(), len(data)):
            answer = await self.call("GET", path, params={**answer.request.url.params, "offset": len(data)})
            more = _data(answer)
            assert more, f"{path} tells of more rows than it has"
            data += more
        return data

    async def listed(self, path: str, **params: Any) -> Any:
        """A list as it is answered: `data` and `extra`. Who asks for no page must get all: others share the room."""
        answer = await self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert _PAGE & params.keys() or not _is_cut(told, len(told["data"])), f"{path} is cut: ask for a page"
        return told

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """`data` of a POST that must succeed."""
        return _data(await self.call("POST", path, json=body), status)

    async def delete(self, path: str) -> Any:
        """`data` of a DELETE that must succeed."""
        return _data(await self.call("DELETE", path))


_PAGE = {"limit", "offset"}


def _is_cut(told: Any, count: int) -> bool:
    """Whether a list has more than `count` rows."""
    pagination = (told.get("extra") or {}).get("pagination")
    return pagination is not None and pagination["total_count"] > count


def _data(answer: httpx2.Response, status: int = 200) -> Any:
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    told = answer.json()
    assert told["status"]["code"] == status
    assert told["status"]["is_success"] is True
    return told["data"]


@pytest.fixture
async def as_(room: Live, workspace):
    """Makes callers of tokens."""
    clients: list[httpx2.AsyncClient] = []
    account = await room.number()
    project = await room.engine.database.value("select number from workspace where id = %(id)s", id=workspace)
    await room.engine.database.execute("insert into project (workspace_id) values (%(id)s)", id=workspace)

    def caller(token: str) -> Cloud:
        client = client_of(room.url, Authorization=f"Token {token}")
        clients.append(client)
        return Cloud(client, account, project)

    yield caller
    for client in clients:
        await client.aclose()


@pytest.fixture
async def cloud(as_: Callable[[str], Cloud], ada: Person) -> Cloud:
    """Calls with ada's key."""
    return as_(ada.key)


@pytest.fixture
async def site(room: Live, ada: Person, walt: Worker) -> Site:
    """Ada's workspace as a project, whose runs walt works."""
    return await make_site(room, ada, walt)
