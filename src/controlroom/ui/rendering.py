"""From a template and its values to the answer of a page.

    return await request.show("runs/list.html", title="Runs", at="runs", rows=rows)

Everything is escaped unless it is Markup. Macros of `templates/parts.html` stand as `ui` in every template, and the
ways of writing (`words.py`) as filters. `?part=NAME` answers with the block of that name alone: a page and what of it
is asked again are made by the same code.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Any, Final, Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import brotli  # type: ignore[import-untyped]  # it has no stubs
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from jinja2.ext import Extension
from litestar import Response
from litestar.types import Receive, Scope, Send
from markupsafe import Markup, escape
from msgspec import Struct

from controlroom.border.pages import page_headers
from controlroom.ui import charts, states, words
from controlroom.ui.console_lines import drawn_line, plain_line
from controlroom.ui.static_files import StaticFiles
from controlroom.ui.words import NOTHING

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "frame-src 'self'; manifest-src 'self'"
)
_HEADERS: Final = [
    *(header for header in page_headers(_POLICY) if header[0] != b"cache-control"),
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"cookie, accept-encoding, hx-request"),
]
HTML: Final = b"text/html; charset=utf-8"
_EXTENDS: Final = re.compile(r'\{% extends "([^"]+)" %\}')
_OF_ADDRESSES: Final = "!#$%&'()*+,/:;=?@[]~"
"""What stands in an address as it is."""
_SMALL: Final = 1000
"""Bytes below which compressing saves no packet."""


class Reader(Struct, frozen=True):
    """Who reads: where they are, and when."""

    now: datetime
    zone: tzinfo
    zone_name: str


class Doors(Protocol):
    """What may be posted and opened from a page by who looks at it."""

    def may_post(self, address: str) -> bool:
        """Whether a form to this address is for them."""

    def may_open(self, address: str) -> bool:
        """Whether a page is for them."""


_reader: ContextVar[Reader] = ContextVar("reader")
_doors: ContextVar[Doors | None] = ContextVar("doors", default=None)


def _may_post(address: str) -> bool:
    doors = _doors.get()
    return doors is None or doors.may_post(address)


def _may_open(address: str) -> bool:
    doors = _doors.get()
    return doors is None or doors.may_open(address)


@cache
def zone_of(name: str) -> ZoneInfo | None:
    """The zone of that name; None if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


# ---------------------------------------------------------------------------------------------------- ways of writing
def _time(said: str, at: datetime, how: str) -> Markup:
    reader = _reader.get()
    title = words.full(at, reader.zone, reader.zone_name)
    written = '<time datetime="{}" title="{}" data-told="{}">{}</time>'
    return Markup(written).format(words.iso(at, reader.zone), title, how, said)  # noqa: S704 - a text of ours


def _since(at: datetime | None) -> Markup | str:
    reader = _reader.get()
    return NOTHING if at is None else _time(words.since(at, reader.now, reader.zone), at, "since")


def _clock(at: datetime | None) -> Markup | str:
    reader = _reader.get()
    return NOTHING if at is None else _time(words.clock(at, reader.now, reader.zone), at, "clock")


def _at_minute(at: datetime | None) -> Markup | str:
    reader = _reader.get()
    return NOTHING if at is None else _time(words.at_minute(at, reader.now, reader.zone), at, "clock")


def _minute(at: datetime) -> str:
    return at.astimezone(_reader.get().zone).strftime("%H:%M")


def _duration(span: timedelta | None) -> str:
    return NOTHING if span is None else words.duration(span)


def _milliseconds(number: float | None) -> str:
    return NOTHING if number is None else words.duration(timedelta(milliseconds=number))


def _running(began: datetime | None) -> Markup | str:
    """How long it runs by now; console.js counts on."""
    if began is None:
        return NOTHING
    span = max(timedelta(), _reader.get().now - began)
    return Markup('<span class="one-line" data-runs-since="{}">{}</span>').format(
        began.astimezone(UTC).isoformat(), words.duration(span)
    )


def _count(number: int | None) -> Markup | str:
    if number is None:
        return NOTHING
    said = words.count(number)
    return said if abs(number) < words.EXACT else Markup('<span title="{:,}">{}</span>').format(number, said)


def _size(number: int | None) -> str:
    return NOTHING if number is None else words.size(number)


def _id(value: object) -> Markup:
    """An id that is short on the page, whole in its title, and copied whole."""
    text = str(value)
    return Markup('<span class="id" title="{}" data-copy="{}">{}</span>').format(text, text, words.short_id(text))


_FILTERS: Final = {
    "since": _since,
    "clock": _clock,
    "at_minute": _at_minute,
    "minute": _minute,
    "duration": _duration,
    "milliseconds": _milliseconds,
    "running": _running,
    "about": words.about,
    "count": _count,
    "size": _size,
    "id": _id,
    "initials": words.initials,
    "plain_line": plain_line,
    "drawn_line": drawn_line,
}


# ---------------------------------------------------------------------------------------------------- templates
_JINJA: Final = r"\{\{(?:(?!\}\}).)*+\}\}|\{%(?:(?!%\}).)*+%\}|\{(?![{%])"
_FORM: Final = re.compile(rf"<form\b((?:{_JINJA}|[^>{{])*+)>.*?</form>", re.DOTALL)
_LINK: Final = re.compile(rf"<a\b((?:{_JINJA}|[^>{{])*+)>.*?</a>", re.DOTALL)
_ACTION: Final = re.compile(rf'\baction="((?:{_JINJA}|[^"{{])*+)"', re.DOTALL)
_HREF: Final = re.compile(rf'\bhref="((?:{_JINJA}|[^"{{])*+)"', re.DOTALL)


