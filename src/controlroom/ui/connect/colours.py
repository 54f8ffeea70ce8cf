"""Code in colours: a line of Python or shell cut into pieces, each of a kind that has a class. Pure."""

import re
from typing import Final

from msgspec import Struct

_PYTHON: Final = re.compile(
    r"""(?P<note>\#[^\n]*)
      | (?P<text>[rf]?"(?:\\.|[^"\\\n])*"|[rf]?'(?:\\.|[^'\\\n])*')
      | (?P<word>\b(?:import|from|as|for|in|while|if|else|not|and|or|with|def|return|print|None|True|False)\b)
      | (?P<number>\b[0-9]+\b)""",
    re.VERBOSE,
)
_SHELL: Final = re.compile(
    r"""(?P<note>(?:(?<=\n)|(?<=\A)|(?<=\s))\#[^\n]*)
      | (?P<text>"(?:\\.|[^"\\])*"|'[^']*')
      | (?P<word>(?:(?<=\n)|(?<=\A))(?:curl|controlroom|rcc|export|pip|while|sleep)\b)
      | (?P<number>(?<=\s)-{1,2}[A-Za-z][\w-]*)""",
    re.VERBOSE,
)


class Piece(Struct, frozen=True):
    """A piece of code."""

    kind: str
    """`word`, `text`, `note`, `number`, or empty for all the rest."""
    text: str


def coloured(code: str, language: str) -> list[Piece]:
    """The code in pieces; joined they are the code."""
    pieces, at = [], 0
    for found in (_PYTHON if language == "python" else _SHELL).finditer(code):
        if found.start() > at:
            pieces.append(Piece("", code[at : found.start()]))
        pieces.append(Piece(found.lastgroup or "", found[0]))
        at = found.end()
    if at < len(code):
        pieces.append(Piece("", code[at:]))
    return pieces
