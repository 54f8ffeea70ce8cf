"""From page to page: what is asked, what came, and the ways in which lists tell how they go on."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson


class TooFew(Exception):  # noqa: N818
    """A list ended before as many rows came as it said there were."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: a path below the base, or a whole address of the same server."""

    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    method: str = ""

    def __post_init__(self) -> None:
        if not self.method:
            object.__setattr__(self, "method", "GET" if self.body is None else "POST")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    rows: list[Any]
    answer: Any
    """All that the server said."""
    request: Request
    next: Request | None
    """How the next one is asked for; None for the last."""


Next = Callable[[Request, Any, Sequence[Any], int], Request | None]
"""How to ask for the next page, of the request, its answer, the rows in it and how many came before them."""


class by_link:  # noqa: N801 - a way as the others
    """The answer tells the whole address of the next page (Robocorp)."""

    def __init__(self, key: str = "next") -> None:
        self._key = key
        self.reads = (key,)
        """What of an answer it looks at, beside the rows."""
        self._first = re.compile(rb'\s*\{\s*"' + re.escape(key.encode()) + rb'"\s*:\s*("[^"\\]*")')

    def __call__(self, request: Request, answer: Any, rows: Sequence[Any], before: int) -> Request | None:  # noqa: ARG002
        """See Next."""
        link = followed(answer, self._key)
        return Request(str(link)) if link else None

    def glimpsed(self, content: bytes) -> Request | None:
        """The same before the answer is read, where it begins with the link: ours do."""
        found = self._first.match(content)
        return Request(orjson.loads(found[1])) if found else None


def by_offset(
    *,
    offset: str = "offset",
    limit: str = "limit",
    size: int = 100,
    total: str | None = None,
    applied: str | None = None,
) -> Next:
    """Row offsets in the query; `total` is where the answer tells how many there are, `applied` the limit it took."""

    def following(request: Request, answer: Any, rows: Sequence[Any], before: int) -> Request | None:
        reached = before + len(rows)
        if not _goes_on(request, answer, rows, reached, total, _number(followed(answer, applied)) or size):
            return None
        return replace(
            request, params={limit: size, **request.params, offset: _start(request.params, offset) + len(rows)}
        )

    return following


def by_body_offset(*, offset: str = "page.offset", total: str | None = "page.totalFilter", size: int = 1000) -> Next:
    """Row offsets in the body of a POST (Automation 360)."""

    def following(request: Request, answer: Any, rows: Sequence[Any], before: int) -> Request | None:
        reached = before + len(rows)
        if not _goes_on(request, answer, rows, reached, total, size):
            return None
        *above, last = offset.split(".")
        body = json.loads(json.dumps(request.body or {}))
        here = body
        for name in above:
            here = here.setdefault(name, {})
        here[last] = int(here.get(last) or 0) + len(rows)
        return replace(request, body=body)

    return following


def by_cursor(*, parameter: str, at: str) -> Next:
    """The answer tells a cursor that the next request gives back."""

    def following(request: Request, answer: Any, rows: Sequence[Any], before: int) -> Request | None:  # noqa: ARG001
        cursor = followed(answer, at)
        return replace(request, params={**request.params, parameter: cursor}) if cursor and rows else None

    return following


def only_page(request: Request, answer: Any, rows: Sequence[Any], before: int) -> None:
    """There is one page."""


def _goes_on(request: Request, answer: Any, rows: Sequence[Any], reached: int, total: str | None, size: int) -> bool:
    """Whether there is more; a list that ends before its total is a TooFew, never a quiet success."""
    told = _number(followed(answer, total)) if total else None
    if not rows:
        if told is not None and reached < told:
            raise TooFew(f"{request.path}: {reached} rows came of {told} that the server told of")
        return False
    return reached < told if told is not None else len(rows) >= size


def _start(params: Mapping[str, Any], offset: str) -> int:
    return int(params.get(offset) or 0)


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def followed(answer: Any, path: str | None) -> Any:
    """What stands in an answer where the keys lead, with dots between them; None where they lead nowhere."""
    for key in path.split(".") if path else ():
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer if path else None
