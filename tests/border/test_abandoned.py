"""Work for a caller who may go before its end."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from controlroom.border.abandoned import unless_left
from controlroom.errors import Conflict, Invalid


class Caller:
    """Somebody who waits for an answer until they go."""

    def __init__(self) -> None:
        self.has_gone = asyncio.Event()
        self._is_heard = False

    @property
    def request(self) -> Any:
        return SimpleNamespace(receive=self._receive)

    async def _receive(self) -> dict[str, Any]:
        if not self._is_heard:
            self._is_heard = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.has_gone.wait()
        return {"type": "http.disconnect"}


async def test_who_stays_gets_what_comes_of_it():
    """The value, or what went wrong."""

    async def work() -> int:
        return 7

    async def fails() -> int:
        raise Conflict("it is taken", code="TAKEN")

    assert await unless_left(Caller().request, work()) == 7
    with pytest.raises(Conflict, match="it is taken"):
        await unless_left(Caller().request, fails())


async def test_who_goes_has_it_ended_before_anything_else_is_done():
    """Cancelled, with what it clears away."""
    caller, told = Caller(), []

    async def work() -> None:
        try:
            caller.has_gone.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            told.append("cleared away")

    with pytest.raises(Invalid) as left:
        await unless_left(caller.request, work())
    assert left.value.code == "INTERRUPTED"
    assert told == ["cleared away"]


async def test_a_handler_that_is_cancelled_itself_leaves_nothing_behind():
    """Neither the work nor who listens for the caller."""
    before, begun = asyncio.all_tasks(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    handling = asyncio.create_task(unless_left(Caller().request, work()))
    await begun.wait()
    handling.cancel()
    await asyncio.wait({handling})
    await asyncio.sleep(0)
    assert handling.cancelled()
    assert asyncio.all_tasks() == before
