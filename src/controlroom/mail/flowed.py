"""Text whose lines were broken by the sender's program alone: `format=flowed` (RFC 3676). Pure."""

from typing import Final

from msgspec import Struct

_SIGNATURE: Final = "-- "


class _Paragraph(Struct):
    depth: int
    pieces: list[str]
    is_open: bool


def unflowed(text: str, *, deletes_space: bool) -> str:
    """The paragraphs as they were typed, each on one line, quotations (`>`) apart from what is said about them."""
    paragraphs: list[_Paragraph] = []
    for line in text.removesuffix("\n").split("\n"):
        unquoted = line.lstrip(">")
        depth = len(line) - len(unquoted)
        said = unquoted.removeprefix(" ")  # what was put in so that no line begins with `>`, `From ` or a space
        is_soft = said.endswith(" ") and said != _SIGNATURE
        last = paragraphs[-1] if paragraphs else None
        piece = said[:-1] if is_soft and deletes_space else said
        if last is not None and last.is_open and last.depth == depth and said != _SIGNATURE:
            last.pieces.append(piece)
            last.is_open = is_soft
        else:
            paragraphs.append(_Paragraph(depth, [piece], is_soft))
    return "\n".join(_shown(each) for each in paragraphs) + "\n" * text.endswith("\n")


def _shown(paragraph: _Paragraph) -> str:
    said = "".join(paragraph.pieces)
    return f"{'>' * paragraph.depth} {said}" if paragraph.depth else said
