"""The names to which a server answers.

A page of anywhere can have its own name lead to this machine (DNS rebinding); its browser then calls us as that name.
So a name is ours, or the request is refused. Addresses cannot be led anywhere: they all pass.
"""

import asyncio
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from controlroom.border.networks import address_of

_PORT = re.compile(r":[0-9]{1,5}$")
_WRITTEN = re.compile(r"(?:\[[0-9a-f:.]+(?:%\w+)?\]|[\w.-]+)(?::[0-9]{1,5})?|[0-9a-f:.]+", re.ASCII | re.IGNORECASE)
"""A host as a header may have it: nothing of `127.0.0.1:80@evil.example`, of which an address could be read."""
_PATIENCE = 5.0  # Why: a name service that is away; browsers wait longer than that
_REMEMBERED = 1000
_ANY = "*"


class Hosts:
    """Tells whether a host that a request names is this server's."""

    def __init__(self, *, listening_at: str, public_url: str | None, allowed: Iterable[str]) -> None:
        own = [listening_at, "localhost", socket.gethostname(), urlsplit(public_url or "").hostname or ""]
        self._names = {_plain(name) for name in (*own, *allowed)} - {""}
        self._domains = tuple(name[1:] for name in self._names if name.startswith("*."))
        self.passed: set[bytes] = set()
        """Hosts, as headers named them, that are known to be ours."""
        self._learning: asyncio.Task[None] | None = None

    async def has(self, host: bytes) -> bool:
        """Whether the host, as a header names it, is ours."""
        written = host.decode("latin-1").strip()
        if not _WRITTEN.fullmatch(written):
            return _ANY in self._names
        name = _plain(written)
        is_ours = self._is_ours(name)
        if not is_ours and self._learning is None:
            # The full name is only asked for when it matters: a name service may take its time.
            self._learning = asyncio.create_task(self._learn())
        if not is_ours and self._learning is not None:
            await asyncio.wait({self._learning}, timeout=_PATIENCE)
            is_ours = self._is_ours(name)
        if is_ours and len(self.passed) < _REMEMBERED:
            self.passed.add(host)
        return is_ours

    def _is_ours(self, name: str) -> bool:
        return (
            name in self._names
            or address_of(name) is not None
            or _ANY in self._names
            or (bool(self._domains) and name.endswith(self._domains))
        )

    async def _learn(self) -> None:
        """The names that this machine has in the network."""
        self._names |= {_plain(name) for name in await asyncio.to_thread(_full_names)}


def _plain(host: str) -> str:
    """A host without its port and the dot at its end, in small letters."""
    text = host.strip()
    if not text.startswith("[") and text.count(":") > 1:  # an IPv6 address without brackets
        return text.lower()
    return _PORT.sub("", text).strip("[]").rstrip(".").lower()


def _full_names() -> list[str]:
    name = socket.gethostname()
    try:
        full, aliases, _ = socket.gethostbyaddr(name)
    except OSError:
        full, aliases = name, []
    return [full, *aliases, f"{name.partition('.')[0]}.local"]
