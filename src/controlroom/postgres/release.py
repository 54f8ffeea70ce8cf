"""Which schema a program was written for, as its connections tell others: the stamp of its newest migration."""

from functools import cache
from importlib import resources
from typing import Final

STAMP_DIGITS: Final = 14
FIRST_RELEASE: Final = "0.2.0"
"""The release with which the schema was frozen: databases and backups of those before are not carried over."""


@cache
def schema_stamp() -> str:
    """The stamp of the newest migration that this program has."""
    folder = resources.files("controlroom.postgres") / "migrations"
    return max(file.name[:STAMP_DIGITS] for file in folder.iterdir() if file.name.endswith(".sql"))


def session_name(name: str) -> str:
    """What a connection calls itself to the database: what it is for, and the schema that its program knows."""
    return f"{name} {schema_stamp()}"
