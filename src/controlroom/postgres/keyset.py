"""Pages of a list by the id of their last row: the cost of a page grows neither with its depth nor with the table.

rows = await db.all(Package, f"select … from package where workspace_id = %(workspace)s {oldest_first('id')}",
                    workspace=workspace, after=after, limit=limit)
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeVar

Row = TypeVar("Row")

_FIRST: Final = 16
_NEXT: Final = 64
"""Rows that are asked for at once where they may be large. Why: 64 payloads of 5 MB are all that a server may hold."""
_BEFORE_ALL: Final = "00000000-0000-0000-0000-000000000000"


def oldest_first(column: str) -> str:
    """The end of a statement: its rows behind `%(after)s` (from the first if that is null), at most `%(limit)s`.

    `column` is an id, which rows get in the order of their making. The statement has a `where` already.
    """
    # Why not `%(after)s is null or …`: once PostgreSQL plans a statement for all values, that is no condition of an
    # index any more, and the page behind a million rows reads all of them.
    return f"""and {column} > coalesce(%(after)s::uuid, '{_BEFORE_ALL}')
         order by {column}
         limit %(limit)s"""


class Identified(Protocol):
    """A row of a list that is sorted by id."""

    @property
    def id(self) -> Any:
        """By which it goes on."""


Listed = TypeVar("Listed", bound=Identified)


async def whole(listing: Callable[..., Awaitable[Sequence[Listed]]], page: int) -> list[Listed]:
    """All rows of a list by id, read a page at a time: for answers that know no pages."""
    found: list[Listed] = []
    while True:
        rows = await listing(after=found[-1].id if found else None, limit=page)
        found += rows
        if len(rows) < page:
            return found


async def until_full(
    fetch: Callable[[Row | None, int], Awaitable[Sequence[Row]]], size: Callable[[Row], int], *, limit: int, most: int
) -> list[Row]:
    """Rows in the order of `fetch` (the last row that is there already, and how many), up to `limit` of them.

    If they have more than `most` bytes, the last that is returned is the one by which they have more, and is for
    telling that there are further ones: `fitting` leaves it out.
    """
    rows: list[Row] = []
    bytes_, step = 0, _FIRST
    while len(rows) < limit:
        wanted = min(step, limit - len(rows))
        found = await fetch(rows[-1] if rows else None, wanted)
        for row in found:
            rows.append(row)
            bytes_ += size(row)
            if bytes_ > most and len(rows) > 1:
                return rows
        if len(found) < wanted:
            return rows
        step = _NEXT
    return rows


def fitting(rows: Iterable[Row], size: Callable[[Row], int], *, most: int) -> list[Row]:
    """The first of the rows that have no more than so many bytes together, but at least one."""
    kept: list[Row] = []
    bytes_ = 0
    for row in rows:
        bytes_ += size(row)
        if bytes_ > most and kept:
            break
        kept.append(row)
    return kept
