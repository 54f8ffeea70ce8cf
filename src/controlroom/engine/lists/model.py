"""What a noun says of its list, and what somebody asks of one.

A filter is two-valued: a field that has no value equals nothing, is neither more nor less than anything and contains
nothing, so that each of these does not hold, and its `Not` does. `NE` is the `Not` of `EQ`.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from functools import cached_property
from typing import Any, Generic, Self, TypeVar

from msgspec import Struct
from msgspec.structs import replace

Row = TypeVar("Row")


# ---------------------------------------------------------------------------------------------------- what a noun says
class Kind(Enum):
    """What a field's values are; named by PostgreSQL's type for it."""

    ID = "uuid"
    INTEGER = "bigint"
    NUMBER = "double precision"
    TEXT = "text"
    """Compared and sorted by code point in every database alike; `Contains` takes no account of case."""
    INSTANT = "timestamptz"
    TRUTH = "boolean"
    JSON = "jsonb"
    """Searched by `Contains`, over its text, and by `Inside`; never compared, never sorted by."""


class Field(Struct, frozen=True, eq=False):
    """A field by which a list is filtered, and sorted where it says so."""

    name: str
    kind: Kind
    column: str = ""
    """An expression over the listing's tables; if it is not given, the table's column of the field's name."""
    is_nullable: bool = False
    is_sortable: bool = False
    index: str | None = None
    """The index that keeps the cost of a page small, where there is one: a test asks PostgreSQL whether it is used."""
    choices: frozenset[str] = frozenset()
    """All values that a text may have, where it may not have any."""
    is_told: bool = False
    """Whether statements say which of the choices is asked for: where a few rows have one and millions another, so that
    PostgreSQL plans for it, and reads an index that has nothing else."""
    join: str = ""
    """What must be joined to the listing's table before the column can be named; as in the listing's own `joins`."""

    @property
    def key(self) -> str:
        """The column as it is sorted: text by code point, or an index of one database would not serve in another."""
        return f'{self.column} collate "C"' if self.kind is Kind.TEXT else self.column


def among(states: type[StrEnum]) -> frozenset[str]:
    """All that a text of this enum may be, for `choices`."""
    return frozenset(one.value for one in states)


class Listing(Struct, frozen=True, kw_only=True, eq=False, dict=True):
    """A noun's list: where its rows are, and by which fields they are found. Declared once, beside its statements."""

    noun: str
    """In the plural, for messages."""
    table: str
    columns: str
    """What a row of the list shows, over the table and `joins`."""
    joins: str = ""
    tenant: str
    """The column by which rows belong to somebody: a workspace, or an organization."""
    fields: tuple[Field, ...]
    """One of them is `id`, which no two rows share and none lacks."""
    always: str = ""
    """What holds for every row that is listed at all, over the table alone."""
    asides: str = ""
    """The column of jsonb in which a grammar keeps what it alone knows of a row."""

    @cached_property
    def named(self) -> Mapping[str, Field]:
        """The fields by name, with their columns."""
        return {
            field.name: field if field.column else replace(field, column=f"{self.table}.{field.name}")
            for field in self.fields
        }

    @property
    def select(self) -> str:
        """The beginning of a statement over rows as the list shows them."""
        return f"select {self.columns}\n  from {self.table} {self.joins}"


class Within(Struct, frozen=True):
    """Whose rows are listed, in SQL: an expression of one tenant's id, or a subquery of several ids."""

    sql: str
    is_one: bool
    params: dict[str, Any]

    @classmethod
    def one(cls, sql: str, /, **params: Any) -> Self:
        """The rows of one tenant."""
        return cls(sql, is_one=True, params=params)

    @classmethod
    def several(cls, sql: str, /, **params: Any) -> Self:
        """The rows of all tenants whose ids the subquery returns, in parentheses."""
        return cls(sql, is_one=False, params=params)


# ---------------------------------------------------------------------------------------------------- what is asked
class Operator(StrEnum):
    """How a field is compared with a value."""

    EQ = "="
    NE = "<>"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


class Compare(Struct, frozen=True):
    """The field is so to the value."""

    field: str
    operator: Operator
    value: Any


class Contains(Struct, frozen=True):
    """The text stands somewhere in the field, whatever the case of its letters; in a whole number's digits, too."""

    field: str
    text: str


class Inside(Struct, frozen=True):
    """What JSON has at a path is so: `$.supplier.country = NO` (see `inside`)."""

    field: str
    asked: str


class OneOf(Struct, frozen=True):
    """The field is one of the values; of none, if there are none."""

    field: str
    values: tuple[Any, ...]


class Unset(Struct, frozen=True):
    """The field has no value."""

    field: str


class AllOf(Struct, frozen=True):
    """Each of them holds; with none of them, every row is listed."""

    of: tuple["Filter", ...] = ()


class AnyOf(Struct, frozen=True):
    """At least one of them holds; with none of them, no row is listed."""

    of: tuple["Filter", ...]


class Not(Struct, frozen=True):
    """It does not hold."""

    of: "Filter"


Filter = Compare | Contains | Inside | OneOf | Unset | AllOf | AnyOf | Not

EVERYTHING = AllOf()


def equal(**values: object) -> AllOf:
    """All of these fields have these values; None is no condition."""
    return AllOf(tuple(Compare(field, Operator.EQ, value) for field, value in values.items() if value is not None))


class Direction(StrEnum):
    """Whichever way; a field without a value counts as greater than all that have one."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class Sort(Struct, frozen=True):
    """One key of an order."""

    field: str
    direction: Direction = Direction.ASCENDING


OLDEST_FIRST = (Sort("id"),)
NEWEST_FIRST = (Sort("id", Direction.DESCENDING),)


class After(Struct, frozen=True):
    """Behind a row: its values of the sort's fields, and its id at last."""

    position: tuple[Any, ...]


class Skip(Struct, frozen=True):
    """Behind so many rows: the cost grows with them."""

    rows: int


class Asked(Struct, frozen=True, kw_only=True):
    """A part of a list."""

    filter: Filter = EVERYTHING
    sort: tuple[Sort, ...] = OLDEST_FIRST
    """Ends with the id in any case, so that rows that are alike otherwise never change places."""
    start: After | Skip | None = None
    """None: at the first row."""
    length: int
    with_total: bool = False


def behind(*position: Any) -> After | None:
    """The start behind a row of which this is all that a list is sorted by; None is no row."""
    return None if position[-1] is None else After(position)


class Total(Struct, frozen=True):
    """How many rows a filter finds in all."""

    rows: int
    is_capped: bool
    """There are more than are counted: at least so many."""


class Page(Struct, Generic[Row], frozen=True):
    """A part of a list, and what is known of the rest."""

    rows: list[Row]
    has_more: bool
    total: Total | None
    """None if it was not asked for."""
