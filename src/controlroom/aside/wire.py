"""What the pool and its processes say to each other: a length, and MessagePack.

Why no pickle: a process that reads what strangers send must not be able to make the server do anything but look at an
answer of the declared type.
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from pathlib import PurePath
from typing import Any, Final, get_type_hints

import msgspec
from msgspec import Raw, Struct

LENGTH: Final = struct.Struct("!Q")


class Call(Struct, frozen=True):
    """Call a function of ours. `seconds` are of computing, not of waiting."""

    module: str
    function: str
    seconds: float
    args: list[Raw]
    kwargs: dict[str, Raw]


class Done(Struct, frozen=True, tag="done"):
    """The function has returned."""

    value: Raw
    is_last: bool
    """The process takes no other call: it has grown."""


class Refused(Struct, frozen=True, tag="refused"):
    """The function has raised one of the kinds of failure that the domain speaks of."""

    kind: str
    code: str
    message: str
    fields: dict[str, Any]


class TooMuch(Struct, frozen=True, tag="too_much"):
    """Memory, or the depth of calls, did not suffice."""


class Bug(Struct, frozen=True, tag="bug"):
    """Anything else was raised."""

    traceback: str


Reply = Done | Refused | TooMuch | Bug


def _plain(value: Any) -> Any:
    """For encoders: what MessagePack does not have."""
    if isinstance(value, PurePath):
        return str(value)
    raise NotImplementedError(type(value))


def _typed(kind: type, value: Any) -> Any:
    """For decoders, likewise."""
    if issubclass(kind, PurePath):
        return kind(value)
    raise NotImplementedError(kind)


read_call: Final = msgspec.msgpack.Decoder(Call).decode
read_reply: Final = msgspec.msgpack.Decoder(Reply).decode


_pack: Final = msgspec.msgpack.Encoder(enc_hook=_plain).encode


def encode(value: Any) -> bytes:
    """A value as it goes over. Times are text, because MessagePack's forget their offset."""
    return _pack(msgspec.to_builtins(value, builtin_types=(bytes,), enc_hook=_plain))


def sendable(value: Any) -> Any:
    """What a failure says, with names in it that are no text (of files, of links): their odd bytes are shown."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {sendable(key): sendable(each) for key, each in value.items()}
        case list() | tuple():
            return [sendable(each) for each in value]
        case _:
            return msgspec.to_builtins(value, enc_hook=_plain)


def call_of(function: Callable[..., Any], seconds: float, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """A call, ready to be sent."""
    given = [Raw(encode(value)) for value in args]
    named = {name: Raw(encode(value)) for name, value in kwargs.items()}
    return _pack(Call(function.__module__, function.__name__, seconds, given, named))


@lru_cache(maxsize=64)
def readers(function: Callable[..., Any]) -> dict[str, Callable[[Raw], Any]]:
    """What reads each argument of a function, in their order, and at the end (as `return`) what it returns."""
    return {
        name: msgspec.msgpack.Decoder(kind, dec_hook=_typed).decode for name, kind in get_type_hints(function).items()
    }


def reply_of(reply: Reply) -> bytes:
    """A reply, ready to be sent."""
    return _pack(reply)
