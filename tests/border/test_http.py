"""How answers leave: head and body together, and nothing later than it would by itself."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import uvicorn
from uvicorn.server import ServerState

from controlroom.border.http import Protocol


@asynccontextmanager
async def asking(app):
    """A client's connection to a server of one app."""
    config = uvicorn.Config(app, interface="asgi3", lifespan="off", log_config=None, access_log=False)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Protocol(config, state, {}), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


def answering(*parts: bytes, length: int | None = None):
    """An app that answers these parts of a body."""

    async def app(scope, receive, send):
        size = sum(map(len, parts)) if length is None else length
        headers = [(b"content-length", b"%d" % size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


async def test_head_and_body_are_read_at_once():
    """A client that waits for an answer is woken once, for each request of a connection."""
    async with asking(answering(b'{"is": "whole"}')) as (reader, writer):
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nhost: room\r\n\r\n")
            answer = await reader.read(65_536)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b'\r\n\r\n{"is": "whole"}')


async def test_a_head_does_not_wait_for_a_stream():
    """What a stream has to say first may come much later than its head."""
    may_speak = asyncio.Event()

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await may_speak.wait()
        await send({"type": "http.response.body", "body": b"HTTP/1.1 is spoken here", "more_body": False})

    async with asking(app) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: room\r\n\r\n")
        assert b"chunked" in await reader.readuntil(b"\r\n\r\n")
        may_speak.set()
        assert await reader.readuntil(b"0\r\n\r\n") == b"17\r\nHTTP/1.1 is spoken here\r\n0\r\n\r\n"


async def test_large_bodies_come_whole():
    """However large, and in however many parts."""
    parts = [bytes([number]) * 300_000 for number in range(5)]
    async with asking(answering(*parts)) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: room\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(1_500_000) == b"".join(parts)


@pytest.mark.parametrize("request_", [b"HEAD / HTTP/1.1\r\nhost: room\r\n\r\n", b"nonsense\r\n\r\n"])
async def test_a_head_without_a_body_is_sent(request_):
    """Also when nothing follows it, or the connection is closed behind it."""
    async with asking(answering(length=0)) as (reader, writer):
        writer.write(request_)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 ")


async def test_a_connection_closes_behind_its_answer():
    """The whole answer is there before the end."""
    async with asking(answering(b"all")) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: room\r\nconnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"\r\n\r\nall")
