"""Calls of a room's API as steps: JSON in and out, pages, uploads and downloads as streams."""

import json
import random
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import IO, Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from controlroom_client.exchanges import BROKEN, Answer, Exchanges, Request, Stream
from controlroom_client.failures import (
    BrokenOff,
    ClientError,
    FileChanged,
    LinkRefused,
    NoRoom,
    Refused,
    Unreachable,
    Unreadable,
    Untrusted,
    refusal,
)
from controlroom_client.retries import TRY_LATER, TURNED_AWAY, Tried, pause
from controlroom_client.steps import Do, Give, Pause, Steps

Progress = Callable[[int], None]
"""Called with the number of bytes that went through since the last call."""

JsonPage = tuple[list[Any], str | None]
"""The rows of a page, and where the next one is."""

_OK = 300
_UNAUTHENTICATED = 401
_READING = frozenset({"GET", "HEAD"})
_PAGE = 1000


def in_silence(_bytes: int) -> None:
    """Progress that nobody wants to know."""


class Calls:
    """How to call one workspace of a room."""

    def __init__(
        self,
        exchanges: Exchanges,
        url: str,
        workspace: str,
        key: str,
        *,
        scheme: str = "RC-WSKEY",
        patience: float = 0.0,
    ) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise NoRoom(url)
        self.url = url.rstrip("/")
        self.workspace = workspace
        self.key = key
        self.patience = patience
        """Seconds for which a call that may be repeated is tried again while the room is away or asks to wait."""
        self.exchanges = exchanges
        self._scheme = scheme
        self._base = f"{self.url}/api/v1/workspaces/{quote(workspace, safe='')}"

    def within(self, workspace: str) -> "Calls":
        """The same in another workspace."""
        return Calls(self.exchanges, self.url, workspace, self.key, scheme=self._scheme, patience=self.patience)

    def locate(self, path: str, query: Mapping[str, object] | None = None) -> str:
        """The whole address of a path below the workspace; queries that are None are left out."""
        url = path if "://" in path else self._base + path
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        return f"{url}?{urlencode(asked, doseq=True)}" if asked else url

    def above(self, path: str) -> str:
        """The whole address of a path that belongs to no workspace."""
        return f"{self.url}/api/v1{path}"

    def call(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        *,
        is_repeatable: bool = False,
        timeout: float | None = None,
    ) -> Steps[bytes]:
        """The content of the answer to a call with a JSON body.

        Reading may always be repeated; `is_repeatable` says that this call may, too.
        """
        headers = {**self._authorization(), "Content-Type": "application/json"}
        may_repeat = is_repeatable or method in _READING
        request = Request(method=method, url=url, headers=headers, body=body, is_repeatable=may_repeat, timeout=timeout)
        answer = yield from self._send(request)
        content: bytes = yield from self._rest(request, answer)
        return content

    def json(self, method: str, url: str, body: object = None) -> Steps[Any]:
        """Likewise with the body and the answer as JSON's own values; an answer without content is None."""
        data = None if body is None else json.dumps(body).encode()
        content = yield from self.call(method, url, data)
        return _read(content)

    def pages(
        self, url: str, at_most: int | None = None, read: Callable[[bytes], JsonPage] | None = None
    ) -> Steps[None]:
        """Give every row of a list, over its pages, each of which is asked for when its first row is wanted."""
        following: str | None = url
        left = at_most
        while following is not None and left != 0:
            content = yield from self.call("GET", following)
            rows, following = (read or _page)(content)
            for row in rows if left is None else rows[:left]:
                yield Give(row)
            left = None if left is None else max(left - len(rows), 0)

    def rows(self, path: str, at_most: int | None, query: Mapping[str, object]) -> Steps[None]:
        """Give every object of a list, up to a number."""
        page = min(at_most, _PAGE) if at_most is not None else _PAGE
        yield from self.pages(self.locate(path, {**query, "limit": page}), at_most)

    def upload_form(
        self, target: Mapping[str, Any], file: IO[bytes], size: int, name: str, progress: Progress = in_silence
    ) -> Steps[None]:
        """Send a file as the form that a signed upload asks for: its fields first, the file last."""
        boundary = secrets.token_hex(16)
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in target["form_data"].items()
        ]
        shown = name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        parts += [
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{shown}"\r\n',
            "Content-Type: application/octet-stream\r\n\r\n",
        ]
        tail = f"\r\n--{boundary}--\r\n"
        body = Stream(file, size, progress, head="".join(parts).encode(), tail=tail.encode())
        yield from self._upload("POST", str(target["url"]), body, f"multipart/form-data; boundary={boundary}")

    def upload(
        self, url: str, file: IO[bytes], size: int, content_type: str, progress: Progress = in_silence
    ) -> Steps[None]:
        """Send a file as the body of a PUT to a signed link."""
        yield from self._upload("PUT", url, Stream(file, size, progress), content_type)

    def download(
        self, url: str, out: IO[bytes], progress: Progress = in_silence, *, is_signed: bool = True
    ) -> Steps[int]:
        """Write what a signed link leads to, or an address for our key; how many bytes that was.

        Raises Unreachable if not all of it came.
        """
        headers = {} if is_signed else self._authorization()
        request = Request(method="GET", url=url, headers=headers, is_repeatable=True)
        answer = yield from self._send(request)
        got = 0
        try:
            while copied := (yield Do(partial(_copy, answer, out), request.abort)):
                got += copied
                progress(copied)
        except _DownloadBroken as broken:
            raise BrokenOff(f"the download broke off: {broken}") from broken.__cause__
        finally:
            if request.line is not None:  # whoever iterated has gone
                answer.close()
        if answer.length is not None and got < answer.length:
            raise BrokenOff(f"the download broke off after {got} of {answer.length} bytes")
        return got

    def _upload(self, method: str, url: str, body: Stream, content_type: str) -> Steps[None]:
        headers = {"Content-Type": content_type, "Content-Length": str(body.length)}
        request = Request(method=method, url=url, headers=headers, body=body)
        try:
            answer = yield from self._send(request)
        except Unreachable as failed:
            if body.is_short:
                raise FileChanged("the file became shorter while it was sent") from failed
            raise
        yield from self._rest(request, answer)

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"{self._scheme} {self.key}"}

    def _send(self, request: Request) -> Steps[Answer]:
        """The head of an answer that is a success; else this raises."""
        request.url = urljoin(self.url + "/", request.url)
        began, times = time.monotonic(), 0
        while True:
            failure: ClientError
            retry_after = None
            times += 1
            try:
                answer: Answer = yield Do(partial(self.exchanges.exchange, request), request.abort)
            except BROKEN as broken:
                failure, may = _unreachable(request.url, broken), request.is_repeatable
            else:
                if answer.status < _OK:
                    return answer
                content = yield from self._rest(request, answer)
                retry_after = _seconds(answer.headers.get("Retry-After"))
                failure = _refused(request, answer, content, retry_after)
                may = _may_repeat(request, answer.status)
            tried = Tried(times, time.monotonic() - began)
            seconds = pause(tried, patience=self.patience, retry_after=retry_after, chance=random.random())  # noqa: S311
            if not may or seconds is None or isinstance(failure, Untrusted):
                raise failure
            yield Pause(seconds)

    def _rest(self, request: Request, answer: Answer) -> Steps[bytes]:
        try:
            content: bytes = yield Do(answer.rest, request.abort)
        except BROKEN as broken:
            raise _unreachable(request.url, broken) from broken
        return content


