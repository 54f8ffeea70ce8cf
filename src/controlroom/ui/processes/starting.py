"""What a start is asked by its form: the inputs of a task, payloads as typed. Pure."""

import contextlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct

from controlroom.engine.processes.forms import FieldKind, Form
from controlroom.robots.interfaces import Interface, Parameter, ParameterType
from controlroom.ui.asking import Fields

_PREFIX: Final = "input-"
_KINDS: Final = {
    FieldKind.NUMBER: ParameterType.NUMBER,
    FieldKind.TRUTH: ParameterType.BOOLEAN,
    FieldKind.ANY: ParameterType.ANY,
}
_STRUCTURED: Final = {ParameterType.OBJECT, ParameterType.ARRAY, ParameterType.ANY}


class Input(Struct, frozen=True, kw_only=True):
    """Something to be filled in, and what stands in it."""

    name: str
    label: str
    type: ParameterType
    hint: str
    is_required: bool
    choices: tuple[str, ...] = ()
    value: str = ""
    """As text; of a truth `on` or nothing."""

    @property
    def field(self) -> str:
        """What the form calls it."""
        return f"{_PREFIX}{self.name}"

    @property
    def is_structured(self) -> bool:
        """Whether it is typed as JSON."""
        return self.type in _STRUCTURED


def inputs_of(form: Form | None, interface: Interface | None) -> list[Input]:
    """What a start is asked: by the process's own form, else by the interface of its first task."""
    if form is not None:
        return [
            Input(
                name=field.name,
                label=field.label or field.name,
                type=_KINDS.get(field.kind, ParameterType.STRING),
                hint="",
                is_required=field.is_required,
                choices=field.choices,
                value=_as_text(field.default),
            )
            for field in form.fields
        ]
    return [] if interface is None else [_of_parameter(each) for each in interface.inputs]


def _of_parameter(parameter: Parameter) -> Input:
    return Input(
        name=parameter.name,
        label=parameter.name,
        type=parameter.type,
        hint=parameter.description or ("" if parameter.type is ParameterType.STRING else str(parameter.type)),
        is_required=parameter.is_required and parameter.type is not ParameterType.BOOLEAN,
        value=_as_text(parameter.default),
    )


def _as_text(value: Any) -> str:
    if value is UNSET or value is None or value is False:
        return ""
    if value is True:
        return "on"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def answered(inputs: Sequence[Input], fields: Fields) -> tuple[dict[str, Any], list[Input], dict[str, str]]:
    """What was filled in, as values; the form with it; and what is wrong, by field. What was left empty is left out."""
    values, shown, wrong = {}, [], {}
    for each in inputs:
        text = fields.text(each.field)
        shown.append(msgspec.structs.replace(each, value=text))
        if each.type is ParameterType.BOOLEAN:
            values[each.name] = fields.has(each.field)
        elif text:
            try:
                values[each.name] = _value(each.type, text)
            except (ValueError, msgspec.MsgspecError, RecursionError):
                wrong[each.field] = f"This is no {each.type}." if each.type is not ParameterType.ANY else ""
        elif each.is_required:
            wrong[each.field] = "This is to be filled in."
    return values, shown, {field: said for field, said in wrong.items() if said}


_READ: Final[dict[ParameterType, Any]] = {
    ParameterType.INTEGER: int,
    ParameterType.NUMBER: float | int,
    ParameterType.OBJECT: dict,
    ParameterType.ARRAY: list,
}


def _value(kind: ParameterType, text: str) -> Any:
    if kind in _READ:
        return msgspec.json.decode(text, type=_READ[kind])
    if kind is ParameterType.ANY:  # what is no JSON is a text
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            return msgspec.json.decode(text)
    return text


class Payloads(Struct, frozen=True):
    """Payloads as typed."""

    array: Raw
    """The JSON array of them."""
    count: int


def payloads_of(text: str) -> Payloads:
    """One payload, or one a line; an array at the top is one payload for each of its elements. Raises ValueError."""
    try:
        found = msgspec.json.decode(text, type=list[Raw] | dict | str | int | float | bool | None)
    except (msgspec.MsgspecError, RecursionError):
        return _lines(text)
    if isinstance(found, list):
        return Payloads(Raw(text.encode()), len(found))
    return Payloads(Raw(b"[" + text.encode() + b"]"), 1)


def _lines(text: str) -> Payloads:
    lines = [line for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines, start=1):
        try:
            msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError) as no:
            where = f"line {number} is" if len(lines) > 1 else "this is"
            raise ValueError(f"{where} no JSON") from no
    return Payloads(Raw(b"[" + b",".join(line.encode() for line in lines) + b"]"), len(lines))
