"""YAML with its line numbers, so that a refusal can say where.

The merge key of YAML 1.1 (`<<: *anchor`, or a list of anchors) means what it means there: the entries of the other
mapping, except those that stand here; of two that are merged the first wins. Scalars stay the text that was written
(`3.10` is not 3.1, `no` is not false): every value that robots are described with is text, and only the defaults of an
interface are more.
"""

from collections.abc import Iterator
from typing import Any, NoReturn, Self

import msgspec
import yaml
from msgspec import Struct

from controlroom.errors import Invalid

_LONGEST = 256 << 10  # Why: ten times the longest freeze file seen; bounds the time that a hostile text takes.
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"  # of a plain `<<`; a quoted one is a text
_MOST_MERGED = 100_000
"""Entries that merging may bring into a file: mappings that merge each other in a chain grow with its square."""
_KINDS = {yaml.ScalarNode: "a text", yaml.SequenceNode: "a list", yaml.MappingNode: "a mapping"}


class Mapping(Struct, frozen=True):
    """A mapping in a file: its entries in their order, and where it stands."""

    file: str
    where: str
    line: int
    entries: dict[str, yaml.Node]
    lines: dict[str, int]

    @classmethod
    def read(cls, file: str, text: str) -> Self:
        """Read a file whose top is a mapping. Raises Invalid for everything else."""
        node = _compose(file, text)
        if node is None or _is_null(node):
            raise invalid(f"{file} is empty")
        return cls._of(file, "", node)

    @classmethod
    def _of(cls, file: str, where: str, node: yaml.Node) -> Self:
        if not isinstance(node, yaml.MappingNode):
            _refuse(file, where, node, "a mapping (key: value)")
        entries: dict[str, yaml.Node] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                _refuse(file, where, key, "a plain key")
            if key.value in entries:
                raise invalid(f"{file}, line {_line(key)}: the key `{key.value}` stands twice")
            entries[key.value] = value
            lines[key.value] = _line(key)
        return cls(file, where, _line(node), entries, lines)

    def __contains__(self, key: str) -> bool:
        return key in self.entries and not _is_null(self.entries[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def text(self, key: str) -> str:
        """Give a text; empty if the key is missing."""
        return _text(self.file, self._path(key), self.entries[key]) if key in self else ""

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a list of texts; empty if the key is missing."""
        return tuple(_text(self.file, where, node) for where, node in self._items(key))

    def texts_and_mappings(self, key: str) -> "tuple[str | Mapping, ...]":
        """Give a list whose elements are texts or mappings, in their order."""
        return tuple(
            Mapping._of(self.file, where, node) if isinstance(node, yaml.MappingNode) else _text(self.file, where, node)
            for where, node in self._items(key)
        )

    def mapping(self, key: str) -> "Mapping":
        """Give a mapping; an empty one if the key is missing."""
        if key not in self:
            return Mapping(self.file, self._path(key), self.lines.get(key, self.line), {}, {})
        return Mapping._of(self.file, self._path(key), self.entries[key])

    def is_mapping(self, key: str) -> bool:
        """Whether the value of a key is a mapping."""
        return isinstance(self.entries.get(key), yaml.MappingNode)

    def value(self, key: str) -> Any:
        """Give a value as YAML means it, which must be one that JSON can hold. Raises Invalid."""
        node = self.entries[key]
        try:
            # Why by way of JSON: it refuses dates, bytes, sets and loops, and settles what is equal.
            found = _plain(node, iter(range(_MOST_NODES)), depth=0)
            msgspec.msgpack.encode(found)  # Why: numbers beyond 64 bits are none that the room tells
            return msgspec.json.decode(msgspec.json.encode(found))
        except (yaml.YAMLError, msgspec.MsgspecError, ValueError, OverflowError, TypeError, RecursionError):
            _refuse(self.file, self._path(key), node, "a value that JSON can hold")

    def refuse(self, key: str, expected: str) -> NoReturn:
        """Raise Invalid for the value of a key (or for its absence)."""
        if key in self:
            _refuse(self.file, self._path(key), self.entries[key], expected)
        raise invalid(f"{self.file}, line {self.lines.get(key, self.line)}: `{self._path(key)}` must be {expected}")

    def _items(self, key: str) -> list[tuple[str, yaml.Node]]:
        if key not in self:
            return []
        node = self.entries[key]
        if not isinstance(node, yaml.SequenceNode):
            _refuse(self.file, self._path(key), node, "a list (- one entry a line)")
        return [(f"{self._path(key)}[{index}]", item) for index, item in enumerate(node.value)]

    def _path(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key


def invalid(message: str) -> Invalid:
    """The failure of a package whose author must mend it."""
    return Invalid(message, code="PACKAGE_INVALID")


def _compose(file: str, text: str) -> yaml.Node | None:
    if len(text) > _LONGEST:
        raise invalid(f"{file} is longer than {_LONGEST >> 10} KiB")
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)  # never builds objects
        if node is not None:
            _Merging(file).visit(node)
    except yaml.MarkedYAMLError as error:
        at = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise invalid(f"{file}{at}: this is no valid YAML: {error.problem or error.context or 'unreadable'}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise invalid(f"{file}: this is no valid YAML: {str(error).splitlines()[0]}") from error
    except RecursionError:
        raise invalid(f"{file} is nested too deeply") from None
    return node


class _Loader(yaml.SafeLoader):
    """As PyYAML's, but all that it composes is text.

    A character beyond the first 65,536 may be written as two escapes, as JSON does; PyYAML leaves them as two halves,
    which nothing can write or send. One alone is no text at all.
    """

    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        node: yaml.ScalarNode = super().compose_scalar_node(anchor)
        try:
            node.value = node.value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise yaml.MarkedYAMLError(
                problem="an escape (\\uD800 to \\uDFFF) is half a character", problem_mark=node.start_mark
            ) from None
        return node


class _Merging:
    """Puts what merge keys mean in their place, in every mapping of a file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._budget = iter(range(_MOST_MERGED))
        self._done: dict[int, bool] = {}  # False while what is in a node is looked at

    def visit(self, node: yaml.Node) -> None:
        """Merge in a node and in all below it, each once. Raises Invalid."""
        if isinstance(node, yaml.ScalarNode) or id(node) in self._done:
            return
        self._done[id(node)] = False
        for child in _children(node):
            self.visit(child)
        if isinstance(node, yaml.MappingNode) and any(key.tag == _MERGE for key, _ in node.value):
            node.value = self._merged(node)
        self._done[id(node)] = True

    def _merged(self, node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
        own = [entry for entry in node.value if entry[0].tag != _MERGE]
        names = {_identity(key) for key, _ in own}
        brought: list[tuple[yaml.Node, yaml.Node]] = []
        for key, value in node.value:
            for other in _merged_mappings(self._file, key, value) if key.tag == _MERGE else ():
                if not self._done.get(id(other), False):
                    raise invalid(f"{self._file}, line {_line(key)}: `<<` merges a mapping into itself")
                for entry in other.value:
                    if next(self._budget, None) is None:
                        raise invalid(f"{self._file}, line {_line(key)}: `<<` merges too much")
                    if _identity(entry[0]) not in names:
                        names.add(_identity(entry[0]))
                        brought.append(entry)
        return [*brought, *own]


def _identity(key: yaml.Node) -> str | int:
    """What makes two keys the same; others than texts are refused by who reads them."""
    return key.value if isinstance(key, yaml.ScalarNode) else id(key)


def _merged_mappings(file: str, key: yaml.Node, value: yaml.Node) -> list[yaml.MappingNode]:
    """The mappings that a merge key names: one, or a list of them."""
    named = value.value if isinstance(value, yaml.SequenceNode) else [value]
    mappings = [node for node in named if isinstance(node, yaml.MappingNode)]
    if len(mappings) < len(named):
        raise invalid(f"{file}, line {_line(key)}: `<<` must be a mapping or a list of mappings")
    return mappings


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [each for entry in node.value for each in entry]
    return list(node.value)


_DEEPEST = 16  # of a default value
_MOST_NODES = 10_000


def _plain(node: yaml.Node, budget: Iterator[int], *, depth: int) -> Any:
    """The value of a node, without tags of Python. Aliases are counted as what they stand for: lists of them are bombs.

    `budget` gives a number for each node that may still come.
    """
    if depth > _DEEPEST or next(budget, None) is None:
        raise ValueError("nested too deeply or too large")
    match node:
        case yaml.ScalarNode():
            return yaml.constructor.SafeConstructor().construct_object(node)
        case yaml.SequenceNode():
            return [_plain(item, budget, depth=depth + 1) for item in node.value]
        case yaml.MappingNode():
            return {str(key.value): _plain(value, budget, depth=depth + 1) for key, value in node.value}
    raise ValueError("unknown kind of node")


def _text(file: str, where: str, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or _is_null(node):
        _refuse(file, where, node, "a text")
    if "\0" in node.value:
        raise invalid(f"{file}, line {_line(node)}: `{where}` has a NUL character in it")
    return str(node.value)


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _refuse(file: str, where: str, node: yaml.Node, expected: str) -> NoReturn:
    got = "nothing" if _is_null(node) else _KINDS.get(type(node), "something else")
    subject = f"`{where}`" if where else "the file"
    raise invalid(f"{file}, line {_line(node)}: {subject} must be {expected}, but {got} stands there")
