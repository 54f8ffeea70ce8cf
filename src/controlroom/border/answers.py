"""What answers have in common: how a row becomes one, how one carries an error, and how it is sent."""

import itertools
import math
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Annotated, Any, Final, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import FieldInfo, fields

from controlroom.errors import ControlRoomError, Throttled, Unavailable

Headers = list[tuple[bytes, bytes]]

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")
TEXT: tuple[bytes, bytes] = (b"content-type", b"text/plain; charset=utf-8")

Row = TypeVar("Row")
Member = TypeVar("Member", bound=Enum)
Shown = TypeVar("Shown", bound=msgspec.Struct)

_LISTS: Final = {list, tuple}
_encoder = msgspec.json.Encoder()


class Habit(NamedTuple):
    """How a grammar makes a kind of field of a kind of attribute, wherever nothing else is said."""

    made: type
    of: type
    names: tuple[str, ...]
    """The row's attributes, by the name of the field: `("{}_id",)`. The first is of that kind."""
    make: Callable[..., Any]
    """Of their values; where the first is null or left out, so is the field."""


class Habits(NamedTuple):
    """What a grammar does alike in all of its answers and bodies."""

    words: Collection[tuple[str, str]] = ()
    """The grammar's words and the engine's: a field of either name is made of an attribute of the other."""
    kinds: Collection[Habit] = ()

    def names(self, name: str) -> list[str]:
        """By which names a row may have a field, its own first."""
        other = [theirs for ours, theirs in self.words if ours == name]
        return [name, *other, *(ours for ours, theirs in self.words if theirs == name)]


Source = str | Callable[[Row], Any] | tuple[str, Callable[[Any], Any]]
"""Of what a field is made: another attribute, the row, or an attribute if it is neither null nor left out."""

NO_HABITS: Final = Habits()


def shown_as(
    shown: type[Shown], row: type[Row], habits: Habits = NO_HABITS, /, **made: Source[Row]
) -> Callable[[Row], Shown]:
    """The function that writes a row as an answer: its fields are the row's attributes of the same names.

    `made` says of a field by which other name the row has it, or what is made of it or of the row; of the others, the
    habits of the grammar say it. A row in the row becomes an answer in the answer (of several kinds, the one with the
    same tag), and so do lists of them. The function is compiled where it is declared, once: as fast as one by hand.

    Raises:
        TypeError: if the row lacks a field, or its attribute may be what the answer's field may not.
    """
    return cast("Callable[[Row], Shown]", shown_with((), shown, row, habits, **made))


def shown_with(
    beside: Sequence[str], shown: type[Shown], row: type[Row], habits: Habits = NO_HABITS, /, **made: Source[Row]
) -> Callable[..., Shown]:
    """Likewise, for an answer with fields that no row has: they are handed in beside it, by their names."""
    arguments = []
    makers: dict[str, Any] = {"shown": shown, "UNSET": msgspec.UNSET}
    hints = get_type_hints(shown)
    for field in fields(shown):
        if field.name in beside:
            arguments.append(f"{field.name}={field.name}")
            continue
        name, hint = field.name, hints[field.name]
        asked = made.pop(name, name)
        source = _usual(row, asked, hint, habits) if isinstance(asked, str) else asked
        if source is None and (asked != name or field.required or _has(row, name)):
            source = asked
        if isinstance(source, str):
            _check_fits(row, source, shown, field, hint)
            arguments.append(f"{name}=row.{source}")
        elif callable(source):
            makers[f"make_{name}"] = source
            arguments.append(f"{name}=make_{name}(row)")
        elif source is not None:
            *values, makers[f"make_{name}"] = source
            arguments.append(f"{name}={_guarded(row, values, f'make_{name}', hint)}")
    if made:
        raise TypeError(f"{shown.__name__} has no field {', '.join(made)}")
    taken = ", ".join(["row", *beside])
    function = eval(f"lambda {taken}: shown({', '.join(arguments)})", makers)  # noqa: S307 - only names of our own fields
    return cast("Callable[..., Shown]", function)


def _usual(row: type, name: str, hint: Any, habits: Habits) -> Any:
    """The attribute of which a field is made without a word; or several, and what makes it of them."""
    wanted = _kinds(hint)
    known = habits.names(name)
    for attribute in filter(partial(_has, row), known):
        if Any in wanted or _kinds_of(row, attribute) <= wanted:
            return attribute
    for habit, attribute in itertools.product(habits.kinds, known):
        values = [each.format(attribute) for each in habit.names]
        if habit.made in wanted and all(_has(row, each) for each in values):
            found = _kinds_of(row, values[0])
            if habit.of in found and found - {habit.of} <= wanted:
                return *values, habit.make
    for attribute in filter(partial(_has, row), known):
        if (make := _inner(_kinds_of(row, attribute), wanted, habits)) is not None:
            return attribute, make
    return None


