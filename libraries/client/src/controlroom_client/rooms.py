"""What both clients' operations stand on: a room, its nouns, and lists in pages."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Self, TypeVar

from controlroom_client.calls import Calls
from controlroom_client.exchanges import Exchanges
from controlroom_client.operations import Operation, Values
from controlroom_client.plain import PATIENCE, TIMEOUT, PlainClient, context
from controlroom_client.steps import Do, Ended, Pause, Steps, onwards_async

T = TypeVar("T")

CONNECTIONS = 16
"""At once, of an asynchronous client. Why: a room on two cores answers no faster to more."""


class Room(PlainClient):
    """A room, for threads that wait."""


class Pages(Generic[T]):
    """A list of a room. To iterate asks for one page after the other, each when its first row is wanted.

    It may be iterated again, which asks again. `list(pages)` is all of it.
    """

    def __init__(self, room: Room, steps: Callable[[], Steps[None]]) -> None:
        self._room = room
        self._steps = steps

    def __iter__(self) -> Iterator[T]:
        return self._room.iterate(self._steps())

    def first(self) -> T | None:
        """The first row; None if there is none."""
        return next(iter(self), None)


class Noun:
    """What can be done with one kind of things."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def _do(self, operation: Operation, path: Values, query: Values, body: Values) -> Any:
        return self._room.run(operation.done(self._room.api, path, query, body))

    def _each(self, operation: Operation, path: Values, query: Values, _body: Values, page_size: int) -> Pages[Any]:
        return Pages(self._room, lambda: operation.each(self._room.api, path, query, page_size))


class AsyncRoom:
    """A room, for tasks of asyncio. What blocks is done by a few threads of its own."""

    def __init__(
        self,
        url: str,
        workspace: str,
        key: str,
        *,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        trust: Callable[[], ssl.SSLContext] = context,
        connections: int = CONNECTIONS,
        scheme: str = "RC-WSKEY",
    ) -> None:
        self.api = Calls(Exchanges(trust, timeout), url, workspace, key, scheme=scheme, patience=patience)
        self.threads = ThreadPoolExecutor(connections, thread_name_prefix="controlroom-client")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End all connections."""
        self.api.exchanges.close()
        self.threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, steps: Steps[T]) -> T:
        """Take all steps of a call. Who is cancelled meanwhile ends the exchange, too."""
        with contextlib.closing(steps):
            ended = await onwards_async(steps, self._wait)
        assert isinstance(ended, Ended)  # noqa: S101 - what gives is iterated
        value: T = ended.value
        return value

    async def iterate(self, steps: Steps[Any]) -> AsyncIterator[Any]:
        """What steps give, one after the other."""
        with contextlib.closing(steps):
            while not isinstance(given := await onwards_async(steps, self._wait), Ended):
                yield given.value

    async def _wait(self, step: Do | Pause) -> Any:
        if isinstance(step, Pause):
            return await asyncio.sleep(step.seconds)
        doing = asyncio.get_running_loop().run_in_executor(self.threads, step.call)
        try:
            return await doing
        except asyncio.CancelledError:
            step.abort()
            raise


class AsyncPages(Generic[T]):
    """A list of a room. `async for` asks for one page after the other, each when its first row is wanted.

    It may be iterated again, which asks again.
    """

    def __init__(self, room: AsyncRoom, steps: Callable[[], Steps[None]]) -> None:
        self._room = room
        self._steps = steps

    def __aiter__(self) -> AsyncIterator[T]:
        return self._room.iterate(self._steps())

    async def first(self) -> T | None:
        """The first row; None if there is none."""
        async for row in self:
            return row
        return None

    async def all(self) -> list[T]:
        """All rows."""
        return [row async for row in self]


class AsyncNoun:
    """What can be done with one kind of things."""

    def __init__(self, room: AsyncRoom) -> None:
        self._room = room

    async def _do(self, operation: Operation, path: Values, query: Values, body: Values) -> Any:
        return await self._room.run(operation.done(self._room.api, path, query, body))

    def _each(
        self, operation: Operation, path: Values, query: Values, _body: Values, page_size: int
    ) -> AsyncPages[Any]:
        return AsyncPages(self._room, lambda: operation.each(self._room.api, path, query, page_size))
