"""Reads an HTTP API: one session, pages one after another, children side by side, and patience with a busy server.

*What it does*: answers are read as JSON; while a page is worked on, the next one lies ready and one more is under way,
and no more than these three are in memory; of a list that is read `to_its_end`, more, but no more than 24 MB.
*Patience*: 429 and 5xx, and lost connections, are asked again with growing pauses, or after what `Retry-After` says.
*Errors* (`ReadFailed`) tell the address without its query and what the server said. *Credentials* go to the address
that was given and nowhere else: a link to another host is followed on ours, a redirect to another one is an error.
"""

import email.utils
import random
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter

from controlroom.sources.ahead import Ahead
from controlroom.sources.declared import Reading
from controlroom.sources.paging import Next, Page, Request, followed

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
_LOST: Final = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)


class ReadFailed(Exception):  # noqa: N818 - an event of the field, as CommandFailed
    """The server would not tell what it was asked."""

    def __init__(self, request: Request, status: int | None, said: str) -> None:
        self.status = status
        self.said = said
        word = "no answer" if status is None else str(status)
        path = urlsplit(request.path).path.lstrip("/")  # a link has a cursor behind it, or a right
        super().__init__(f"{request.method} {path}: {word}{': ' if said else ''}{said}")


class Gone(ReadFailed):
    """What was asked for is not there, or not any more."""


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
        with Ahead(self.content, first, glimpsed, to_its_end=to_its_end) as ahead:
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
