"""Forms of Process Composer (§2.19): the engine's as the JSON text that this grammar has, and inputs both ways. Pure.

The vendor's own form language is not published; ours tells the same facts by plain names.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET

from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.values import is_value, payload_of, plain, values_of
from controlroom.engine.processes.forms import FieldKind, Form, FormField
from controlroom.robots.interfaces import Interface, ParameterType

_ELEMENTS: Final[Mapping[FieldKind, str]] = {
    FieldKind.TEXT: "TextBox",
    FieldKind.NUMBER: "Number",
    FieldKind.TRUTH: "CheckBox",
    FieldKind.DATE: "Date",
    FieldKind.CHOICE: "Dropdown",
    FieldKind.ANY: "TextArea",
}
_KINDS: Final[Mapping[ParameterType, FieldKind]] = {
    ParameterType.STRING: FieldKind.TEXT,
    ParameterType.INTEGER: FieldKind.NUMBER,
    ParameterType.NUMBER: FieldKind.NUMBER,
    ParameterType.BOOLEAN: FieldKind.TRUTH,
}


class Dictionary(Shape, frozen=True):
    """Named Values, as this module has them."""

    dictionary: list[dict[str, Any]]
    type: str = "DICTIONARY"


def dictionary_of(payload: Any) -> Dictionary:
    """A payload as named Values; what is no object has no names."""
    named = payload if isinstance(payload, dict) else {}
    return Dictionary([{"key": key, "value": value} for key, value in values_of(named).items()])


def answers_of(given: Any) -> dict[str, Any]:
    """Inputs as they are sent: a dictionary Value, a list of keys and values, or names with Values or plain JSON."""
    if not given:
        return {}
    if isinstance(given, list):
        return payload_of({str(each.get("key")): each.get("value") for each in given if isinstance(each, dict)})
    if is_value(given) or (isinstance(given, dict) and isinstance(given.get("dictionary"), list)):
        found = plain({**given, "type": "DICTIONARY"})
        return found if isinstance(found, dict) else {}
    return payload_of(given) if isinstance(given, dict) else {}


def form_text(form: Form) -> str:
    """A form as JSON text."""
    told = {
        "title": form.title,
        "elements": [_element(field) for field in form.fields],
        "buttons": [{"id": button, "label": button} for button in form.buttons],
    }
    return msgspec.json.encode(told).decode()


def form_of_interface(title: str, interface: Interface) -> Form:
    """What a task takes, as a form."""
    fields = tuple(
        FormField(
            name=each.name,
            label=each.description or each.name,
            kind=_KINDS.get(each.type, FieldKind.ANY),
            is_required=each.is_required,
            default=each.default,
        )
        for each in interface.inputs
    )
    return Form(title=title, fields=fields)


def _element(field: FormField) -> dict[str, Any]:
    return {
        "id": field.name,
        "name": field.name,
        "label": field.label or field.name,
        "type": _ELEMENTS[field.kind],
        "required": field.is_required,
        "defaultValue": None if field.default is UNSET else field.default,
        "options": list(field.choices),
    }
