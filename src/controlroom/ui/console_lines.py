"""A line of a console as it is shown: colours by class, what a terminal would overwrite left out, links.

`assets/js/log/1-text.js` draws the same where a page has script: a test lets both draw the same lines.
"""

import re
from typing import Final

from markupsafe import Markup, escape

_ESCAPE: Final = re.compile(r"\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_LINK: Final = re.compile(r"https?://[^\s\"'<>`]+[^\s\"'<>`.,;:!?)\]}]")
_CODE: Final = re.compile(r"[;:]")
_CUBE: Final = (0, 95, 135, 175, 215, 255)
_LONGEST_CODE: Final = 9
"""Digits of a code that may mean something."""
_GREYS, _MID_GREY, _NAMED = 232, 244, 16
_BRIGHT: Final = 3
_PLACES: Final = {0: "fore", 10: "back"}


def plain_line(text: str) -> str:
    """A line of a console without what only a terminal obeys: colours, cursors, titles."""
    return _ESCAPE.sub("", _last(text))


def drawn_line(text: str) -> Markup:
    """It with its colours as classes, and its links as links."""
    text = _last(text)
    if "\x1b" not in text:
        return Markup(_linked(text, ""))  # noqa: S704 - each piece is escaped
    drawn: list[str] = []
    at, style = 0, _Style()
    for found in _ESCAPE.finditer(text):
        drawn.append(_linked(text[at : found.start()], style.names))
        at = found.end()
        if found[2] == "m":
            style.obey([_number(code) for code in _CODE.split(found[1] or "0")])
    drawn.append(_linked(text[at:], style.names))
    return Markup("".join(drawn))  # noqa: S704 - each piece is escaped


class _Style:
    """What a terminal has been told of the text that follows."""

    def __init__(self) -> None:
        self._colours: dict[str, int] = {}
        self._kinds: dict[str, bool] = {}

    @property
    def names(self) -> str:
        """The classes of it."""
        fore, back = self._colours.get("fore"), self._colours.get("back")
        found = [] if fore is None else [f"ansi-{_named(fore)}"]
        found += [] if back is None else [f"ansi-on-{_named(back)}"]
        return " ".join([*found, *(f"ansi-{kind}" for kind in ("bold", "dim", "under") if self._kinds.get(kind))])

    def obey(self, codes: list[int]) -> None:
        """Codes in the order in which they were told."""
        while codes:
            code = codes.pop(0)
            match code:
                case 0:
                    self._colours, self._kinds = {}, {}
                case 1 | 2 | 4:
                    self._kinds[{1: "bold", 2: "dim", 4: "under"}[code]] = True
                case 22:
                    self._kinds["bold"] = self._kinds["dim"] = False
                case 24:
                    self._kinds["under"] = False
                case 38 | 48:
                    self._colour("fore" if code == 38 else "back", _colour(codes))  # noqa: PLR2004 - as above
                case 39 | 49:
                    self._colour("fore" if code == 39 else "back", None)  # noqa: PLR2004
                case _:
                    self._by_name(code)

    def _by_name(self, code: int) -> None:
        for beside, place in _PLACES.items():
            if 30 <= code - beside < 38:  # noqa: PLR2004 - the eight, and the eight bright ones
                self._colour(place, code - beside - 30)
            elif 90 <= code - beside < 98:  # noqa: PLR2004
                self._colour(place, code - beside - 82)

    def _colour(self, place: str, number: int | None) -> None:
        if number is None:
            self._colours.pop(place, None)
        else:
            self._colours[place] = number


def _last(line: str) -> str:
    """What is left of a line when it has overwritten itself."""
    return line.rstrip("\r").rsplit("\r", 1)[-1]


def _number(code: str) -> int:
    """A code, 0 for none; what is no code means nothing."""
    if not code:
        return 0
    return int(code) if code.isascii() and code.isdecimal() and len(code) <= _LONGEST_CODE else -1


def _colour(codes: list[int]) -> int | None:
    """One of 16 by name or of 256 by number; 24 bits become the nearest of 256. Takes what it reads."""
    if codes[:1] == [5]:
        number = codes[1] if len(codes) > 1 else None
        del codes[:2]
        return number
    red, green, blue = ([*codes[:4], 0, 0, 0, 0])[1:4]
    del codes[:4]
    return 16 + 36 * _near(red) + 6 * _near(green) + _near(blue)


def _near(value: int) -> int:
    return min(range(6), key=lambda index: abs(_CUBE[index] - value))


def _named(number: int) -> int:
    """256 colours have one class each of 16: the six hues by brightness, so that each is readable in both themes."""
    if number < _NAMED:
        return number
    if number >= _GREYS:
        return 8 if number < _MID_GREY else 7
    red, green, blue = (number - 16) // 36, (number - 16) // 6 % 6, (number - 16) % 6
    most = max(red, green, blue)
    if most == 0:
        return 8
    half = most / 2
    return (red > half) + 2 * (green > half) + 4 * (blue > half) + 8 * (most > _BRIGHT)


def _linked(text: str, names: str) -> str:
    if "://" not in text:
        return _dressed(text, names)
    drawn, at = "", 0
    for found in _LINK.finditer(text):
        link = str(escape(found[0]))
        drawn += _dressed(text[at : found.start()], names)
        drawn += f'<a class="{names}" href="{link}" rel="noopener noreferrer" target="_blank">{link}</a>'
        at = found.end()
    return drawn + _dressed(text[at:], names)


def _dressed(text: str, names: str) -> str:
    """Escaped, in classes if there are any: what stands around it is ours."""
    if not text:
        return ""
    return f'<span class="{names}">{escape(text)!s}</span>' if names else str(escape(text))
