"""A list as CSV: a line for a row, written batch by batch while it is read."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from litestar.response import Stream

from controlroom.spreadsheets import inert
from controlroom.ui.lists.parts import Col

Row = TypeVar("Row")


class AsTable(Exception):  # noqa: N818 - no failure: the list is wanted in another form
    """The list is answered as CSV, in place of its page."""

    def __init__(self, answer: Stream) -> None:
        super().__init__("as CSV")
        self.answer = answer


def table_of(name: str, columns: Sequence[Col], batches: AsyncIterator[Sequence[Any]]) -> Stream:
    """The answer: a head, and a line for each row as they come."""

    async def lines() -> AsyncIterator[bytes]:
        yield line_of([col.name for col in columns])
        async for batch in batches:
            yield b"".join(line_of([_value_of(col, row) for col in columns]) for row in batch)

    named = name.replace(" ", "-")
    headers = {"content-disposition": f'attachment; filename="{named}.csv"', "x-content-type-options": "nosniff"}
    return Stream(lines(), media_type="text/csv", headers=headers, status_code=200)


async def begun(batches: AsyncIterator[Row]) -> AsyncIterator[Row]:
    """The same, with the first read already: what cannot be asked is told by a page, and no stream is torn."""
    first = await anext(batches, None)

    async def following() -> AsyncIterator[Row]:
        if first is not None:
            yield first
        async for batch in batches:
            yield batch

    return following()


def line_of(values: Sequence[Any]) -> bytes:
    """A line; what a spreadsheet would take for a formula is a text."""
    line = io.StringIO()
    safe = [inert(each) if isinstance(each, str) else each for each in values]
    csv.writer(line).writerow(safe)
    return line.getvalue().encode()


def _value_of(col: Col, row: Any) -> Any:
    value = col.csv(row) if col.csv is not None else getattr(row, col.key, "")
    value = getattr(value, "value", value)
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.3f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return "" if value is None else value
