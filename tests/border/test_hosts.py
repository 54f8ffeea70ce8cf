"""The names by which a room may be called."""

import socket

import httpx2
import pytest

from controlroom.border.answers import JSON, answer
from controlroom.border.dispatcher import Dispatcher, Mount
from controlroom.border.hosts import Hosts
from controlroom.border.metrics import Metrics
from controlroom.border.origin import Origins

HOSTS = Hosts(
    listening_at="room.internal", public_url="https://Room.Example:8443/", allowed=["other.example", "*.below.example"]
)


async def _app(scope, receive, send):
    await answer(send, 200, b"{}", JSON)


async def called(*hosts: str, forwarded: str | None = None, version: str = "1.1", hosts_of: Hosts = HOSTS) -> int:
    """The status for a caller who names these hosts."""
    dispatcher = Dispatcher([Mount("/a", _app)], origins=Origins(None, ["10.0.0.1"]), metrics=Metrics(), hosts=hosts_of)
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"host", host.encode()) for host in hosts]
    if forwarded is not None:
        headers.append((b"x-forwarded-host", forwarded.encode()))
    scope = {
        "type": "http", "method": "GET", "path": "/a", "headers": headers, "query_string": b"",
        "client": ("10.0.0.1", 1), "http_version": version,
    }  # fmt: skip
    await dispatcher(scope, None, send)
    return sent[0]["status"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1:8170", "10.1.2.3", "[::1]:8170", "[fe80::1]", "8.8.8.8:80", "localhost", "LOCALHOST:1",
        "localhost.", "room.internal", "room.example:8443", "other.example:1", "a.below.example", "x.y.below.example",
        socket.gethostname(), f"{socket.gethostname()}:8170",
    ],
)  # fmt: skip
async def test_a_room_answers_to_its_names_and_every_address(host):
    """This machine's, the public one, those that are allowed; in any case, with any port."""
    assert await called(host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "room.example.evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "2130706433",
        "0x7f.1", "below.example", "evilbelow.example", "", "a b", "local host", "evil.example:127.0.0.1", "é",
        "127.0.0.1:80@evil.example", "127.0.0.1:x", "[::1]evil.example", "[::1]:80.evil.example", "127.0.0.1/evil",
        "localhost:80:80",
    ],
)  # fmt: skip
async def test_other_names_are_misdirected(host):
    """A page of anywhere cannot have its own name lead here."""
    assert await called(host) == 421


async def test_what_a_proxy_says_it_was_called_is_looked_at_too():
    """Neither of the two may be foreign: a page can set the one, and its name is the other."""
    assert await called("127.0.0.1", forwarded="room.example") == 200
    assert await called("127.0.0.1", forwarded="evil.example, room.example") == 421
    assert await called("evil.example", forwarded="room.example") == 421


async def test_a_request_names_one_host():
    """None or two is no HTTP/1.1; older clients name none."""
    assert await called() == 400
    assert await called("localhost", "localhost") == 400
    assert await called(version="1.0") == 200


async def test_every_name_may_be_allowed():
    """Where something in front sees to it."""
    anything = Hosts(listening_at="127.0.0.1", public_url=None, allowed=["*"])
    assert await called("evil.example", hosts_of=anything) == 200


async def test_a_foreign_name_is_told_how_to_be_allowed():
    """The answer says what is wrong, and by which setting it is mended."""
    dispatcher = Dispatcher([Mount("/a", _app)], origins=Origins(None, []), metrics=Metrics(), hosts=HOSTS)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(dispatcher), base_url="http://evil.example") as client:
        answered = await client.get("/a")
    assert answered.json()["error"]["code"] == "HOST_UNKNOWN"
    assert "CONTROLROOM_ALLOWED_HOSTS" in answered.json()["message"]
