"""`/objects`: the content behind signed links, streamed in and out. The link is the credential, and it alone.

GET and HEAD fetch (one range at a time, RFC 9110 §14); PUT takes raw bytes (200) and POST a form with the part `file`
(204, as S3 answers). What arrives is stored first and becomes known in one transaction afterwards: an upload that is
interrupted changes nothing, and one that is repeated does no harm.
"""

import mimetypes
import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import assert_never
from urllib.parse import quote

from controlroom.border.answers import JSON, answer, error_body, retry_after
from controlroom.border.arrivals import known
from controlroom.border.dispatcher import App, Receive, Scope, Send
from controlroom.border.failures import status_of
from controlroom.border.forms import file_of_form
from controlroom.engine.assets import actions as assets
from controlroom.engine.assistants import artifacts as assistant_artifacts
from controlroom.engine.downloads.actions import open_link
from controlroom.engine.downloads.model import Stored
from controlroom.engine.engine import Engine
from controlroom.engine.packages import actions as packages
from controlroom.engine.queues import archives as queue_archives
from controlroom.engine.uploads import actions as uploads
from controlroom.engine.uploads.model import Upload, UploadKind
from controlroom.engine.work_items import files as work_item_files
from controlroom.errors import (
    ControlRoomError,
    Forbidden,
    Invalid,
)
from controlroom.objects.links import Link
from controlroom.objects.store import Blob

_PREVIEWED = frozenset(
    {
        "application/json",
        "application/pdf",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/css",
        "text/csv",
        "text/html",
        "text/markdown",
        "text/plain",
        "text/x-yaml",
        "text/xml",
    }
)
"""Types that a browser may show, in its sandbox; everything else is an attachment."""

_CLOSED = (b"content-security-policy", b"sandbox")
_PAGE = (
    b"content-security-policy",
    b"; ".join(
        (
            b"sandbox allow-scripts",
            b"default-src 'none'",
            b"script-src 'unsafe-inline' 'unsafe-eval'",
            b"style-src 'unsafe-inline'",
            b"img-src data:",
            b"font-src data:",
            b"base-uri 'none'",
            b"form-action 'none'",
        )
    ),
)
"""Of a page that brings along all that it shows. Why scripts, and no same origin: a robot's log and dbt's documentation
live by theirs, and must neither speak as our pages do nor reach anything: no address, no form, no other window."""
_HARMLESS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"private, no-store"),
    (b"referrer-policy", b"no-referrer"),
)
_SAFE = (_CLOSED, *_HARMLESS)
_MOST_DIGITS = 20
_RANGE = re.compile(rb"bytes=(\d*)-(\d*)")
_METHODS = {"GET", "HEAD", "PUT", "POST"}


def application(engine: Engine, told: Callable[[str, str], tuple[str, str]]) -> App:
    """The app at `/objects/{link}`; `told` has the words, for code and message, of those who are given links."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["path_template"] = "/objects"
        try:
            await _serve(engine, scope, receive, send)
        except ControlRoomError as error:
            status = status_of(error)
            if status is None:
                raise
            body = error_body(*told(error.code, error.message))
            await answer(send, status, body, JSON, *_SAFE, *retry_after(error))

    return app


async def _serve(engine: Engine, scope: Scope, receive: Receive, send: Send) -> None:
    method = scope["method"]
    if method not in _METHODS:
        body = error_body("METHOD_NOT_ALLOWED", "Links allow GET, HEAD, PUT or POST.")
        await answer(send, 405, body, JSON, *_SAFE, (b"allow", b"GET, HEAD, POST, PUT"))
        return
    token = scope["path"].removeprefix("/objects").lstrip("/")
    link = engine.links.verify(token, method=method, now=time.time())
    headers = dict(scope["headers"])
    match method:
        case "PUT":
            await _take(engine, scope, link, _body_of(receive))
            await answer(send, 200, b"{}", JSON, *_SAFE)
        case "POST":
            form = file_of_form(headers.get(b"content-type", b"").decode("latin-1"), _body_of(receive))
            await _take(engine, scope, link, form)
            await answer(send, 204, b"", *_SAFE)
        case _:
            stored = await open_link(engine, link)
            known(scope, f"link:{link.kind}")
            await _give(engine, link, stored, headers.get(b"range"), send, with_body=method == "GET")


# ---------------------------------------------------------------------------------------------------- in
async def _take(engine: Engine, scope: Scope, link: Link, content: AsyncGenerator[bytes, None]) -> None:
    if link.kind != uploads.LINK_KIND:
        raise Forbidden("This link is not for uploads.", code="INVALID_LINK")
    upload = await uploads.of_link(engine, link)
    known(scope, f"link:{link.kind}")
    async with aclosing(content):
        try:
            blob = await engine.objects.put(content, expected_size=link.size, max_size=_limit(engine, upload))
        except Invalid as refused:
            if refused.code == "OBJECT_TOO_LARGE":  # the same bytes will never do: whoever polls is told so
                await uploads.fail(engine, upload.scope, upload.id, refused.message)
            raise
    await _complete(engine, upload, blob)


def _limit(engine: Engine, upload: Upload) -> int | None:
    """How many bytes of its kind may come; None where the length was announced, which then is the limit."""
    match upload.kind:
        case _ if upload.size is not None:
            return None
        case UploadKind.ASSET:
            return engine.limits.asset_bytes
        case UploadKind.WORK_ITEM_FILE | UploadKind.QUEUE_ARCHIVE:
            return engine.limits.file_bytes
        case UploadKind.PACKAGE:
            return engine.limits.package_bytes
        case UploadKind.ARTIFACT | UploadKind.ASSISTANT_ARTIFACT:
            return engine.limits.artifact_bytes
        case _:
            assert_never(upload.kind)


async def _complete(engine: Engine, upload: Upload, blob: Blob) -> None:
    """Give the stored bytes to the slice they are for. May be repeated with the same bytes."""
    match upload.kind:
        case UploadKind.WORK_ITEM_FILE:
            await work_item_files.complete_upload(engine, upload.scope, upload.id, blob)
        case UploadKind.ASSET:
            await assets.complete_upload(engine, upload.scope, upload.id, blob)
        case UploadKind.PACKAGE:
            await packages.complete_upload(engine, upload.scope, upload.id, blob)
        case UploadKind.ASSISTANT_ARTIFACT:
            await assistant_artifacts.complete_upload(engine, upload.scope, upload.id, blob)
        case UploadKind.QUEUE_ARCHIVE:
            await queue_archives.complete_upload(engine, upload.scope, upload.id, blob)
        case UploadKind.ARTIFACT:
            raise Forbidden("Artifacts come from workers, not by links.", code="INVALID_LINK")
        case _:
            assert_never(upload.kind)


async def _body_of(receive: Receive) -> AsyncGenerator[bytes, None]:
    """The request's body as it comes; raises Invalid `INTERRUPTED` when the caller has gone before its end."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The upload was interrupted.", code="INTERRUPTED")
        if body := message.get("body"):
            yield body
        if not message.get("more_body"):
            return


