"""The address by which a caller reached us: what links and `next` pages begin with."""

import re
from collections.abc import Iterable
from typing import Any

from controlroom.border.networks import Networks, address_of, is_loopback

HTTPScope = dict[str, Any]

# A name or an address, with or without a port. Anything else in a Host header is not for putting into links.
_HOST = re.compile(r"^(?:[a-zA-Z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$")


class Origins:
    """Tells the origin of a request: the configured public address, else what a trusted proxy says, else the Host."""

    def __init__(self, public_url: str | None, trusted_proxies: Iterable[str]) -> None:
        self._public = public_url.rstrip("/") if public_url else None
        self.trusts = Networks(trusted_proxies, setting="trusted_proxies").has
        """Whether what a peer says of whom it speaks for is believed."""

    def of(self, scope: HTTPScope) -> str:
        """The origin, as `https://host[:port]` without a slash at its end."""
        if self._public is not None:
            return self._public
        headers = {name: value for name, value in scope["headers"] if name in _ADDRESSING}
        scheme, host = scope["scheme"], headers.get(b"host", b"").decode("latin-1")
        if self.believes(scope):
            forwarded = _first(headers.get(b"x-forwarded-proto"))
            scheme = forwarded if forwarded in {"http", "https"} else scheme
            host = _first(headers.get(b"x-forwarded-host")) or host
        if not _HOST.match(host):
            address, port = scope.get("server") or ("localhost", None)
            host = f"[{address}]" if ":" in address else address
            host = host if port is None else f"{host}:{port}"
        return f"{scheme}://{host}"

    def believes(self, scope: HTTPScope) -> bool:
        """Whether the peer is a proxy that is believed."""
        return self.trusts((scope.get("client") or ("",))[0])

    def client_of(self, scope: HTTPScope) -> str:
        """Who called: the peer, or the last one that stands before the trusted proxies."""
        peer: str = (scope.get("client") or ("",))[0]
        if not self.trusts(peer):
            return peer
        forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        if not forwarded:
            return peer
        # From its end: each proxy of ours added who called it. What stands before those the caller may have made up.
        chain = [each.strip() for each in b",".join(forwarded).decode("latin-1").split(",")]
        caller = next((each for each in reversed(chain) if not self.trusts(each)), chain[0])
        address = address_of(caller)
        return caller[:_LONGEST_CALLER] if address is None else str(address)

    def is_local(self, scope: HTTPScope) -> bool:
        """Whether this machine itself called; not if something says that it spoke for somebody without saying whom."""
        if not is_loopback(self.client_of(scope)):
            return False
        names = {name for name, _ in scope["headers"]}
        return b"x-forwarded-for" in names or not names & _OF_PROXIES


_LONGEST_CALLER = 64
_OF_PROXIES = {b"via", b"forwarded", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"}
_ADDRESSING = {b"host", b"x-forwarded-proto", b"x-forwarded-host"}


def _first(value: bytes | None) -> str | None:
    return value.decode("latin-1").partition(",")[0].strip() if value else None
