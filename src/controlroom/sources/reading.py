"""Reads an HTTP API: one session, pages one after another, children side by side, and patience with a busy server.

*What it does*: answers are read as JSON; while a page is worked on, the next one lies ready and one more is under way,
and no more than these three are in memory; of a list that is read `to_its_end`, more, but no more than 24 MB.
*Patience*: 429 and 5xx, and lost connections, are asked again with growing pauses, or after what `Retry-After` says.
*Errors* (`ReadFailed`) tell the address without its query and what the server said. *Credentials* go to the address
that was given and nowhere else: a link to another host is followed on ours, a redirect to another one is an error.
"""

import email.utils
import json
import random
import re
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Final, Protocol, Self, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter

from controlroom.sources.declared import Reading

Parent = TypeVar("Parent")
Found = TypeVar("Found")

_BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_SHOWN: Final = 500
_MOVED: Final = frozenset({301, 302, 307, 308})
_REDIRECTS: Final = 3
_PIECE: Final = 2**20
_UNAUTHORIZED: Final = 401
_RENEWALS: Final = 3
"""So often a request that is refused logs in anew: the others beside it may have used up what a token was good for."""
FORBIDDEN: Final = 403
_GONE: Final = frozenset({404, 410})
_BEGINNING: Final = 4096
_AHEAD: Final = 2
_HELD: Final = 24 * 2**20
"""So much of a list that is read to its end lies ready at most, beside what is under way."""
_LOST: Final = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)


class ReadFailed(Exception):  # noqa: N818 - an event of the field, as CommandFailed
    """The server would not tell what it was asked."""

    def __init__(self, request: "Request", status: int | None, said: str) -> None:
        self.status = status
        self.said = said
        word = "no answer" if status is None else str(status)
        path = urlsplit(request.path).path.lstrip("/")  # a link has a cursor behind it, or a right
        super().__init__(f"{request.method} {path}: {word}{': ' if said else ''}{said}")


class Gone(ReadFailed):
    """What was asked for is not there, or not any more."""


class TooFew(Exception):  # noqa: N818
    """A list ended before as many rows came as it said there were."""