class ForThoseWhoMay(Extension):
    """Forms that post, and links to questions, are drawn for those who may: whoever writes one cannot forget to ask."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 - Jinja's
        """The template with the question round each of them."""
        source = _FORM.sub(lambda found: _asked("may_post", 'method="post"', _ACTION, found), source)
        return _LINK.sub(lambda found: _asked("may_open", "data-dialog", _HREF, found), source)


def _asked(question: str, kind: str, where: re.Pattern[str], drawn: re.Match[str]) -> str:
    if not drawn[1].endswith(kind) and f"{kind} " not in drawn[1]:
        return drawn[0]
    found = where.search(drawn[1])
    address = found[1] if found else ""
    return f"{{% set to_ask %}}{address}{{% endset %}}{{% if {question}(to_ask) %}}{drawn[0]}{{% endif %}}"


class UnknownPart(KeyError):  # noqa: N818 - what is wrong, not that something is
    """A page has no block of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Templates:
    """The templates of a console."""

    def __init__(self, assets: StaticFiles) -> None:
        # Why at the package's own folder: a noun's templates lie beside its pages, `runs/list.html`
        self._loader = PackageLoader("controlroom.ui", "")
        self._chains: dict[str, list[Template]] = {}
        self._environment = Environment(
            loader=self._loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=[ForThoseWhoMay],
        )
        self._environment.filters.update(_FILTERS)
        self._environment.globals.update(
            asset=assets.address,
            sign_of=states.sign_of,
            sign_of_run=states.of_run,
            sign_of_step_run=states.of_step_run,
            SIGNS=states.SIGNS,
            charts=charts,
            segment=charts.Segment,
            percent=words.percent,
            may_post=_may_post,
            may_open=_may_open,
        )
        self._environment.globals["ui"] = self._environment.get_template("templates/parts.html").module

    def render(
        self,
        name: str,
        values: Mapping[str, Any],
        reader: Reader,
        parts: Sequence[str] = (),
        doors: Doors | None = None,
    ) -> str:
        """The page, or blocks of it. Raises UnknownPart for one that the page does not have."""
        template = self._environment.get_template(name)
        token, opened = _reader.set(reader), _doors.set(doors)
        try:
            if not parts:
                return template.render(values)
            context = template.new_context({**values, "part": parts[0]})
            for above in self._above(name):
                for block, function in above.blocks.items():
                    context.blocks.setdefault(block, []).append(function)
            for part in parts:
                if part not in context.blocks:
                    raise UnknownPart(part)
            return "".join("".join(context.blocks[part][0](context)) for part in parts)
        finally:
            _reader.reset(token)
            _doors.reset(opened)

    def _above(self, name: str) -> list[Template]:
        """The templates that one extends, the nearest first: as rendering it whole would find them."""
        if name not in self._chains:
            source, _, _ = self._loader.get_source(self._environment, name)
            extended = _EXTENDS.match(source)
            above = [] if extended is None else [extended[1], *(each.name or "" for each in self._above(extended[1]))]
            self._chains[name] = [self._environment.get_template(each) for each in above]
        return self._chains[name]


# ---------------------------------------------------------------------------------------------------- answers
class Shown(Response[Any]):
    """The answer of a page: HTML with the headers of all of ours, compressed, and with a tag that tells changes."""

    def __init__(
        self,
        body: str | bytes | Markup,
        *,
        status_code: int = 200,
        headers: list[tuple[bytes, bytes]] | None = None,
        kind: bytes = HTML,
    ) -> None:
        self._body = body if isinstance(body, bytes) else body.encode()
        self._status = status_code
        self._kind = kind
        self._more = headers or []

    def to_asgi_response(self, *_: Any, **_of_the_framework: Any) -> "Shown":  # type: ignore[override]
        """Itself: it is an ASGI app."""
        return self

    def add(self, *headers: tuple[bytes, bytes]) -> None:
        """Further headers."""
        self._more = [*self._more, *headers]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI signature
        """Send it."""
        asked = {name: value for name, value in scope["headers"] if name in {b"accept-encoding", b"if-none-match"}}
        body, status = self._body, self._status
        headers = [(b"content-type", self._kind), *_HEADERS, *self._more]
        if status == 200:  # noqa: PLR2004 - a success is what a browser may keep
            tag = b'W/"%s"' % hashlib.blake2b(body, digest_size=12).hexdigest().encode()
            headers.append((b"etag", tag))
            if asked.get(b"if-none-match") == tag:
                status, body = 304, b""
        if len(body) > _SMALL:
            body, headers = _compressed(body, headers, asked.get(b"accept-encoding", b""))
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def elsewhere(to: str, headers: list[tuple[bytes, bytes]] | None = None) -> Shown:
    """The answer that leads to another page of ours, after something was done.

    An address may be made of what was asked, where `%0A` is a line's end by now: no header has one.
    """
    return Shown(
        b"", status_code=303, headers=[(b"location", quote(to, safe=_OF_ADDRESSES).encode()), *(headers or [])]
    )


def _compressed(body: bytes, headers: list[tuple[bytes, bytes]], accepted: bytes) -> tuple[bytes, Any]:
    """Why that gives no secret away: nobody else's page can have ours asked for, since cookies are SameSite=Strict."""
    words_of = {word.partition(b";")[0].strip() for word in accepted.split(b",")}
    if b"br" in words_of:
        return brotli.compress(body, quality=4), [*headers, (b"content-encoding", b"br")]
    if b"gzip" in words_of:
        return gzip.compress(body, 5, mtime=0), [*headers, (b"content-encoding", b"gzip")]
    return body, headers


__all__ = ["HTML", "Markup", "Reader", "Shown", "Templates", "elsewhere", "escape", "zone_of"]
