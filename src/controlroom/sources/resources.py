"""A declared table and what yields its pages become a dlt resource, with the tables of the lists within its rows.

*Replaced*: small nouns are read whole, and what is gone is gone. *Merged*: rows with a key take the place of the row
that had it; rows of a list within go with their parent's. `full=True` reads all and replaces, so that what is gone is
swept. Where a load goes on from is kept in `state()`, which dlt commits together with the rows.
"""

import hashlib
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

import dlt
import orjson
import pyarrow as pa
from dlt.common.configuration.container import Container
from dlt.extract import DltResource
from dlt.extract.items import DataItemWithMeta
from dlt.extract.source import SourceInjectableContext

from controlroom.sources.columns import REMOVED, Table
from controlroom.sources.contracts import check
from controlroom.sources.reading import FORBIDDEN, ReadFailed
from controlroom.sources.rows import Shaper

MARKS: Final[Counter[tuple[str, str]]] = Counter()
"""How many rows of a load under way are none, but marks by which others go: by pipeline and table."""
_TOGETHER: Final = 20_000
_TOGETHER_BYTES: Final = 16 * 2**20
"""So many rows, or so much of them, are given to dlt at once."""
_log = logging.getLogger("controlroom.sources")
_HEARD_OFTEN: Final = ("several column hints were different", f'column "{REMOVED}"')
"""What dlt warns of at each load, and is as it is meant: JSON is text in Arrow, marks mean nothing in a reload."""


def _is_news(record: logging.LogRecord) -> bool:
    return not any(part in record.getMessage() for part in _HEARD_OFTEN)


logging.getLogger("dlt").addFilter(_is_news)
Item = Any
"""An Arrow table, marked with the table that it belongs to."""


class Kept(StrEnum):
    """What becomes of the rows of earlier loads."""

    REPLACED = "replace"
    MERGED = "merge"
    ADDED = "append"


Beside = Callable[[Sequence[Any]], Iterable[Item]]
"""Makes further items of a page, as dlt takes them."""


def resource(
    table: Table,
    pages: Callable[[], Iterable[Sequence[Any]]],
    *,
    kept: Kept = Kept.MERGED,
    name: str | None = None,
    beside: Beside = lambda _: (),
    quiet: bool = False,
    removing: Callable[[], bool] = lambda: True,
    distinct: bool = False,
) -> DltResource:
    """The resource of a table: `pages` yields lists of rows as the API tells them.

    What the key may not read is left as it is, and said in the report. A `quiet` one loads nothing where all is as the
    load before has left it: for small nouns, of whose rows nothing else is made. `removing` says whether rows of lists
    within may have been loaded before, so that what is gone must be looked for. Where the rows of a load are `distinct`
    by the key, the destination need not sort them to find out.
    """

    def items() -> Iterator[Item]:
        shaper = Shaper(table)
        coming = iter(pages())
        try:
            first = next(coming, None)
        except ReadFailed as failed:
            if failed.status != FORBIDDEN:
                raise
            _log.warning("not loaded: %s", failed)
            leave_as_it_is()
            yield from opened(table, Kept.MERGED)
            return
        all_pages = itertools.chain(() if first is None else (first,), coming)
        yield from _changed(written(shaper, all_pages)) if quiet else written(shaper, all_pages)
        tell_surprises(shaper)

    def written(shaper: Shaper, all_pages: Iterable[Sequence[Any]]) -> Iterator[Item]:
        yield from opened(table, kept)
        yield from together(
            item
            for page in all_pages
            for item in (*shaped(shaper, page, removing=kept is Kept.MERGED and removing()), *beside(page))
        )

    hints = _hints(table, kept, ())
    if distinct and kept is Kept.MERGED:
        hints["write_disposition"] = {"disposition": "merge", "deduplicated": True}
    made = dlt.resource(items, name=name or table.name, **hints)
    return with_children(made, table, kept)


def _changed(items: Iterable[Item]) -> Iterable[Item]:
    """These, unless the load before has left the same."""
    held = list(items)
    digest = hashlib.blake2b(digest_size=16)
    for item in held:
        rows = _rows_of(item)
        digest.update(orjson.dumps([table_of(rows), rows.schema.names, rows.to_pylist()], default=str))
    left = dlt.current.source_state().setdefault("left", {})  # what is replaced keeps no state of its own in dlt
    name, is_ = dlt.current.resource_name(), digest.hexdigest()
    was, left[name] = left.get(name), is_
    if was != is_:
        return held
    leave_as_it_is()
    return ()


