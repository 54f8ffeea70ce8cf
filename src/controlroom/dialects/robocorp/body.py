"""Reading request bodies (§0.2, §3.2): JSON whatever the content type says, and an empty body is no body."""

from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.types.empty import Empty

from controlroom.errors import Invalid


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


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode(body: bytes, into: Any) -> Any:
    """The body as a type; says where and what is wrong with it."""
    decoder = _decoders.get(into)
    if decoder is None:
        decoder = _decoders[into] = msgspec.json.Decoder(into)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as wrong:
        raise Invalid(f"The body is not as expected: {wrong}.", code="INVALID_BODY") from wrong
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise Invalid(f"The body is not JSON: {broken}.", code="MALFORMED_JSON") from broken
    except RecursionError:
        raise Invalid("The body is nested too deeply.", code="MALFORMED_JSON") from None


def payload_of(body: bytes) -> msgspec.Raw:
    """A whole body as a payload: checked to be JSON, kept as the bytes that it is; an empty one means null (§3.3)."""
    if not body:
        return msgspec.Raw(b"null")
    # Why decoded: `Raw` alone would take the body as it is, and PostgreSQL's refusal names neither line nor fault.
    decode(body, Any)
    return msgspec.Raw(body)
