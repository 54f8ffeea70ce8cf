"""Addresses that somebody wants messages at. Where they lead is judged whenever they are called (`outgoing`)."""

from typing import Final
from urllib.parse import urlsplit

from controlroom.errors import Invalid

LONGEST: Final = 2048


class EndpointInvalid(Invalid):
    """No address that could be called."""

    def __init__(self, why: str) -> None:
        super().__init__(why, code="ENDPOINT_INVALID")


def checked_endpoint(endpoint: str) -> str:
    """The address, if it is an http or https one. Raises EndpointInvalid."""
    destination_of(endpoint)
    if len(endpoint) > LONGEST:
        raise EndpointInvalid(f"an endpoint has at most {LONGEST:,} characters")
    return endpoint


def destination_of(endpoint: str) -> str:
    """Scheme, host and port of an address, which may be shown: the rest may be a secret. Raises EndpointInvalid."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError as broken:
        raise EndpointInvalid(f"the endpoint is not an address: {broken}") from broken
    if parts.scheme not in {"http", "https"} or not host or not endpoint.isprintable() or " " in endpoint:
        raise EndpointInvalid("an endpoint is an address that begins with https:// or http://")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port is None else f":{port}")
