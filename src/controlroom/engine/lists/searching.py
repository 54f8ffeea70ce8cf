"""What no index finds is looked for part by part, newest first, until enough is found or the time is over.

    found = await search(db, WorkItem, ITEMS, within, base=failed, sought=Inside("payload", "$.vat = 7"), length=51)

`base` is served by an index; each part of what it lists is asked for `sought`. Whoever asks learns how far that went,
and goes on from there: a search that is cut off says so.
"""

from time import perf_counter
from typing import Final, Generic, TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.lists import composer, pages
from controlroom.engine.lists.composer import Composed
from controlroom.engine.lists.model import (
    EVERYTHING,
    NEWEST_FIRST,
    AllOf,
    Asked,
    Compare,
    Filter,
    Listing,
    Operator,
    Within,
    behind,
)
from controlroom.postgres.database import Statements

Row = TypeVar("Row")

SMALLEST: Final = 1_000
LARGEST: Final = 50_000
"""Rows of a part. Why so few at first: a page of megabytes of payload costs what a hundred thousand small ones do."""
AIM: Final = 0.02
"""Seconds that a part is to take; the next one is made larger or smaller by it."""


class Searched(Struct, Generic[Row], frozen=True):
    """What was found."""

    rows: list[Row]
    looked_through: int
    reached: UUID | None
    """The last row that was looked at; None when nothing is left behind it."""


class _Part(Struct, frozen=True):
    rows: int
    last: UUID | None


async def search(
    db: Statements,
    into: type[Row],
    listing: Listing,
    within: Within,
    *,
    base: Filter,
    sought: Filter,
    after: UUID | None = None,
    length: int,
    seconds: float,
) -> Searched[Row]:
    """Rows of `base` behind `after` for which `sought` holds, newest first: at most `length`, for about so long.

    One part at least is looked through, so that whoever goes on comes to an end.
    """
    began, size, looked, found, at = perf_counter(), SMALLEST, 0, list[Row](), after
    while True:
        asked_at = perf_counter()
        part = await _part(db, listing, within, base, at, size)
        if part.last is None:
            return Searched(found, looked, None)
        until = Compare("id", Operator.GE, part.last)
        asked = Asked(
            filter=AllOf((base, sought, until)), sort=NEWEST_FIRST, start=behind(at), length=length - len(found)
        )
        found += await pages.rows(db, into, listing, within, asked)
        looked += part.rows
        at = part.last
        if part.rows < size and len(found) < length:
            return Searched(found, looked, None)
        now = perf_counter()
        if len(found) >= length or now - began >= seconds:
            return Searched(found, looked, at)
        size = int(min(LARGEST, max(SMALLEST, size * min(4.0, AIM / max(now - asked_at, 0.001)))))


async def _part(db: Statements, listing: Listing, within: Within, base: Filter, after: UUID | None, size: int) -> _Part:
    """The next rows of the base: how many, and which is the last."""
    ids = replace(listing, columns=f"{listing.named['id'].column} as row_id", joins="")
    if base == EVERYTHING:  # the index alone tells it
        ids = replace(ids, always="")
    part = composer.rows(ids, within, Asked(filter=base, sort=NEWEST_FIRST, start=behind(after), length=size))
    told = "select count(*) as rows, (array_agg(part.row_id order by part.row_id))[1] as last from"
    composed = Composed(f"{told} ({part.sql}) as part", part.values)
    return await db.one(_Part, composed.statement, **composed.values)
