"""The addresses at which a room listens."""

import errno
import socket

from controlroom.cli.errors import CommandFailed, Misused

_BACKLOG = 2048
_LAST_PORT = 65_535
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - recognised, not bound


def listen(host: str, port: int, *, option: str = "--port") -> socket.socket:
    """A listening socket (port 0: any free one). Raises CommandFailed that says what to do."""
    if not 0 <= port <= _LAST_PORT:  # the system would take it modulo 65536
        raise Misused(f"{port} is no port: they go from 0 to {_LAST_PORT:,}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise CommandFailed(f"{host!r} is no address of this machine: {error.strerror}", hint="See --host.") from error
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise _refusal(error, host, port, option) from error
    return listening


def address_of(listening: socket.socket, scheme: str) -> str:
    """The address that clients on this machine use."""
    host, port = listening.getsockname()[:2]
    host = _WILDCARDS.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _refusal(error: OSError, host: str, port: int, option: str) -> CommandFailed:
    match error.errno:
        case errno.EADDRINUSE:
            return CommandFailed(
                f"port {port} of {host} is taken by another program",
                hint=f"`ss -ltnp 'sport = :{port}'` tells by which. Take another port with {option} N, a free one with "
                f"{option} 0.",
            )
        case errno.EACCES:
            return CommandFailed(
                f"port {port} may not be opened by this user",
                hint=f"Ports from 1024 on are free to all: {option} 8170.",
            )
        case errno.EADDRNOTAVAIL:
            return CommandFailed(f"{host} is not an address of this machine", hint="See --host.")
        case _:
            return CommandFailed(f"cannot listen at {host}:{port}: {error.strerror}")
