"""The limit of a key's requests: what is above is answered 429, as the document says of every operation."""

import dataclasses

import httpx2

from controlroom.app import asgi
from controlroom.settings import Limits


async def test_every_operation_is_documented_to_be_limited(stranger):
    """Whoever makes a client from the document knows that each of its calls may have to wait."""
    document = (await stranger.get("/api/v1/openapi.json")).json()
    silent = [
        f"{method} {path}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "429" not in operation["responses"]
    ]
    assert silent == []


async def test_a_key_that_asks_too_often_is_told_when_to_come_again(room, ada, ben):
    """The error has the form of all others, and names the seconds; another key is not touched."""
    limited = dataclasses.replace(room.engine, limits=Limits(requests_per_second=0.1, requests_burst=2))
    app = asgi(dataclasses.replace(room.room, engine=limited))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as client:

        async def ask(key: str) -> httpx2.Response:
            return await client.get(f"/api/v1/workspaces/{ada.workspace}", headers={"Authorization": f"RC-WSKEY {key}"})

        assert [(await ask(ada.key)).status_code for _ in range(2)] == [200, 200]
        refused = await ask(ada.key)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "TOO_MANY_REQUESTS")
        assert 0 < int(refused.headers["retry-after"]) <= 10
        assert (await ask(ben.key)).status_code == 200
