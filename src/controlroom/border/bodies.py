"""Bodies: of requests JSON, whatever the content type says, and an empty one is none; of answers JSON."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple, TypeVar

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE
from litestar.types import Receive, Scope, Send
from litestar.types.empty import Empty
from msgspec import UNSET, UnsetType

from controlroom.aside.pool import Bounds
from controlroom.border.arrivals import has_hung_up, is_answered
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid
from controlroom.json_limits import DEEPEST, JsonTooComplex, check_nesting, longest_list
from controlroom.moments import check_moment

T = TypeVar("T")
R = TypeVar("R")


class JsonRequest(Request[Any, Any, State]):
    """A request whose JSON is decoded straight into the type of its handler's `data`.

    Strictly: a number in quotes is no number. Payloads (`msgspec.Raw`) stay the bytes that they were.
    """

    __slots__ = ()

    most_read: ClassVar[int | None] = 2 << 20
    """Bytes of a body of which objects are made. Why: 20 MB of strings take a second; payloads and files stay bytes."""

    async def json(self) -> Any:
        """The body as the type that the handler declares; raises Invalid `MALFORMED_JSON` or `INVALID_BODY`."""
        if self._json is Empty:
            field = self.route_handler.parsed_data_field
            into = field.annotation if field else Any
            body = await self.body()
            if _reader(into).has_payloads:
                await check_lists(self.app.state.engine, body)
            self._json = decode(body, into, most_read=self.most_read)
        return self._json


class JsonResponse(Response[Any]):
    """What handlers return, as JSON or text: the framework's own form of an answer, without what ours never have.

    It has no cookies, headers or background tasks, so that sending it costs a third.
    """

    def __init__(
        self,
        content: Any,
        *,
        media_type: str | None = None,
        status_code: int | None = None,
        **_of_the_framework: Any,
    ) -> None:
        self._status = status_code or 200
        if media_type is None or media_type == MediaType.JSON:
            self._type, self._body = b"application/json", _encode(content)
        else:
            kind = media_type.value if isinstance(media_type, Enum) else media_type
            self._type = f"{kind}; charset=utf-8".encode() if kind.startswith("text/") else kind.encode()
            self._body = content if isinstance(content, bytes) else content.encode()

    def to_asgi_response(self, *_: Any, **_of_the_framework: Any) -> "JsonResponse":  # type: ignore[override]
        """Itself: it is an ASGI app."""
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI signature
        """Send it."""
        headers = [(b"content-type", self._type), (b"content-length", b"%d" % len(self._body))]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})


class WatchedAnswer(ASGIResponse):
    """JSON of which it is told whether it could be written."""

    def __init__(self, body: bytes, end: Callable[[bool], None]) -> None:
        super().__init__(body=body, media_type="application/json")
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        was_told, is_gone = False, has_hung_up(scope)
        try:
            await super().__call__(scope, receive, send)
            was_told = is_answered(scope) and not is_gone
        finally:
            self._end(was_told)


_DEEPEST = DEEPEST + 8
"""Why more than a payload may have: a body is wrapped around it."""
_encode = msgspec.json.Encoder().encode


_MOST_VALUES: Final = 5_000_000
"""In a list of payloads. Why: as many payloads as a start may bring, with fifty values each."""
_MANY: Final = 250_000
"""Commas of a body whose lists are counted aside. Why: a list of so many payloads is made in 60 ms at worst."""


class _Reader(NamedTuple):
    decode: Callable[[bytes], Any]
    has_bounds: bool
    """Whether there is anything of which `check_bounds` knows bounds."""
    keeps_bytes: bool
    """Whether there may be payloads or files in it, of which no objects are made."""
    has_payloads: bool
    """Whether there may be a list of them."""


@cache
def _reader(into: Any) -> _Reader:
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(into)
    made_of = repr(msgspec.inspect.type_info(into))  # all of it, however deep
    bounded = (msgspec.inspect.DateTimeType, msgspec.inspect.IntType)
    kept = (msgspec.inspect.RawType, msgspec.inspect.BytesType)
    return _Reader(
        decoder.decode,
        any(kind.__name__ in made_of for kind in bounded),
        any(kind.__name__ in made_of for kind in kept),
        repr(msgspec.inspect.type_info(list[msgspec.Raw])) in made_of,
    )


def decode(body: bytes, into: Any, *, most_read: int | None = JsonRequest.most_read) -> Any:
    """The body as a type; says where and what is wrong with it."""
    reader = _reader(into)
    if most_read is not None and len(body) > most_read and not reader.keeps_bytes:
        raise ClientException(status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE)
    check_nesting(body, deepest=_DEEPEST)
    try:
        found = reader.decode(body)
    except msgspec.ValidationError as wrong:
        raise Invalid(f"The body is not as expected: {wrong}.", code="INVALID_BODY") from wrong
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise Invalid(f"The body is not JSON: {broken}.", code="MALFORMED_JSON") from broken
    if reader.has_bounds:
        check_bounds(found)
    return found


_MOST = 2**63
"""What neither the database nor another process is sent as a number."""


def check_bounds(value: Any) -> None:
    """Raise for what has bounds anywhere in what was read: MomentOutOfRange, or Invalid for a number beyond 64 bits."""
    match value:
        case int():
            if not -_MOST <= value < _MOST:
                raise Invalid("The body is not as expected: a number is out of range.", code="INVALID_BODY")
        case datetime():
            check_moment(value)
        case msgspec.Struct():
            for name in value.__struct_fields__:
                check_bounds(getattr(value, name))
        case list() | tuple():
            for each in value:
                check_bounds(each)
        case _:
            pass


def given(value: T | UnsetType, make: Callable[[T], R]) -> R | UnsetType:
    """What is made of a field of a body, where it was given."""
    return UNSET if value is UNSET else make(value)


def payload_of(body: bytes) -> msgspec.Raw:
    """A whole body as a payload: checked to be JSON, kept as the bytes that it is; an empty one means null (§3.3)."""
    if not body:
        return msgspec.Raw(b"null")
    # Why read at all: `Raw` alone would take the body as it is, and PostgreSQL's refusal names neither line nor fault.
    # Why as the element of a list: it is passed over then, without an object for each of its values.
    try:
        body.decode()
    except UnicodeDecodeError as broken:
        raise Invalid(f"The body is not JSON: {broken}.", code="MALFORMED_JSON") from broken
    if len(decode(b"[%b]" % body, list[msgspec.Raw])) != 1:
        raise Invalid("The body is not one JSON value.", code="MALFORMED_JSON")
    return msgspec.Raw(body)


async def check_lists(engine: Engine, body: bytes) -> None:
    """Raise Invalid (`TOO_MANY_ITEMS`, `JSON_TOO_COMPLEX`) for a list of more payloads than any call may bring."""
    commas = body.count(b",")
    if commas > _MOST_VALUES:
        raise JsonTooComplex(f"the JSON has more than {_MOST_VALUES:,} values")
    if commas > _MANY:
        longest = await engine.aside.call(Bounds("The body", seconds=5.0), longest_list, body)
        if longest > engine.limits.items_per_start:
            raise Invalid(f"at most {engine.limits.items_per_start:,} items a start", code="TOO_MANY_ITEMS")
