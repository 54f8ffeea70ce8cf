"""The parts of a mail: headers and content, and the parts within (RFC 5322, 2046), as senders really write them. Pure.

A part is a window on the bytes that came: nothing is copied before it is a leaf's content. Work is linear in the bytes
for each of at most `DEEPEST` levels.
"""

import binascii
import io
import quopri
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import Final

from controlroom.mail.charsets import guess
from controlroom.mail.parameters import Parameters, parameters
from controlroom.mail.words import base64

DEEPEST: Final = 100
"""Parts in each other: more is no mail that somebody wrote."""
MOST: Final = 10_000
"""Parts beside each other: likewise."""

_HEADER: Final = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_KNOWN: Final = re.compile(
    rb"(?:from|to|cc|bcc|subject|date|received|return-path|reply-to|sender|message-id|mime-version|delivered-to"
    rb"|content-[!-9;-~]+|x-[!-9;-~]+)[ \t]*:",
    re.IGNORECASE,
)
_SEEMS_DIVIDER: Final = re.compile(
    rb"^--([!-~][^\r\n]{0,200}?)[ \t]*\r*\n(?=content-[a-z-]{1,40}[ \t]*:)", re.IGNORECASE | re.MULTILINE
)
_LINE_ENDS: Final = re.compile(rb"[\r\n]*")
_MOST_OF_HEADERS: Final = 1 << 19  # bytes. Why: thousands of receivers fit; mail servers refuse what is larger
_TYPE: Final = re.compile(r"[^\s/;,]+/[^\s/;,]+")


class Part:
    """A part, or the whole mail."""

    def __init__(
        self,
        raw: bytes,
        begin: int,
        end: int,
        *,
        default_type: str = "text/plain",
        is_whole: bool = False,
        is_decoded: bool = False,
    ) -> None:
        self._raw, self._end = raw, end
        self._fields, self._begin = _headers(raw, begin, min(end, begin + _MOST_OF_HEADERS), is_whole=is_whole)
        self._default_type = default_type
        self._is_decoded = is_decoded  # whether what it is in was already unwrapped once
        self.unknown: list[str] = []
        """Charsets that headers of the part name and nobody knows."""

    def headers(self, name: str) -> list[str]:
        """What stands in each header of the name, on one line, encoded words as they came."""
        return [guess(value).strip() for each, value in self._fields if each == name]

    def header(self, name: str) -> str:
        """The first header of the name that says anything; empty where none does."""
        return next((value for value in self.headers(name) if value), "")

    @cached_property
    def has_headers(self) -> bool:
        """Whether there is any."""
        return bool(self._fields)

    @cached_property
    def content_type(self) -> Parameters:
        """Type and parameters; a type that is none is what it is without one."""
        said = parameters(self.header("content-type"), self.unknown)
        if _TYPE.fullmatch(said.value):
            return said
        named = {"text": "text/plain", "html": "text/html"}.get(said.value)
        default = "application/octet-stream" if said.value and said.get("name") else self._default_type
        return Parameters(named or default, said.by_name)

    @cached_property
    def disposition(self) -> Parameters:
        """Whether it is shown or attached, and the name of its file."""
        return parameters(self.header("content-disposition"), self.unknown)

    @cached_property
    def parts(self) -> "list[Part] | None":
        """The parts within; None where there is no content to divide, or nothing that divides it."""
        if not self.content_type.value.startswith("multipart/"):
            return None
        raw, begin, end = self._raw, self._begin, self._end
        is_decoded = self._is_decoded
        if not is_decoded and self._encoding in {"base64", "quoted-printable"}:  # forbidden for such, and done
            raw, is_decoded = self.content()[0], True
            begin, end = 0, len(raw)
        windows = list(islice(_windows(raw, begin, end, self._boundary), MOST))
        if not windows:
            seen = _SEEMS_DIVIDER.search(raw, begin, end)
            windows = list(islice(_windows(raw, begin, end, seen[1]), MOST)) if seen else []
        within = "message/rfc822" if self.content_type.value == "multipart/digest" else "text/plain"
        return [Part(raw, *window, default_type=within, is_decoded=is_decoded) for window in windows] or None

    def is_blank(self) -> bool:
        """Whether it has no content at all."""
        return not self._raw[self._begin : min(self._end, self._begin + 1000)].strip()

    def content(self) -> tuple[bytes, bool]:
        """The bytes, and whether all of them could be had."""
        whole = self._raw[self._begin : self._end]
        match self._encoding:
            case "base64":
                return base64(whole)
            case "quoted-printable":
                return quopri.decodestring(whole), True
            case "x-uuencode" | "uuencode" | "uue" | "x-uue":
                return _uudecoded(whole)
            case _:
                return whole, True

    @property
    def _encoding(self) -> str:
        words = self.header("content-transfer-encoding").lower().split(";")[0].split()
        return words[0].strip("\"'") if words else ""

    @property
    def _boundary(self) -> bytes:
        return (self.content_type.by_name.get("boundary") or "").rstrip().encode("utf-8", "replace")


