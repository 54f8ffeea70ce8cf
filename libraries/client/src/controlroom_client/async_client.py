"""The client for tasks of asyncio."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from ssl import SSLContext
from typing import Any

import msgspec

from controlroom_client.calls import Progress, in_silence
from controlroom_client.client import Filled, filled, where
from controlroom_client.following import Event, following, waiting
from controlroom_client.plain import PATIENCE, TIMEOUT, context
from controlroom_client.rooms import CONNECTIONS
from controlroom_client.transfers import Source, Target, attach, fetch, fill_asset, push
from controlroom_client.written import models
from controlroom_client.written.async_nouns import AsyncNouns


class AsyncClient(AsyncNouns):
    """Everything that the management API of a control room can do, for asyncio.

        async with AsyncClient("https://room.example.com", workspace="…", key="…") as client:
            async for run in client.process_runs.list(state="unresolved"):
                print(run.id, run.process.name)

    It is `Client`, whose help tells the rest, with `await` before every verb and `async for` over lists and `follow`.
    At most `connections` calls are under way at once; more wait. Whoever is cancelled ends the exchange: whether
    the room did what was asked is not known then.
    """

    def __init__(
        self,
        url: str | None = None,
        workspace: str | None = None,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        ca_file: str | None = None,
        trust: Callable[[], SSLContext] | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        super().__init__(
            *where(url, workspace, key),
            timeout=timeout,
            patience=patience,
            trust=trust or partial(context, ca_file),
            connections=connections,
        )

    def within(self, workspace: str) -> "AsyncClient":
        """A client of the same room for another workspace, over the same connections."""
        other = AsyncClient.__new__(AsyncClient)
        other.api = self.api.within(workspace)
        other.threads = self.threads
        return other

    async def get(self, path: str, **query: object) -> Any:
        """The object at a path of the workspace, or at a whole address that the room gave."""
        return await self.run(self.api.json("GET", self.api.locate(path, query)))

    async def post(self, path: str, body: object = None) -> Any:
        """The answer to a POST of a JSON body (none if None)."""
        return await self.run(self.api.json("POST", self.api.locate(path), body))

    async def put(self, path: str, body: object) -> Any:
        """The answer to a PUT of a JSON body."""
        return await self.run(self.api.json("PUT", self.api.locate(path), body))

    async def delete(self, path: str) -> Any:
        """The answer to a DELETE."""
        return await self.run(self.api.json("DELETE", self.api.locate(path)))

    def each(self, path: str, *, at_most: int | None = None, **query: object) -> AsyncIterator[dict[str, Any]]:
        """Every object of a list, over all its pages, up to a number."""
        return self.iterate(self.api.rows(path, at_most, query))

    async def push(
        self, source: Source, name: str, *, folder: str = "", progress: Progress = in_silence
    ) -> models.TaskPackage:
        """Upload a robot's zip as a task package; one of that name gets a new version."""
        return msgspec.convert(await self.run(push(self.api, source, name, folder, progress)), models.TaskPackage)

    async def attach(
        self, item_id: str, source: Source, *, name: str | None = None, progress: Progress = in_silence
    ) -> None:
        """Upload a file into a work item; it replaces one of the same name."""
        await self.run(attach(self.api, item_id, source, name, progress))

    async def fill_asset(
        self,
        asset_id: str,
        source: Source,
        *,
        content_type: str = "application/octet-stream",
        progress: Progress = in_silence,
    ) -> Filled:
        """Upload a file as the new content of an asset."""
        return filled(await self.run(fill_asset(self.api, asset_id, source, content_type, progress)))

    async def download(self, url: str, out: Target, progress: Progress = in_silence, *, is_signed: bool = True) -> int:
        """Write what a link of the room leads to into a file; how many bytes that was."""
        return await self.run(fetch(self.api, url, out, progress, is_signed=is_signed))

    def follow(self, run_id: str) -> AsyncIterator[Event]:
        """What happens in a run, as it happens, until it has ended."""
        return self.iterate(following(self.api, run_id))

    async def wait(self, run_id: str) -> models.ProcessRun:
        """Wait until a run has ended; the run as it then is."""
        return msgspec.convert(await self.run(waiting(self.api, run_id)), models.ProcessRun)
