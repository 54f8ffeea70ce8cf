"""The credential that a request carries."""

from typing import Any

from controlroom.errors import Unauthenticated


def credential_of(scope: Any) -> tuple[str, str]:
    """The scheme (lower case) and the value of the Authorization header; two empty texts if there is none."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, credential = value.decode("latin-1").strip().partition(" ")
            return scheme.lower(), credential.strip()
    return "", ""


def credential_under(scope: Any, *schemes: str, said: str) -> str:
    """The value of the Authorization header under one of these schemes; else raises Unauthenticated, saying so."""
    scheme, value = credential_of(scope)
    if scheme not in schemes or not value:
        raise Unauthenticated(said)
    return value


def header_of(scope: Any, name: bytes) -> str:
    """A header's value; an empty text if there is none."""
    return next((value for found, value in scope["headers"] if found == name), b"").decode("latin-1").strip()
