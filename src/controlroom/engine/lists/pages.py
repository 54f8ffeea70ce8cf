"""Lists as they are read: rows alone, or a page with what is known of the rest."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from controlroom.engine.lists import composer
from controlroom.engine.lists.composer import COUNTED
from controlroom.engine.lists.model import EVERYTHING, Asked, Filter, Listing, Page, Skip, Total, Within
from controlroom.postgres.database import Statements

Row = TypeVar("Row")


async def rows(
    db: Statements, into: type[Row], listing: Listing, within: Within, asked: Asked, *, plans_anew: bool = False
) -> list[Row]:
    """The rows that were asked for, in one round trip. Raises Invalid for what the list cannot have.

    `plans_anew`: for filters of which one value has a few rows and another one millions; a millisecond more.
    """
    composed = composer.rows(listing, within, asked)
    return await db.all(into, composed.planned_anew if plans_anew else composed.statement, **composed.values)


class Part(msgspec.Struct, frozen=True):
    """A part of a list that is read together with others."""

    listing: Listing
    within: Within
    asked: Asked


async def several(db: Statements, into: type[Row], parts: Sequence[Part]) -> list[Row]:
    """The rows of parts of several lists that show the same columns, in one round trip.

    `into` has a `place` beside the columns: of which part, counted from 0, the row is. Raises Invalid likewise.
    """
    if not parts:
        return []
    composed = composer.together([composer.rows(each.listing, each.within, each.asked) for each in parts])
    return await db.all(into, composed.statement, **composed.values)


SEPARATOR: Final = ",\n"
"""What stands between rows that are written as JSON, and in none of them: there a line's end is an escape."""


class Written(msgspec.Struct, frozen=True):
    """Rows of a list whose columns are `id` and `text`, JSON of each: one value for all of them."""

    ids: list[Any]
    text: str
    """Their JSON with `SEPARATOR` between them, nothing for a row whose text is null."""
    is_whole: bool
    """Whether none is null."""

    def texts(self) -> list[str]:
        """The JSON of each row."""
        return self.text.split(SEPARATOR) if self.ids else []


async def written(db: Statements, listing: Listing, within: Within, asked: Asked) -> Written:
    """The rows that were asked for, as the database writes them. Raises Invalid likewise."""
    composed = composer.rows(listing, within, asked)
    # They are put together as they come: in the list's order, because nothing lies between it and the sum.
    together = composer.Composed(
        f"""select coalesce(array_agg(id), '{{}}') as ids,
               coalesce(string_agg(coalesce(text, ''), E',\\n'), '') as text,
               coalesce(bool_and(text is not null), true) as is_whole
          from ({composed.sql}) as listed""",
        composed.values,
    )
    return await db.one(Written, together.statement, **composed.values)


async def page(db: Statements, into: type[Row], listing: Listing, within: Within, asked: Asked) -> Page[Row]:
    """A page, whether there are rows behind it, and how many there are in all where that was asked for.

    Raises Invalid for what the list cannot have.
    """
    found = await rows(db, into, listing, within, msgspec.structs.replace(asked, length=asked.length + 1))
    has_more, shown = len(found) > asked.length, found[: asked.length]
    total = None
    if asked.with_total:
        composed = composer.total(listing, within, asked.filter)
        before = asked.start.rows if isinstance(asked.start, Skip) else 0
        counted = await db.one(int, composed.statement, **composed.values)
        total = total_of(counted, seen=before + len(shown) if shown else 0, has_more=has_more)
    return Page(shown, has_more, total)


async def count(db: Statements, listing: Listing, within: Within, asked: Filter = EVERYTHING) -> Total:
    """How many rows a filter finds, without any of them; exact up to `COUNTED`. Raises Invalid likewise."""
    composed = composer.total(listing, within, asked)
    counted = await db.one(int, composed.statement, **composed.values)
    return Total(counted, is_capped=counted > COUNTED)


async def count_each(
    db: Statements,
    listing: Listing,
    within: Within,
    asked: Sequence[Filter],
    *,
    most: int = COUNTED,
    plans_anew: bool = False,
) -> list[Total]:
    """How many rows each of several filters finds, in one round trip; exact up to `most`. Raises Invalid likewise."""
    if not asked:
        return []
    composed = composer.totals(listing, within, asked, most=most)
    counted = await db.one(list[int], composed.planned_anew if plans_anew else composed.statement, **composed.values)
    return [Total(min(each, most), is_capped=each > most) for each in counted]


def total_of(counted: int, *, seen: int, has_more: bool) -> Total:
    """The total as it is told to somebody who has `seen` so many rows of the list by now.

    Never less than they have seen, and more than that while there are more: who goes on until they have as many rows as
    the total says misses none, however many there are and whatever is added meanwhile.
    """
    return Total(max(counted, seen + has_more), is_capped=counted > COUNTED)
