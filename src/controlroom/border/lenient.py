"""Bodies as clients of sloppy grammars write them, read into the type that a handler declares.

    class SetDefault(Struct, frozen=True, rename="camel"):
        device_id: int                    # 12, "12"
        users: tuple[int, ...] = ()       # [1, "2"], 3, null, left out
        note: str = ""                    # "x", 7, true, null
        until: datetime | None = None     # "2026-01-01T00:00:00Z", "2026-01-01", "", null
        payload: Raw = LEFT_OUT           # any JSON, kept as the bytes that it is
    title: Annotated[str, Meta(max_length=255)] = ""    # a longer one is refused

Numbers may be text and text may be a number, one thing may stand where a list is asked, keys and words of an enum come
in any case, keys with underscores or without, null and an empty text are as good as left out, and a key that we do not
know is passed over. What is no such thing at all is refused with its place. Each level is read by itself, so that
payloads are never made into objects.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, Struct, inspect

from controlroom.border.bodies import check_bounds
from controlroom.errors import Invalid
from controlroom.json_limits import check_nesting

NOTHING: Final = Raw(b"null")
LEFT_OUT: Any = msgspec.field(default_factory=lambda: NOTHING)
"""The default of a payload that may be left out: `NOTHING`, which the framework's document could not carry itself."""
_DEEPEST: Final = 208  # as any body's: a payload's nest, and what is wrapped around it
_EMPTY: Final = frozenset({b"null", b'""'})
_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_LIST: Final = msgspec.json.Decoder(list[Raw])
_ANY: Final = msgspec.json.Decoder()
_YES: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Fault(Struct, frozen=True):
    """A value that is not what is wanted, and where it stands: `.users[1].id`, or "" for the whole."""

    place: str
    wanted: str
    lacking: str = ""
    """The key that is not there, of the object at that place."""


class BodyWrong(Invalid):
    """A body is JSON, and is not what its handler wants."""

    code = "INVALID_BODY"

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        super().__init__(f"The body is not as expected: {first.wanted} - at `${first.place}`.")
        self.faults = faults
        """The first one of each of its keys."""


