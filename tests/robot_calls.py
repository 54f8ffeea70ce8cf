"""A robot as our own API sees it: its calls, with the token of its step run."""

import httpx2

from controlroom.protocol import Assignment


class Robot:
    """A robot process with the token of its step run."""

    def __init__(self, http: httpx2.AsyncClient, assignment: Assignment) -> None:
        self.http = http
        self.assignment = assignment

    async def ask(self, method: str, path: str, **options) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.assignment.token}"} | options.pop("headers", {})
        return await self.http.request(method, f"/robot/v1{path}", headers=headers, **options)

    async def call(self, method: str, path: str, **options) -> httpx2.Response:
        return await self.ask(method, f"/items{path}", **options)

    async def told(self, method: str, path: str, **options) -> dict:
        answer = await self.call(method, path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def reserve(self) -> dict | None:
        return (await self.told("POST", "/reserve"))["item"]

    async def release(self, item: str, outcome: str = "done", **more) -> httpx2.Response:
        return await self.call("POST", f"/{item}/release", json={"outcome": outcome, **more})

    async def output(self, item: str, key: str, payload=None, **more) -> httpx2.Response:
        return await self.call("POST", f"/{item}/outputs", json={"key": key, "payload": payload, **more})
