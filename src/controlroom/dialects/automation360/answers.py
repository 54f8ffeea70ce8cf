"""What answers have in common: keys are camelCase, an unset text is `""`, times are UTC with milliseconds and `Z`.

    class Device(Shape, frozen=True):
        id: str
        host_name: str
        updated_on: str                   # of a row's `updated_at: datetime` by itself
        pool_name: str = ""

    _show = shown_as(Device, Worker, id="number", host_name="name", updated_on="seen_at")

`shown_as` (see `border.answers`) makes a text of a number, a moment or an id by itself where the field is a `str`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from msgspec import Struct

from controlroom.border import answers
from controlroom.border.answers import Habit, Habits, Source
from controlroom.border.bodies import JsonResponse

Row = TypeVar("Row")
Shown = TypeVar("Shown", bound=Struct)


class Shape(Struct, frozen=True, rename="camel"):
    """What is told, and what is asked: keys that we do not know are passed over."""


class Told(JsonResponse):
    """What handlers return, as JSON; nothing is an answer without a body."""

    def __init__(self, content: Any, **framework: Any) -> None:
        super().__init__(b"" if content is None else content, **framework)
        if content is None:
            self._body = b""


def moment(at: datetime) -> str:
    """A moment as it is told: `2026-01-31T12:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_or_none(at: datetime | None) -> str | None:
    """Likewise; null stays null, as strict clients of WLM v4, audit, triggers and schedules need it (§1.7)."""
    return None if at is None else moment(at)


def moment_or_empty(at: datetime | None) -> str:
    """Likewise; null is an empty text, as everywhere else (§0.3)."""
    return "" if at is None else moment(at)


_HABITS: Final = Habits(
    words=(("created_on", "created_at"), ("updated_on", "updated_at"), ("version", "revision")),
    kinds=(
        Habit(str, int, ("{}",), str),
        Habit(str, datetime, ("{}",), moment),
        Habit(str, UUID, ("{}",), str),
    ),
)


def shown_as(shown: type[Shown], row: type[Row], /, **made: Source[Row]) -> Callable[[Row], Shown]:
    """The function that writes a row as an answer, with these habits."""
    return answers.shown_as(shown, row, _HABITS, **made)
