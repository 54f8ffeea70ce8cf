"""A declared table and what yields its pages become a dlt resource, with the tables of the lists within its rows.

*Replaced*: small nouns are read whole, and what is gone is gone. *Merged*: rows with a key take the place of the row
that had it; rows of a list within go with their parent's. `full=True` reads all and replaces, so that what is gone is
swept. Where a load goes on from is kept in `state()`, which dlt commits together with the rows.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.configuration.container import Container
from dlt.extract import DltResource
from dlt.extract.source import SourceInjectableContext

from controlroom.sources.columns import Table
from controlroom.sources.rows import Shaper

_log = logging.getLogger("controlroom.sources")
Item = Any
"""An Arrow table, marked with the table that it belongs to."""


class Kept(StrEnum):
    """What becomes of the rows of earlier loads."""

    REPLACED = "replace"
    MERGED = "merge"
    ADDED = "append"


def resource(
    table: Table,
    pages: Callable[[], Iterable[Sequence[Any]]],
    *,
    kept: Kept = Kept.MERGED,
    name: str | None = None,
    removing: Callable[[], bool] = lambda: True,
    selected: bool = True,
) -> DltResource:
    """The resource of a table: `pages` yields lists of rows as the API tells them."""

    def items() -> Iterator[Item]:
        shaper = Shaper(table)
        yield from opened(table, kept)
        for page in pages():
            yield from shaped(shaper, page, removing=kept is Kept.MERGED and removing())
        tell_surprises(shaper)

    made = dlt.resource(items, name=name or table.name, **_hints(table, kept, ()), selected=selected)
    return with_children(made, table, kept)


def dependent(
    parent: DltResource,
    of: Table,
    table: Table,
    pages: Callable[[list[dict[str, Any]]], Iterable[Sequence[Any]]],
    *,
    kept: Kept = Kept.MERGED,
    name: str | None = None,
    removing: Callable[[], bool] = lambda: True,
) -> DltResource:
    """The resource of what is fetched for each row of another one.

    `pages` is given the rows of a page of the parent's table (as dicts of its columns) and yields pages of rows.
    """
    shaper = Shaper(table)
    is_open = False

    def items(told: pa.Table) -> Iterator[Item]:
        nonlocal is_open
        if not is_open:
            is_open = True
            yield from opened(table, kept)
        if table_of(told) != of.name or not told.num_rows:
            return
        for page in pages(told.to_pylist()):
            yield from shaped(shaper, page, removing=kept is Kept.MERGED and removing())
        tell_surprises(shaper)

    made = dlt.transformer(items, data_from=parent, name=name or table.name, **_hints(table, kept, ()))
    return with_children(made, table, kept)


def with_children(made: DltResource, table: Table, kept: Kept) -> DltResource:
    """The resource, told of the tables of the lists within its rows."""
    for child in table.children:
        hints = _hints(child.table, kept, child.parent)
        nothing: dict[str, Any] = {
            "columns": [],
            "primary_key": (),
            "merge_key": (),
        }  # else it begins with the parent's
        for each in (nothing, hints):
            made.apply_hints(table_name=child.table.name, create_table_variant=True, **each)
        with_children(made, child.table, kept)
    return made


def shaped(shaper: Shaper, page: Sequence[Any], *, removing: bool = True) -> Iterator[Item]:
    """The page as dlt takes it: an Arrow table, and one for each list within."""
    for table, rows in shaper.tables(page, removing=removing):
        if rows.num_rows:
            yield rows if table is shaper.table else dlt.mark.with_table_name(rows, table.name)


def opened(table: Table, kept: Kept) -> Iterator[Item]:
    """What begins a load of the table: an empty one where it is replaced, or not there yet, so that it will be."""
    known = dlt.current.source_schema().tables
    for each in table.all:
        there = known.get(each.name)
        is_there = (
            there is not None
            and (there.get("x-normalizer") or {}).get("seen-data")
            and not (set(each.names) - set(there["columns"]))
        )
        if kept is Kept.REPLACED or not is_there:
            empty = each.empty()
            yield empty if each is table else dlt.mark.with_table_name(empty, each.name)


def table_of(rows: pa.Table) -> str:
    """The name of the table whose rows an Arrow table holds."""
    return str(((rows.schema.metadata or {}).get(b"table") or b"").decode())


def state() -> dict[str, Any]:
    """Where the current resource goes on from: what is written here is committed together with the rows."""
    return dlt.current.resource_state()


def selected() -> frozenset[str]:
    """The names of the resources that the load under way was asked for."""
    return frozenset(Container()[SourceInjectableContext].source.selected_resources)


def tell_surprises(shaper: Shaper) -> None:
    """Say in the log of the load what the API told and nobody declared, once each."""
    for each in shaper.surprises:
        if each.unknown:
            _log.warning("not loaded, because nothing here knows it: %s", ", ".join(sorted(each.unknown)))
            each.unknown.clear()
        for column, count in each.misfits.items():
            _log.warning("%s: %s values were not of the column's type, and are null", column, count)
        each.misfits.clear()


def _hints(table: Table, kept: Kept, merge_key: tuple[str, ...]) -> dict[str, Any]:
    hints: dict[str, Any] = {"columns": table.hints(), "write_disposition": kept.value}
    if table.key:
        hints["primary_key"] = list(table.key)
    if merge_key and kept is Kept.MERGED:
        hints["merge_key"] = list(merge_key)
    return hints
