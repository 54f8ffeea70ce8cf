"""Filters as clients write them (§1.5), read as those of `engine/lists`.

What is asked is read leniently: each part may be null, empty or left out, the filter a bare condition, operators in any
case, numbers may be text. A field that a list does not have is refused, as is an operator that there is not. A word
that no row can have (`status ne "ANY"`, `id eq "abc"`) is no fault: no row has it. What is compared with a time must
be one.
"""

import operator as compare
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from controlroom.border.columns import NOTHING, As, Words
from controlroom.border.lenient import moment
from controlroom.dialects.automation360.columns import Columns
from controlroom.engine.lists.errors import FieldUnknown, ValueWrong
from controlroom.engine.lists.filters import LARGEST
from controlroom.engine.lists.model import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Compare,
    Contains,
    Field,
    Filter,
    Kind,
    Listing,
    Not,
    Operator,
    Unset,
)
from controlroom.errors import Invalid
from controlroom.ids import as_uuid

_COMPARED: Final = {
    "eq": Operator.EQ,
    "ne": Operator.NE,
    "lt": Operator.LT,
    "le": Operator.LE,
    "gt": Operator.GT,
    "ge": Operator.GE,
}
_WORDS_COMPARED: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "eq": lambda word, value: word == value,
    "ne": lambda word, value: word != value,
    "lt": lambda word, value: word < value,
    "le": lambda word, value: word <= value,
    "gt": lambda word, value: word > value,
    "ge": lambda word, value: word >= value,
    "substring": lambda word, value: value.casefold() in word.casefold(),
}
_NUMBERS_COMPARED: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "eq": compare.eq,
    "ne": compare.ne,
    "lt": compare.lt,
    "le": compare.le,
    "gt": compare.gt,
    "ge": compare.ge,
}
_JOINED: Final = frozenset({"and", "or", "not"})


class FilterWrong(Invalid):
    """A filter is not written as filters are."""

    code = "FILTER_WRONG"


def filter_of(asked: Any, columns: Columns) -> Filter:
    """The engine's filter of one that was asked for. Raises Invalid."""
    if asked is None or asked in ({}, [], ""):
        return EVERYTHING
    if isinstance(asked, list):
        return _all_of([filter_of(each, columns) for each in asked])
    if not isinstance(asked, dict):
        raise FilterWrong("a filter is an object")
    given = {str(key).casefold(): value for key, value in asked.items()}
    operator = str(given.get("operator") or "").casefold()
    operands, field = given.get("operands"), given.get("field")
    if operator in _JOINED or (not field and operands is not None):
        several = operands if isinstance(operands, list) else [] if operands is None else [operands]
        return _joined(operator or "and", [filter_of(each, columns) for each in several])
    if operator == "none" or (not operator and not field):
        return EVERYTHING
    if operator != "substring" and operator not in _COMPARED:
        raise FilterWrong(f"there is no operator `{operator[:100]}`", operator=operator[:100])
    return _leaf(operator, str(field or ""), given.get("value"), columns)


def _joined(operator: str, of: list[Filter]) -> Filter:
    """Conditions that are joined; without any, nothing is restricted."""
    if not of:
        return EVERYTHING
    match operator:
        case "or":
            return EVERYTHING if EVERYTHING in of else AnyOf(tuple(of))
        case "not":
            return Not(_all_of(of))
        case _:
            return _all_of(of)


def _all_of(of: list[Filter]) -> Filter:
    restricting = tuple(each for each in of if each is not EVERYTHING)
    return AllOf(restricting) if restricting else EVERYTHING


def _leaf(operator: str, name: str, value: Any, columns: Columns) -> Filter:
    if isinstance(value, list) and operator in {"eq", "ne"}:
        several = AnyOf(tuple(_leaf("eq", name, each, columns) for each in value))
        return several if operator == "eq" else Not(several)
    column = column_of(name, columns)
    if isinstance(column, Words):
        return _of_words(operator, column, as_text(value))
    if operator == "ne":
        equal = _of_field("eq", name, value, column, columns.listing)
        return Not(equal)
    return _of_field(operator, name, value, column, columns.listing)


def _of_field(operator: str, name: str, value: Any, column: As, listing: Listing) -> Filter:
    """The rows of which a field is told so; where it has no value, by what is told instead."""
    field = listing.named[column.field]
    found = _of_values(operator, name, value, field, column)
    if column.instead:
        other = _of_values(operator, name, value, listing.named[column.instead], column)
        return AnyOf((found, AllOf((Unset(field.name), other))))
    if field.is_nullable and _is_told_of_nothing(operator, as_text(value), column):
        unset = _unset(field)
        return unset if operator == "eq" else AnyOf((unset, found))
    return found


