"""Who is named in a header of addresses (RFC 5322 §3.4), as senders really write it. Pure, and linear.

The address in angle brackets is what counts; all before it is the name, with commas, brackets and colons in it that
should have been quoted. Without brackets, the word with an `@` is the address.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from controlroom.mail.words import decoded, words

_PLAIN: Final = re.compile(r"[^\s\"(),:;<>]+")
_DIVIDES: Final = re.compile(r"[\s<>,;\"()]+")
_ATOM: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_MAILTO: Final = re.compile(r"[\[(<'\"]*mailto:", re.IGNORECASE)


class Mailbox(Struct, frozen=True):
    """Somebody who is named: the name may be empty, and the address, where there is none."""

    name: str
    address: str


class Piece(Struct, frozen=True):
    """A piece of a header: what it is, and what stands in it."""

    kind: str
    """`word`, `quoted`, `comment`, `angle`, `space`, or the character that divides: `,` `;` `:`."""
    text: str
    is_glued: bool = False
    """For a quoted text: whether an address goes on behind it (`"jane doe"@example.org`)."""


def mailboxes(text: str, unknown: list[str]) -> list[Mailbox]:
    """Everybody whom a header names, in order. Charsets that nobody knows are added to `unknown`."""
    entries = [_Entry(one) for one in _entries(list(_pieces(text))) if one]
    found: list[Mailbox] = []
    names: list[_Entry] = []  # commas that belong to a name: nothing between them is an address
    for entry in entries:
        if entry.has_address:
            if not entry.has_angle:
                found += _left_over(names, unknown)
                names = []
            found += entry.mailboxes(names, unknown)
            names = []
        elif entry.is_something:
            names.append(entry)
    return found + _left_over(names, unknown)


class _Entry:
    """What stands between two commas."""

    def __init__(self, pieces: list[Piece]) -> None:
        self.pieces = pieces
        angles = [piece.text for piece in pieces if piece.kind == "angle" and piece.text.strip()]
        self.angles = [text for text in angles if "@" in text] or angles  # of a name, too: `Jane <HR> <jane@x.org>`
        self.has_angle = bool(self.angles)
        self.bare = "".join(piece.text for piece in pieces if piece.kind in {"word", "space"} or piece.is_glued)
        self.has_address = self.has_angle or bool(_addresses_in(self.bare)) or _quoted_local(self) is not None
        self.is_something = any(piece.kind != "space" for piece in pieces)

    def mailboxes(self, before: list["_Entry"], unknown: list[str]) -> list[Mailbox]:
        """The entry's addresses; what stands before it is part of the name."""
        if self.has_angle:
            addresses = [_without_route(each) for angle in self.angles for each in _split_angle(angle)]
            said = [one.words(unknown) for one in before] + [self.words(unknown)]
            name = ", ".join(each for each in said if each) or self.comments(unknown)
            return [Mailbox(name if number == 0 else "", each) for number, each in enumerate(addresses) if each]
        quoted = _quoted_local(self)
        if quoted is not None:
            return [Mailbox(self.comments(unknown), quoted)]
        found = _addresses_in(self.bare)
        if len(found) > 1:  # divided by nothing but spaces
            return [Mailbox("", _tidy(each)) for each in found]
        name = self.words(unknown, without=found[0]) or self.comments(unknown)
        return [Mailbox(name, _tidy(found[0]))]

    def words(self, unknown: list[str], *, without: str | None = None) -> str:
        """The name: words and quoted texts. One that is an address and nothing else is no name."""
        text = "".join(self._said(piece) for piece in self.pieces)
        if without is not None:
            text = text.replace(without, "", 1)
        said = " ".join(decoded(text, unknown).split())
        return said if without is None or said.strip("<>[]()'\"") else ""

    def _said(self, piece: Piece) -> str:
        match piece.kind:
            case "word" | "quoted" | "space" | ":":
                return piece.text
            case "angle" if piece.text.strip() and piece.text not in self.angles:
                return f"<{piece.text}>"
            case _:
                return ""

    def comments(self, unknown: list[str]) -> str:
        """What stands in round brackets, which long ago was the place of the name."""
        return " ".join(
            decoded(piece.text, unknown).strip() for piece in self.pieces if piece.kind == "comment"
        ).strip()


def _left_over(names: list[_Entry], unknown: list[str]) -> list[Mailbox]:
    """Entries without an address: one of this machine is a word alone (`root`), anything else only a name."""
    found = []
    for entry in names:
        said = entry.words(unknown)
        if "=?" in entry.bare and "=?" not in said and _addresses_in(said):  # wholly encoded, brackets and all
            found += mailboxes(said, unknown)
        elif _ATOM.fullmatch(entry.bare.strip()) and "=?" not in entry.bare:
            found.append(Mailbox(entry.comments(unknown), entry.bare.strip()))
        elif said:
            found.append(Mailbox(said, ""))
    return found


