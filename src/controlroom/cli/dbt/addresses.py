"""Addresses of databases as people write them, and the passwords beside them."""

import os
import sys
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from controlroom.cli.errors import Misused
from controlroom.cli.login import asked_password
from controlroom.cli.values import line

PASSWORD_VARIABLE = "CONTROLROOM_DBT_PASSWORD"  # noqa: S105 - a name
_POSTGRES = {"postgres", "postgresql"}


def settings_of(address: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings and log-in of `duckdb`, `duckdb:NAME` or postgres://USER@HOST:PORT/DATABASE?…. Raises Misused."""
    kind, colon, name = address.partition(":")
    if kind == "duckdb":
        return {"kind": "duckdb"} | ({"path": name} if colon else {}), {}
    return _postgres(address)


def _postgres(address: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        parts = urlsplit(address)
        port = parts.port or 5432
    except ValueError as wrong:
        raise Misused(f"{address!r} is no address: {wrong}") from wrong
    database = unquote(parts.path.strip("/"))
    if parts.scheme not in _POSTGRES or not parts.hostname or not database:
        raise Misused(
            f"{address.partition('@')[2] or address!r} is neither `duckdb` nor postgres://USER@HOST:PORT/DATABASE"
        )
    if parts.password is not None:
        raise Misused(
            "a password in an address is seen in every list of processes",
            hint=f"Give --password-file FILE, or the variable {PASSWORD_VARIABLE}.",
        )
    settings = {"kind": "postgres", "host": parts.hostname, "port": port, "database": database}
    known = {"sslmode", "sslrootcert", "search_path", "role"}
    options = dict(parse_qsl(parts.query))
    if strange := sorted(set(options) - known):
        raise Misused(f"an address takes no {', '.join(strange)}: {', '.join(sorted(known))}")
    return settings | options, {"username": unquote(parts.username)} if parts.username else {}


def password(file: str | None, *, is_asked: bool) -> str | None:
    """The password of the database, which no list of processes shows; None: it is as it is."""
    if file is not None:
        return line(f"@{file}")
    if (given := os.environ.get(PASSWORD_VARIABLE)) is not None:
        return given
    if is_asked and sys.stdin.isatty():
        return asked_password("Password of the database: ")
    return None
