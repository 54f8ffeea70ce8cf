"""Addresses of callers: which network one lies in, and what counts as one place."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from controlroom.errors import Invalid

_LONGEST = 64  # Why: the longest address with a zone; a made-up X-Forwarded-For may be anything
_PREFIX_OF_A_HOUSE = 64  # RFC 6177: whoever has IPv6 has a whole /64 of addresses to call from

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Networks:
    """A set of addresses and networks (`10.0.0.0/8`, `::1`)."""

    def __init__(self, members: Iterable[str], *, setting: str) -> None:
        try:
            self._networks = tuple(ipaddress.ip_network(member.strip(), strict=False) for member in members)
        except ValueError as wrong:
            raise Invalid(f"{setting} names addresses and networks: {wrong}", code="SETTINGS") from wrong
        # Why remembered: it is asked once a request, of the same few peers.
        self.has = lru_cache(maxsize=1024)(self._has)

    def _has(self, text: str) -> bool:
        address = address_of(text)
        return address is not None and any(address in network for network in self._networks)


def address_of(text: str) -> Address | None:
    """An address in any form in which proxies write one (with a port, in brackets); None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0]) if len(text) <= _LONGEST else None
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=4096)
def place_of(text: str) -> str:
    """What callers are counted by: an IPv4 address, the /64 of an IPv6 address, else the text as it is, cut short."""
    match address := address_of(text):
        case ipaddress.IPv6Address():
            return str(ipaddress.ip_network((address, _PREFIX_OF_A_HOUSE), strict=False))
        case ipaddress.IPv4Address():
            return str(address)
        case None:
            return text[:_LONGEST]


@lru_cache(maxsize=1024)
def is_loopback(text: str) -> bool:
    """Whether an address is this machine's own."""
    address = address_of(text)
    return address is not None and address.is_loopback
