"""Paths into JSON, of the few forms that connections use: `$.a.b[0]['c']`. Pure."""

import re
from typing import Any, Final

from controlroom.engine.model_connections.errors import ConnectionInvalid

_PART: Final = re.compile(
    r"""\.(?P<name>[^.\[\]'"]+)|\[(?P<index>[0-9]{1,6})\]|\[(?P<quote>['"])(?P<quoted>[^'"]+)(?P=quote)\]"""
)
_LONGEST: Final = 1_000
_MOST_ITEMS: Final = 1_000
"""Of a list that a path makes longer."""

Path = tuple[str | int, ...]


def parsed(text: str) -> Path:
    """A path in its parts. Raises ConnectionInvalid."""
    rest = text.strip().removeprefix("$")
    if rest and rest[0] not in ".[":
        rest = f".{rest}"
    parts: list[str | int] = []
    position = 0
    while position < len(rest):
        found = _PART.match(rest, position) if len(rest) <= _LONGEST else None
        if found is None:
            raise ConnectionInvalid(f"has no path {text[:100]!r}")
        index = found["index"]
        parts.append(int(index) if index is not None else found["name"] or found["quoted"])
        position = found.end()
    return tuple(parts)


def found_at(body: Any, path: Path) -> Any:
    """What stands at a path; None if nothing does."""
    for part in path:
        if isinstance(part, int):
            if not isinstance(body, list) or part >= len(body):
                return None
            body = body[part]
        else:
            if not isinstance(body, dict) or part not in body:
                return None
            body = body[part]
    return body


def put_at(body: Any, path: Path, value: Any) -> Any:
    """The body with a value at a path; what is missing on the way is made. Raises ConnectionInvalid."""
    if not path:
        return value
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        items = list(body) if isinstance(body, list) else []
        if part >= _MOST_ITEMS:
            raise ConnectionInvalid(f"has no list of {part} items")
        items += [None] * (part + 1 - len(items))
        items[part] = put_at(items[part], rest, value)
        return items
    fields = dict(body) if isinstance(body, dict) else {}
    fields[part] = put_at(fields.get(part), rest, value)
    return fields