class LogIn(Protocol):
    """Who asks."""

    def headers(self) -> Mapping[str, str]:
        """The headers of a request."""

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Log in again after a 401 to a request that had these headers; False if that is no use."""


@dataclass(frozen=True, slots=True)
class Headers:
    """Who asks by headers that do not change."""

    fixed: Mapping[str, str] = field(default_factory=dict, repr=False)

    def headers(self) -> Mapping[str, str]:
        """See LogIn."""
        return self.fixed

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002
        """See LogIn."""
        return False


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


# ------------------------------------------------------------------------------------------- ways from page to page
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


class _Ahead:
    """The answers of a list, each asked for before it is wanted.

    Where the beginning of an answer tells the next request, that one is sent while the rest still comes. While a page
    is worked on, the next one lies ready and the one after it is under way; no more than that is in memory. Of a list
    that is read `to_its_end`, as many lie ready as there is room for: it is asked for while nobody takes one.
    """

    def __init__(
        self,
        content: Callable[[Request, Callable[[bytes], None]], bytes],
        first: Request,
        glimpsed: Callable[[bytes], Request | None],
        *,
        to_its_end: bool = False,
    ) -> None:
        self._content = content
        self._glimpsed = glimpsed
        self._to_its_end = to_its_end
        self._known = [first]
        """The requests in their order, as far as they are known."""
        self._under_way: list[Future[bytes]] = []
        self._taken = 0
        self._changing = threading.RLock()  # an answer may be there as soon as it is asked for
        self._pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="page")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changing:
            self._known.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def take(self) -> bytes:
        """The next answer, once it is there. Raises what fetching it raised."""
        with self._changing:
            self._ask()
            here = self._under_way[self._taken]
            self._taken += 1
            self._ask()
        try:
            return here.result()
        finally:
            self._under_way[self._taken - 1] = _TAKEN

    def comes(self, request: Request | None) -> None:
        """What the answer that was taken last has told of the next one, now that it is read."""
        with self._changing:
            if self._known[self._taken :][:1] != ([] if request is None else [request]):
                del self._known[self._taken :], self._under_way[self._taken :]
                self._known += [] if request is None else [request]
            self._ask()

    def _ask(self) -> None:
        while len(self._under_way) < len(self._known) and self._has_room():
            place = len(self._under_way)
            request = self._known[place]
            asked = self._pool.submit(self._content, request, partial(self._begun, request, place))
            self._under_way.append(asked)
            asked.add_done_callback(self._came)

    def _has_room(self) -> bool:
        waiting = self._under_way[self._taken :]
        if len(waiting) < _AHEAD or not self._to_its_end:
            return len(waiting) < _AHEAD
        come = [each for each in waiting if each.done()]
        if len(waiting) - len(come) >= _AHEAD or any(each.exception() for each in come):
            return False
        return sum(len(each.result()) for each in come) < _HELD

    def _came(self, asked: Future[bytes]) -> None:
        if not asked.cancelled():
            with self._changing:
                self._ask()

    def _begun(self, request: Request, place: int, beginning: bytes) -> None:
        next_ = self._glimpsed(beginning)
        with self._changing:
            if next_ is not None and len(self._known) == place + 1 and self._known[place] is request:
                self._known.append(next_)
                self._ask()


_TAKEN: Final[Future[bytes]] = Future()
"""In the place of an answer that nobody wants any more, so that it is not kept."""


# --------------------------------------------------------------------------------------------------------- reading
class Reader:
    """Reads one API. Safe to use from several threads."""

    def __init__(
        self,
        base: str,
        log_in: LogIn | None = None,
        *,
        workers: int = 8,
        attempts: int = 6,
        timeout: float = 120.0,
        longest_pause: float = 300.0,
        verify: bool | str = True,
        pause: Callable[[float], Any] | None = None,
    ) -> None:
        self.base = base.rstrip("/")
        self.workers = workers
        self._log_in: LogIn = log_in or Headers()
        self._attempts = attempts
        self._timeout = timeout
        self._longest_pause = longest_pause
        self._given_up = threading.Event()
        self._pause = pause or self._given_up.wait
        self._session = requests.Session()
        self._session.verify = verify
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=workers + 2)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._counting = threading.Lock()
        self.asked = 0
        """How many requests were sent, repeated ones too."""

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def give_up(self) -> None:
        """Ask for nothing more, and wait for no busy server: whoever still asks is told ReadFailed."""
        self._given_up.set()

    def get(self, path: str, **params: Any) -> Any:
        """The JSON at a path. Raises ReadFailed, Gone."""
        return self.json(Request(path, {name: value for name, value in params.items() if value is not None}))

    def json(self, request: Request) -> Any:
        """The JSON that answers a request. Raises ReadFailed, Gone."""
        return _read(request, self.content(request))

    def content(self, request: Request, begun: Callable[[bytes], None] | None = None) -> bytes:
        """The bytes that answer a request; `begun` is given the first, perhaps again. Raises ReadFailed, Gone."""
        return self.answer(request, begun=begun).content

    def download(self, link: str) -> Iterator[bytes]:
        """The content behind a link that carries its own right, piece by piece; no credential goes along."""
        try:
            with self._session.get(link, stream=True, timeout=self._timeout) as response:
                if not response.ok:
                    raise (Gone if response.status_code in _GONE else ReadFailed)(
                        Request(urlsplit(link).path), response.status_code, _said(response)
                    )
                yield from response.iter_content(_PIECE)
        except _LOST as lost:
            raise ReadFailed(Request(urlsplit(link).path), None, type(lost).__name__) from lost

    def answer(
        self, request: Request, *, stream: bool = False, begun: Callable[[bytes], None] | None = None
    ) -> requests.Response:
        """The answer to a request, once the server gives one that is no failure. Raises ReadFailed, Gone."""
        tries = 0
        renewed = 0
        told = request if request.path else replace(request, path=urlsplit(self.base).path.lstrip("/"))
        while True:
            if self._given_up.is_set():
                raise ReadFailed(told, None, "given up")
            tries += 1
            response: requests.Response | None = None
            headers = self._log_in.headers()
            try:
                response = self._send(request, headers, stream=stream, begun=begun)
            except _LOST as lost:
                if tries >= self._attempts:
                    raise ReadFailed(told, None, f"{type(lost).__name__}, from {self._server}, {tries} times") from lost
                self._pause(self._backoff(tries))
                continue
            except requests.RequestException as failed:  # an address that is none, a certificate that is not trusted
                raise ReadFailed(told, None, str(failed)) from failed
            status = response.status_code
            if status < 400:  # noqa: PLR2004
                return response
            if status == _UNAUTHORIZED and renewed < _RENEWALS and self._log_in.renew(headers):
                renewed += 1
                continue
            if status in _BUSY and tries < self._attempts:
                self._pause(_retry_after(response, self._longest_pause) or self._backoff(tries))
                continue
            raise (Gone if status in _GONE else ReadFailed)(told, status, _said(response))

    def pages(
        self,
        first: Request,
        following: Next,
        rows: Callable[[Any], Any] | str = "data",
        *,
        declared: Reading | None = None,
        to_its_end: bool = False,
    ) -> Generator[Page, None, None]:
        """The pages of a list; each is fetched while the one before it is worked on. Raises ReadFailed, TooFew.

        Where it is said how their rows are `declared`, a page that is so has Structs; `following` says then what it
        `reads` beside them. A list that is read `to_its_end` is read on while nobody takes a page.
        """
        select = rows if callable(rows) else lambda answer: followed(answer, rows)
        before = 0
        request: Request | None = first
        glimpsed = getattr(following, "glimpsed", lambda _: None)
        with _Ahead(self.content, first, glimpsed, to_its_end=to_its_end) as ahead:
            while request is not None:
                content = ahead.take()
                read = None if declared is None else declared.read(content, getattr(following, "reads", ()))
                if read is not None:
                    answer, found = read
                else:
                    answer = _read(request, content)
                    found = select(answer)
                if not isinstance(found, list):
                    raise ReadFailed(
                        request, None, f"the answer has no list{'' if callable(rows) else f' at {rows!r}'}"
                    )
                next_ = following(request, answer, found, before)
                before += len(found)
                ahead.comes(next_)
                yield Page(found, answer, request, next_)
                request = next_

    def rows(self, first: Request, following: Next, rows: Callable[[Any], Any] | str = "data") -> Iterator[Any]:
        """The rows of a list, over its pages."""
        for page in self.pages(first, following, rows):
            yield from page.rows

    def each(
        self, parents: Iterable[Parent], fetch: Callable[[Parent], Found], *, workers: int | None = None
    ) -> Iterator[tuple[Parent, Found]]:
        """What is fetched for each parent, several at a time, in the parents' order; those that are gone are left out.

        No more than twice as many as there are workers are under way or wait to be taken. Raises what `fetch` raises.
        """
        workers = workers or self.workers
        waiting: list[tuple[Parent, Future[Found]]] = []
        pool = ThreadPoolExecutor(workers, thread_name_prefix="child")

        def taken() -> Iterator[tuple[Parent, Found]]:
            parent, future = waiting.pop(0)
            try:
                yield parent, future.result()
            except Gone:
                return

        try:
            for parent in parents:
                waiting.append((parent, pool.submit(fetch, parent)))
                if len(waiting) >= 2 * workers:
                    yield from taken()
            while waiting:
                yield from taken()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    # ------------------------------------------------------------------------------------------------- one request
    def _send(
        self, request: Request, headers: Mapping[str, str], *, stream: bool, begun: Callable[[bytes], None] | None
    ) -> requests.Response:
        url = self._address(request.path)
        for _ in range(_REDIRECTS):
            with self._counting:
                self.asked += 1
            asked = requests.Request(
                request.method,
                url,
                params=dict(request.params) or None,
                data=None if request.body is None else orjson.dumps(request.body),
                headers={
                    **self._session.headers,
                    "Accept": "application/json",
                    **({"Content-Type": "application/json"} if request.body is not None else {}),
                    **headers,
                },
            )
            # Not by the session, which looks for proxies, cookies and passwords each time: longer than a page is read.
            response = self._session.get_adapter(url).send(
                asked.prepare(), stream=True, timeout=self._timeout, **self._surroundings
            )
            if not stream:  # `content` alone would read pieces of 10 KB, which takes twice as long
                first = response.raw.read(_BEGINNING, decode_content=True)
                if begun is not None and response.ok:
                    begun(first)
                response._content = first + response.raw.read(decode_content=True)  # noqa: SLF001
            if response.status_code not in _MOVED:
                return response
            there = urljoin(url, response.headers.get("Location", ""))
            if urlsplit(there)[:2] != urlsplit(url)[:2]:
                raise ReadFailed(request, response.status_code, f"it leads to another server, {urlsplit(there).netloc}")
            url = there
        raise ReadFailed(request, response.status_code, "it leads on and on")

    @cached_property
    def _surroundings(self) -> dict[str, Any]:
        """By which proxy and with whose certificates the server is reached: by what is set around this process, too."""
        found = self._session.merge_environment_settings(self.base, {}, True, None, None)  # noqa: FBT003 - stream
        return {each: found[each] for each in ("proxies", "verify", "cert")}

    @property
    def _server(self) -> str:
        """Who is asked, without what an address may hold of a password."""
        return urlsplit(self.base).netloc.rpartition("@")[2]

    def _address(self, path: str) -> str:
        """The address of a path below the base; of a whole one, its path and query on our server."""
        if "://" not in path:
            return f"{self.base}/{path.lstrip('/')}"
        ours, told = urlsplit(self.base), urlsplit(path)
        return urlunsplit((ours.scheme, ours.netloc, told.path, told.query, ""))

    def _backoff(self, tries: int) -> float:
        longest: float = min(0.5 * 2 ** (tries - 1), self._longest_pause)
        return random.uniform(longest / 2, longest)  # noqa: S311


def _read(request: Request, content: bytes) -> Any:
    """The JSON of an answer. Raises ReadFailed."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        raise ReadFailed(request, requests.codes.ok, "the answer is no JSON") from None


def _retry_after(response: requests.Response, longest: float) -> float | None:
    """The pause that the server asks for, in seconds or until a date."""
    told = response.headers.get("Retry-After", "").strip()
    if not told:
        return None
    try:
        seconds = float(told)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(told).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), longest)


def _said(response: requests.Response) -> str:
    """What the server said of its failure, in one line."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = None
    for path in ("message", "error.message", "status.user_message", "details", "error"):
        if isinstance(found := followed(body, path), str) and found:
            return " ".join(found.split())[:_MOST_SHOWN]
    return " ".join(response.text.split())[:_MOST_SHOWN]
