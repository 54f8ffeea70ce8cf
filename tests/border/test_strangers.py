"""What strangers may do to a server: little, and not for long. Known callers may take their time."""

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager

import msgspec
import pytest

from controlroom import tls
from controlroom.border.answers import JSON, answer, error_body
from controlroom.border.arrivals import BodyTooLarge, BodyTooSlow, claimed, known
from controlroom.border.origin import Origins
from controlroom.border.strangers import Strangers
from controlroom.errors import ControlRoomError
from controlroom.host.listeners import Listener, SecureListener
from controlroom.settings import Limits

HASTE = Limits(
    head_seconds=0.3,
    stranger_body_seconds=0.3,
    stall_seconds=0.6,
    stranger_connections=20,
    stranger_connections_per_address=5,
)
"""Deadlines that a test can wait for."""
PATIENCE = Limits()


class App:
    """Knows who says `/known`, and counts the bytes of bodies; `/unread` answers without looking at one."""

    def __init__(self):
        self.came = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.refused: list[str] = []
        self.seen = 0

    async def __call__(self, scope, receive, send):
        scope["state"] = {}
        self.came.set()
        path = scope["path"]
        if path.startswith("/known"):
            known(scope, "ada")
        if path.startswith("/claimed"):
            claimed(scope, "robot")
        if path.endswith("/later"):
            await self.may_answer.wait()
        try:
            size = 0 if path.endswith("/unread") else await self._size(receive)
        except ControlRoomError as refused:
            self.refused.append(refused.code)
            status = {BodyTooLarge: 413, BodyTooSlow: 408}.get(type(refused), 503)
            await answer(send, status, error_body(refused.code, refused.message), JSON)
            return
        status = 401 if path.endswith("/refused") else 200
        body = b"x" * 50_000_000 if path.endswith("/much") else b"%d" % size
        await answer(send, status, body, JSON)

    async def _size(self, receive) -> int:
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return size
            size += len(message["body"])
            self.seen = size
            if not message["more_body"]:
                return size


class Line:
    """A client's connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def say(self, text: bytes) -> None:
        self.writer.write(text)

    def ask(self, path: str, *headers: str, method: str = "GET") -> None:
        self.say("\r\n".join([f"{method} {path} HTTP/1.1", "host: room", *headers, "", ""]).encode())

    async def status(self) -> int:
        """The status of the next answer, whose body is read with it."""
        return (await self.answer())[0]

    async def answer(self) -> tuple[int, bytes, bytes]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        return int(head.split(b" ")[1]), head, await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """All that comes until the server ends the connection."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""


class Server:
    """What serves an app, and its clients."""

    def __init__(self, listener, port, app, strangers):
        self.listener, self.port, self.app, self.strangers = listener, port, app, strangers
        self.lines = []

    async def call(self, source: str = "127.0.0.1", **options) -> Line:
        line = Line(*await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0), **options))
        self.lines.append(line)
        return line


class _Told(Listener):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.listens.set()


class _ToldSecure(SecureListener):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.listens.set()


@asynccontextmanager
async def serving(limits: Limits, origins: Origins | None = None, context=None):
    app, strangers = App(), Strangers(limits, origins)
    listener = _Told(app, strangers) if context is None else _ToldSecure(app, strangers, context)
    listener.listens = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        task = asyncio.create_task(listener.serve([listening]))
        await listener.listens.wait()
        server = Server(listener, listening.getsockname()[1], app, strangers)
        try:
            yield server
        finally:
            for line in server.lines:
                line.writer.transport.abort()
            listener.should_exit = True
            await task


def code_of(answered: bytes) -> str:
    return msgspec.json.decode(answered.partition(b"\r\n\r\n")[2])["error"]["code"]


# ---------------------------------------------------------------------------------------------------- heads
@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nhost: room\r\nx-slow: 1\r\n",
        b"GET /",
        b"\r\n\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: room\r\ncontent-length: 5\r\n",
    ],
)
async def test_a_head_that_does_not_come_is_waited_for_no_longer(sent):
    """The connection is told so, and ends."""
    async with serving(HASTE) as server:
        line = await server.call()
        line.say(sent)

        assert code_of(await line.rest()) == "REQUEST_TOO_SLOW"


async def test_who_says_nothing_at_all_is_dropped():
    """A connection without a byte ends like a slow head, without a word."""
    async with serving(HASTE) as server:
        assert await (await server.call()).rest() == b""
        assert len(server.strangers) == 0


