"""A header of a value and parameters, as `Content-Type` is (RFC 2045, 2231), as senders write it; pure, linear."""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from controlroom.mail.charsets import decode, guess
from controlroom.mail.words import decoded

_SECTION: Final = re.compile(r"([^*]+)(?:\*([0-9]{1,4}))?(\*)?")
_PAIR: Final = re.compile(r"\s*([^\s=;\"]+)\s*=\s*")
_QUOTED_PAIR: Final = re.compile(r"\\([\"\\])")


class Parameters(Struct, frozen=True):
    """A header's value, in small letters, and its parameters by name, in small letters."""

    value: str
    by_name: Mapping[str, str]

    def get(self, name: str) -> str | None:
        """The parameter, if there is one with something in it."""
        return self.by_name.get(name) or None

    def token(self, name: str) -> str | None:
        """The parameter as one word: a charset with a comment, or in the wrong quotes, is the charset."""
        words = self.by_name.get(name, "").strip("\"' \t").split()
        return words[0].partition("(")[0].strip("\"';,") or None if words else None


def parameters(text: str, unknown: list[str]) -> Parameters:
    """Read such a header. Charsets that nobody knows are added to `unknown`."""
    first, _, rest = text.partition(";")
    words = first.split(None, 1)
    if words and "=" in "".join(words[1:]):  # the semicolon was forgotten
        rest = f"{words[1]};{rest}"
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, value in _pairs(rest):
        section = _SECTION.fullmatch(name)
        if section is None or (section[2] is None and section[3] is None):
            plain.setdefault(name, value)
        else:
            sections.setdefault(section[1], {}).setdefault(int(section[2] or 0), (value, bool(section[3])))
    by_name = {name: decoded(value, unknown) for name, value in plain.items()}
    by_name.update({name: _joined(found, unknown) for name, found in sections.items()})
    return Parameters(words[0].lower() if words else "", by_name)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Names and values; a value in quotes ends with them, any other (also one in open quotes) at the semicolon."""
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            following = text.find(";", at)
            if following < 0:
                return
            at = following + 1
            continue
        at = pair.end()
        end = _closing(text, at + 1) if text.startswith('"', at) else -1
        if end >= 0:
            yield pair[1].lower(), _QUOTED_PAIR.sub(r"\1", text[at + 1 : end])
            at = end + 1
            while at < len(text) and text[at] in " \t;":
                at += 1
            continue
        end = text.find(";", at)
        end = len(text) if end < 0 else end
        yield pair[1].lower(), text[at:end].strip().strip('"')
        at = end + 1


def _closing(text: str, at: int) -> int:
    """Where the quotes end that are open at `at`; -1 if they do not."""
    end = text.find('"', at)
    while end > at and text[end - 1] == "\\" and not _is_escaped(text, end - 1, at) and text.find('"', end + 1) >= 0:
        end = text.find('"', end + 1)
    return end


def _is_escaped(text: str, at: int, begin: int) -> bool:
    """Whether the backslash at `at` is itself the second of a pair."""
    count = 0
    while at - count - 1 >= begin and text[at - count - 1] == "\\":
        count += 1
    return count % 2 == 1


def _joined(sections: Mapping[int, tuple[str, bool]], unknown: list[str]) -> str:
    """A value that came in numbered sections, some of them escaped (RFC 2231 §3 and 4)."""
    charset: str | None = None
    content = b""
    pieces: list[bytes] = []
    number = min(sections)  # some count from 1
    is_first = True
    while number in sections:
        value, is_escaped = sections[number]
        if is_escaped and is_first and value.count("'") > 1:
            charset, _, value = value.split("'", 2)
        pieces.append(unquote_to_bytes(value) if is_escaped else value.encode("utf-8", "replace"))
        number, is_first = number + 1, False
    content = b"".join(pieces)
    if charset is None or not charset:
        return decoded(guess(content), unknown)
    text = decode(content, charset)
    if text is None:
        unknown.append(charset)
        return guess(content)
    return text