def whole(raw: bytes) -> Part:
    """The mail as one part."""
    begin = len(BOM_UTF8) if raw.startswith(BOM_UTF8) else 0  # of who sends a file as it was saved
    return Part(raw, begin, len(raw), is_whole=True)


def _headers(raw: bytes, begin: int, end: int, *, is_whole: bool) -> tuple[list[tuple[str, bytes]], int]:
    """Headers, names in small letters, values unfolded; and where the content begins."""
    found: list[tuple[str, list[bytes]]] = []
    at = begin
    while at < end:
        line, following = _line(raw, at, end)
        if not line.strip():
            is_fold = line[:1] in b" \t" and line and found and _goes_on(raw, following, end)
            after = _after_blank(raw, following, end)
            if is_whole and not found and _KNOWN.match(raw, after, end):
                following = after
            elif not is_fold:
                at = following
                break
        elif line[:1] in b" \t" and found:
            found[-1][1].append(line)
        elif (header := _HEADER.fullmatch(line)) is not None:
            found.append((header[1].decode("ascii").lower(), [header[2]]))
        elif not (found or is_whole) or not (
            _KNOWN.match(raw, following, end) or line.startswith((b"From ", b">From "))
        ):
            break  # the content, without the empty line that should be before it
        at = following
    return [(name, b"".join(lines)) for name, lines in found], at


def _line(raw: bytes, at: int, end: int) -> tuple[bytes, int]:
    stop = raw.find(b"\n", at, end)
    stop = end if stop < 0 else stop + 1
    return raw[at:stop].rstrip(b"\r\n"), stop


def _goes_on(raw: bytes, at: int, end: int) -> bool:
    """Whether headers go on: a line of white space alone may be a fold, or an empty line that somebody spoilt."""
    line, _ = _line(raw, at, end)
    return not line or (line[:1] in b" \t" and bool(line.strip())) or _KNOWN.match(line) is not None


def _after_blank(raw: bytes, at: int, end: int) -> int:
    found = _LINE_ENDS.match(raw, at, end)
    return at if found is None else found.end()


def _windows(raw: bytes, begin: int, end: int, boundary: bytes) -> Iterable[tuple[int, int]]:
    """Where the parts are that a boundary divides, also behind its end: some use one boundary twice."""
    if not boundary:
        return
    opened: int | None = None
    for line_begin, line_end, is_last in _dividers(raw, begin, end, boundary):
        if opened is not None:
            yield opened, _before_line_end(raw, opened, line_begin)
        opened = None if is_last else line_end
    if opened is not None and opened < end:
        yield opened, end


def _dividers(raw: bytes, begin: int, end: int, boundary: bytes) -> Iterator[tuple[int, int, bool]]:
    mark = re.compile(re.escape(b"--" + boundary) + rb"(--)?[ \t]*\r*(?:\n|\Z)")
    for found in mark.finditer(raw, begin, end):
        if found.start() == begin or raw.startswith(b"\n", found.start() - 1):
            yield found.start(), found.end(), found[1] is not None


def _before_line_end(raw: bytes, begin: int, at: int) -> int:
    """The line end before a divider belongs to the divider."""
    if raw.endswith(b"\r\n", begin, at):
        return at - 2
    return at - raw.endswith(b"\n", begin, at)


def _uudecoded(content: bytes) -> tuple[bytes, bool]:
    lines = iter(io.BytesIO(content))
    if not any(line.startswith(b"begin ") for line in lines):
        return content, False
    read, is_right = [], True
    for line in lines:
        if line.rstrip() in {b"end", b"`"}:
            break
        try:
            read.append(binascii.a2b_uu(line))
        except binascii.Error:  # too short or too long: what its first character promises is there
            length = ((line[0] - 32) & 63) * 4 // 3 + 5
            try:
                read.append(binascii.a2b_uu(line[:length]))
            except binascii.Error:
                is_right = False
    return b"".join(read), is_right
