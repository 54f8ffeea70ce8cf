"""Apps that are made when they are first asked for."""

import asyncio
import threading

import pytest
from litestar import Litestar, get

from controlroom.border.later import Later


@get("/here")
async def here() -> str:
    return "here"


async def asked(app: Later, path: str = "/here") -> int:
    """The status of a GET."""
    told: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict) -> None:
        told.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "state": {}}
    await app(scope, receive, send)
    return told[0]["status"]


class Making:
    """Makes an app when it may, and counts how often."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.has_begun = threading.Event()
        self.times = 0
        self.thread: int | None = None

    def __call__(self) -> Litestar:
        self.times += 1
        self.thread = threading.get_ident()
        self.has_begun.set()
        assert self.may.wait(60)
        return Litestar([here], openapi_config=None)


async def test_an_app_is_made_when_it_is_first_asked_for_and_once():
    """Nobody who asks meanwhile has it made again, and the loop goes on beside it."""
    make = Making()
    app = Later(make)
    assert make.times == 0

    asking = [asyncio.create_task(asked(app)) for _ in range(3)]
    assert await asyncio.to_thread(make.has_begun.wait, 60)  # which only a loop that goes on can answer
    assert not any(each.done() for each in asking)
    make.may.set()

    assert await asyncio.gather(*asking) == [200, 200, 200]
    assert await asked(app) == 200
    assert await asked(app, "/nowhere") == 404
    assert make.times == 1
    assert make.thread != threading.get_ident()


async def test_who_goes_away_takes_the_app_from_nobody():
    """The one that had it begun is cancelled; who waits beside it is answered."""
    make = Making()
    app = Later(make)
    first = asyncio.create_task(asked(app))
    assert await asyncio.to_thread(make.has_begun.wait, 60)
    second = asyncio.create_task(asked(app))
    await asyncio.sleep(0)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    make.may.set()

    assert await second == 200
    assert make.times == 1


async def test_what_could_not_be_made_is_tried_again():
    """A request is told of the bug, and a later one finds the app when it can be made."""
    faults = [OSError("the disk is away")]

    def make() -> Litestar:
        if faults:
            raise faults.pop()
        return Litestar([here], openapi_config=None)

    app = Later(make)
    with pytest.raises(OSError, match="the disk is away"):
        await asked(app)
    assert await asked(app) == 200
