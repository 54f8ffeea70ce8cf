"""The text of a header: encoded words (RFC 2047) as senders really write them. Pure, and linear.

Taken beyond the standard: words with spaces in them, glued to other text, inside quotes, without padding, with a
language, and characters or base64 groups that are cut in two between neighbouring words.
"""

import binascii
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from controlroom.mail.charsets import decode, encoding_of, guess

_WORD_BEGINS: Final = re.compile(r"=\?([^\s?*]{1,60})(?:\*[^\s?]{0,40})?\?([bBqQ])\?")
_ESCAPED: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64: Final = bytes(set(range(256)) - set(_ALPHABET))
_MOST_PIECES: Final = 10_000  # Why: put together from more, each padded, has nothing but somebody who tries us


class Word(Struct, frozen=True):
    """An encoded word, and where it stands."""

    begin: int
    end: int
    charset: str
    is_base64: bool
    encoded: str


def decoded(text: str, unknown: list[str]) -> str:
    """The text with its encoded words read. Charsets that nobody knows are added to `unknown`."""
    pieces: list[str] = []
    run: list[Word] = []
    at = 0
    for word in words(text):
        between = text[at : word.begin]
        if run and (between.strip() or not _belongs(run[-1], word)):
            pieces.append(_read(run, unknown))
            run = []
            if not between.strip():  # white space between words is none of the text
                between = ""
        elif run:
            between = ""
        pieces.append(between)
        run.append(word)
        at = word.end
    if run:
        pieces.append(_read(run, unknown))
    pieces.append(text[at:])
    return "".join(pieces)


def words(text: str) -> Iterator[Word]:
    """The encoded words of a text."""
    at = text.find("=?")
    while at >= 0:
        begin = _WORD_BEGINS.match(text, at)
        if begin is None:
            at = text.find("=?", at + 2)
            continue
        end = text.find("?=", begin.end())
        if end < 0:
            return
        yield Word(at, end + 2, begin[1], begin[2] in "bB", text[begin.end() : end])
        at = text.find("=?", end + 2)


def base64(content: bytes) -> tuple[bytes, bool]:
    """The bytes that base64 stands for, and whether all of it was base64.

    Groups that are padded in the middle (pieces that were put together) and padding that is missing cost nothing.
    """
    is_right = True
    read: list[bytes] = []
    for piece in content.split(b"=", _MOST_PIECES):
        kept = piece.translate(None, _NOT_BASE64)
        if piece.translate(None, b" \t\r\n\f\v") != kept:
            is_right = False
            if read:  # behind the end: what a mailing list has added
                break
        if len(kept) % 4 == 1:  # one character alone is no byte
            is_right, kept = False, kept[:-1]
        read.append(binascii.a2b_base64(kept + b"=" * (-len(kept) % 4)))
    return b"".join(read), is_right


def _belongs(one: Word, following: Word) -> bool:
    return encoding_of(one.charset) == encoding_of(following.charset)


def _read(run: list[Word], unknown: list[str]) -> str:
    """The text of neighbouring words of one charset, whose characters may be cut between them."""
    content = b""
    waiting = ""  # base64 that ended in the middle of a group
    said: list[bytes] = []
    for word in run:
        if word.is_base64:
            waiting += word.encoded.strip()
            if waiting.endswith("=") or len(waiting) % 4 == 0:
                said.append(base64(waiting.encode("utf-8", "replace"))[0])
                waiting = ""
            continue
        if waiting:
            said.append(base64(waiting.encode("utf-8", "replace"))[0])
            waiting = ""
        quoted = word.encoded.replace("_", " ").encode("utf-8", "replace")
        said.append(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), quoted))
    if waiting:
        said.append(base64(waiting.encode("utf-8", "replace"))[0])
    content = b"".join(said)
    text = decode(content, run[0].charset)
    if text is None:
        unknown.append(run[0].charset)
        return guess(content)
    return text