async def test_a_slow_head_on_a_known_callers_connection_ends_too():
    """Who called before may be another than who calls now: a head is never known."""
    async with serving(HASTE) as server:
        line = await server.call()
        line.ask("/known")
        assert await line.status() == 200
        line.say(b"GET /known HTTP/1.1\r\n")

        assert code_of(await line.rest()) == "REQUEST_TOO_SLOW"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nhost: room\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: room\r\nx: " + b"a" * 40_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: room\r\n" + b"x: y\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nhost: room\r\n" + b"x: y\r\n" * 200,
        b"GET / HTTP/1.1\r\nhost: room\r\nx: " + b"a" * 40_000,
        b"\r\n" * 20_000,
    ],
)
async def test_a_head_is_small(head):
    """32 KB and 128 headers, whether it comes to an end or not, from everybody."""
    async with serving(PATIENCE) as server:
        line = await server.call()
        line.say(head)

        assert code_of(await line.rest()) == "HEAD_TOO_LARGE"
        assert not server.app.came.is_set()


async def test_a_head_of_30_kb_is_taken():
    """Also when it comes in one piece with a large body."""
    async with serving(PATIENCE) as server:
        line = await server.call()
        line.say(b"POST /known HTTP/1.1\r\nhost: room\r\ncontent-length: 200000\r\nx: " + b"a" * 30_000 + b"\r\n\r\n")
        line.say(b"b" * 200_000)

        assert (await line.answer())[2] == b"200000"


async def test_many_requests_before_an_answer_are_refused():
    """A few may wait for their turn, not thousands."""
    async with serving(PATIENCE) as server:
        few, many = await server.call(), await server.call()
        few.say(b"GET / HTTP/1.1\r\nhost: room\r\n\r\n" * 10)
        many.say(b"GET / HTTP/1.1\r\nhost: room\r\n\r\n" * 5_000)

        assert [await few.status() for _ in range(10)] == [200] * 10
        assert (await many.rest()).count(b"200 OK") < 20


# ---------------------------------------------------------------------------------------------------- bodies
async def test_a_strangers_body_is_small():
    """64 KB are taken, more is not: announced, not even asked for; else when it is too much."""
    async with serving(PATIENCE) as server:
        line = await server.call()
        line.ask("/", "content-length: 65536", method="POST")
        line.say(b"a" * 65_536)
        assert await line.status() == 200

        line.ask("/", "content-length: 65537", "expect: 100-continue", method="POST")
        status, head, _ = await line.answer()
        assert (status, b"connection: close" in head) == (413, True)
        assert await line.rest() == b""

        chunked = await server.call()
        chunked.ask("/", "transfer-encoding: chunked", method="POST")
        chunked.say(b"8000\r\n" + b"a" * 0x8000 + b"\r\n")
        chunked.say(b"8000\r\n" + b"a" * 0x8000 + b"\r\n")
        chunked.say(b"1\r\na\r\n")
        assert await chunked.status() == 413
        assert server.app.seen <= 65_536


async def test_a_refused_body_is_not_kept():
    """Whoever sends on is told why, and read no longer than a request may be; nothing of it stays in memory."""
    limits = Limits(request_bytes=3_000_000, git_hook_bytes=3_000_000)
    async with serving(limits) as server:
        patient = await server.call()
        patient.ask("/", "content-length: 2000000", method="POST")
        patient.say(b"a" * 2_000_000)
        assert await patient.status() == 413
        assert await patient.rest() == b""

        endless = await server.call()
        endless.ask("/unread", "content-length: 900000000", method="POST")
        assert await endless.status() == 200
        with pytest.raises(ConnectionError):
            await _send_for_ever(endless)


async def _send_for_ever(line: Line) -> None:
    while True:
        line.say(b"a" * 1_000_000)
        await line.writer.drain()


async def test_a_known_callers_body_may_be_large():
    """As large as the app takes it, in any form, also when the caller asks before sending it."""
    async with serving(PATIENCE) as server:
        line = await server.call()
        line.ask("/known", "content-length: 3000000", "expect: 100-continue", method="POST")
        assert await line.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.say(b"a" * 3_000_000)
        assert (await line.answer())[2] == b"3000000"
        line.ask("/known", "transfer-encoding: chunked", method="POST")
        for _ in range(10):
            line.say(b"10000\r\n" + b"a" * 0x10000 + b"\r\n")
        line.say(b"0\r\n\r\n")
        status, head, body = await line.answer()
        assert (status, body, b"connection: close" in head) == (200, b"655360", False)


