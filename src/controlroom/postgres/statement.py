"""SQL with named parameters, as it is written and as PostgreSQL reads it.

Written: `where id = %(step_run)s and name like 'a%'`. Sent: `where id = $1 and name like 'a%'`. `%%` means one percent
sign; a percent sign alone means itself. What stands in comments, string constants and quoted names is no parameter.

Parts between `/*given*/` and `/*end*/` are sent only if one of their parameters is given; so a condition that not all
callers have costs the others nothing.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Record
from asyncpg.pgproto import pgproto

_TOKENS = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<quoted>  '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | %\((?P<name>\w+)\)s
    | (?P<percent> %% )
    """,
    re.VERBOSE | re.DOTALL,
)

_OPTIONAL = re.compile(r"/\*given\*/(.*?)/\*end\*/", re.DOTALL)

_PLAIN = frozenset(
    {
        *(str, int, bool, float, type(None), bytes, dict, UUID, pgproto.UUID, Decimal, msgspec.Raw),
        *(datetime, date, time, timedelta),
    }
)
"""Types that the driver takes as they are."""

_LIMIT = 4096
"""Statements remembered. Far more than a program has: reached only if SQL is built from values, which is a bug."""


class Statement:
    """One SQL text: what is sent, in which order its parameters are sent, and how its rows become what (see `rows`)."""

    __slots__ = ("_optional", "_shorter", "conversions", "is_kept", "names", "text", "written")

    def __init__(self, written: str, *, is_kept: bool = True) -> None:
        positions: dict[str, int] = {}

        def translate(token: re.Match[str]) -> str:
            name = token["name"]
            if name is not None:
                return f"${positions.setdefault(name, len(positions) + 1)}"
            if token["percent"] is not None:
                return "%"
            return token[0].replace("%%", "%") if token["quoted"] is not None else token[0]

        self.written = written
        self.is_kept = is_kept
        """Whether connections keep it prepared; otherwise it costs a further round trip, and nothing stays of it."""
        self.text = _TOKENS.sub(translate, written)
        self.names = tuple(positions)
        self.conversions: dict[Any, Callable[[list[Record]], list[Any]]] = {}
        self._optional = frozenset(
            token["name"] for part in _OPTIONAL.findall(written) for token in _TOKENS.finditer(part) if token["name"]
        )
        self._shorter: Statement | None = None

    def given(self, values: Mapping[str, Any]) -> "Statement":
        """The statement for these values: itself, or without its optional parts."""
        if not self._optional or not self._optional.isdisjoint(values):
            return self
        if self._shorter is None:
            self._shorter = Statement(_OPTIONAL.sub("", self.written), is_kept=self.is_kept)
        return self._shorter

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the statement.

        Raises:
            TypeError: if a parameter has no value, or a value no parameter.
        """
        names = self.names
        if len(values) == len(names):
            try:
                return [
                    value if type(value) in _PLAIN else sendable(value) for value in [values[name] for name in names]
                ]
            except KeyError:
                pass
        missing = sorted(set(names) - values.keys())
        unknown = sorted(values.keys() - set(names))
        raise TypeError(f"parameters without a value: {missing}, values without a parameter: {unknown}: {self.written}")


def sendable(value: Any) -> Any:
    """The value as the driver takes it: an enum as its value, any collection as a list."""
    match value:
        case Enum():
            return value.value
        case list() | tuple() | set() | frozenset():
            return [sendable(element) if isinstance(element, Enum) else element for element in value]
        case _:
            return value


_statements: dict[str, Statement] = {}


def statement(sql: str | Statement, values: Mapping[str, Any] = {}) -> Statement:
    """The statement of a text for the values that are given: each text is read once."""
    if isinstance(sql, Statement):
        return sql.given(values)
    known = _statements.get(sql)
    if known is None:
        if len(_statements) >= _LIMIT:
            _statements.clear()
        known = _statements[sql] = Statement(sql)
    return known.given(values)


def statements(script: str) -> list[str]:
    """The statements of a script, each by itself, without the semicolons."""
    found = []
    begin = 0
    for token in re.finditer(f"{_TOKENS.pattern}|(?P<end>;)", script, _TOKENS.flags):
        if token["end"]:
            found.append(script[begin : token.start()])
            begin = token.end()
    found.append(script[begin:])
    return [each.strip() for each in found if re.sub(r"--[^\n]*|/\*.*?\*/|\s", "", each, flags=re.DOTALL)]
