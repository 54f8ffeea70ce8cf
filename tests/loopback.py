"""A PostgreSQL that only has a socket, at an address of loopback: for programs that know addresses alone."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@contextmanager
def on_loopback(dsn: str) -> Iterator[dict[str, Any]]:
    """Host, port, user, password and database of it, while the block lasts. Serves from a thread of its own."""
    parts = urlsplit(dsn)
    [folder] = parse_qs(parts.query)["host"]
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(_serving(Path(folder)))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield {
            "host": "127.0.0.1",
            "port": server.sockets[0].getsockname()[1],
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "dbname": parts.path[1:],
        }
    finally:
        asyncio.run_coroutine_threadsafe(_closed(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


async def _serving(folder: Path) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = next(str(path) for path in folder.glob(".s.PGSQL.*[0-9]"))
        inner = await asyncio.open_unix_connection(path)
        await asyncio.gather(_pipe(reader, inner[1]), _pipe(inner[0], writer), return_exceptions=True)

    return await asyncio.start_server(connected, "127.0.0.1", 0)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _closed(server: asyncio.Server) -> None:
    server.close()
    current = asyncio.current_task()
    for task in asyncio.all_tasks() - {current}:
        task.cancel()
