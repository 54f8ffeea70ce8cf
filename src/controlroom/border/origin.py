"""The address by which a caller reached us: what links and `next` pages begin with."""

import re
from collections.abc import Iterable
from typing import Any

HTTPScope = dict[str, Any]

# A name or an address, with or without a port. Anything else in a Host header is not for putting into links.
_HOST = re.compile(r"^(?:[a-zA-Z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$")


class Origins:
    """Tells the origin of a request: the configured public address, else what a trusted proxy says, else the Host."""

    def __init__(self, public_url: str | None, trusted_proxies: Iterable[str]) -> None:
        self._public = public_url.rstrip("/") if public_url else None
        self._trusted = frozenset(trusted_proxies)

    def of(self, scope: HTTPScope) -> str:
        """The origin, as `https://host[:port]` without a slash at its end."""
        if self._public is not None:
            return self._public
        headers = {name: value for name, value in scope["headers"] if name in _ADDRESSING}
        scheme, host = scope["scheme"], headers.get(b"host", b"").decode("latin-1")
        if self._is_trusted(scope):
            forwarded = _first(headers.get(b"x-forwarded-proto"))
            scheme = forwarded if forwarded in {"http", "https"} else scheme
            host = _first(headers.get(b"x-forwarded-host")) or host
        if not _HOST.match(host):
            address, port = scope.get("server") or ("localhost", None)
            host = f"[{address}]" if ":" in address else address
            host = host if port is None else f"{host}:{port}"
        return f"{scheme}://{host}"

    def client_of(self, scope: HTTPScope) -> str:
        """Who called: the peer, or the one before the trusted proxy."""
        peer: str = (scope.get("client") or ("",))[0]
        if not self._is_trusted(scope):
            return peer
        forwarded = next((value for name, value in scope["headers"] if name == b"x-forwarded-for"), None)
        # The last entry is the one our own proxy wrote: whatever stands before it the caller may have made up.
        return forwarded.decode("latin-1").rpartition(",")[2].strip() if forwarded else peer

    def _is_trusted(self, scope: HTTPScope) -> bool:
        return (scope.get("client") or ("",))[0] in self._trusted


_ADDRESSING = {b"host", b"x-forwarded-proto", b"x-forwarded-host"}


def _first(value: bytes | None) -> str | None:
    return value.decode("latin-1").partition(",")[0].strip() if value else None
