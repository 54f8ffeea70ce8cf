"""The versions of the tool, as people write them. Pure."""

import re
from typing import Final

ROOM: Final = "1.11"
"""What this room runs; also what a name without a number means."""

_NUMBER: Final = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})")


def spoken(version: str | None) -> str:
    """A version as `major.minor`: of `1.11.4-latest`, and of names such as `latest`, the one that the room has."""
    found = None if version is None else _NUMBER.match(version)
    return ROOM if found is None else f"{int(found[1])}.{int(found[2])}"