class _DownloadBroken(Exception):  # noqa: N818 - told in other words
    """The room's part of a download failed, not the writing of it."""


def _copy(answer: Answer, out: IO[bytes]) -> int:
    try:
        piece = answer.piece()
    except BROKEN as broken:
        raise _DownloadBroken(str(broken) or type(broken).__name__) from broken
    out.write(piece)
    return len(piece)


def _may_repeat(request: Request, status: int) -> bool:
    if status == TURNED_AWAY:
        return request.body is None or isinstance(request.body, bytes)  # a stream has been read
    return status in TRY_LATER and request.is_repeatable


def _refused(request: Request, answer: Answer, content: bytes, retry_after: float | None) -> Refused:
    body = None
    if "json" in (answer.headers.get("Content-Type") or ""):
        try:
            body = json.loads(content)
        except ValueError:
            body = None
    found = refusal(answer.status, body, retry_after)
    if answer.status == _UNAUTHENTICATED and "Authorization" not in request.headers:
        return LinkRefused(found.status, found.code, found.message)
    return found


def _unreachable(url: str, broken: BaseException) -> Unreachable:
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc}"
    failure: Unreachable
    if isinstance(broken, ssl.SSLCertVerificationError):
        failure = Untrusted(f"{place} shows a certificate that is not trusted here: {broken.verify_message}")
    else:
        failure = Unreachable(f"no answer from {place}: {broken or type(broken).__name__}")
    failure.__cause__ = broken
    return failure


def _seconds(retry_after: str | None, now: datetime | None = None) -> float | None:
    """The pause that an answer asks for: seconds, or a date (RFC 9110 §10.2.3)."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max((until - (now or datetime.now(UTC))).total_seconds(), 0.0)


def _read(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError as unreadable:
        raise Unreadable("the answer is no JSON: is this the address of a room?") from unreadable


def _page(content: bytes) -> JsonPage:
    answer = _read(content)
    return answer["data"], answer.get("next")
