"""Console output: the lines that a step run's programs print."""

from datetime import datetime
from typing import Final, NamedTuple

from msgspec import Struct


class Position(NamedTuple):
    """A line of a step run. Lines count from 0 in each attempt, and attempts from 1."""

    attempt: int
    line: int


BEGINNING: Final = Position(0, -1)
"""Before the first line."""


class Range(NamedTuple):
    """Neighbouring lines of one attempt: from `first` on, up to `end`, which is not among them."""

    attempt: int
    first: int
    end: int

    @property
    def before(self) -> Position:
        """The position that its first line follows."""
        return Position(self.attempt, self.first - 1)


OPEN: Final = 1 << 62
"""The `end` of a range to which lines may still come."""


class Line(Struct, frozen=True, kw_only=True):
    """One line, without its line feed. `at` is when its batch was read from the robot, by the worker's clock."""

    attempt: int
    number: int
    place: int
    """Counted from 1, over all attempts."""
    at: datetime
    text: str

    @property
    def position(self) -> Position:
        """Where it stands: reading goes on after it."""
        return Position(self.attempt, self.number)

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.text) if self.text.isascii() else len(self.text.encode())


class Piece(Struct, frozen=True, kw_only=True):
    """Consecutive lines with one time, of `length` bytes: in `body`, or in the object `hash` from `offset` on."""

    first_line: int
    line_count: int
    at: datetime
    body: bytes | None
    hash: str | None
    offset: int
    length: int


class ArchivedChunk(Struct, frozen=True, array_like=True):
    """Consecutive lines with one time in an archived console; `at` in Unix seconds, the rest in lines and bytes."""

    first_line: int
    line_count: int
    at: float
    offset: int
    length: int
