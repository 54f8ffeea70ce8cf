"""What bots put out: Value objects, `{type, <slot>: …}`, as rows. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

_SLOTS: Final = {"DATETIME": "string", "FILE": "file"}
"""In which slot a value stands, where it is not called as its type is."""
_TYPES: Final = (
    (bool, "BOOLEAN"),
    (int, "NUMBER"),
    (float, "NUMBER"),
    (str, "STRING"),
    (list, "LIST"),
    (dict, "DICTIONARY"),
)


def outputs_of(execution: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each output variable of an execution."""
    put_out = execution.get("botOutVariables")
    values = put_out.get("values") if isinstance(put_out, dict) else None
    for name, value in (values or {}).items():
        kind, found = held_by(value)
        yield {
            "execution_id": execution["id"],
            "name": name,
            "type": kind,
            "value": _text(found),
            "number": _number(found) if kind == "NUMBER" else None,
            "whole": value,
        }


def held_by(value: Any) -> tuple[str, Any]:
    """A value's type, and what it holds; of what is no Value object, itself."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return next((word for kind, word in _TYPES if isinstance(value, kind)), ""), value
    kind = value["type"]
    held = value.get(_SLOTS.get(kind, kind.lower()))
    return kind, value.get("string") if held is None or held == "" else held


def _text(value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case _:
            return orjson.dumps(value).decode()


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
