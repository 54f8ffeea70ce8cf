"""Bodies: of requests JSON, whatever the content type says (§0.2), and an empty one is none (§3.2); of answers JSON."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State
from litestar.types import Receive, Scope, Send
from litestar.types.empty import Empty

from controlroom.errors import Invalid
from controlroom.json_limits import DEEPEST, check_nesting
from controlroom.moments import check_moment


class JsonRequest(Request[Any, Any, State]):
    """A request whose JSON is decoded straight into the type of its handler's `data`.

    Strictly: a number in quotes is no number. Payloads (`msgspec.Raw`) stay the bytes that they were.
    """

    __slots__ = ()

    async def json(self) -> Any:
        """The body as the type that the handler declares; raises Invalid `MALFORMED_JSON` or `INVALID_BODY`."""
        if self._json is Empty:
            field = self.route_handler.parsed_data_field
            self._json = decode(await self.body(), field.annotation if field else Any)
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


_DEEPEST = DEEPEST + 8
"""Why more than a payload may have: a body is wrapped around it."""
_encode = msgspec.json.Encoder().encode


class _Reader(NamedTuple):
    decode: Callable[[bytes], Any]
    has_bounds: bool
    """Whether there is anything of which `_check` knows bounds."""


@cache
def _reader(into: Any) -> _Reader:
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(into)
    made_of = repr(msgspec.inspect.type_info(into))  # all of it, however deep
    bounded = (msgspec.inspect.DateTimeType, msgspec.inspect.IntType)
    return _Reader(decoder.decode, any(kind.__name__ in made_of for kind in bounded))


def decode(body: bytes, into: Any) -> Any:
    """The body as a type; says where and what is wrong with it."""
    check_nesting(body, deepest=_DEEPEST)
    reader = _reader(into)
    try:
        found = reader.decode(body)
    except msgspec.ValidationError as wrong:
        raise Invalid(f"The body is not as expected: {wrong}.", code="INVALID_BODY") from wrong
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise Invalid(f"The body is not JSON: {broken}.", code="MALFORMED_JSON") from broken
    if reader.has_bounds:
        _check(found)
    return found


_MOST = 2**63
"""What neither the database nor another process is sent as a number."""


def _check(value: Any) -> None:
    """Raise for what has bounds anywhere in what was read: MomentOutOfRange, or Invalid for a number beyond 64 bits."""
    match value:
        case int():
            if not -_MOST <= value < _MOST:
                raise Invalid("The body is not as expected: a number is out of range.", code="INVALID_BODY")
        case datetime():
            check_moment(value)
        case msgspec.Struct():
            for name in value.__struct_fields__:
                _check(getattr(value, name))
        case list() | tuple():
            for each in value:
                _check(each)
        case _:
            pass


def payload_of(body: bytes) -> msgspec.Raw:
    """A whole body as a payload: checked to be JSON, kept as the bytes that it is; an empty one means null (§3.3)."""
    if not body:
        return msgspec.Raw(b"null")
    # Why decoded: `Raw` alone would take the body as it is, and PostgreSQL's refusal names neither line nor fault.
    decode(body, Any)
    return msgspec.Raw(body)
