"""Lists of the old Process API: without pages, so that the longest page is all that there is."""

from typing import Generic, TypeVar

from msgspec import Struct

from controlroom.errors import Invalid
from controlroom.settings import Limits

Shown = TypeVar("Shown")


class Data(Struct, Generic[Shown], frozen=True):
    """A list in its envelope."""

    data: list[Shown]


def asked_limit(limits: Limits, asked: int | None) -> int:
    """How many rows a list may have; raises Invalid `INVALID_LIMIT`."""
    if asked is None:
        return limits.max_page_size
    if asked < 1:
        raise Invalid("limit must be 1 or more.", code="INVALID_LIMIT")
    return min(asked, limits.max_page_size)
