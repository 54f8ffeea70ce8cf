"""An OpenAPI document as its readers think of it: nouns, what can be done with each, and other names for the same."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

_METHODS = ("get", "post", "put", "patch", "delete")
_MOST = 0.7
"""The share of operations that begin alike, so that what they share is said once."""


class Operation(Struct, frozen=True, kw_only=True):
    """Something that can be asked, at one address."""

    method: str
    path: str
    described: dict[str, Any]
    aliases: tuple[str, ...] = ()
    """Other methods, at the same address, that mean the same to older clients."""

    @property
    def id(self) -> str:
        """What programs call it."""
        return str(self.described["operationId"])

    @property
    def text(self) -> str:
        """What it does."""
        return str(self.described.get("description") or self.described.get("summary") or "")


class Noun(Struct, frozen=True):
    """What a group of operations is about."""

    name: str
    operations: list[Operation]


def operations_of(document: dict[str, Any]) -> list[Operation]:
    """All operations in the document's order; a deprecated twin of another one is folded into it.

    A twin is known by its address and by an id that begins with the other's: `updateProcessByPut` of `updateProcess`.
    """
    found = []
    for path, item in document.get("paths", {}).items():
        here = [(method, item[method]) for method in _METHODS if method in item]
        twins = {id(each): main for _, each in here if (main := _main_of(each, [other for _, other in here]))}
        found += [
            Operation(
                method=method,
                path=path,
                described=each,
                aliases=tuple(other for other, twin in here if twins.get(id(twin)) is each),
            )
            for method, each in here
            if id(each) not in twins
        ]
    return found


def nouns_of(operations: list[Operation], base: str) -> list[Noun]:
    """The operations by their first tag, else by the first part of their path below the base; in their order."""
    nouns: dict[str, list[Operation]] = {}
    for operation in operations:
        nouns.setdefault(_noun_of(operation, base), []).append(operation)
    return [Noun(name, each) for name, each in nouns.items()]


def base_of(operations: list[Operation]) -> str:
    """How most paths begin, to be said once: the longest beginning that nearly all share."""
    beginnings = Counter(beginning for operation in operations for beginning in _beginnings(operation.path))
    shared = [beginning for beginning, count in beginnings.items() if count >= _MOST * len(operations)]
    return max(shared, key=len, default="")


def _main_of(operation: dict[str, Any], others: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not operation.get("deprecated"):
        return None
    id_ = operation["operationId"]
    found = [each for each in others if each is not operation and id_.startswith(each["operationId"])]
    return found[0] if found else None


def _noun_of(operation: Operation, base: str) -> str:
    if tags := operation.described.get("tags"):
        return str(tags[0])
    first = operation.path.removeprefix(base).strip("/").partition("/")[0]
    return first.replace("-", " ").capitalize() or "General"


def _beginnings(path: str) -> Iterator[str]:
    """Every beginning of a path that ends where a part of it does, the whole path excepted."""
    parts = path.split("/")
    for end in range(2, len(parts)):
        yield "/".join(parts[:end])
