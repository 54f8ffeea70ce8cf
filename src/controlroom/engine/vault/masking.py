"""Hiding values in text. Pure; called in the loop for few and short ones, else aside."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

MASK: Final = b"***"


def pattern_of(values: Iterable[str]) -> "re.Pattern[bytes] | None":
    """What finds the values in lines; the longest of several that begin alike."""
    texts = sorted((value.encode() for value in values), key=lambda text: (-len(text), text))
    return re.compile(b"|".join(re.escape(text) for text in texts)) if texts else None


def masked(body: bytes, values: tuple[str, ...]) -> bytes:
    """The text with every value replaced."""
    pattern = _kept(values)
    return body if pattern is None else pattern.sub(MASK, body)


@lru_cache(maxsize=4)  # batch after batch of a step run comes with the same
def _kept(values: tuple[str, ...]) -> "re.Pattern[bytes] | None":
    return pattern_of(values)
