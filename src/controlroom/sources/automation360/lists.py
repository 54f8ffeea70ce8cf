"""`POST …/list`: what is asked of a Control Room's lists, and how one comes from page to page.

A body is `{filter, sort, page: {offset, length}}`. Pages follow one another by offset, in an order that new rows come
last in (their id, or when they were made), so that nothing is passed over while rows are added. Where rows go
meanwhile, the total shrinks: the next page then begins as many rows earlier, and what came before is not told twice.
"""

import datetime as dt
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from controlroom.sources.paging import Request, by_body_offset, followed
from controlroom.sources.reading import Reader

Condition = dict[str, Any] | None
"""None: no restriction."""
Row = dict[str, Any]
BY_ID: Final = ({"field": "id", "direction": "asc"},)
BY_CREATION: Final = ({"field": "createdOn", "direction": "asc"}, {"field": "id", "direction": "asc"})
LENGTH: Final = 1_000
"""Rows of a page, if nothing is said."""
_TOTAL: Final = "page.totalFilter"
_BACK: Final = 4
"""So many pages back at most rows are looked for that have moved up."""


# ------------------------------------------------------------------------------------------------------- conditions
def eq(field: str, value: Any) -> Condition:
    """That a field has a value."""
    return {"operator": "eq", "field": field, "value": str(value)}


def ge(field: str, value: Any) -> Condition:
    """That a field is at least so much, or not before a moment."""
    return {"operator": "ge", "field": field, "value": _told(value)}


def all_of(*conditions: Condition) -> Condition:
    """That each condition holds."""
    return _joined("and", conditions)


def any_of(*conditions: Condition) -> Condition:
    """That one of the conditions holds."""
    return _joined("or", conditions)


def _joined(operator: str, conditions: Sequence[Condition]) -> Condition:
    given = [each for each in conditions if each is not None]
    if len(given) <= 1:
        return given[0] if given else None
    return {"operator": operator, "operands": given}


def _told(value: Any) -> str:
    if not isinstance(value, dt.datetime):
        return str(value)
    at = value.astimezone(dt.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


# ------------------------------------------------------------------------------------------------------------ pages
def asked(
    path: str,
    condition: Condition = None,
    *,
    sort: Sequence[Row] = BY_ID,
    length: int = LENGTH,
) -> Request:
    """The first page of a list."""
    body: Row = {"sort": list(sort), "page": {"offset": 0, "length": length}}
    if condition is not None:
        body["filter"] = condition
    return Request(path, body=body)


def pages(reader: Reader, first: Request) -> Iterator[list[Row]]:
    """The rows of a list, page by page, each once. Raises ReadFailed, and TooFew where some do not come."""
    length = first.body["page"]["length"]
    onward = by_body_offset(total=_TOTAL, size=length)
    told: int | None = None
    come: deque[frozenset[Any]] = deque(maxlen=_BACK + 1)

    def following(request: Request, answer: Any, rows: Sequence[Any], before: int) -> Request | None:  # noqa: ARG001
        nonlocal told
        offset, total = request.body["page"]["offset"], followed(answer, _TOTAL)
        gone = 0 if told is None or total is None else told - int(total)
        told = told if total is None else int(total)
        if gone > 0:  # what stood behind them has moved up, and was passed over
            return _at(request, offset - min(gone, _BACK * length))
        return onward(request, answer, rows, offset)

    for page in reader.pages(first, following, "list"):
        fresh = [row for row in page.rows if not any(row["id"] in ids for ids in come)]
        come.append(frozenset(row["id"] for row in page.rows))
        yield fresh


def _at(request: Request, offset: int) -> Request:
    page = request.body["page"]
    return replace(request, body={**request.body, "page": {**page, "offset": max(0, offset)}})


def rows(reader: Reader, first: Request) -> Iterator[Row]:
    """The rows of a list, over its pages."""
    for page in pages(reader, first):
        yield from page
