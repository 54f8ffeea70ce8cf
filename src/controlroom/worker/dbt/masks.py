"""Secrets are masked in whatever a project prints, tells or leaves.

A value is found as it is, and as JSON, YAML and addresses write it; of one with several lines each line is. What is
shorter than four bytes is not: it would be found everywhere, and what it stood in would mean nothing any more.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import IO, Final
from urllib.parse import quote, quote_plus

import msgspec

MASK: Final = b"*****"

_SHORTEST: Final = 4
_PIECE: Final = 1 << 20


class Masks:
    """The secrets of one run."""

    def __init__(self, secrets: Sequence[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= _SHORTEST}
        self._longest = max(map(len, forms), default=0)
        # Why the longest first: of two that begin alike the whole of the longer one is to go
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile(b"|".join(map(re.escape, ordered))) if ordered else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def of(self, text: bytes) -> bytes:
        """The text without secrets."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def of_text(self, text: str) -> str:
        """Likewise."""
        return self.of(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def stand_in(self, descriptor: int) -> bool:
        """Whether a file holds a secret; it is read from its beginning."""
        if self._pattern is None:
            return False
        position, rest = 0, b""
        while piece := os.pread(descriptor, _PIECE, position):
            if self._pattern.search(rest + piece):
                return True
            position += len(piece)
            rest = (rest + piece)[-(self._longest - 1) :]
        return False

    def copy(self, descriptor: int, into: IO[bytes]) -> bool:
        """Write a text file without its secrets; False if it is no text, and then nothing useful was written."""
        position, rest = 0, b""
        while piece := os.pread(descriptor, _PIECE, position):
            if b"\0" in piece:
                return False
            position += len(piece)
            rest = self._pass_on(rest + piece, into)
        into.write(self.of(rest))
        return True

    def _pass_on(self, text: bytes, into: IO[bytes]) -> bytes:
        """Write what cannot be the beginning of a secret that goes on; the rest."""
        assert self._pattern is not None  # noqa: S101 - there is nothing to copy otherwise
        end = max(0, len(text) - (self._longest - 1))
        written = 0
        for found in self._pattern.finditer(text):
            if found.start() >= end:
                break
            into.write(text[written : found.start()] + MASK)
            written = found.end()
        into.write(text[written : max(written, end)])
        return text[max(written, end) :]


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