class _WrongError(Exception):
    """Values that are not what is wanted; the places around them are put before their own."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults)
        self.faults = faults

    def within(self, place: str) -> "_WrongError":
        return _WrongError(*(Fault(place + each.place, each.wanted, each.lacking) for each in self.faults))


def _wrong(wanted: str) -> _WrongError:
    return _WrongError(Fault("", wanted))


def read(body: bytes, into: Any) -> Any:
    """The body as a type; raises Invalid `MALFORMED_JSON`, or BodyWrong, saying where."""
    check_nesting(body, deepest=_DEEPEST)
    try:
        msgspec.json.decode(body, type=Raw)  # Why: whatever is passed over shall be JSON, too
        found = _reader(into)(body.strip())
    except _WrongError as wrong:
        raise BodyWrong(wrong.faults) from wrong
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise Invalid(f"The body is not JSON: {broken}.", code="MALFORMED_JSON") from broken
    check_bounds(found)
    return found


Reader = Callable[[bytes], Any]


@cache
def _reader(into: Any) -> Reader:
    return _made(inspect.type_info(into))


def _made(kind: inspect.Type) -> Reader:  # noqa: PLR0911 - a table of kinds
    match kind:
        case inspect.Metadata():
            return _made(kind.type)
        case inspect.StructType():
            return _struct(kind)
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            makes: Any = {inspect.ListType: list, inspect.VarTupleType: tuple, inspect.SetType: set}
            return _several(_made(kind.item_type), makes.get(type(kind), frozenset))
        case inspect.DictType():
            return _dictionary(_made(kind.value_type))
        case inspect.UnionType():
            return _union(kind)
        case inspect.RawType():
            return Raw
        case inspect.AnyType():
            return _ANY.decode
        case inspect.StrType(max_length=int() as longest):
            return _text_within(kind.min_length or 0, longest)
        case inspect.EnumType() | inspect.LiteralType():
            return _word(_words_of(kind))
        case _:
            return _SCALARS[type(kind)]


def _struct(kind: inspect.StructType) -> Reader:
    fields = {field.encode_name: field for field in kind.fields}
    folded = {_folded(name): name for name in reversed(fields)}
    readers: dict[str, Reader] = {}  # made at first use: types may name themselves
    takes_null = {name for name, field in fields.items() if _has(field.type, inspect.NoneType)}
    takes_text = {
        name for name, field in fields.items() if _has(field.type, inspect.StrType, inspect.RawType, inspect.AnyType)
    }
    takes_all = {name for name, field in fields.items() if _has(field.type, inspect.RawType, inspect.AnyType)}

    def struct(body: bytes) -> Any:
        if not body.startswith(b"{"):
            raise _wrong("an object")
        given: dict[str, Any] = {}
        faults: dict[str, Fault] = {}
        for key, raw in _OBJECT.decode(body).items():
            name = key if key in fields else folded.get(_folded(key))
            if name is None or (fields[name].name in given and key != name):
                continue
            field, value = fields[name], bytes(raw).strip()
            is_left_out = value == b"null" if name in takes_text else value in _EMPTY
            if (
                is_left_out
                and not field.required
                and name not in takes_all
                and not (value == b"null" and name in takes_null)
            ):
                continue
            if (reader := readers.get(name)) is None:
                reader = readers[name] = _made(field.type)
            try:
                given[field.name] = reader(value)
            except _WrongError as wrong:
                faults.setdefault(name, wrong.within(f".{name}").faults[0])
        if faults:
            raise _WrongError(*faults.values())
        if missing := [name for name, field in fields.items() if field.required and field.name not in given]:
            raise _WrongError(*(Fault("", f"`{name}` is missing", name) for name in missing))
        return kind.cls(**given)

    return struct


def _folded(key: str) -> str:
    """A key without what clients spell in several ways: `package_info`, `packageInfo`, `PackageInfo`."""
    return key.replace("_", "").casefold()


def _several(each: Reader, make: Callable[[list[Any]], Any]) -> Reader:
    def several(body: bytes) -> Any:
        if body in _EMPTY:
            return make([])
        if not body.startswith(b"["):
            return make([each(body)])
        found = []
        for number, raw in enumerate(_LIST.decode(body)):
            try:
                found.append(each(bytes(raw).strip()))
            except _WrongError as wrong:
                raise wrong.within(f"[{number}]") from None
        return make(found)

    return several


def _dictionary(each: Reader) -> Reader:
    def dictionary(body: bytes) -> dict[str, Any]:
        if body in _EMPTY:
            return {}
        if not body.startswith(b"{"):
            raise _wrong("an object")
        found = {}
        for key, raw in _OBJECT.decode(body).items():
            try:
                found[key] = each(bytes(raw).strip())
            except _WrongError as wrong:
                raise wrong.within(f".{key}") from None
        return found

    return dictionary


def _union(kind: inspect.UnionType) -> Reader:
    """Of what may be null or left out: the rest; of several others the first that it is, a text last."""
    others = [each for each in kind.types if not isinstance(each, inspect.NoneType) and not _is_unset(each)]
    has_null = any(isinstance(each, inspect.NoneType) for each in kind.types)
    has_text = any(isinstance(each, inspect.StrType) for each in others)
    readers = [_made(each) for each in sorted(others, key=lambda each: isinstance(each, inspect.StrType))]

    def union(body: bytes) -> Any:
        if has_null and (body == b"null" or (body == b'""' and not has_text)):
            return None
        for each in readers[:-1]:
            with suppress(_WrongError):
                return each(body)
        return readers[-1](body)

    return union


def _is_unset(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.CustomType) and kind.cls is type(UNSET)


def _has(kind: inspect.Type, *which: type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return _has(kind.type, *which)
    return isinstance(kind, which) or (
        isinstance(kind, inspect.UnionType) and any(_has(each, *which) for each in kind.types)
    )


def _words_of(kind: inspect.EnumType | inspect.LiteralType) -> dict[str, Any]:
    if isinstance(kind, inspect.LiteralType):
        return {str(value).casefold(): value for value in kind.values}
    return {str(member.value).casefold(): member for member in kind.cls}


def _word(words: Mapping[str, Any]) -> Reader:
    def word(body: bytes) -> Any:
        found = words.get(_text(body).casefold())
        if found is None:
            told = sorted(str(each.value if isinstance(each, Enum) else each) for each in words.values())
            raise _wrong(f"one of {', '.join(told)}")
        return found

    return word


def _text(body: bytes, wanted: str = "a text") -> str:
    if body.startswith(b'"'):
        text: str = msgspec.json.decode(body, type=str)
        return text
    if body.startswith((b"{", b"[")):
        raise _wrong(wanted)
    return "" if body == b"null" else body.decode()


def _text_within(shortest: int, longest: int) -> Reader:
    def text(body: bytes) -> str:
        found = _text(body)
        if not shortest <= len(found) <= longest:
            raise _wrong(f"{shortest} to {longest:,} characters" if shortest else f"at most {longest:,} characters")
        return found

    return text


def _integer(body: bytes) -> int:
    text = _text(body, "a whole number").strip()
    try:
        return int(text) if len(text) <= _LONGEST and "_" not in text else _float_as_int(text)
    except ValueError:
        return _float_as_int(text)


_LONGEST: Final = 30


def _float_as_int(text: str) -> int:
    number = _float(text)
    if not number.is_integer():
        raise _wrong("a whole number")
    return int(number)


def _number(body: bytes) -> float:
    return _float(_text(body, "a number"))


def _float(text: str) -> float:
    try:
        number = float(text if "_" not in text else "")
    except ValueError:
        number = float("nan")
    if number - number != 0:  # neither infinite nor none
        raise _wrong("a number")
    return number


def _truth(body: bytes) -> bool:
    found = _YES.get(_text(body, "true or false").strip().casefold())
    if found is None:
        raise _wrong("true or false")
    return found


def moment(text: str) -> datetime:
    """A time as clients write it: ISO 8601, with or without fraction and zone, or a date alone; UTC if nothing is said.

    Raises ValueError.
    """
    try:
        found = msgspec.convert(text.strip(), datetime)
    except msgspec.ValidationError:
        found = datetime.fromisoformat(text.strip())
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _moment(body: bytes) -> datetime:
    try:
        return moment(_text(body))
    except ValueError:
        raise _wrong("a time, as 2026-01-31T12:00:00Z") from None


def _id(body: bytes) -> UUID:
    try:
        return UUID(_text(body).strip())
    except ValueError:
        raise _wrong("an id") from None


_SCALARS: Final[Mapping[type, Reader]] = {
    inspect.StrType: _text,
    inspect.IntType: _integer,
    inspect.FloatType: _number,
    inspect.BoolType: _truth,
    inspect.DateTimeType: _moment,
    inspect.UUIDType: _id,
}
