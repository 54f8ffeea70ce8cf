"""Pages of rows, as an API tells them, become Arrow tables of the types that are declared. Pure: reads no network.

What does not fit is never lost in silence: a value of another type than declared is written as null and counted, a key
that no column reads is named (`Shaper.unknown`), so that the report of a load can say both.
"""

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from controlroom.sources.columns import ITSELF, PARENT, POSITION, REMOVED, Child, Column, Kind, Table
from controlroom.sources.declared import Declared, Tree, tree_of

Row = Mapping[str, Any]
_LONGEST_SHOWN: Final = 80
_NUL: Final = "\0"
_UNFIT: Final = "\N{REPLACEMENT CHARACTER}"
_ESCAPED_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""U+0000 in JSON: its escape, behind a whole number of escaped backslashes."""
_encoder: Final = msgspec.json.Encoder()
_INT64: Final = range(-(2**63), 2**63)
_GONE: Final[dict[str, Any]] = {}
"""The row that marks what a parent has no longer."""


class Shaper:
    """Makes Arrow tables of a table's rows, page by page, and remembers what it did not expect."""

    def __init__(self, table: Table, *, above: Row | None = None) -> None:
        self.table = table
        self.unknown: set[str] = set()
        """Keys that rows had and no column reads, as paths: `runs.process.colour`."""
        self.misfits: Counter[str] = Counter()
        """How many values were of another type than declared, by column: `runs.duration`."""
        self._known = tree_of(table)
        self._children = [(each, Shaper(each.table)) for each in table.children]
        self._above = above or {}

    def tables(
        self, page: Sequence[Any], parents: Sequence[Row] | None = None, *, removing: bool = True
    ) -> Iterator[tuple[Table, pa.Table]]:
        """The page as an Arrow table, and one for each list within its rows.

        `parents` are the rows above, one a row, for columns that read from there. With `removing`, a row without
        children is told to the tables of its lists, so that what they hold of it goes.
        """
        above = parents if parents is not None else [self._above] * len(page)
        yield self.table, self._table(page, above, range(len(page)), None)
        yield from self._below(page, removing=removing)

    @property
    def surprises(self) -> Iterator["Shaper"]:
        """This shaper and those of its lists."""
        yield self
        for _, shaper in self._children:
            yield from shaper.surprises

    def _below(self, page: Sequence[Any], *, removing: bool) -> Iterator[tuple[Table, pa.Table]]:
        for child, shaper in self._children:
            if not removing and not any(_Told(page).at(child.path)):
                yield from ((each, each.empty()) for each in child.table.all)
                continue
            rows, parents, positions, childless = _unfolded(child, page)
            removed = len(childless) if removing else 0
            marks = None
            if removed:
                rows += [_GONE] * removed
                parents += childless
                positions += [0] * removed
                marks = [None] * (len(rows) - removed) + [True] * removed
            yield child.table, shaper._table(rows, parents, positions, marks)  # noqa: SLF001
            if removed:
                rows = rows[:-removed]
            yield from shaper._below(rows, removing=removing)  # noqa: SLF001

    def _table(
        self,
        rows: Sequence[Any],
        parents: Sequence[Row],
        positions: Sequence[int],
        marks: Sequence[bool | None] | None,
    ) -> pa.Table:
        told = _Told(rows)
        if self._known is not None and not told.are_declared:
            self.unknown |= set(_unread(self._known, told, (), self.table.name))
        above = told if parents is rows else _Told(parents)
        schema = self.table.arrow()
        arrays = []
        for column, field in zip(self.table.columns, schema, strict=True):
            if column.name == REMOVED:
                arrays.append(pa.nulls(len(rows), pa.bool_()) if marks is None else pa.array(marks, pa.bool_()))
                continue
            values = _values(column, told, above, positions)
            if column.read is not None:
                read = column.read
                values = [None if value is None else read(value) for value in values]
            array, misfits = _array(column.kind, field.type, values)
            if misfits:
                self.misfits[f"{self.table.name}.{column.name}"] += misfits
            arrays.append(array if field.nullable or not array.null_count else _keyed(array))
        return pa.Table.from_arrays(arrays, schema=schema)


def _keyed(array: pa.Array) -> pa.Array:
    """A key is never null: a part of it that is missing is the empty value of its type."""
    return pc.fill_null(array, "" if pa.types.is_string(array.type) else 0)