async def test_a_strangers_body_comes_in_time():
    """However regularly its bytes trickle in."""
    async with serving(HASTE) as server:
        line = await server.call()
        line.ask("/", "content-length: 100", method="POST")
        trickling = asyncio.create_task(_trickle(line))

        assert await line.status() == 408
        assert await line.rest() == b""
        trickling.cancel()
        assert server.app.refused == ["REQUEST_TOO_SLOW"]


async def _trickle(line: Line) -> None:
    loop = asyncio.get_running_loop()
    while not line.writer.transport.is_closing():
        line.say(b"a")
        beat = loop.create_future()
        loop.call_later(0.02, beat.set_result, None)
        await beat


async def test_a_known_callers_body_may_take_its_time_but_not_stand_still():
    """No deadline for the whole; one for each silence."""
    async with serving(HASTE) as server:
        line = await server.call()
        line.ask("/known", "content-length: 1000", method="POST")
        trickling = asyncio.create_task(_trickle(line))
        loop = asyncio.get_running_loop()
        later = loop.time() + 3 * HASTE.stall_seconds
        while loop.time() < later:
            seen = server.app.seen
            while server.app.seen == seen:
                server.app.came.clear()
                beat = loop.create_future()
                loop.call_later(0.02, beat.set_result, None)
                await beat
        assert server.app.refused == []
        trickling.cancel()

        assert await line.status() == 408
        assert await line.rest() == b""


async def test_a_body_behind_its_answer_is_not_waited_for():
    """A stranger who was answered before the body came has nothing more to say."""
    async with serving(HASTE) as server:
        line = await server.call()
        line.ask("/unread", "content-length: 1000", method="POST")
        status, head, _ = await line.answer()

        assert (status, b"connection: close" in head) == (200, True)
        assert await line.rest() == b""


async def test_endless_trailers_are_no_request():
    """What a chunked body ends with is nobody's, and not kept."""
    async with serving(PATIENCE) as server:
        line = await server.call()
        line.ask("/known", "transfer-encoding: chunked", method="POST")
        line.say(b"1\r\na\r\n0\r\nx: " + b"a" * 500_000)
        assert b"INVALID_REQUEST" in await line.rest()

        many = await server.call()
        many.ask("/known", "transfer-encoding: chunked", method="POST")
        many.say(b"1\r\na\r\n0\r\n" + b"x: y\r\n" * 1_000)
        assert b"HEAD_TOO_LARGE" in await many.rest()


async def test_an_answer_that_nobody_takes_ends_the_connection():
    """A caller who asks for much and reads nothing is dropped, known or not."""
    async with serving(HASTE) as server:
        for path in ("/much", "/known/much"):
            line = await server.call(limit=1024)
            line.writer.transport.pause_reading()
            line.ask(path)
            await server.app.came.wait()
            server.app.came.clear()
            [guest] = server.strangers._guests
            while guest in server.strangers._guests:
                await asyncio.sleep(0.05)  # nothing tells when a connection is forgotten


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nhost: room\r\n",
        b"POST / HTTP/1.1\r\nhost: room\r\ncontent-length: 10\r\n\r\nabc",
        b"",
    ],
)
async def test_a_half_closed_connection_ends(sent):
    """Who will say no more is not waited for."""
    async with serving(PATIENCE) as server:
        line = await server.call()
        line.say(sent)
        line.writer.write_eof()

        await line.rest()
        while server.strangers._guests:
            await asyncio.sleep(0.01)  # nothing tells when a connection is forgotten


# ---------------------------------------------------------------------------------------------------- connections
async def _counted(server: Server, wanted: int) -> None:
    while len(server.strangers) != wanted:
        await asyncio.sleep(0.01)  # nothing tells when it is counted


async def test_strangers_of_one_address_make_way():
    """Those that have waited longest; other addresses are not concerned, nor is who is known or being answered."""
    limits = Limits(stranger_connections_per_address=5, stranger_connections=100)
    async with serving(limits) as server:
        friend = await server.call("127.0.0.9")
        friend.ask("/known")
        assert await friend.status() == 200
        waiting = await server.call("127.0.0.9")
        waiting.ask("/later")
        other = await server.call("127.0.0.8")
        other.say(b"GET /")
        crowd = []
        for _ in range(12):
            crowd.append(await server.call("127.0.0.9"))
            crowd[-1].say(b"GET /")

        dropped = [await line.rest() for line in crowd[:8]]
        assert {code_of(answered) for answered in dropped} == {"CROWDED"}
        server.app.may_answer.set()
        assert await waiting.status() == 200
        for line in (crowd[-1], other):
            line.say(b" HTTP/1.1\r\nhost: room\r\n\r\n")
            assert await line.status() == 200
        friend.ask("/known")
        assert await friend.status() == 200


