"""One operation of the management API: how it is asked, and how its answer is read."""

import secrets
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cached_property
from types import UnionType
from typing import Any, Union, get_args, get_origin
from urllib.parse import quote

import msgspec
from msgspec import UNSET

from controlroom_client.calls import Calls, JsonPage
from controlroom_client.failures import Unreadable
from controlroom_client.plain import TIMEOUT
from controlroom_client.steps import Steps

Values = Mapping[str, Any]
"""What is said of parameters, by the API's names; UNSET where nothing is."""

_KEY = "idempotency_key"
_WAIT = "wait_seconds"
_WAITS = 60.0
"""Seconds for which a call waits that may wait, unless it is told otherwise."""


class Operation:
    """Something that can be asked of a room."""

    def __init__(
        self,
        id: str,  # noqa: A002 - as the document has it
        method: str,
        path: str,
        *,
        answer: Callable[[], Any],
        is_above: bool,
        has_body: bool,
        is_keyed: bool,
    ) -> None:
        self.id = id
        self.method = method
        self.path = path
        self._answer = answer
        self.is_above = is_above
        self._has_body = has_body
        self._is_keyed = is_keyed

    def done(self, api: Calls, path: Values, query: Values, body: Values) -> Steps[Any]:
        """Do it; the answer. One that takes an idempotency key gets one, so that it may be asked again."""
        said = {name: value for name, value in body.items() if value is not UNSET}
        if self._is_keyed and said.get(_KEY) is None:
            said[_KEY] = secrets.token_hex(16)
        waits = _WAITS if said.get(_WAIT) is None else said[_WAIT]
        content = yield from api.call(
            self.method,
            self._url(api, path, query),
            msgspec.json.encode(said) if self._has_body else None,
            is_repeatable=self._is_keyed,
            timeout=TIMEOUT + waits if _WAIT in body else None,
        )
        return self._read(content)

    def each(self, api: Calls, path: Values, query: Values, page_size: int) -> Steps[None]:
        """Give every row of the list."""
        yield from api.pages(self._url(api, path, {**query, "limit": page_size}), read=self._page)

    def _url(self, api: Calls, path: Values, query: Values) -> str:
        below = self.path.format_map({name: quote(str(value), safe="") for name, value in path.items()})
        asked = {name: _in_query(value) for name, value in query.items() if value is not UNSET}
        return api.locate(api.above(below) if self.is_above else below, asked)

    def _page(self, content: bytes) -> JsonPage:
        page = self._decode(self._pages, content)
        return page.data, page.next

    def _read(self, content: bytes) -> Any:
        if len(self._decoders) > 1:  # told from each other by what they must have
            for decoder in self._decoders[:-1]:
                try:
                    return decoder.decode(content)
                except msgspec.ValidationError:
                    continue
        return self._decode(self._decoders[-1], content)

    def _decode(self, decoder: "msgspec.json.Decoder[Any]", content: bytes) -> Any:
        try:
            return decoder.decode(content)
        except msgspec.MsgspecError as unreadable:
            raise Unreadable(f"the answer of {self.id} is of another form than this version knows: {unreadable}") from (
                unreadable
            )

    @cached_property
    def _decoders(self) -> "list[msgspec.json.Decoder[Any]]":
        """One, or one for each of a union whose members no tag tells apart."""
        type_ = self._answer()
        try:
            return [msgspec.json.Decoder(type_)]
        except TypeError:
            assert get_origin(type_) in {Union, UnionType}  # noqa: S101 - else the type is no type
            return [msgspec.json.Decoder(each) for each in get_args(type_)]

    @cached_property
    def _pages(self) -> "msgspec.json.Decoder[Any]":
        page = msgspec.defstruct("Page", [("data", list[self._answer()]), ("next", str | None, None)])  # type: ignore[misc]
        return msgspec.json.Decoder(page)


def _in_query(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case list() | tuple():
            return [_in_query(each) for each in value]
        case _:
            return value
