"""What answers have in common: how a row becomes one, how one carries an error, and how it is sent."""

import math
import types
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import FieldInfo, fields

from controlroom.errors import ControlRoomError, Throttled, Unavailable

Headers = list[tuple[bytes, bytes]]

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")
TEXT: tuple[bytes, bytes] = (b"content-type", b"text/plain; charset=utf-8")

Row = TypeVar("Row")
Shown = TypeVar("Shown", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()


def shown_as(shown: type[Shown], row: type[Row], /, **made: str | Callable[[Row], Any]) -> Callable[[Row], Shown]:
    """The function that writes a row as an answer: its fields are the row's attributes of the same names.

    `made` says of a field by which other name the row has it, or what is made of the row. The function is compiled
    where it is declared, once, and is as fast as one by hand.

    Raises:
        TypeError: if the row lacks a field, or its attribute may be what the answer's field may not.
    """
    arguments = []
    makers: dict[str, Any] = {"shown": shown}
    hints = get_type_hints(shown)
    for field in fields(shown):
        source = made.pop(field.name, field.name)
        if callable(source):
            makers[f"make_{field.name}"] = source
            arguments.append(f"{field.name}=make_{field.name}(row)")
        elif source != field.name or _has(row, source) or field.required:
            _check_fits(row, source, shown, field, hints[field.name])
            arguments.append(f"{field.name}=row.{source}")
    if made:
        raise TypeError(f"{shown.__name__} has no field {', '.join(made)}")
    function = eval(f"lambda row: shown({', '.join(arguments)})", makers)  # noqa: S307 - only names of our own fields
    return cast("Callable[[Row], Shown]", function)


def _has(row: type, name: str) -> bool:
    return name in getattr(row, "__struct_fields__", ()) or isinstance(getattr(row, name, None), property)


def _check_fits(row: type, name: str, shown: type, field: FieldInfo, hint: Any) -> None:
    if not _has(row, name):
        raise TypeError(f"{row.__name__} has no attribute {name} for the field {field.name} of {shown.__name__}")
    found = getattr(row, name)
    has = get_type_hints(found.fget)["return"] if isinstance(found, property) else get_type_hints(row)[name]
    if not _kinds(has) <= _kinds(hint) and Any not in _kinds(hint):
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
