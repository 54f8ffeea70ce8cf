"""What answers have in common (§1.2): the envelope, keys as they are written here, times as text.

    class JobShown(Shape, frozen=True, kw_only=True):
        id: int                    # of a row's `number` by itself
        name: str
        created_at: str            # of a row's `created_at: datetime` by itself, with `T`

    _show = shown_as(JobShown, Job, project_id="workspace_number")

Runs, steps and triggers have their times with a blank in place of the `T` (§0.24): `shown_with_blanks`.
A handler returns such a Shape, a list of them, or anything that is JSON; it becomes `data` of
`{"status": {"code", "is_success", "user_message", "developer_message"}, "data": …}`. A `Listed` (`lists.py`) has its
`extra` beside them. Version 3 has `extra` and `error_code` beside objects, too (§10).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar

from litestar import Response
from litestar.response.base import ASGIResponse
from msgspec import Meta, Struct, json

from controlroom.border import answers
from controlroom.border.answers import Habit, Habits, Source
from controlroom.dialects.dbt_cloud.times import with_blank, with_t

Row = TypeVar("Row")
Shown = TypeVar("Shown", bound=Struct)
Data = TypeVar("Data")

LONGEST: Final = 255
"""Characters of names, of descriptions and of what else is said in a line (§3.2, §3.7)."""
Text: TypeAlias = Annotated[str, Meta(max_length=LONGEST)]
"""A text of a body that is refused if it is longer."""
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LONGEST)]
"""Likewise, of what is called so: there is something in it."""

ACTIVE: Final = 1
"""`state` of what is there (§1.3)."""
DELETED: Final = 2
"""`state` of what was deleted; the answer of a DELETE says so of what it has deleted."""
SUCCESS: Final = "Success!"


class Shape(Struct, frozen=True, kw_only=True):
    """What is told, and what is asked: keys that we do not know are passed over."""


class Status(Struct, frozen=True):
    """How it went: `code` is that of HTTP."""

    code: int
    is_success: bool
    user_message: str
    developer_message: str | None


class Pagination(Struct, frozen=True):
    """How many rows are on the page, and how many there are in all."""

    count: int
    total_count: int


class Extra(Struct, frozen=True):
    """What was asked of a list, as it was understood."""

    filters: dict[str, Any]
    """`limit` and `offset` always, as applied."""
    order_by: str
    pagination: Pagination


class Listed(Struct, Generic[Data], frozen=True):
    """A page of a list."""

    data: list[Data]
    extra: Extra


class Told(Response[Any]):
    """What handlers return, in the envelope: without what answers of ours never have (`border.bodies.JsonResponse`)."""

    def __init__(self, content: Any, *, status_code: int | None = None, **_of_the_framework: Any) -> None:
        self._content, self._status = content, status_code or 200

    def to_asgi_response(self, app: Any, request: Any, **_: Any) -> ASGIResponse:  # noqa: ARG002
        """The envelope, by the habits of the version that was asked."""
        status = Status(self._status, is_success=True, user_message=SUCCESS, developer_message="")
        body: dict[str, Any] = {"status": status, "data": self._content}
        if isinstance(self._content, Listed):
            body["data"], body["extra"] = self._content.data, self._content.extra
        elif request.version == 3:  # noqa: PLR2004 - a version
            body |= {"extra": {}, "error_code": None}
        return ASGIResponse(body=json.encode(body), status_code=self._status, media_type="application/json")


def _habits(moment: Callable[[datetime], str]) -> Habits:
    return Habits(words=(("id", "number"),), kinds=(Habit(str, datetime, ("{}",), moment),))


_WITH_T: Final = _habits(with_t)
_WITH_BLANKS: Final = _habits(with_blank)


def shown_as(shown: type[Shown], row: type[Row], /, **made: Source[Row]) -> Callable[[Row], Shown]:
    """The function that writes a row as an answer (see `border.answers`), times with `T`."""
    return answers.shown_as(shown, row, _WITH_T, **made)


def shown_with_blanks(shown: type[Shown], row: type[Row], /, **made: Source[Row]) -> Callable[[Row], Shown]:
    """Likewise, times with a blank: for runs, steps and triggers."""
    return answers.shown_as(shown, row, _WITH_BLANKS, **made)