def _entries(pieces: list[Piece]) -> Iterator[list[Piece]]:
    """Divide at commas and semicolons; the name of a group (`friends: a@x, b@x;`) is none of it."""
    ends = [at for at, piece in enumerate(pieces) if piece.kind == ";"]
    last_end = ends[-1] if ends else -1
    entry: list[Piece] = []
    has_angle = False
    for at, piece in enumerate(pieces):
        if piece.kind in {",", ";"}:
            yield entry
            entry, has_angle = [], False
        elif piece.kind == ":" and at < last_end and not has_angle:
            entry = []
        else:
            entry.append(piece)
            has_angle = has_angle or piece.kind == "angle"
    yield entry


def _addresses_in(text: str) -> list[str]:
    words = (word.rpartition("@") for word in _DIVIDES.split(text) if "@" in word)
    return [f"{local}@{domain}" for local, _, domain in words if local and domain]


class _Nearest:
    """Where a character stands next; asked from left to right, it looks at the text once."""

    def __init__(self, text: str, character: str) -> None:
        self._text, self._character, self._known = text, character, text.find(character)

    def after(self, at: int) -> int:
        """The first at `at` or behind; the text's length where there is none."""
        if 0 <= self._known < at:
            self._known = self._text.find(self._character, at)
        return len(self._text) if self._known < 0 else self._known


def _pieces(text: str) -> Iterator[Piece]:
    last = {closing: text.rfind(closing) for closing in '")'}
    angles, comments = _Angles(text), _Comments(text)
    encoded = words(text)
    word = next(encoded, None)
    at = 0
    while at < len(text):
        character = text[at]
        while word is not None and word.begin < at:
            word = next(encoded, None)
        if word is not None and word.begin == at:  # whole, whatever stands in it
            yield Piece("word", text[at : word.end])
            at = word.end
        elif character.isspace():
            yield Piece("space", " ")
            at += 1
        elif character in ",;:":
            yield Piece(character, character)
            at += 1
        elif character == '"' and last['"'] > at:
            quoted, end = _quoted(text, at)
            yield Piece("quoted", quoted, is_glued=text.startswith("@", end))
            at = end
        elif character == "(" and last[")"] > at:
            end = comments.end(at)
            yield Piece("comment", text[at + 1 : end])
            at = end + 1
        elif character == "<":
            end = angles.end(at)
            yield Piece("angle", text[at + 1 : end])
            at = end + (text[end : end + 1] == ">")
        elif character in '"()>':
            at += 1  # opens or closes nothing
        else:
            end = _end_of_word(text, at, len(text) if word is None else word.begin)
            yield Piece("word", text[at:end])
            at = end


def _end_of_word(text: str, at: int, bound: int) -> int:
    found = _PLAIN.match(text, at, bound)
    end = found.end() if found else at + 1
    if text.startswith(":", end) and text[at:end].strip("[('").lower() == "mailto":
        following = _PLAIN.match(text, end + 1, bound)
        return following.end() if following else end
    return end


def _quoted(text: str, at: int) -> tuple[str, int]:
    """What stands in the quotes that open at `at`, and where they end."""
    said: list[str] = []
    end = at + 1
    while end < len(text) and text[end] != '"':
        if text[end] == "\\" and end + 1 < len(text):
            end += 1
        said.append(text[end])
        end += 1
    return "".join(said), min(end + 1, len(text))


class _Comments:
    """Where round brackets end, with brackets in them; once some do not, each ends at the first that closes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._are_nested = True

    def end(self, at: int) -> int:
        """The end of what opens at `at`."""
        depth = 0
        for end in range(at, len(self._text) if self._are_nested else at):
            depth += {"(": 1, ")": -1}.get(self._text[end], 0)
            if depth == 0:
                return end
        self._are_nested = False
        return self._text.find(")", at)


class _Angles:
    """Where angle brackets end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._closing, self._opening, self._comma, self._semicolon = (_Nearest(text, each) for each in "><,;")

    def end(self, at: int) -> int:
        """The end of what opens at `at`. What nobody closed before the next address opens ends at the comma."""
        closing, opening = self._closing.after(at), self._opening.after(at + 1)
        is_open = closing == len(self._text) or (opening < closing and "@" in self._text[at:opening])
        return min(self._comma.after(at), self._semicolon.after(at), opening) if is_open else closing


def _split_angle(inside: str) -> list[str]:
    pieces = [piece for piece in re.split("[,;]", inside) if piece.strip()]
    return pieces if len(pieces) > 1 and all("@" in piece for piece in pieces) and ":" not in inside else [inside]


def _without_route(inside: str) -> str:
    """The address in angle brackets, without the way there (`@a,@b:jane@example.org`) and without spaces."""
    bare = inside.rpartition("<")[2].strip()
    if bare.startswith("@") and ":" in bare:
        bare = bare.partition(":")[2]
    return _tidy("".join(bare.split()))


def _tidy(address: str) -> str:
    address = _MAILTO.sub("", address, count=1) if _MAILTO.match(address) else address
    address = address.removeprefix("[")
    if address.endswith("]") and "@[" not in address:
        address = address[:-1]
    return address.strip("'") if address.startswith("'") and address.endswith("'") else address


def _quoted_local(entry: _Entry) -> str | None:
    """An address whose local part is quoted."""
    for number, piece in enumerate(entry.pieces):
        if piece.is_glued and number + 1 < len(entry.pieces):
            escaped = piece.text.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"{entry.pieces[number + 1].text}'
    return None
