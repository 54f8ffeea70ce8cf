"""What answers have in common: how a row becomes one, how one carries an error, and how it is sent."""

import itertools
import math
import types
from collections.abc import Callable, Collection
from functools import partial
from typing import Annotated, Any, Final, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import FieldInfo, fields

from controlroom.errors import ControlRoomError, Throttled, Unavailable

Headers = list[tuple[bytes, bytes]]

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")
TEXT: tuple[bytes, bytes] = (b"content-type", b"text/plain; charset=utf-8")

Row = TypeVar("Row")
Shown = TypeVar("Shown", bound=msgspec.Struct)

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


NO_HABITS: Final = Habits()


def shown_as(
    shown: type[Shown], row: type[Row], habits: Habits = NO_HABITS, /, **made: str | Callable[[Row], Any]
) -> Callable[[Row], Shown]:
    """The function that writes a row as an answer: its fields are the row's attributes of the same names.

    `made` says of a field by which other name the row has it, or what is made of the row; of the others, the habits of
    the grammar say it, and a row in the row becomes an answer in the answer. The function is compiled where it is
    declared, once, and is as fast as one by hand.

    Raises:
        TypeError: if the row lacks a field, or its attribute may be what the answer's field may not.
    """
    arguments = []
    makers: dict[str, Any] = {"shown": shown, "UNSET": msgspec.UNSET}
    hints = get_type_hints(shown)
    for field in fields(shown):
        name, hint = field.name, hints[field.name]
        source = made.pop(name, None)
        if source is None:
            source, *values = _usual(row, name, hint, habits) or (name if field.required or _has(row, name) else None,)
        else:
            values = ["row"]
        if isinstance(source, str):
            _check_fits(row, source, shown, field, hint)
            arguments.append(f"{name}=row.{source}")
        elif source is not None:
            makers[f"make_{name}"] = source
            arguments.append(f"{name}={_guarded(row, values, f'make_{name}')}")
    if made:
        raise TypeError(f"{shown.__name__} has no field {', '.join(made)}")
    function = eval(f"lambda row: shown({', '.join(arguments)})", makers)  # noqa: S307 - only names of our own fields
    return cast("Callable[[Row], Shown]", function)


def _usual(row: type, name: str, hint: Any, habits: Habits) -> tuple[Any, ...] | None:
    """The attribute of which a field is made without a word; or what makes it, and of which attributes."""
    wanted = _kinds(hint)
    known = habits.names(name)
    for attribute in filter(partial(_has, row), known):
        if Any in wanted or _kinds_of(row, attribute) <= wanted:
            return (attribute,)
    for habit, attribute in itertools.product(habits.kinds, known):
        values = [each.format(attribute) for each in habit.names]
        if habit.made in wanted and all(_has(row, each) for each in values):
            found = _kinds_of(row, values[0])
            if habit.of in found and found - {habit.of} <= wanted:
                return habit.make, *values
    for attribute in filter(partial(_has, row), known):
        if (inner := _inner(_kinds_of(row, attribute), wanted)) is not None:
            return shown_as(*inner, habits), attribute
    return None


def _inner(has: set[Any], wanted: set[Any]) -> tuple[type[msgspec.Struct], type[Any]] | None:
    """The answer in the answer that is made of a row in the row, and that row."""
    match [kind for kind in wanted if _is_struct(kind)], [kind for kind in has if _is_struct(kind)]:
        case [shown], [row] if has - {row} <= wanted:
            return shown, row
        case _:
            return None


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _guarded(row: type, values: list[str], make: str) -> str:
    """The call that makes a field; what is null or was left out stays so."""
    if values == ["row"]:
        return f"{make}(row)"
    call = f"{make}({', '.join(f'row.{value}' for value in values)})"
    nothing = {type(None): "None", msgspec.UnsetType: "UNSET"}
    for kind in _kinds_of(row, values[0]) & nothing.keys():
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
