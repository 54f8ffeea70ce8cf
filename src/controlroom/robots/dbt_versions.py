"""The versions of dbt, as people write them. Pure."""

import re
from typing import Final

ROOM: Final = "1.11"
"""What this room runs; also what the name of a track of releases means."""

_NUMBER: Final = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})(?![0-9])(\.[A-Za-z0-9.+-]{1,40})?")
"""`1.11`, `1.11.4`, `v1.7`, `1.11.0-latest`, `1.6.latest`, `2.0.0-preview`."""
_TRACKS: Final = ("latest", "versionless", "compatible", "extended", "fallback")
"""Of a vendor's tracks of releases: what is newest here is meant by each."""


def spoken(version: str | None) -> str:
    """A version as `major.minor`: of `1.11.4-latest`, and of names such as `latest`, the one that the room has."""
    found = None if version is None else _NUMBER.fullmatch(version)
    return ROOM if found is None else f"{int(found[1])}.{int(found[2])}"


def fault_of(version: str) -> str | None:
    """Why no run may ask for a version; None if one may, though a worker may not have it."""
    if _NUMBER.fullmatch(version) or version.casefold() in _TRACKS:
        return None
    return f"is a version such as {ROOM}, {ROOM}.0-latest or latest: dbt {ROOM} is what is had here"
