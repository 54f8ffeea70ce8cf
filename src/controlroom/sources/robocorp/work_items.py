"""Work items with their payloads: as a column of JSON, or as tables that dlt makes of what is in them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import dlt
from dlt.extract import DltResource

from controlroom.sources.columns import Table
from controlroom.sources.declared import Declared
from controlroom.sources.reading import Gone, Reader
from controlroom.sources.resources import Beside, Item, Kept, add_table

Payload = Literal["json", "nested", "none"]
Row = dict[str, Any]


class WorkItems:
    """How payloads are fetched."""

    def __init__(self, reader: Reader, payload: Payload) -> None:
        self._reader = reader
        self._wanted = payload != "none"

    @property
    def params(self) -> dict[str, Any]:
        """What the list is asked: our rooms tell the payloads in it, the vendor's passes over it."""
        return {"include_data": "true"} if self._wanted else {}

    @property
    def needed(self) -> tuple[str, ...]:
        """What a row of the list must have, to be no server's that passes over it."""
        return ("payload",) if self._wanted else ()

    def with_data(self, pages: Callable[[], Iterable[Sequence[Row]]]) -> Callable[[], Iterator[Sequence[Row]]]:
        """The pages with payloads and files; one request an item where the list does not tell them."""

        def told() -> Iterator[Sequence[Row]]:
            for page in pages():
                if not self._wanted or _are_told(page):
                    yield page
                else:
                    yield with_details(self._reader, page, lambda row: self._reader.get(f"work-items/{row['id']}"))

        return told


def _are_told(page: Sequence[Any]) -> bool:
    if page and isinstance(page[0], Declared):  # it needed them
        return True
    return all("payload" in row for row in page)


def with_details(reader: Reader, page: Sequence[Row], detail: Callable[[Row], Row]) -> Sequence[Row]:
    """The rows as each is told by itself, several asked at a time; those that went meanwhile as the list told them."""

    def fetched(row: Row) -> Row:
        try:
            return detail(row)
        except Gone:
            return row

    return [row for _, row in reader.each(page, fetched)]


def without_links(item: Row) -> Row:
    """The item without what is new in each answer: the addresses of its files."""
    return {**item, "files": [(file["id"], file["name"], file["size"]) for file in item.get("files", ())]}


def with_payload(
    table: Table, payload: Payload, kept: Kept, made: Callable[[Table, Beside], DltResource]
) -> DltResource:
    """The resource of a table with a column `payload`, which stands there, in tables of its own, or nowhere."""
    if payload == "json":
        return made(table, lambda _: ())
    columns = tuple(column for column in table.columns if column.name != "payload")
    bare = replace(table, columns=columns, passed_over=table.passed_over | {"payload"})
    if payload == "none":
        return made(bare, lambda _: ())
    noun = table.name.removesuffix("s")
    beside = f"{noun}_payloads"
    nested = made(bare, _nested(beside, f"{noun}_id"))
    add_table(nested, beside, primary_key=f"{noun}_id", write_disposition=kept.value)
    return nested


def _nested(table: str, key: str) -> Beside:
    """Makes rows of payloads for dlt to unfold: `payload__customer__name`, and tables of the lists within."""

    def items(page: Sequence[Row]) -> Iterator[Item]:
        rows = [{key: row["id"], "payload": row["payload"]} for row in page if row.get("payload") is not None]
        if rows:
            yield dlt.mark.with_table_name(rows, table)

    return items