def dependent(
    parent: DltResource,
    of: Table,
    table: Table,
    pages: Callable[[list[dict[str, Any]]], Iterable[Sequence[Any]]],
    *,
    wanting: Sequence[str] | None = None,
    kept: Kept = Kept.MERGED,
    name: str | None = None,
    beside: Beside = lambda _: (),
    removing: Callable[[], bool] = lambda: True,
) -> DltResource:
    """The resource of what is fetched for each row of another one.

    `pages` is given the rows of a page of the parent's table, with the columns that it is `wanting` (all, if nothing is
    said), and yields pages.
    """
    shaper = Shaper(table)
    is_open = is_closed = False

    def items(told: pa.Table) -> Iterator[Item]:
        nonlocal is_open, is_closed
        if not is_open:
            is_open = True
            yield from opened(table, kept)
        if is_closed or not isinstance(told, pa.Table) or table_of(told) != of.name or not told.num_rows:
            return
        try:
            yield from together(
                item
                for page in pages((told if wanting is None else told.select(list(wanting))).to_pylist())
                for item in (*shaped(shaper, page, removing=kept is Kept.MERGED and removing()), *beside(page))
            )
        except ReadFailed as failed:
            if failed.status != FORBIDDEN:
                raise
            is_closed = True
            _log.warning("not loaded: %s", failed)
        tell_surprises(shaper)

    made = dlt.transformer(items, data_from=parent, name=name or table.name, **_hints(table, kept, ()))
    return with_children(made, table, kept)


def leave_as_it_is() -> None:
    """Let what earlier loads have brought stay: dlt empties a replaced table into which nothing came."""
    resources = Container()[SourceInjectableContext].source.resources
    resources[dlt.current.resource_name()].apply_hints(write_disposition=Kept.ADDED.value)


def with_children(made: DltResource, table: Table, kept: Kept) -> DltResource:
    """The resource, told of the tables of the lists within its rows."""
    for child in table.children:
        add_table(made, child.table.name, **_hints(child.table, kept, child.parent))
        with_children(made, child.table, kept)
    return made


def add_table(made: DltResource, name: str, **hints: Any) -> None:
    """Tell the resource of a further table that it yields, which has nothing of its first one's hints."""
    nothing: dict[str, Any] = {"columns": {}, "primary_key": "", "merge_key": ""}
    made.apply_hints(table_name=name, create_table_variant=True, **nothing)
    made.apply_hints(table_name=name, create_table_variant=True, **hints)


def shaped(shaper: Shaper, page: Sequence[Any], *, removing: bool = True) -> Iterator[Item]:
    """The page as dlt takes it: an Arrow table, and one for each list within. Raises Refused."""
    made = list(shaper.tables(page, removing=removing))
    check(shaper)
    for table, rows in made:
        if rows.num_rows:
            if REMOVED in rows.schema.names and (marks := rows.num_rows - rows[REMOVED].null_count):
                MARKS[dlt.current.pipeline().pipeline_name, table.name] += marks
            yield rows if table is shaper.table else dlt.mark.with_table_name(rows, table.name)


def together(items: Iterable[Item]) -> Iterator[Item]:
    """The same rows in fewer, larger Arrow tables, each of one table: dlt takes some milliseconds for each.

    What is no Arrow table goes by at once; what fails on the way has told what came before it.
    """
    waiting: dict[str, list[Item]] = {}
    rows = size = 0

    def told() -> Iterator[Item]:
        for name, several in waiting.items():
            joined = pa.concat_tables([_rows_of(each) for each in several])
            yield dlt.mark.with_table_name(joined, name) if isinstance(several[0], DataItemWithMeta) else joined
        waiting.clear()

    try:
        for item in items:
            here = _rows_of(item)
            if not isinstance(here, pa.Table):
                yield item
                continue
            waiting.setdefault(table_of(here), []).append(item)
            rows, size = rows + here.num_rows, size + here.nbytes
            if rows >= _TOGETHER or size >= _TOGETHER_BYTES:
                yield from told()
                rows = size = 0
    except ReadFailed:
        yield from told()
        raise
    yield from told()


def _rows_of(item: Item) -> Any:
    return item.data if isinstance(item, DataItemWithMeta) else item


def opened(table: Table, kept: Kept) -> Iterator[Item]:
    """What begins a load of the table: an empty one where it is replaced, or not there yet, so that it will be."""
    known = dlt.current.source_schema().tables
    is_new = any(name not in known for name in selected())  # whose rows are made of this one's, and shall be there, too
    for each in table.all:
        there = known.get(each.name)
        is_there = (
            there is not None
            and (there.get("x-normalizer") or {}).get("seen-data")
            and not (set(each.names) - set(there["columns"]))
        )
        if kept is Kept.REPLACED or is_new or not is_there:
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
    hints: dict[str, Any] = {"columns": table.hints(merged=kept is Kept.MERGED), "write_disposition": kept.value}
    if table.key:
        hints["primary_key"] = list(table.key)
    if merge_key and kept is Kept.MERGED:
        hints["merge_key"] = list(merge_key)
    return hints