async def test_strangers_are_counted_by_the_address_that_a_proxy_names():
    """Behind a trusted proxy; nobody else is believed, and known callers are not counted at all."""
    limits = Limits(stranger_connections_per_address=3)
    async with serving(limits, Origins(None, ["127.0.0.1"])) as server:
        for number in range(6):
            line = await server.call()
            line.ask("/later", "x-forwarded-for: 6.6.6.6, 2001:db8::1" if number % 2 else "x-forwarded-for: 1.2.3.4")
            other = await server.call("127.0.0.7")
            other.ask("/later", f"x-forwarded-for: 1.1.1.{number}")
            friend = await server.call()
            friend.ask("/known/later", "x-forwarded-for: 1.2.3.4")
            robot = await server.call()
            robot.ask("/claimed/later", "x-forwarded-for: 1.2.3.4")
        while {place: len(here) for place, here in server.strangers._at.items()} != {
            "1.2.3.4": 3,
            "2001:db8::/64": 3,
            "127.0.0.7": 6,
        }:
            await asyncio.sleep(0.01)  # nothing tells when it is counted
        server.app.may_answer.set()


async def test_a_connection_counts_by_its_last_caller():
    """Known: not any more; a stranger again: again. A robot whose token turned out to be worth nothing is one, too."""
    async with serving(PATIENCE) as server:
        line = await server.call()
        for path, counted in (("/known", 0), ("/", 1), ("/claimed", 0), ("/claimed/refused", 1), ("/known/refused", 0)):
            line.ask(path)
            await line.status()
            assert len(server.strangers) == counted, path


async def test_there_are_not_more_strangers_than_the_room_has_place_for():
    """From however many addresses: the longest waiting go; far too many at once are sent away."""
    limits = Limits(stranger_connections=10, stranger_connections_per_address=10)
    async with serving(limits) as server:
        lines = [await server.call(f"127.0.1.{number + 1}") for number in range(30)]
        assert len(server.strangers) <= 21
        for line in lines[:10]:
            assert await line.rest() == b""
        await _counted(server, 10)
        friend = await server.call("127.0.2.1")
        friend.ask("/known")
        assert await friend.status() == 200


# ---------------------------------------------------------------------------------------------------- TLS
@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of a private authority: for the server, and for its callers."""
    folder = tmp_path_factory.mktemp("tls")
    context = tls.context(*tls.certificate(folder, ["localhost", "127.0.0.1"]))
    return context, ssl.create_default_context(cafile=str(folder / "ca.pem"))


async def test_over_tls_all_of_it_holds(certificate):
    """Handshakes come in time and are counted; then it is as without."""
    context, trusting = certificate
    handshakes_take_time = msgspec.structs.replace(HASTE, head_seconds=1.0)
    async with serving(handshakes_take_time, context=context) as server:
        silent = await server.call()
        half = await server.call()
        half.say(b"\x16\x03\x01\x02\x00\x01")
        plain = await server.call()
        plain.say(b"GET / HTTP/1.1\r\nhost: room\r\n\r\n")
        for line in (silent, half, plain):
            await line.rest()

        slow = await server.call(ssl=trusting, server_hostname="localhost")
        slow.say(b"GET /")
        assert code_of(await slow.rest()) == "REQUEST_TOO_SLOW"

        friend = await server.call(ssl=trusting, server_hostname="localhost")
        friend.ask("/known", "content-length: 1000000", method="POST")
        friend.say(b"a" * 1_000_000)
        assert (await friend.answer())[2] == b"1000000"
        assert len(server.strangers) == 0

        large = await server.call(ssl=trusting, server_hostname="localhost")
        large.ask("/", "content-length: 1000000", method="POST")
        large.say(b"a" * 1_000_000)
        assert await large.status() == 413
        assert await large.rest() == b""


async def test_handshakes_make_way(certificate):
    """Who opens connections and never speaks TLS is a crowd like any other."""
    context, _ = certificate
    async with serving(Limits(stranger_connections_per_address=3), context=context) as server:
        lines = [await server.call("127.0.0.6") for _ in range(8)]
        for line in lines[:5]:
            await line.rest()
        await _counted(server, 3)
