"""What a model says of payloads. Pure.

A queue refuses what its schema does not allow; a model is kinder to people who write tables: a number may come as text,
and what does not fit is told as a fault of the item, so that somebody can mend it where it is.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Raw

from controlroom.engine.access.names import checked_name
from controlroom.engine.item_models.errors import AttributeMissing
from controlroom.engine.item_models.model import Attribute, AttributeKind, NewAttribute
from controlroom.errors import Invalid

MOST_ATTRIBUTES: Final = 100
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,300})(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_ZONE: Final = re.compile(r"\[[\w/+-]{1,64}\]$")
_AMERICAN: Final = ("%m/%d/%Y", "%m/%d/%Y %H:%M:%S")
_LONGEST_DATE: Final = 100

_SCHEMAS: Final[Mapping[AttributeKind, dict[str, Any]]] = {
    AttributeKind.TEXT: {"type": ["string", "null"]},
    AttributeKind.NUMBER: {"type": ["number", "null"]},
    AttributeKind.DATE: {"type": ["string", "null"]},
}


def check_attributes(wanted: Sequence[NewAttribute]) -> None:
    """Raise Invalid for attributes that no model can have."""
    if not 1 <= len(wanted) <= MOST_ATTRIBUTES:
        raise Invalid(f"an item model has 1 to {MOST_ATTRIBUTES} attributes", code="ITEM_MODEL_INVALID")
    names = [checked_name(each.name, what="attribute's name") for each in wanted]
    if len(set(names)) != len(names):
        raise Invalid("two attributes of an item model have the same name", code="ITEM_MODEL_INVALID")


def schema_of(attributes: Sequence[Attribute]) -> Raw:
    """The JSON schema of payloads, for whoever puts items into the queue without knowing its model."""
    schema = {
        "type": "object",
        "properties": {each.name: _SCHEMAS[each.kind] for each in attributes},
        "required": [each.name for each in attributes],
    }
    return Raw(msgspec.json.encode(schema))


def fitted(attributes: Sequence[Attribute], payload: Mapping[str, Raw]) -> dict[str, Raw]:
    """The payload as it is kept: a number that came as text is a number, and an empty text of no text is null.

    Raises AttributeMissing. What else does not fit stays as it came: `fault_of` tells.
    """
    for each in attributes:
        if each.name not in payload:
            raise AttributeMissing(each.name)
    return {**payload, **{each.name: _fitted(each.kind, payload[each.name]) for each in attributes}}


def fault_of(attributes: Sequence[Attribute], payload: Mapping[str, Raw]) -> str | None:
    """Why a fitted payload does not fit; None if it does."""
    for each in attributes:
        if not _fits(each.kind, msgspec.json.decode(payload[each.name])):
            return f"{each.name} is no {each.kind.value}"
    return None


def _fitted(kind: AttributeKind, value: Raw) -> Raw:
    if kind is AttributeKind.TEXT or bytes(value).lstrip()[:1] != b'"':
        return value
    text = msgspec.json.decode(value, type=str).strip()
    if not text:
        return Raw(b"null")
    is_number = kind is AttributeKind.NUMBER and _NUMBER.fullmatch(text) and math.isfinite(float(text))
    return Raw(text.encode()) if is_number else value


def _fits(kind: AttributeKind, value: Any) -> bool:
    if value is None:
        return True
    match kind:
        case AttributeKind.TEXT:
            return isinstance(value, str)
        case AttributeKind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case AttributeKind.DATE:
            return isinstance(value, str) and len(value) <= _LONGEST_DATE and _is_date(value.strip())


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(_ZONE.sub("", text))
    except ValueError:
        return any(_is_written(text, form) for form in _AMERICAN)
    return True


def _is_written(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - only whether it is one
    except ValueError:
        return False
    return True
