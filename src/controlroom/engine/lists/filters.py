"""From a filter tree to a condition in SQL.

A tree is read in two steps. The first checks it against the listing's fields and parts it into its shape and its values
(`read`); the second writes the shape as SQL with parameters (`written`). Trees of one shape give one text, so that
shapes are remembered, and statements stay prepared.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NamedTuple, assert_never
from uuid import UUID

import msgspec

from controlroom.engine.lists.errors import FieldUnknown, FilterTooLarge, OperatorWrong, ValueWrong
from controlroom.engine.lists.inside import jsonpath_of
from controlroom.engine.lists.model import (
    AllOf,
    AnyOf,
    Compare,
    Contains,
    Field,
    Filter,
    Inside,
    Kind,
    Listing,
    Not,
    OneOf,
    Operator,
    Unset,
)
from controlroom.errors import Invalid

MOST_CONDITIONS: Final = 200
DEEPEST: Final = 20
MOST_VALUES: Final = 1_000
"""Of one `OneOf`."""
LONGEST_TEXT: Final = 100_000
LONGEST_SOUGHT: Final = 1_000
"""Characters that `Contains` looks for. Why fewer: each row costs its length times this at worst."""
LARGEST: Final = 2**63 - 1


class Leaf(NamedTuple):
    """A condition on one field without its value, which is the parameter of that number where there is one."""

    operator: str
    field: str
    number: int
    holds: bool
    """False: it is asked that the condition does not hold."""
    told: tuple[str, ...] | None = None
    """What the statement itself says in the place of a parameter: some of the field's choices."""


class Branch(NamedTuple):
    """Several shapes, joined by a word."""

    word: str
    of: tuple["Shape", ...]


Shape = Leaf | Branch


class Read(NamedTuple):
    """A filter that fits its listing."""

    shape: Shape
    values: list[Any]


def read(listing: Listing, asked: Filter) -> Read:
    """The tree's shape, in which no `Not` is left, and its values as they are sent.

    Costs a few microseconds a condition. Raises FieldUnknown, ValueWrong, OperatorWrong, FilterTooLarge.
    """
    reader = Reader(listing)
    return Read(reader.shape(asked), reader.values)


class Reader:
    """Reads the trees of one statement; their values stand in one row."""

    __slots__ = ("conditions", "listing", "values")

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.values: list[Any] = []
        self.conditions = 0

    def shape(self, asked: Filter, depth: int = 1, *, holds: bool = True) -> Shape:
        """The shape of a tree, or of a part of it that is asked to hold, or not to."""
        self.conditions += 1
        if self.conditions > MOST_CONDITIONS or depth > DEEPEST:
            raise FilterTooLarge(f"a filter has at most {MOST_CONDITIONS} conditions, {DEEPEST} deep")
        match asked:
            case AllOf(of):
                return Branch("and" if holds else "or", self._each(of, depth, holds=holds))
            case AnyOf(of):
                return Branch("or" if holds else "and", self._each(of, depth, holds=holds))
            case Not(of):
                return self.shape(of, depth + 1, holds=not holds)
            case Compare(operator=Operator.EQ | Operator.NE) | OneOf() if field_of(self.listing, asked.field).is_told:
                return self._told(asked, holds=holds)
            case Compare(operator=operator):
                self._take(asked)
                is_not = operator is Operator.NE
                return Leaf("=" if is_not else operator.value, asked.field, len(self.values) - 1, holds is not is_not)
            case _:
                self._take(asked)
                return Leaf(_WORDS[type(asked)], asked.field, len(self.values) - 1, holds)

    def _each(self, of: tuple[Filter, ...], depth: int, *, holds: bool) -> tuple[Shape, ...]:
        return tuple([self.shape(one, depth + 1, holds=holds) for one in of])

    def _told(self, asked: Compare | OneOf, *, holds: bool) -> Leaf:
        """A condition whose value is one of few words of ours."""
        field = field_of(self.listing, asked.field)
        if isinstance(asked, OneOf):
            return Leaf("one of", asked.field, -1, holds, tuple(sorted(set(_several(field, asked.values)))))
        return Leaf("=", asked.field, -1, holds is (asked.operator is Operator.EQ), (checked(field, asked.value),))

    def _take(self, asked: Compare | Contains | Inside | OneOf | Unset) -> None:
        """Keep the value of a condition, if it has one."""
        field = field_of(self.listing, asked.field)
        match asked:
            case Compare(_, operator, value):
                if field.kind is Kind.TRUTH and operator not in {Operator.EQ, Operator.NE}:
                    raise OperatorWrong(field.name, operator)
                self.values.append(checked(field, value))
            case Contains(_, text):
                self.values.append(_sought(field, text))
            case Inside(_, text):
                if field.kind is not Kind.JSON:
                    raise OperatorWrong(field.name, "inside")
                self.values.append(jsonpath_of(_storable(field, text)))
            case OneOf(_, values):
                self.values.append(_several(field, values))
            case Unset():
                pass
            case _:
                assert_never(asked)


_WORDS: Final[dict[type, str]] = {Contains: "contains", Inside: "inside", OneOf: "one of", Unset: "unset"}


def field_of(listing: Listing, name: str) -> Field:
    """The listing's field; raises FieldUnknown."""
    found = listing.named.get(name)
    if found is None:
        raise FieldUnknown(listing.noun, name)
    return found


# ---------------------------------------------------------------------------------------------------- values
def checked(field: Field, value: object) -> Any:
    """The value as PostgreSQL takes it for the field: Python's own, or as JSON has it. Raises ValueWrong."""
    return _CHECKS[field.kind](field, value)


