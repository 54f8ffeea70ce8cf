"""The one client for requests that leave the room: webhooks, callbacks, provisioners, chat, model connections.

Whoever may name an address could otherwise make the server speak to what only the server can reach. So every connection
is made here: the name is resolved once, each of its addresses is judged, and the connection goes to an address that was
judged, never to the name again. Host header, TLS name and certificate check stay those of the name. No redirect is
followed, no proxy of the environment is used, and an answer is read up to a limit and no further.

What the operator allows (`outgoing_allow`) is not judged: hosts (`hooks.internal`, `*.internal`) and networks
(`10.1.0.0/16`, `127.0.0.1`).
"""

import asyncio
import base64
import functools
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Final, Self

import httpcore2
import httpx2
from msgspec import Struct

from controlroom import trust
from controlroom.errors import Invalid, Unavailable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as text, in the order in which to try them; raises OSError."""

SECONDS: Final = 10.0
"""For a whole request. Receivers are expected to take note and answer, not to work."""

ANSWER_BYTES: Final = 64 * 1024
"""What is read of an answer, unless the caller needs more."""

_CONNECTIONS: Final = 256
_KEPT: Final = 64
_KEPT_SECONDS: Final = 15.0

_GLOBAL_V6: Final = IPv6Network("2000::/3")  # what is given out as global unicast; all else is special (RFC 4291 §2.4)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_SPECIAL: Final = (
    IPv4Network("168.63.129.16"),  # the metadata service of Azure
    IPv4Network("192.0.0.0/24"),  # for protocols (RFC 6890); 192.0.0.192 is the metadata service of Oracle
    IPv4Network("192.88.99.0/24"),  # relays of 6to4 (RFC 7526)
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)
"""What Python (of some versions) takes for public, and is not."""


class OutgoingRefused(Invalid):
    """The room may not speak to this address: it is not public, or not one at all."""

    def __init__(self, why: str, *, host: str = "") -> None:
        super().__init__(why, code="OUTGOING_REFUSED", host=host)


class Answer(Struct, frozen=True):
    """What came back. `body` may be cut at the limit."""

    status: int
    headers: dict[str, str]
    """By lower-case names; of several with one name, the last."""
    body: bytes
    is_cut: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the status is one of the 200s."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the statuses of HTTP


class Destination(Struct, frozen=True):
    """An address split into what a request needs. Its text names scheme, host and port: the rest may be a secret."""

    scheme: str
    host: str
    port: int
    target: bytes
    """Path and query, as they are sent."""
    authorization: str | None
    """What user and password in the address become."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{host}" + ("" if self.port == default else f":{self.port}")