# ---------------------------------------------------------------------------------------------- where values stand
class _Told:
    """The rows of a page by what they are asked for: what several columns lead through is looked up once."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows
        self.are_declared = bool(rows) and isinstance(rows[0], Declared)
        """Whether they were read as declared: then all of them were."""
        self._found: dict[tuple[str, ...], Sequence[Any]] = {}

    def at(self, path: tuple[str, ...]) -> Sequence[Any]:
        """What each row has where these keys lead; None where they lead nowhere."""
        if not path:
            return self.rows
        found = self._found.get(path)
        if found is None:
            *above, key = path
            if above:
                found = self.at(tuple(above))
                if found.count(None) < len(found):
                    found = _within(found, key)
            elif self.are_declared:
                found = list(map(attrgetter(key), self.rows))
            else:
                found = [row.get(key) for row in self.rows]
            self._found[path] = found
        return found


def _within(values: Sequence[Any], key: str) -> Sequence[Any]:
    """What each value has at a key; None for what has no keys."""
    if isinstance(next(each for each in values if each is not None), Declared):
        if None not in values:
            return list(map(attrgetter(key), values))
        return [None if each is None else getattr(each, key) for each in values]
    return [each.get(key) if isinstance(each, dict) else None for each in values]


def _values(column: Column, told: _Told, above: _Told, positions: Sequence[int]) -> Sequence[Any]:
    match column.path:
        case (key,) if key == POSITION:
            return positions
        case (key,) if key == ITSELF:
            return [None if row is _GONE else row for row in told.rows]
        case (key, *further) if key == PARENT:
            return above.at(tuple(further))
        case path:
            return told.at(path)


def _unfolded(child: Child, page: Sequence[Any]) -> tuple[list[Any], list[Row], list[int], list[Row]]:
    """The rows of a list, each with its parent and its place there; and the parents that have none."""
    rows: list[Any] = []
    parents: list[Row] = []
    positions: list[int] = []
    childless: list[Row] = []
    for parent, listed in zip(page, _Told(page).at(child.path), strict=True):
        if isinstance(listed, list) and listed:
            rows += listed
            parents += [parent] * len(listed)
            positions += range(len(listed))
        else:
            childless.append(parent)
    return rows, parents, positions, childless


# ---------------------------------------------------------------------------------------------- what nobody declared
def _unread(known: Tree, told: _Told, at: tuple[str, ...], where: str) -> Iterator[str]:
    here = told.at(at)
    if here.count(None) == len(here):
        return
    dicts = here if set(map(type, here)) == {dict} else [each for each in here if isinstance(each, dict)]
    for key in set().union(*dicts):
        if key not in known:
            yield f"{where}.{key}"
        elif below := known[key]:
            yield from _unread(below, told, (*at, key), f"{where}.{key}")


# ------------------------------------------------------------------------------------------------------ types
def _array(kind: Kind, arrow: pa.DataType, values: Sequence[Any]) -> tuple[pa.Array, int]:
    """The values as an array, and how many of them were no such thing."""
    if kind is Kind.JSON:
        return _jsons(values, arrow), 0
    try:
        if kind is Kind.TIME:
            return _times(values, arrow), 0
        if kind is Kind.TEXT:
            return _storable(pa.array(values, arrow)), 0
        if kind is Kind.FLAG or kind is Kind.DATE:
            return pa.array(values, arrow), 0
        if bool not in set(map(type, values)):  # Arrow takes True for 1
            return pa.array(values, arrow), 0
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, ValueError, TypeError):
        pass
    as_kind = _KINDS[kind]
    read = [None if value is None else as_kind(value) for value in values]
    misfits = sum(now is None and before is not None for now, before in zip(read, values, strict=True))
    array = pa.array(read, arrow)
    return _storable(array) if kind is Kind.TEXT else array, misfits


def _storable(texts: pa.Array) -> pa.Array:
    """The texts without the character U+0000, which PostgreSQL takes in none."""
    if _NUL.encode() not in _bytes_of(texts):
        return texts
    return pc.replace_substring(texts, _NUL, _UNFIT)


def _bytes_of(array: pa.Array) -> bytes:
    """The bytes of all of its texts, one after another."""
    content = array.buffers()[-1]
    return b"" if content is None else content.to_pybytes()


def _times(values: Sequence[Any], arrow: pa.DataType) -> pa.Array:
    texts = pa.array(values, pa.string())  # what is no text is looked at one by one
    return pc.cast(texts, arrow)


def _jsons(values: Sequence[Any], arrow: pa.DataType) -> pa.Array:
    try:  # all at once: a text of its own for each made the allocator cut and join memory, ten times as long
        lines = _encoder.encode_lines(values).split(b"\n")
    except (TypeError, ValueError, OverflowError, RecursionError):
        return pa.array([None if value is None else _json(value) for value in values], arrow)
    texts = [None if value is None else line for value, line in zip(values, lines, strict=False)]
    found = pc.cast(pa.array(texts, pa.binary()), arrow)
    if rb"\u0000" in _bytes_of(found):
        return pa.array([None if value is None else _json(value) for value in values], arrow)
    return found


def _json(value: Any) -> str:
    try:
        text = _encoder.encode(value).decode()
    except (TypeError, ValueError, OverflowError):  # halves of characters
        text = json.dumps(value, default=str)
    return _ESCAPED_NUL.sub(rf"\1{_UNFIT}", text) if r"\u0000" in text else text


def _text(value: Any) -> str | None:
    text = value if isinstance(value, str) else _json(value)
    return text.encode(errors="replace").decode()  # half a character is none


def _integer(value: Any) -> int | None:
    match value:
        case bool():
            return None
        case int():
            found = value
        case float() if value.is_integer():
            found = int(value)
        case str() if value.strip().lstrip("+-").isascii() and value.strip().lstrip("+-").isdecimal():
            found = int(value)
        case _:
            return None
    return found if found in _INT64 else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _flag(value: Any) -> bool | None:
    match value:
        case bool():
            return value
        case "true" | "True" | "TRUE" | 1:
            return True
        case "false" | "False" | "FALSE" | 0:
            return False
        case _:
            return None


def _time(value: Any) -> dt.datetime | None:
    """A moment, as such or of any ISO 8601 form; one without an offset is of UTC."""
    try:
        at = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value.strip())
        return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (AttributeError, ValueError, OverflowError):
        return None


def _date(value: Any) -> dt.date | None:
    if isinstance(value, dt.date):
        return value
    if not isinstance(value, str):
        return None
    try:
        return dt.date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None


_KINDS: Final[Mapping[Kind, Callable[[Any], Any]]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.TIME: _time,
    Kind.DATE: _date,
}


def moment(text: str | None) -> dt.datetime | None:
    """A moment as an API writes it; None for what is none."""
    return _time(text)
