"""The Value object (§2.22.1) and the plain JSON of our payloads, both ways.

    payload_of({"Name": {"type": "STRING", "string": "Ada"}, "Sum": 5})     # {"Name": "Ada", "Sum": 5}
    values_of({"Name": "Ada"})                                          # {"Name": {"type": "STRING", "string": "Ada"}}

Texts, numbers, truths, moments, lists and dictionaries become JSON's own; whatever else has a type (tables, records,
files, credentials, windows …) is kept as it came, and goes back as it is. Callers send raw values, too.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

Value = dict[str, Any]

_PLAIN: Final = frozenset({"STRING", "NUMBER", "BOOLEAN", "DATETIME", "LIST", "DICTIONARY"})
_SLOTS: Final = {"string": None, "number": None, "boolean": None, "list": None, "dictionary": None}.keys()
_YES: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_OTHERS: Final = """
    FILE ITERATOR TABLE VARIABLE CONDITIONAL WINDOW TASKBOT UIOBJECT RECORD EXCEPTION CREDENTIAL COORDINATE IMAGE REGION
    PROPERTIES TRIGGER CONDITIONALGROUP FORM FORMELEMENT HOTKEY WORKITEM REGEX PATTERN FILEREGEX SESSION
"""
TYPES: Final = _PLAIN | {*_OTHERS.split()}
"""All that a Value may be."""


def payload_of(inputs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Named Values as a payload."""
    return {name: plain(value) for name, value in (inputs or {}).items()}


def values_of(payload: Mapping[str, Any] | None) -> dict[str, Value]:
    """A payload as named Values."""
    return {name: value_of(each) for name, each in (payload or {}).items()}


def typed(variables: Any) -> Any:
    """Named Values of version 2, which say their slot alone (`{"number": 5}`), as ones that say their type, too."""
    if not isinstance(variables, Mapping):
        return variables
    return {name: _typed(value) for name, value in variables.items()}


def _typed(value: Any) -> Any:
    if isinstance(value, dict) and not value.get("type"):
        filled = [slot for slot in _SLOTS if value.get(slot) not in (None, "")] or [
            slot for slot in _SLOTS if slot in value
        ]
        if filled and value.keys() <= _SLOTS | {"type"}:
            return {**value, "type": filled[0].upper()}
    return value


def is_value(found: Any) -> bool:
    """Whether something is a Value and not JSON that looks alike: its type is one of those that there are."""
    return isinstance(found, dict) and isinstance(kind := found.get("type"), str) and kind.upper() in TYPES


def plain(value: Any) -> Any:  # noqa: PLR0911 - a table of kinds
    """A Value as JSON; what is no Value as it is, but for the Values in it."""
    if not is_value(value):
        match value:
            case dict():
                return {name: plain(each) for name, each in value.items()}
            case list():
                return [plain(each) for each in value]
            case _:
                return value
    match value["type"].upper():
        case "STRING" | "DATETIME":
            return _text(_slot(value, "string", "number", "boolean"))
        case "NUMBER":
            return _number(_slot(value, "number", "string"))
        case "BOOLEAN":
            return _truth(_slot(value, "boolean", "string"))
        case "LIST":
            return [plain(each) for each in value.get("list") or []]
        case "DICTIONARY":
            return _dictionary(value.get("dictionary"))
        case _:
            return value


def value_of(found: Any) -> Value:  # noqa: PLR0911 - likewise
    """JSON as a Value; one that came as a Value of another kind is told as it came."""
    match found:
        case None:
            return {"type": "STRING", "string": ""}
        case bool():
            return {"type": "BOOLEAN", "boolean": "true" if found else "false"}
        case int():
            return {"type": "NUMBER", "number": str(found)}
        case float():
            return {"type": "NUMBER", "number": repr(int(found)) if _is_short(found) else repr(found)}
        case str():
            return {"type": "STRING", "string": found}
        case list():
            return {"type": "LIST", "list": [value_of(each) for each in found]}
        case dict() if is_value(found) and found["type"].upper() not in _PLAIN:
            return found
        case dict():
            return {
                "type": "DICTIONARY",
                "dictionary": [{"key": key, "value": value_of(each)} for key, each in found.items()],
            }
        case _:
            raise TypeError(f"{type(found).__name__} is not of JSON")


_LARGEST_WRITTEN_OUT: Final = 1e15


def _is_short(number: float) -> bool:
    return math.isfinite(number) and number.is_integer() and abs(number) < _LARGEST_WRITTEN_OUT


def _slot(value: Value, *slots: str) -> Any:
    """The first slot that has something in it."""
    return next((value[slot] for slot in slots if value.get(slot) not in (None, "")), "")


def _text(found: Any) -> Any:
    if isinstance(found, bool):
        return "true" if found else "false"
    return found if isinstance(found, str) else str(found)


_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,300}(\.[0-9]{0,300})?([eE][-+]?[0-9]{1,3})?", re.ASCII)


def _number(found: Any) -> Any:
    """A number; what cannot be read as one stays the text that it was, and an empty one is null."""
    if not isinstance(found, str):
        return found
    text = found.strip()
    if not _NUMBER.fullmatch(text):
        return found if text else None
    number = int(text) if text.lstrip("+-").isdigit() else float(text)
    return number if math.isfinite(number) else found


def _truth(found: Any) -> Any:
    if isinstance(found, str):
        return _YES.get(found.strip().casefold(), found or None)
    return found


def _dictionary(entries: Any) -> dict[str, Any]:
    """Pairs of key and value; a plain object in their place is taken, too."""
    if isinstance(entries, dict):
        return {key: plain(each) for key, each in entries.items()}
    return {str(each.get("key", "")): plain(each.get("value")) for each in entries or [] if isinstance(each, dict)}
