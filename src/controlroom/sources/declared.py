"""Pages whose rows are as they are declared, read into Structs: a third of what JSON objects cost.

A page of which anything is not as declared (a further key, a value of another type, one that is missing and `needed`)
is read as plain JSON, and its surprises are told by `rows`. Both ways give the same tables; one of them is slow.
"""

import keyword
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from controlroom.sources.columns import ITSELF, PARENT, POSITION, Kind, Table

Tree = Mapping[str, Any]
_TEXTS: Final = frozenset({Kind.TEXT, Kind.TIME, Kind.DATE})
_TYPES: Final[Mapping[Kind, Any]] = {
    **dict.fromkeys(_TEXTS, str | None),
    Kind.INTEGER: int | None,
    Kind.NUMBER: float | None,
    Kind.FLAG: bool | None,
    Kind.JSON: Any,
}


class Declared(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A row that is as declared; what it lacks is null. Read like the JSON object that it was."""

    def keys(self) -> tuple[str, ...]:
        """Its keys, those too that are null because the server told none."""
        return self.__struct_fields__

    def __getitem__(self, key: str) -> Any:
        """What stands at a key. Raises KeyError."""
        if key not in self.__struct_fields__:
            raise KeyError(key)
        return getattr(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        """Likewise, or what is said in place of null."""
        found = getattr(self, key, None)
        return default if found is None else found


class Reading:
    """Reads answers whose rows are those of a table; `needed` keys stand in each row, or it is another server's."""

    def __init__(self, table: Table, *, at: str = "data", needed: Collection[str] = ()) -> None:
        tree = tree_of(table)
        self._rows = None if tree is None else _struct(table, tree, (), frozenset(needed))
        self._at = at
        self._decoders: dict[tuple[str, ...], msgspec.json.Decoder[Any]] = {}

    def read(self, content: bytes, beside: Sequence[str]) -> tuple[dict[str, Any], list[Any]] | None:
        """What stands in an answer `beside` its rows, and these; None for an answer that is not as declared."""
        if self._rows is None:
            return None
        decoder = self._decoders.get(tuple(beside))
        if decoder is None:
            fields: list[Any] = [(self._at, list[self._rows])]  # type: ignore[name-defined]
            fields += [(key, Any, None) for key in beside]
            decoder = msgspec.json.Decoder(msgspec.defstruct("Answer", fields))
            self._decoders[tuple(beside)] = decoder
        try:
            answer = decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return {key: getattr(answer, key) for key in beside}, getattr(answer, self._at)


def tree_of(table: Table) -> Tree | None:
    """The keys of a row that are read, as a tree; None where rows are values."""
    tree: dict[str, Any] = {}
    paths = [column.path for column in table.columns] + [child.path for child in table.children]
    if (ITSELF,) in paths:
        return None
    for path in (*paths, *(tuple(each.split(".")) for each in table.passed_over)):
        if path[0] in {PARENT, POSITION}:
            continue
        here = tree
        for key in path[:-1]:
            here = here.setdefault(key, {})
        here.setdefault(path[-1], {})
    for path in sorted(paths, key=len, reverse=True):
        if path[0] not in {PARENT, POSITION}:  # what is read whole has nothing unknown in it, read in parts or not
            _at(tree, path[:-1])[path[-1]] = {}
    return tree


def _at(tree: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    for key in path:
        tree = tree.setdefault(key, {})
    return tree


def _struct(table: Table, tree: Tree, at: tuple[str, ...], needed: frozenset[str]) -> type[Declared] | None:
    """The Struct of what stands at a path of a row; None where a key is no name."""
    kinds: dict[tuple[str, ...], Any] = {}
    for column in table.columns:
        type_ = Any if column.read is not None else _TYPES[column.kind]
        kinds[column.path] = type_ if kinds.get(column.path, type_) == type_ else Any
    fields: list[Any] = []
    for key, below in tree.items():
        if not key.isidentifier() or keyword.iskeyword(key) or hasattr(Declared, key):
            return None
        type_ = kinds.get((*at, key), Any)
        if below:
            inner = _struct(table, below, (*at, key), frozenset())
            if inner is None:
                return None
            type_ = inner | None
        fields.append((key, type_) if key in needed else (key, type_, None))
    made = msgspec.defstruct("Row", sorted(fields, key=len), bases=(Declared,), forbid_unknown_fields=True, gc=False)
    return cast("type[Declared]", made)
