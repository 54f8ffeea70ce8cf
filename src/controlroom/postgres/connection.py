"""One connection, as all of ours are: prepared statements kept, JSON undecoded, dead peers noticed."""

import contextlib
import functools
import os
import select
import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import msgspec

from controlroom import trust
from controlroom.postgres.release import session_name

_encode = msgspec.json.Encoder().encode

_SETTINGS = {
    "timezone": "UTC",
    # Why 10 s: a server that hangs in a transaction keeps rows locked; its loops shall be taken over within 10 s.
    "idle_in_transaction_session_timeout": "10s",
    # Why: a statement whose client was killed ends, and its locks with it; otherwise it is worked off for nobody.
    "client_connection_check_interval": "1s",
}


class Connection(asyncpg.Connection):  # type: ignore[misc]  # the driver is untyped
    """A connection that can tell whether its peer has hung up, before anything is sent."""

    idle_since: float = 0.0
    _poll: "select.poll | None" = None

    def watch(self) -> None:
        """Begin to watch the socket."""
        transport = self._transport
        peer = transport.get_extra_info("socket")
        self._poll = select.poll()
        self._poll.register(peer.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        if peer.family == socket.AF_UNIX:
            return
        # Why: after a failover the old host may be silent for ever. A dead one is noticed within about 15 s.
        with contextlib.suppress(OSError, AttributeError):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 15_000)

    def has_news(self) -> bool:
        """Whether something waits to be read while nothing was asked: mostly that the server has hung up.

        Costs a microsecond; it spares a request the error of a connection that died while it was idle.
        """
        return self._poll is not None and bool(self._poll.poll(0))


@functools.lru_cache(maxsize=8)
def tls_of(dsn: str) -> ssl.SSLContext | None:
    """How a server is verified by the machine's store: where its address asks for that and names nobody else.

    None where the driver's own way is meant: nothing is verified, or by a file that the address, PGSSLROOTCERT or
    ~/.postgresql/root.crt gives.
    """
    asked = dict(parse_qsl(urlsplit(dsn).query))
    mode = asked.get("sslmode") or os.environ.get("PGSSLMODE", "")
    authority = asked.get("sslrootcert") or os.environ.get("PGSSLROOTCERT", "")
    if mode not in {"verify-ca", "verify-full"} or authority not in {"", "system"}:
        return None
    if not authority and Path("~/.postgresql/root.crt").expanduser().exists():
        return None
    context = trust.context()
    context.check_hostname = mode == "verify-full"
    if certificate := asked.get("sslcert"):
        context.load_cert_chain(certificate, asked.get("sslkey"))
    return context


async def connect(dsn: str, *, application_name: str = "controlroom", wait: float = 5.0) -> Connection:
    """A new connection.

    JSON comes as `msgspec.Raw` and is decoded by whoever knows into what; it is sent from any value that msgspec can
    encode, a `Raw` as it is.

    Raises:
        OSError, asyncpg.PostgresError: as the driver has it; see `errors.translate`.
    """
    connection: Connection = await asyncpg.connect(
        dsn,
        ssl=tls_of(dsn),
        timeout=wait,
        connection_class=Connection,
        statement_cache_size=2048,  # every statement of the program: they are prepared once a connection
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=0,
        server_settings={**_SETTINGS, "application_name": session_name(application_name)},
    )
    try:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=_jsonb, decoder=_from_jsonb, format="binary"
        )
        await connection.set_type_codec(
            "json", schema="pg_catalog", encoder=_json, decoder=msgspec.Raw, format="binary"
        )
        connection.watch()
    except BaseException:
        connection.terminate()
        raise
    return connection


def _json(value: Any) -> bytes:
    return bytes(value) if type(value) is msgspec.Raw else _encode(value)


def _jsonb(value: Any) -> bytes:
    return b"\x01" + _json(value)  # jsonb's binary form is a version byte and the text


def _from_jsonb(value: bytes) -> msgspec.Raw:
    return msgspec.Raw(value[1:])
