"""Forms: what a person is asked, at the start of a process or by a step that waits for one. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from controlroom.errors import Invalid

MOST_FIELDS: Final = 200
MOST_BUTTONS: Final = 20
LONGEST_TEXT: Final = 1000
SUBMIT: Final = "Submit"


class FieldKind(StrEnum):
    """What may be filled in."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"
    DATE = "date"
    """Of ISO 8601, with or without a time."""
    CHOICE = "choice"
    """One of the field's choices."""
    ANY = "any"


class FormField(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something to be filled in."""

    name: str
    label: str = ""
    kind: FieldKind = FieldKind.TEXT
    is_required: bool = False
    default: Any | UnsetType = UNSET
    choices: tuple[str, ...] = ()


class Form(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person is asked, and the buttons by which they answer."""

    title: str = ""
    fields: tuple[FormField, ...] = ()
    buttons: tuple[str, ...] = (SUBMIT,)


class FormInvalid(Invalid):
    """A form that cannot be."""

    code: ClassVar[str] = "FORM_INVALID"


class AnswerWrong(Invalid):
    """What was filled in is not what the form asks."""

    code: ClassVar[str] = "ANSWER_WRONG"


def check_form(form: Form) -> None:
    """Raise FormInvalid for a form that cannot be."""
    texts = [form.title, *form.buttons]
    for field in form.fields:
        texts += [field.name, field.label, *field.choices]
    names = [field.name for field in form.fields]
    for fault, why in (
        (len(form.fields) > MOST_FIELDS, f"it has at most {MOST_FIELDS} fields"),
        (not 1 <= len(form.buttons) <= MOST_BUTTONS, f"it has 1 to {MOST_BUTTONS} buttons"),
        (any(len(text) > LONGEST_TEXT or "\0" in text for text in texts), "one of its texts is too long, or has a NUL"),
        (not all(name.strip() for name in (*names, *form.buttons)), "a field or a button has no name"),
        (len(set(names)) < len(names), "two of its fields have one name"),
        (any(field.kind is FieldKind.CHOICE and not field.choices for field in form.fields), "a choice has no choices"),
    ):
        if fault:
            raise FormInvalid(f"the form cannot be: {why}")


def defaults_of(form: Form) -> dict[str, Any]:
    """What is filled in before anybody has looked at it."""
    return {field.name: field.default for field in form.fields if field.default is not UNSET}


def filled(form: Form, payload: Raw | None, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with what a person has answered over it, and with the defaults of what is in neither.

    What the form does not ask for may be answered, too. Raises AnswerWrong for what is missing or of another kind.
    """
    before = {} if payload is None else msgspec.json.decode(payload)
    found = {**defaults_of(form), **(before if isinstance(before, dict) else {}), **answers}
    for field in form.fields:
        value = found.get(field.name)
        if value in (None, ""):
            if field.is_required:
                raise AnswerWrong(f"{field.label or field.name} is to be filled in", field=field.name)
        elif not _fits(field, value):
            raise AnswerWrong(f"{field.label or field.name} is no {field.kind.value}", field=field.name)
    return found


def _fits(field: FormField, value: Any) -> bool:
    match field.kind:
        case FieldKind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case FieldKind.TRUTH:
            return isinstance(value, bool)
        case FieldKind.CHOICE:
            return value in field.choices
        case FieldKind.TEXT | FieldKind.DATE:
            return isinstance(value, str)
        case FieldKind.ANY:
            return True
