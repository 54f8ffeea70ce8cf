"""What Outlook packs into `winmail.dat` (MS-OXTNEF): its files, and its body where the mail has none. Pure.

Whatever cannot be read is left out: the file itself stays an attachment of the mail, too.
"""

import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from controlroom.mail.charsets import decode, guess

_SIGNATURE: Final = b"\x78\x9f\x3e\x22"
_MOST_PROPERTIES: Final = 10_000
_FIXED: Final = MappingProxyType(
    {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 4, 0x14: 8, 0x40: 8, 0x48: 16}  # bytes of a value, padding included
)
_STRING, _UNICODE, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x102
_SEVERAL: Final = 0x1000
_NAMED: Final = 0x8000

# Attributes of the stream, and properties of the message and of attachments
_OEM_CODEPAGE, _MESSAGE, _ATTACHMENT, _BEGIN, _TITLE, _DATA = 0x9007, 0x9003, 0x9005, 0x9002, 0x8010, 0x800F
_BODY, _BODY_HTML, _CONTENT, _LONG_NAME, _SHORT_NAME, _DISPLAY_NAME = 0x1000, 0x1013, 0x3701, 0x3707, 0x3704, 0x3001


class Wrapped(Struct, frozen=True):
    """What was in it."""

    files: tuple[tuple[str, bytes], ...] = ()
    """Names and contents."""
    text: str | None = None
    html: str | None = None


class _File(Struct):
    title: str = ""
    content: bytes = b""
    properties: Mapping[int, bytes | str] = MappingProxyType({})


class _Broken(Exception):  # noqa: N818 - an end, told to the loop that reads
    pass


def is_tnef(content: bytes) -> bool:
    """Whether it is such a file, whatever its name."""
    return content.startswith(_SIGNATURE)


def read(content: bytes) -> Wrapped:
    """What is in it, as far as it can be read. Never raises."""
    files: list[_File] = []
    message: Mapping[int, bytes | str] = {}
    charset = "windows-1252"
    for attribute, data in _attributes(content):
        if attribute == _OEM_CODEPAGE and len(data) >= 4:
            charset = f"windows-{struct.unpack_from('<I', data)[0]}"
        elif attribute == _MESSAGE:
            message = _properties(data, charset)
        elif attribute == _BEGIN:
            files.append(_File())
        elif files and attribute == _TITLE:
            files[-1].title = _string(data, charset)
        elif files and attribute == _DATA:
            files[-1].content = data
        elif files and attribute == _ATTACHMENT:
            files[-1].properties = _properties(data, charset)
    return Wrapped(
        tuple((_name(file, number), _content(file)) for number, file in enumerate(files, 1) if _content(file)),
        text=_said(message.get(_BODY), charset),
        html=_said(message.get(_BODY_HTML), charset),
    )


def _name(file: _File, number: int) -> str:
    for key in (_LONG_NAME, _DISPLAY_NAME, _SHORT_NAME):
        said = file.properties.get(key)
        if isinstance(said, str) and said:
            return said
    return file.title or f"attachment-{number}.bin"


def _content(file: _File) -> bytes:
    said = file.properties.get(_CONTENT)
    return said if isinstance(said, bytes) and said else file.content


def _said(value: bytes | str | None, charset: str) -> str | None:
    said = _string(value, charset) if isinstance(value, bytes) else value
    return said or None


def _string(data: bytes, charset: str) -> str:
    plain = data.rstrip(b"\0")
    text = decode(plain, charset)
    return guess(plain) if text is None else text


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = len(_SIGNATURE) + 2
    while at + 9 <= len(content):
        attribute, _, length = struct.unpack_from("<HHI", content, at + 1)
        data = content[at + 9 : at + 9 + length]
        if len(data) < length:
            return
        yield attribute, data
        at += 9 + length + 2  # a checksum behind it


def _properties(data: bytes, charset: str) -> Mapping[int, bytes | str]:
    """Texts and contents by number; numbers, times and what has names of its own are passed over."""
    found: dict[int, bytes | str] = {}
    try:
        (count,), at = _unpack("<I", data, 0)
        for _ in range(min(count, _MOST_PROPERTIES)):
            (kind, number), at = _unpack("<HH", data, at)
            if number >= _NAMED:
                at = _after_name(data, at)
            values, at = _values(data, kind, at)
            if not values or kind & _SEVERAL:
                continue
            match kind:
                case 0x1E:
                    found[number] = _string(values[0], charset)
                case 0x1F:
                    found[number] = values[0].decode("utf-16-le", "replace").rstrip("\0")
                case 0x0D:
                    found[number] = values[0][16:]  # behind the identity of its interface
                case 0x102:
                    found[number] = values[0]
    except _Broken:
        pass
    return found


def _values(data: bytes, kind: int, at: int) -> tuple[list[bytes], int]:
    plain = kind & ~_SEVERAL
    count = 1
    if kind & _SEVERAL or plain in {_STRING, _UNICODE, _OBJECT, _BINARY}:
        (count,), at = _unpack("<I", data, at)
    values = []
    for _ in range(count):
        if plain in _FIXED:
            at += _FIXED[plain]
        elif plain in {_STRING, _UNICODE, _OBJECT, _BINARY}:
            (length,), at = _unpack("<I", data, at)
            values.append(data[at : at + length])
            at += length + -length % 4
        else:
            raise _Broken
        if at > len(data) + 3:
            raise _Broken
    return values, at


def _after_name(data: bytes, at: int) -> int:
    (kind,), at = _unpack("<I", data, at + 16)
    (length,), at = _unpack("<I", data, at)
    return at + (length + -length % 4 if kind == 1 else 0)


def _unpack(shape: str, data: bytes, at: int) -> tuple[tuple[int, ...], int]:
    try:
        return struct.unpack_from(shape, data, at), at + struct.calcsize(shape)
    except struct.error as short:
        raise _Broken from short
