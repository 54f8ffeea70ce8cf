"""The address of a list is its state: tab, filters, sort, columns and position."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

PLACES: Final = frozenset({"after", "before", "part", "item", "delivery", "as", "ticked"})
"""What an address says of where somebody reads, and not of what is listed."""


class Address:
    """What is asked now, and with something changed. A change begins at the first page."""

    def __init__(self, path: str, asked: Mapping[str, str]) -> None:
        self._path = path
        self._asked = {key: value for key, value in asked.items() if key not in PLACES}

    def to(self, **changes: str | None) -> str:
        """The address with other values; None: without."""
        asked = {key: value for key, value in {**self._asked, **changes}.items() if value is not None}
        return f"{self._path}?{urlencode(asked)}" if asked else self._path
