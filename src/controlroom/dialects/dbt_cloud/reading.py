"""Bodies as clients write them: JSON, a form (urlencoded or multipart), nothing, or `null`, which is nothing, too.

    class Trigger(Shape, frozen=True, kw_only=True):
        cause: str = ""                               # "x", 7, true, null, left out
        threads_override: int | None = None           # 4, "4", null
        steps_override: tuple[str, ...] = ()          # ["a"], "a", null; of a form: repeated keys
        git_sha: str | None | UnsetType = UNSET       # where null differs from left out

Keys that a type does not name are passed over, and null is as good as left out where the field has a default that is
not null (`border/lenient.py`). Forms have texts only, which are read like those of JSON. The content type is not
trusted: programs send JSON under that of a form (curl's `-d`), and forms under none.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from multipart import (  # type: ignore[import-untyped]  # it has no stubs
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from controlroom.border.lenient import BodyWrong, Fault, read
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.errors import Invalid

_BOM: Final = b"\xef\xbb\xbf"
_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_MOST_FIELDS: Final = 1_000


def body_as_json(content_type: str, body: bytes) -> bytes:
    """The body as JSON; empty for none. Raises Invalid `MALFORMED_FORM`."""
    kind, options = parse_options_header(content_type)
    if kind == _MULTIPART and options.get("boundary") and body:
        return _as_object(_parts(options["boundary"], body))
    body = body.removeprefix(_BOM).strip()
    if body == b"null" or not body:
        return b""
    if body[:1] not in b'{["' and (kind == _FORM or (b"=" in body and not kind)):
        return _as_object(_fields(body))
    return body


def read_body(body: bytes, into: Any) -> Any:
    """The body as a type. Raises Invalid `MALFORMED_JSON`, or FieldsWrong that names each field that is wrong."""
    try:
        return read(body, into)
    except BodyWrong as wrong:
        raise FieldsWrong({_field(fault): fault.wanted for fault in wrong.faults}) from wrong


def ids_in(body: bytes, fields: Collection[str]) -> Iterator[tuple[str, str]]:
    """Which ids a body names by these keys, and which they are: of an object, or of each object of a list.

    The body has been read: it is JSON. None and nothing name none.
    """
    objects = [body] if body[:1] == b"{" else _SEVERAL.decode(body) if body[:1] == b"[" else []
    for one in objects:
        if bytes(one)[:1] != b"{":
            continue
        for key, raw in _OBJECT.decode(one).items():
            if key in fields and (text := bytes(raw).decode().strip().strip('"').strip()) not in _NOBODY:
                yield key, text


_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SEVERAL: Final = msgspec.json.Decoder(list[msgspec.Raw])
_NOBODY: Final = frozenset({"", "null", "0"})


def _field(fault: Fault) -> str:
    place = fault.place.removeprefix(".")
    return ".".join(filter(None, [place, fault.lacking])) or "body"


def _fields(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except (UnicodeDecodeError, ValueError) as broken:
        raise Invalid(f"The form is not as expected: {broken}.", code="MALFORMED_FORM") from broken


def _parts(boundary: str, body: bytes) -> list[tuple[str, str]]:
    found: list[tuple[str, bytearray]] = []
    try:
        parser = PushMultipartParser(boundary, max_segment_count=_MOST_FIELDS)
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                found.append((event.name, bytearray()))
            elif event is not None:
                found[-1][1].extend(event)
        parser.close()
        return [(name, bytes(value).decode()) for name, value in found]
    except (MultipartError, UnicodeDecodeError) as broken:
        raise Invalid(f"The form is not as expected: {broken}.", code="MALFORMED_FORM") from broken


def _as_object(fields: list[tuple[str, str]]) -> bytes:
    """The JSON of fields: what comes several times, or as `name[]`, is a list."""
    found: dict[str, Any] = {}
    for key, value in fields:
        name = key.removesuffix("[]")
        if name in found:
            held = found[name]
            found[name] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            found[name] = [value] if name != key else value
    return msgspec.json.encode(found)
