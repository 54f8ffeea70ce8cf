"""What nobody waits for any more is not gone on with: no server cancels a handler because its caller has hung up."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from litestar import Request

from controlroom.errors import Invalid

R = TypeVar("R")


async def until_left(request: Request[Any, Any, Any]) -> None:
    """Wait until the caller of a request, whose body has been read, has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def unless_left(request: Request[Any, Any, Any], work: Coroutine[Any, Any, R]) -> R:
    """What comes of the work; it is cancelled when the caller goes.

    Raises what the work raises; Invalid `INTERRUPTED`, which nobody reads but the log.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(until_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Invalid("The request was interrupted.", code="INTERRUPTED")
        return working.result()
    finally:
        leaving.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})  # a statement, or a process aside, ends before its place is free
