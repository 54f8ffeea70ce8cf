"""Secrets are masked in whatever a project prints, tells or leaves.

A value is found as it is, and as JSON, YAML and addresses write it; of one with several lines each line is. What is
shorter than four bytes is not: it would be found everywhere, and what it stood in would mean nothing any more. One of
digits alone is found where it stands for itself, not as a part of another number, and becomes a 0.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import IO, Final
from urllib.parse import quote, quote_plus

import msgspec

MASK: Final = b"*****"

_NUMBER: Final = b"0"
"""In place of a number: where it stood in JSON as one, the JSON stays what it is."""
_LITERALS: Final = frozenset({b"true", b"false", b"null"})
"""What nobody can keep secret, and JSON could not be read without."""
_AROUND: Final = 2
"""Bytes by which a number is told from a part of another."""
_SHORTEST: Final = 4
_PIECE: Final = 1 << 20


class Masks:
    """The secrets of one run."""

    def __init__(self, secrets: Sequence[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= _SHORTEST} - _LITERALS
        self._longest = max(map(len, forms), default=0)
        # Why the longest first: of two that begin alike the whole of the longer one is to go
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        numbers = b"|".join(form for form in ordered if form.isdigit())
        others = b"|".join(re.escape(form) for form in ordered if not form.isdigit())
        parts = [others] if others else []
        parts += [rb"(?P<number>(?<!\d)(?<!\d\.)(?:" + numbers + rb")(?!\d)(?!\.\d))"] if numbers else []
        self._pattern = re.compile(b"|".join(parts)) if parts else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def of(self, text: bytes) -> bytes:
        """The text without secrets."""
        return text if self._pattern is None else self._pattern.sub(_mask, text)

    def of_text(self, text: str) -> str:
        """Likewise."""
        return self.of(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def stand_in(self, descriptor: int) -> bool:
        """Whether a file may hold a secret; it is read from its beginning."""
        if self._pattern is None:
            return False
        position, rest = 0, b""
        while piece := os.pread(descriptor, _PIECE, position):
            if self._pattern.search(rest + piece):
                return True
            position += len(piece)
            rest = (rest + piece)[-(self._longest + _AROUND) :]
        return False

    def copy(self, descriptor: int, into: IO[bytes]) -> bool:
        """Write a text file without its secrets; False if it is no text, and then nothing useful was written."""
        position, text, start = 0, b"", 0
        while piece := os.pread(descriptor, _PIECE, position):
            if b"\0" in piece:
                return False
            position += len(piece)
            text += piece
            # What begins behind this may go on, or be a part of something that does
            start = self._write(text, start, max(start, len(text) - self._longest - _AROUND), into)
            seen = max(0, start - _AROUND)
            text, start = text[seen:], start - seen
        self._write(text, start, len(text), into)
        return True

    def _write(self, text: bytes, start: int, end: int, into: IO[bytes]) -> int:
        """Write a text from its start, with secrets masked that begin before the end; where that has come to."""
        assert self._pattern is not None  # noqa: S101 - there is nothing to copy otherwise
        for found in self._pattern.finditer(text, start):
            if found.start() >= end:
                break
            into.write(text[start : found.start()] + _mask(found))
            start = found.end()
        into.write(text[start : max(start, end)])
        return max(start, end)


def _mask(found: re.Match[bytes]) -> bytes:
    return _NUMBER if found.lastgroup else MASK


def _forms(secret: str) -> Iterator[bytes]:
    """What a secret looks like where it is written."""
    lines = secret.splitlines()
    for text in dict.fromkeys([secret, *(lines if len(lines) > 1 else [])]):
        if not text.strip():
            continue
        yield text.encode()
        yield msgspec.json.encode(text)[1:-1]
        yield json.dumps(text)[1:-1].encode()
        yield quote(text).encode()
        yield quote(text, safe="").encode()
        yield quote_plus(text).encode()
        yield text.replace("'", "''").encode()
