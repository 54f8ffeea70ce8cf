"""Lists in pages (§1.4): `{next, has_more, data}`, by position and not by row number.

`next` is the caller's own address, with filters and limit as they were and the position after which to go on. A
position names the last row of a page, so that rows that come or go meanwhile neither repeat nor hide others.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import urlencode

from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, SkipValidation
from msgspec import Raw, Struct

from controlroom.border.asking import Asking
from controlroom.border.cursors import After, Before, Kind, Position, cursor_of, position_of
from controlroom.engine.lists.pages import SEPARATOR, Written
from controlroom.errors import Invalid
from controlroom.postgres.keyset import fitting

Row = TypeVar("Row")
Shown = TypeVar("Shown")


class Page(Struct, Generic[Shown]):
    """One page of a list."""

    next: str | None
    """The whole address of the next page."""
    has_more: bool
    data: list[Shown]


def _id_of(row: Any) -> object:
    return row.id


class Paging:
    """What the caller asked of a list: how many rows, and after which."""

    __slots__ = ("_cursor", "_request", "limit", "most")

    def __init__(self, request: Asking, limit: int, cursor: str | None, most: int) -> None:
        self.limit = limit
        self.most = most
        """Bytes of a page whose rows may be large."""
        self._cursor = cursor
        self._request = request

    @property
    def fetch(self) -> int:
        """How many rows to ask for: one more than a page, which tells whether there is a next one."""
        return self.limit + 1

    def position(self, kind: Kind[Position]) -> Position | None:
        """The position that the page begins behind, None for the first page; raises Invalid `INVALID_CURSOR`."""
        return None if self._cursor is None else position_of(self._cursor, kind)

    def after(self, kind: Kind[Position]) -> After[Position]:
        """What a list is asked that begins with the oldest: `store.list_workers(…, **paging.after(WorkerId))`."""
        return {"after": self.position(kind), "limit": self.fetch}

    def before(self, kind: Kind[Position]) -> Before[Position]:
        """Likewise, with the newest."""
        return {"before": self.position(kind), "limit": self.fetch}

    def page(
        self,
        rows: Sequence[Row],
        show: Callable[[Row], Shown],
        position: Callable[[Row], object] = _id_of,
        *,
        size: Callable[[Row], int] | None = None,
    ) -> Page[Shown]:
        """The page of the rows that were fetched (up to `fetch` of them); where they have a size, as many as fit.

        `position` is what the list is sorted by: mostly the row's id.
        """
        here = rows[: self.limit]
        if size is not None:
            here = fitting(here, size, most=self.most)
        if len(rows) == len(here):
            return Page(None, False, [show(row) for row in here])  # noqa: FBT003 - has_more
        return Page(self._next(position(here[-1])), True, [show(row) for row in here])  # noqa: FBT003 - likewise

    def written(self, rows: Written) -> "Page[Any]":
        """The page of the rows that were fetched, as the database has written them; all of them fit."""
        if len(rows.ids) <= self.limit:
            return Page(None, False, Raw(f"[{rows.text}]"))  # type: ignore[arg-type]  # noqa: FBT003 - JSON of a list
        text = rows.text[: rows.text.rfind(SEPARATOR)]
        return Page(self._next(rows.ids[self.limit - 1]), True, Raw(f"[{text}]"))  # type: ignore[arg-type]  # noqa: FBT003

    def _next(self, position: object) -> str:
        request = self._request
        kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"limit", "cursor"}]
        query = urlencode([*kept, ("limit", self.limit), ("cursor", cursor_of(position))])
        return f"{request.origin}{request.scope['state']['path']}?{query}"


def _asked(request: Asking, limit: FromQuery[int | None] = None, cursor: FromQuery[str | None] = None) -> Paging:
    """Paging as the query asks for it; raises Invalid `INVALID_LIMIT`."""
    limits = request.engine.limits
    if limit is None:
        return Paging(request, limits.page_size, cursor, limits.page_bytes)
    if limit < 1:
        raise Invalid("limit must be 1 or more.", code="INVALID_LIMIT")
    return Paging(request, min(limit, limits.max_page_size), cursor, limits.page_bytes)


# Why the only dependency that handlers have: of several, the framework resolves each in a task of its own.
PAGED = {"paging": Provide(_asked, sync_to_thread=False)}
"""What a router of lists gives its handlers."""

Pages: TypeAlias = NamedDependency[SkipValidation[Paging]]  # what our own provider gives needs no check of its type
"""`paging`: how much of a list, and after which row."""