def _of_values(operator: str, name: str, value: Any, field: Field, column: As) -> Filter:
    if operator == "substring":
        if field.kind not in {Kind.TEXT, Kind.INTEGER}:
            raise ValueWrong(name, "eq and ne, not by a part")
        return Contains(field.name, as_text(value))
    if field.is_nullable and operator == "eq" and as_text(value) == "":  # found by having none
        return NOTHING
    try:
        read = _READ[field.kind](name, column.read(value))
    except ValueError:
        return NOTHING
    if field.choices and read not in field.choices:  # no row can have it
        return NOTHING
    return _compared(field, operator, read)


def _is_told_of_nothing(operator: str, value: str, column: As) -> bool:
    """Whether what is told of a row that has no value is so to the value: an empty text is that of all of them."""
    if operator == "eq" and value in {"", column.unset}:
        return True
    if not column.unset or operator == "substring":
        return operator == "substring" and bool(column.unset) and value in str(column.unset)
    try:
        return _NUMBERS_COMPARED[operator](float(column.unset), float(value))
    except ValueError:
        return _WORDS_COMPARED[operator](column.unset, value)


_TO_THE_NEXT: Final = timedelta(microseconds=999)


def _compared(of: Field, operator: str, value: Any) -> Filter:
    """Times are compared by the millisecond, as they are told: who asks for what is later has no row once more."""
    field = of.name
    if of.kind is not Kind.INSTANT or value.microsecond % 1000:
        return Compare(field, _COMPARED[operator], value)
    first, last = value, value + _TO_THE_NEXT
    match operator:
        case "eq":
            return AllOf((Compare(field, Operator.GE, first), Compare(field, Operator.LE, last)))
        case "gt" | "le":
            return Compare(field, _COMPARED[operator], last)
        case _:
            return Compare(field, _COMPARED[operator], first)


def _unset(field: Field) -> Filter:
    """What is told as an empty text."""
    unset = Unset(field.name)
    if field.kind is not Kind.TEXT or field.choices:
        return unset
    return AnyOf((unset, Compare(field.name, Operator.EQ, "")))


_MANY_WORDS: Final = 10


def _of_words(operator: str, column: Words, value: str) -> Filter:
    if column.are_numbers and operator != "substring":
        found = _of_numbers(operator, column, value)
    else:
        compared = _WORDS_COMPARED[operator]
        found = [rows for word, rows in column.of.items() if compared(word, value)]
    if len(found) == len(column.of):  # `status ne "ANY"`: each row has one of the words
        return EVERYTHING
    if len(found) > _MANY_WORDS:  # a filter has not room for all of them
        return Not(AnyOf(tuple(rows for rows in column.of.values() if rows not in found)))
    return found[0] if len(found) == 1 and found[0] is not EVERYTHING else AnyOf(tuple(found))


def _of_numbers(operator: str, column: Words, value: str) -> list[Filter]:
    try:
        number = float(value)
    except ValueError:
        return [*column.of.values()] if operator == "ne" else []
    compared = _NUMBERS_COMPARED[operator]
    return [rows for word, rows in column.of.items() if compared(float(word), number)]


def column_of(name: str, columns: Columns) -> As | Words:
    """The column of a name, whatever its case. Raises FieldUnknown."""
    found = columns.fields.get(name)
    if found is None:
        folded = {each.casefold(): each for each in columns.fields}
        found = columns.fields.get(folded.get(name.casefold(), ""))
    if found is None:
        raise FieldUnknown(columns.listing.noun, name)
    return As(found) if isinstance(found, str) else found


def as_text(value: Any) -> str:
    """A value as the text that it is compared as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _id(_: str, value: Any) -> Any:
    found = as_uuid(str(value))
    if found is None:
        raise ValueError
    return found


def _whole(name: str, value: Any) -> Any:
    text = as_text(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    if not re.fullmatch(r"-?[0-9]+", text, re.ASCII):
        raise ValueError(name)
    return max(-LARGEST - 1, min(int(text), LARGEST))  # beyond 64 bits there is nothing


def _text(_: str, value: Any) -> Any:
    return value if isinstance(value, str) else as_text(value)


def _instant(name: str, value: Any) -> Any:
    try:
        return moment(as_text(value))
    except ValueError:
        raise ValueWrong(name, "a time, as 2026-01-31T12:00:00Z") from None


_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def _truth(name: str, value: Any) -> Any:
    found = _TRUTHS.get(as_text(value).casefold())
    if found is None:
        raise ValueError(name)
    return found


def _number(_: str, value: Any) -> Any:
    return value


_READ: Final[Mapping[Kind, Callable[[str, Any], Any]]] = {
    Kind.ID: _id,
    Kind.INTEGER: _whole,
    Kind.NUMBER: _number,
    Kind.TEXT: _text,
    Kind.INSTANT: _instant,
    Kind.TRUTH: _truth,
}