def _id(field: Field, value: object) -> UUID:
    found: UUID = value if isinstance(value, UUID) else _converted(field, value, UUID, "an id")
    return found


def _integer(field: Field, value: object) -> int:
    found: int = _converted(field, value, int, "a whole number", is_strict=isinstance(value, bool))
    if not -LARGEST - 1 <= found <= LARGEST:
        raise ValueWrong(field.name, "a whole number of 64 bits")
    return found


def _number(field: Field, value: object) -> float:
    found: float = _converted(field, value, float, "a number", is_strict=isinstance(value, bool))
    if not math.isfinite(found):
        raise ValueWrong(field.name, "a finite number")
    return found


def _text(field: Field, value: object) -> str:
    found: object = value.value if isinstance(value, Enum) else value
    if not isinstance(found, str):
        raise ValueWrong(field.name, "a text")
    if len(found) > LONGEST_TEXT:
        raise ValueWrong(field.name, f"a text of at most {LONGEST_TEXT:,} characters")
    if field.choices and found not in field.choices:
        raise ValueWrong(field.name, f"one of {', '.join(sorted(field.choices))}")
    return _storable(field, found)


def _storable(field: Field, text: str) -> str:
    if "\0" in text:
        raise Invalid("Text may not contain the character NUL.", code="UNSTORABLE_CHARACTER", field=field.name)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as half:  # half of a surrogate pair, as JSON can have it
            raise ValueWrong(field.name, "a text of Unicode's characters") from half
    return text


def _instant(field: Field, value: object) -> datetime:
    found: datetime = _converted(field, value, datetime, "a time", is_strict=True)
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError as beyond:
        raise ValueWrong(field.name, "a time between the years 1 and 9999") from beyond


def _truth(field: Field, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueWrong(field.name, "true or false")
    return value


def _never(field: Field, _value: object) -> Any:
    raise OperatorWrong(field.name, "compared")


_CHECKS: Final[dict[Kind, Callable[[Field, object], Any]]] = {
    Kind.ID: _id,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.TEXT: _text,
    Kind.INSTANT: _instant,
    Kind.TRUTH: _truth,
    Kind.JSON: _never,
}


def _converted(field: Field, value: object, into: type, wanted: str, *, is_strict: bool = False) -> Any:
    """Clients write whole numbers as texts, too, and times always: only a number is no time."""
    try:
        return msgspec.convert(value, into, strict=is_strict)
    except (msgspec.ValidationError, ValueError, OverflowError) as wrong:
        raise ValueWrong(field.name, wanted) from wrong


def _sought(field: Field, text: object) -> str:
    """What `like` finds the text by, with its own signs escaped."""
    if field.kind not in {Kind.TEXT, Kind.INTEGER, Kind.JSON}:
        raise OperatorWrong(field.name, "contains")
    found = str(text) if isinstance(text, int) and not isinstance(text, bool) else text
    if not isinstance(found, str) or len(found) > LONGEST_SOUGHT:
        raise ValueWrong(field.name, f"a text of at most {LONGEST_SOUGHT:,} characters")
    escaped = _storable(field, found).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _several(field: Field, values: tuple[Any, ...]) -> list[Any]:
    if len(values) > MOST_VALUES:
        raise FilterTooLarge(f"`{field.name}` is one of at most {MOST_VALUES:,} values", field=field.name)
    return [checked(field, value) for value in values]


# ---------------------------------------------------------------------------------------------------- SQL
def written(listing: Listing, shape: Shape) -> str:
    """The shape as a condition: its parameters are `value_0`, `value_1`, … in the order in which values were read."""
    match shape:
        case Branch(word, of):
            if not of:
                return "true" if word == "and" else "false"
            parts = [written(listing, one) for one in of]
            return parts[0] if len(parts) == 1 else f"({f' {word} '.join(parts)})"
        case Leaf(operator, name, number, holds, told):
            field = listing.named[name]
            if operator == "unset":
                return f"{field.column} is {'' if holds else 'not '}null"
            condition = _condition(field, operator, number) if told is None else _said(field, told)
            if holds:
                return condition
            return f"({condition}) is not true" if field.is_nullable else f"not ({condition})"
        case _:
            assert_never(shape)


def _condition(field: Field, operator: str, number: int) -> str:
    """True where it holds; false, or null for a field without value, where it does not."""
    value = f"%(value_{number})s::{field.kind.value}"
    match operator:
        case "contains":
            column = field.column if field.kind is Kind.TEXT else f"({field.column})::text"
            return f"{column} ilike %(value_{number})s::text"
        case "inside":  # which finds nothing where a path does not fit
            return f"{field.column} @? %(value_{number})s::text::jsonpath"
        case "one of":
            return f"{field.column} = any({value}[])"
        case "=":  # whatever the collation, equal is equal: an index of any serves
            return f"{field.column} = {value}"
        case _:
            return f"{field.key} {operator} {value}"


def _said(field: Field, told: tuple[str, ...]) -> str:
    """The condition that a field is one of some words: its own choices, as they stand in our source."""
    words = [f"'{word}'" for word in told if word in field.choices and word.isidentifier()]
    if not words:
        return "false"
    return f"{field.column} = {words[0]}" if len(words) == 1 else f"{field.column} in ({', '.join(words)})"


def fields_in(listing: Listing, shape: Shape) -> set[str]:
    """The names of the fields that a shape asks about."""
    match shape:
        case Leaf():
            return {shape.field}
        case Branch():
            return set().union(*(fields_in(listing, one) for one in shape.of))
        case _:
            assert_never(shape)