@functools.lru_cache(maxsize=1024)  # receivers are few, and reading an address costs a tenth of a request
def destination(url: str) -> Destination:
    """Read an address; raises OutgoingRefused for what is no http or https address with a host."""
    try:
        parsed = httpx2.URL(url)
        host, port = parsed.raw_host.decode("ascii"), parsed.port
    except (httpx2.InvalidURL, UnicodeError) as broken:
        raise OutgoingRefused(f"this is not an address: {broken}") from broken
    if parsed.scheme not in {"http", "https"}:
        raise OutgoingRefused("only http and https addresses can be called")
    if not host:
        raise OutgoingRefused("the address names no host")
    authorization = None
    if parsed.userinfo:
        pair = f"{parsed.username}:{parsed.password}".encode()
        authorization = f"Basic {base64.b64encode(pair).decode()}"
    return Destination(
        parsed.scheme,
        host.lower().rstrip("."),
        port or {"http": 80, "https": 443}[parsed.scheme],
        parsed.raw_path,
        authorization,
    )


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet: not loopback, private, link-local, shared, multicast, reserved.

    An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4, Teredo) is judged by that one.
    """
    if isinstance(address, IPv6Address):
        inner = _carried(address)
        if inner is not None:
            return is_public(inner)
        if address not in _GLOBAL_V6:
            return False
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address.version == network.version and address in network for network in _SPECIAL)


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


class Allowed:
    """The operator's list of what may be reached although it is not public."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._hosts: set[str] = set()
        self._suffixes: list[str] = []
        self._networks: list[Network] = []
        for entry in filter(None, (text.strip().lower().rstrip(".") for text in entries)):
            try:
                self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                if entry.startswith(("*.", ".")):
                    self._suffixes.append(entry.lstrip("*"))
                else:
                    self._hosts.add(entry)

    def host(self, name: str) -> bool:
        """Whether the name is allowed, wherever it leads."""
        return name in self._hosts or any(name.endswith(suffix) for suffix in self._suffixes)

    def address(self, address: Address) -> bool:
        """Whether the address lies in an allowed network."""
        plain = (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
        return any(plain.version == network.version and plain in network for network in self._networks)


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host as this machine resolves it, whatever way of writing one it knows (`0x7f.1`)."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Guard:
    """Says to which addresses a host leads that may be reached. For whoever makes connections of another kind (git)."""

    def __init__(self, allow: Collection[str] = (), *, resolver: Resolve = resolve) -> None:
        self._allowed = Allowed(allow)
        self._resolve = resolver

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be reached, to be connected to as they are: the name is not asked again.

        Raises OutgoingRefused if it leads to none such, Unavailable if it cannot be resolved now.
        """
        try:
            found = [ipaddress.ip_address(text.partition("%")[0]) for text in await self._resolve(host, port)]
        except (OSError, UnicodeError) as unknown:
            raise Unavailable(f"the host {host} cannot be resolved", code="OUTGOING_UNREACHABLE") from unknown
        if self._allowed.host(host):
            return [str(address) for address in found]
        good = [str(address) for address in found if is_public(address) or self._allowed.address(address)]
        if found and not good:
            raise OutgoingRefused(
                f"the host {host} has no public address; an operator may allow it (outgoing_allow)", host=host
            )
        return good


class _GuardedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to judged addresses only. The pool above speaks TLS under the name that it was given."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of the backend
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failure: Exception = httpcore2.ConnectError("the host has no address")
        for address in await self._guard.addresses(host, port):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as failed:
                failure = failed
        raise failure

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        raise OutgoingRefused(f"sockets of this machine are not spoken to: {path}")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Outgoing:
    """The client. One a process: connections are kept for a while and used again."""

    def __init__(self, allow: Collection[str] = (), *, resolver: Resolve = resolve) -> None:
        self.guard = Guard(allow, resolver=resolver)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=trust.context(),
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_KEPT,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=_GuardedNetwork(self.guard),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        seconds: float = SECONDS,
        answer_bytes: int = ANSWER_BYTES,
    ) -> Answer:
        """Send one request, and give its answer whatever its status; nothing is tried twice.

        Raises OutgoingRefused for an address that may not be reached, Unavailable (`OUTGOING_UNREACHABLE`,
        `OUTGOING_TIMEOUT`) when no whole answer came; the request may have had its effect all the same.
        """
        where = destination(url)
        sent = {"host": _host_header(where), "user-agent": "controlroom", "accept": "*/*"}
        if where.authorization is not None:
            sent["authorization"] = where.authorization
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        if content or method in {"POST", "PUT", "PATCH"}:
            sent["content-length"] = str(len(content))
        try:
            async with asyncio.timeout(seconds):
                return await self._sent(method, where, sent, content, answer_bytes)
        except TimeoutError as late:
            raise Unavailable(f"{where} did not answer within {seconds:g} s", code="OUTGOING_TIMEOUT") from late
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as failed:
            why = str(failed) or type(failed).__name__
            raise Unavailable(f"{where} did not answer: {why}", code="OUTGOING_UNREACHABLE") from failed

    async def _sent(
        self, method: str, where: Destination, headers: dict[str, str], content: bytes, answer_bytes: int
    ) -> Answer:
        url = httpcore2.URL(
            scheme=where.scheme.encode(), host=where.host.encode(), port=where.port, target=where.target
        )
        raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        async with self._pool.stream(method, url, headers=raw, content=content) as response:
            body, is_cut = bytearray(), False
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > answer_bytes:
                    is_cut = True
                    break
            known = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status, known, bytes(body[:answer_bytes]), is_cut)


def _host_header(where: Destination) -> str:
    return str(where).partition("://")[2]
