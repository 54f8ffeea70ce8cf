"""A JSON document read member by member, so that a manifest of any size takes the memory of its largest node.

A document is an object. Each of its members that is an object or a list is a *section*, and is told one member at a
time; any other is told whole. What is told is made by the standard library's decoder, which alone says where a
value ends. Pure: it reads pieces of bytes, no file and no network.
"""

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

_BLANK: Final = " \t\n\r"
_LONGEST: Final = 64 << 20
"""Characters of a single member. A guess: the largest compiled models that people tell of have a few MB."""


class BrokenJsonError(ValueError):
    """The document is no JSON object, ends early, or has a member that is too large to be read."""


class Member(NamedTuple):
    """One member of a section; of a value that stands by itself the key is None."""

    section: str
    key: str | None
    """The key within an object, None within a list."""
    value: Any


def members(pieces: Iterable[bytes]) -> Iterator[Member]:
    """The members of a document, in its order. Raises BrokenJsonError."""
    text = _Text(pieces)
    text.take("{")
    if text.next() == "}":
        text.skip()
    else:
        while True:
            section = text.key()
            yield from _section(text, section)
            if text.take(",}") == "}":
                break
    text.end()


def _section(text: "_Text", section: str) -> Iterator[Member]:
    opened = text.next()
    if opened not in {"{", "["}:
        yield Member(section, None, text.value())
        return
    text.skip()
    closing = "}" if opened == "{" else "]"
    if text.next() == closing:
        text.skip()
        return
    while True:
        key = text.key() if opened == "{" else None
        yield Member(section, key, text.value())
        if text.take(f",{closing}") == closing:
            return


class _Text:
    """The document, as far as it has been read and is not told yet."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._scan = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._is_whole = False

    def next(self) -> str:
        """The next character that is no blank, which stays."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _BLANK:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if not self._more():
                raise BrokenJsonError("the document ends early")

    def skip(self) -> None:
        """Go past a character."""
        self._at += 1

    def take(self, wanted: str) -> str:
        """The next character, one of those, which goes."""
        found = self.next()
        if found not in wanted:
            raise BrokenJsonError(f"{found!r} stands where one of {wanted!r} was to come")
        self._at += 1
        return found

    def key(self) -> str:
        """A key, and its colon."""
        found = self.value(before=":")
        if not isinstance(found, str):
            raise BrokenJsonError("a key is no text")
        self.take(":")
        return found

    def value(self, before: str = ",]}") -> Any:
        """A whole value; it has ended where what may follow it has been seen."""
        self.next()
        while True:
            try:
                found, end = self._scan(self._text, self._at)
            except json.JSONDecodeError as broken:
                why = f"{broken.msg}, {broken.pos - self._at} characters into a value"
            except RecursionError:
                raise BrokenJsonError("a value is nested too deeply") from None
            else:
                if self._is_followed(end, before):
                    self._at = end
                    return found
                why = "nothing follows a value"
            if len(self._text) - self._at > _LONGEST:
                raise BrokenJsonError(f"a member has more than {_LONGEST:,} characters")
            if not self._more():
                raise BrokenJsonError(why)

    def end(self) -> None:
        """Nothing follows. Raises BrokenJsonError."""
        while True:
            if self._text[self._at :].strip(_BLANK):
                raise BrokenJsonError("something follows the document")
            self._at = len(self._text)
            if not self._more():
                return

    def _is_followed(self, end: int, before: str) -> bool:
        text = self._text
        while end < len(text) and text[end] in _BLANK:
            end += 1
        return end < len(text) and text[end] in before

    def _more(self) -> bool:
        """Read on: as much as is still there and not told, so that a long value is scanned a few times only."""
        if self._is_whole:
            return False
        kept = self._text[self._at :]
        found, size = [kept], 0
        while size <= len(kept):
            piece = next(self._pieces, None)
            if piece is None:
                self._is_whole = True
                found.append(self._decoder.decode(b"", final=True))
                break
            found.append(self._decoder.decode(piece))
            size += len(found[-1])
            if not kept:
                break
        self._text, self._at = "".join(found), 0
        return True
