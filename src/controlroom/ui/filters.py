"""What a list is filtered by: its tabs, and the filters of its bar, each a key of the address."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec import field as made

from controlroom.engine.lists.model import EVERYTHING, AllOf, Compare, Contains, Filter, Inside, Operator
from controlroom.errors import Invalid
from controlroom.ids import as_uuid, first_id_at
from controlroom.ui import words
from controlroom.ui.pickers.picker import Picker

LONGEST_SOUGHT: Final = 200
"""Characters of what is sought."""
CLOCKS_DIFFER: Final = timedelta(days=1)
"""Why so much: an id has the time of the server that made it, its row that of the database."""
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class Tab(Struct, frozen=True):
    """A state of the list, with how many are in it."""

    key: str
    name: str
    filter: Filter = EVERYTHING
    is_bad: bool = False
    """Whether its count is red where it is not 0."""
    is_sum: bool = False
    """Whether every row is in one of the other tabs and all of theirs are here: its count is theirs together."""


class Choice(Struct, frozen=True):
    """A filter with few values."""

    key: str
    name: str
    field: str
    choices: Mapping[str, str]

    def condition(self, value: str) -> Filter:
        """What it asks. Raises Invalid for what is no choice."""
        if value not in self.choices:
            raise Invalid(f"{self.name}: there is no such choice.", code="FILTER_WRONG")
        return Compare(self.field, Operator.EQ, value)

    def said(self, value: str) -> str:
        """How a chip says it."""
        return self.choices.get(value, value)


class Reference(Struct, frozen=True):
    """A filter by another noun, which addresses name by its id.

    With the `picker`, one is chosen, or typed where there are many, and an address that names it by its number or name
    is led to the one with the id. Without, `options` are found by whoever shows the page.
    """

    key: str
    name: str
    field: str
    picker: Picker | None = None

    def condition(self, value: str) -> Filter:
        """What it asks. Raises Invalid for what is no id."""
        if (found := as_uuid(value)) is None:
            raise Invalid(f"{self.name}: this is no id.", code="FILTER_WRONG")
        return Compare(self.field, Operator.EQ, found)

    def said(self, value: str) -> str:
        """How a chip says it, where no better name is known."""
        return words.short_id(value)


class Text(Struct, frozen=True):
    """A filter by a part of a text."""

    key: str
    name: str
    field: str

    def condition(self, value: str) -> Filter:
        """What it asks."""
        return Contains(self.field, value[:LONGEST_SOUGHT])

    def said(self, value: str) -> str:
        """How a chip says it."""
        return value


class Exactly(Struct, frozen=True):
    """A filter by a whole text: a code. One that only links set, like a fingerprint, is not offered."""

    key: str
    name: str
    field: str
    is_offered: bool = True
    of_tab: str = ""
    """The only tab in which it holds for any row: the others lead to their lists without it, and are not counted."""

    def condition(self, value: str) -> Filter:
        """What it asks."""
        return Compare(self.field, Operator.EQ, value)

    def said(self, value: str) -> str:
        """How a chip says it."""
        return value if self.is_offered else words.short_id(value)


class AtLeast(Struct, frozen=True):
    """A filter by a number, and all greater ones."""

    key: str
    name: str
    field: str

    def condition(self, value: str) -> Filter:
        """What it asks. Raises Invalid for what is no number."""
        if not (value.isdecimal() and value.isascii() and len(value) <= 9):  # noqa: PLR2004 - an `int` of PostgreSQL
            raise Invalid(f"{self.name}: this is no number.", code="FILTER_WRONG")
        return Compare(self.field, Operator.GE, int(value))

    def said(self, value: str) -> str:
        """How a chip says it."""
        return f"{value} or more"


class InPayload(Struct, frozen=True):
    """A filter by what JSON has at a path: `$.supplier.country = NO`."""

    key: str
    name: str
    field: str
    example: str = "$.supplier.country = NO"

    def condition(self, value: str) -> Filter:
        """What it asks. The list raises Invalid for what cannot be read."""
        return Inside(self.field, value)

    def said(self, value: str) -> str:
        """How a chip says it."""
        return value


class Since(Struct, frozen=True):
    """A filter by time: the last `24h`, `7d`, or from a moment on."""

    key: str
    name: str
    field: str
    by_id: bool = False
    """Whether ids are made when the rows are: indexes that end by the id are read from there on."""
    choices: Mapping[str, str] = made(
        default_factory=lambda: {"1h": "last hour", "24h": "last 24 h", "7d": "last 7 days", "30d": "last 30 days"}
    )

    def condition(self, value: str) -> Filter:
        """What it asks. Raises Invalid for what is no time."""
        moment = moment_of(value, datetime.now(UTC))
        since = Compare(self.field, Operator.GE, moment)
        if not self.by_id or moment < _FIRST:
            return since
        return AllOf((since, Compare("id", Operator.GE, first_id_at(moment - CLOCKS_DIFFER))))

    def said(self, value: str) -> str:
        """How a chip says it."""
        return self.choices.get(value, value.replace("T", " ")[:16])


class Until(Struct, frozen=True):
    """A filter by time: before a moment."""

    key: str
    name: str
    field: str

    def condition(self, value: str) -> Filter:
        """What it asks. Raises Invalid for what is no time."""
        return Compare(self.field, Operator.LT, moment_of(value, datetime.now(UTC)))

    def said(self, value: str) -> str:
        """How a chip says it."""
        return value.replace("T", " ")[:16]


FilterOf = Choice | Reference | Text | Exactly | AtLeast | InPayload | Since | Until


def moment_of(text: str, now: datetime) -> datetime:
    """From when on `24h`, `7d` or a moment (ISO 8601) is. Raises Invalid for what is none."""
    number, unit = text[:-1], text[-1:]
    if unit in _UNITS and number.isdecimal() and number.isascii() and len(number) <= 4:  # noqa: PLR2004 - 192 years
        return now - int(number) * _UNITS[unit]
    try:
        found = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise Invalid("This is no time: 24h, 7d, or 2026-10-12T08:00.", code="FILTER_WRONG") from wrong
    return found if found.tzinfo else found.replace(tzinfo=UTC)