# ---------------------------------------------------------------------------------------------------- out
async def _give(
    engine: Engine, link: Link, stored: Stored, asked: bytes | None, send: Send, *, with_body: bool
) -> None:
    span = _span(asked, stored.size)
    etag = f'"{stored.hash}"'.encode()
    if span is None:
        content_range = (b"content-range", b"bytes */%d" % stored.size)
        await answer(send, 416, b"", content_range, *_SAFE)
        return
    start, end = span
    is_part = asked is not None and (start, end) != (0, stored.size)
    described = _description(link, stored)
    is_page = described[0][1].partition(b";")[0].strip().lower() == b"text/html"
    headers = [
        *described,
        _PAGE if is_page else _CLOSED,
        *_HARMLESS,
        (b"content-length", b"%d" % (end - start)),
        (b"accept-ranges", b"bytes"),
        (b"etag", etag),
    ]
    if is_part:
        headers.append((b"content-range", b"bytes %d-%d/%d" % (start, end - 1, stored.size)))
    pieces = engine.objects.stream(stored.hash, start=start, end=end)
    async with aclosing(pieces):
        # The first piece is fetched before anything is said: a blob that is not there is still a plain 404.
        piece = await anext(pieces, b"") if with_body else b""
        await send({"type": "http.response.start", "status": 206 if is_part else 200, "headers": headers})
        while piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await anext(pieces, b"")
    await send({"type": "http.response.body", "body": b""})


def _span(asked: bytes | None, size: int) -> tuple[int, int] | None:
    """The bytes from, and up to but without, that were asked for; None if they lie outside.

    Anything but one plain range is answered whole, as RFC 9110 §14.2 allows.
    """
    found = _RANGE.fullmatch(asked.strip()) if asked else None
    if found is None or found.groups() == (b"", b""):
        return 0, size
    first, last = found.groups()
    if not first:  # the last n bytes
        wanted = _number(last)
        return (max(size - wanted, 0), size) if wanted and size else None
    start = _number(first)
    end = min(_number(last) + 1, size) if last else size
    if last and _number(last) < start:
        return 0, size  # not a valid range: ignored
    return (start, end) if start < size else None


def _number(digits: bytes) -> int:
    """A position; what has more digits than any file has bytes is behind its end all the same."""
    significant = digits.lstrip(b"0")
    return int(significant or b"0") if len(significant) < _MOST_DIGITS else 10**_MOST_DIGITS


def _description(link: Link, stored: Stored) -> list[tuple[bytes, bytes]]:
    """Type and disposition of a download."""
    name = link.file_name or "download"
    guessed, _ = mimetypes.guess_type(name, strict=False)
    given = (link.content_type or stored.content_type or guessed or "application/octet-stream").strip()
    kind = given.partition(";")[0].strip().lower()
    if kind.startswith("text/") and "charset" not in given.lower():
        given += "; charset=utf-8"  # clients read text without a charset as Latin-1 (§5)
    place = "inline" if kind in _PREVIEWED else "attachment"
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    disposition = f"{place}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return [(b"content-type", _header_value(given)), (b"content-disposition", disposition.encode("latin-1"))]


def _header_value(text: str) -> bytes:
    """The text as a header's value: what could end the header, or is no Latin-1, is left out."""
    return re.sub(r"[^\x20-\x7e\xa0-\xff]", "", text).encode("latin-1")
