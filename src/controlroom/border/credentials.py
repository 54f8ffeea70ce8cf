"""The credential that a request carries."""

from typing import Any


def credential_of(scope: Any) -> tuple[str, str]:
    """The scheme (lower case) and the value of the Authorization header; two empty texts if there is none."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, credential = value.decode("latin-1").strip().partition(" ")
            return scheme.lower(), credential.strip()
    return "", ""