def _inner(has: set[Any], wanted: set[Any], habits: Habits) -> Callable[[Any], Any] | None:
    """What makes an answer in the answer of a row in the row, or a list of them."""
    rows, answers = [each for each in has if _is_struct(each)], [each for each in wanted if _is_struct(each)]
    tagged = {each.__struct_config__.tag: each for each in answers}
    if not rows or not has - {*rows} <= wanted:
        return _inner_list(has, wanted, habits)
    if len(rows) == len(answers) == 1:
        return shown_as(answers[0], rows[0], habits)
    if any(row.__struct_config__.tag not in tagged for row in rows):
        return None
    by_kind = {row: shown_as(tagged[row.__struct_config__.tag], row, habits) for row in rows}
    return lambda value: by_kind[type(value)](value)


def _inner_list(has: set[Any], wanted: set[Any], habits: Habits) -> Callable[[Any], Any] | None:
    match [each for each in has if get_origin(each) in _LISTS], [each for each in wanted if get_origin(each) in _LISTS]:
        case [rows], [answers] if has - {rows} <= wanted:
            make = _inner({get_args(rows)[0]}, {get_args(answers)[0]}, habits)
            of = get_origin(answers)
            return None if make is None else lambda values: of(map(make, values))
        case _:
            return None


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _guarded(row: type, values: list[str], make: str, hint: Any) -> str:
    """The call that makes a field; what is null or was left out stays so, and the field must allow it."""
    call = f"{make}({', '.join(f'row.{value}' for value in values)})"
    nothing = {type(None): "None", msgspec.UnsetType: "UNSET"}
    for kind in _kinds_of(row, values[0]) & nothing.keys():
        if kind not in _kinds(hint):
            raise TypeError(f"{row.__name__}.{values[0]} may be {nothing[kind]}, and {make} is {hint}")
        call = f"({nothing[kind]} if row.{values[0]} is {nothing[kind]} else {call})"
    return call


def _has(row: type, name: str) -> bool:
    return name in getattr(row, "__struct_fields__", ()) or isinstance(getattr(row, name, None), property)


def _kinds_of(row: type, name: str) -> set[Any]:
    found = getattr(row, name)
    return _kinds(get_type_hints(found.fget)["return"] if isinstance(found, property) else get_type_hints(row)[name])


def _check_fits(row: type, name: str, shown: type, field: FieldInfo, hint: Any) -> None:
    if not _has(row, name):
        raise TypeError(f"{row.__name__} has no attribute {name} for the field {field.name} of {shown.__name__}")
    has = _kinds_of(row, name)
    if not has <= _kinds(hint) and Any not in _kinds(hint):
        raise TypeError(f"{row.__name__}.{name} is {has}, and {shown.__name__}.{field.name} is {hint}")


def _kinds(hint: Any) -> set[Any]:
    """What a value may be: the members of a union, an id as what stands behind its name."""
    if get_origin(hint) in {Union, types.UnionType}:
        return set().union(*map(_kinds, get_args(hint)))
    if get_origin(hint) is Annotated:
        return _kinds(get_args(hint)[0])
    return {getattr(hint, "__supertype__", hint)}


def worded(members: type[Member], **told: str) -> Mapping[Member, Any]:
    """The word that a grammar has for each member of an enum: `worded(State, OPEN="new waiting", SHUT="ended")`.

    Raises:
        TypeError: if one has no word.
        ValueError: if there is a word for what is no member.
    """
    found = {members(value): word for word, values in told.items() for value in values.split()}
    if lacking := [member.value for member in members if member not in found]:
        raise TypeError(f"{members.__name__} has no word for {', '.join(lacking)}")
    return found


def error_body(code: str, message: str, **fields: Any) -> bytes:
    """`{"error": {"code", "message", …}, "message"}`: the message twice, because clients look in either place."""
    return _encoder.encode({"error": {"code": code, "message": message, **fields}, "message": message})


def retry_after(error: ControlRoomError) -> Headers:
    """What to say beside a failure that may be over soon."""
    match error:
        case Unavailable():
            return [(b"retry-after", b"1")]
        case Throttled():
            return [(b"retry-after", b"%d" % max(1, math.ceil(error.seconds)))]
        case _:
            return []


async def answer(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    """Send a whole answer."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
