"""Rows that the database writes as JSON, in a grammar's words: for long lists that programs read whole.

A row that becomes a Struct, an answer and JSON costs the server ten times what its text costs the database. What a row
shows is said over the fields of its list: `{"id": Plain("id"), "step": Inside("step_id", {"id": Plain("step_id")})}`.
Times are ISO 8601 in UTC, to the microsecond.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias, assert_never

import msgspec
from msgspec import Struct

from controlroom.engine.lists.model import Kind, Listing


class Plain(Struct, frozen=True):
    """The field, as its kind is written."""

    field: str
    otherwise: str = "null"
    """The JSON that stands for null."""


class Word(Struct, frozen=True):
    """The word for the field's value."""

    field: str
    words: Mapping[str, str]


class Whether(Struct, frozen=True):
    """Whether the field has this value."""

    field: str
    value: str


class Inside(Struct, frozen=True):
    """An object; null where the field is null."""

    field: str
    keys: "Keys"


class Always(Struct, frozen=True):
    """The same in each row, as JSON."""

    json: str


Value: TypeAlias = Plain | Word | Whether | Inside | Always
Keys: TypeAlias = Mapping[str, Value]
_NULL: Final = "'null'"


def written(listing: Listing, keys: Keys) -> str:
    """The expression of a row's JSON, over the table of the list."""
    parts: list[str] = []
    for number, (key, value) in enumerate(keys.items()):
        parts += [_literal(f"{'{' if not number else ','}{_json(key)}:"), _value(listing, value)]
    return f"concat({', '.join([*parts, _literal('}')])})"


def _value(listing: Listing, value: Value) -> str:
    match value:
        case Plain(name, otherwise):
            return _plain(listing, name, otherwise)
        case Word(name, words):
            cases = " ".join(f"when {_literal(each)} then {_literal(_json(word))}" for each, word in words.items())
            return f"case {listing.named[name].column} {cases} end"
        case Whether(name, is_):
            return f"case when {listing.named[name].column} = {_literal(is_)} then 'true' else 'false' end"
        case Inside(name, keys):
            inside = written(listing, keys)
            field = listing.named[name]
            return f"case when {field.column} is null then {_NULL} else {inside} end" if field.is_nullable else inside
        case Always(json):
            return _literal(json)
        case _:
            assert_never(value)


def _plain(listing: Listing, name: str, otherwise: str) -> str:
    field = listing.named[name]
    match field.kind:
        case Kind.ID:
            text = f"""'"' || {field.column} || '"'"""
        case Kind.INSTANT:
            text = f"""to_char({field.column} at time zone 'UTC', '\\"YYYY-MM-DD"T"HH24:MI:SS.US"Z"\\"')"""
        case Kind.TEXT:
            text = f"to_json({field.column})::text"
        case _:
            text = f"{field.column}::text"
    return f"coalesce({text}, {_literal(otherwise)})" if field.is_nullable else text


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
