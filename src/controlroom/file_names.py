"""Names for files: what every file system takes, and two names that stay two wherever files go.

Names come from robots, mails, callers and other machines; they go into folders of people, whose file systems bend them:
too long ones are refused, bytes that are no text are replaced, and some tell neither case nor accents apart. What has
to be changed here is changed so that different names stay different.
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterable
from typing import Final

LONGEST: Final = 255
"""Bytes in UTF-8 of one name: what the usual file systems take."""
LONGEST_PATH: Final = 1024
"""Bytes of a relative path: leaves room for the folder that it is put into."""

_LONGEST_EXTENSION: Final = 32
_MARK: Final = 8
_DRIVE: Final = re.compile(r"[A-Za-z]:")


def shortened(name: str, longest: int = LONGEST) -> str:
    """The name, if it is not too long; else its beginning, a mark of the whole, and its extension.

    So the same name is always shortened to the same, and different ones to different ones.
    """
    return name if len(name.encode()) <= longest else _marked(name, name, longest)


def shortened_path(path: str) -> str:
    """A relative path in which each part, and the whole, is short enough; the deepest folders go first."""
    parts = [shortened(part) for part in path.split("/")]
    if len("/".join(parts).encode()) <= LONGEST_PATH:
        return "/".join(parts)
    *folders, name = parts
    mark = f"~{_digest(path)}"
    left = LONGEST_PATH - len(name.encode()) - len(mark) - 2
    kept: list[str] = []
    for folder in folders:
        left -= len(folder.encode()) + 1
        if left < 0:
            break
        kept.append(folder)
    return "/".join([*kept, mark, name])


def as_text(name: str) -> str:
    """A name of a file here as text that is a name everywhere: no bytes that are no text, no backslash."""
    return os.fsencode(name).decode("utf-8", "replace").replace("\\", "_")


def plain(name: str) -> str:
    """A name as text that steers no terminal and means the same in an address: the rest of it becomes `_`."""
    text = as_text(_without_drive(name))
    return "".join(character if character.isprintable() and character != "/" else "_" for character in text)


def plain_path(path: str) -> str:
    """A relative path of plain names, short enough; one that had to be changed is marked, and so stays apart."""
    parts = [part if (text := plain(part)) == part else _marked(part, text, LONGEST) for part in path.split("/")]
    return shortened_path("/".join(parts))


def apart(names: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Plain, short names for those of one folder, all different; what is plain and short stays as it is."""
    ordered = sorted(names, key=lambda name: (name != shortened(plain(name)), name))
    used = set(taken)
    given: dict[str, str] = {}
    for name in ordered:
        given[name] = unique(shortened(plain(name)), used)
        used.add(given[name])
    return given


def unique(name: str, taken: Collection[str]) -> str:
    """The name, or the first that is free with a number in it: `report (2).pdf`."""
    stem, extension = _split(name)
    number = 1
    free = name
    while free in taken:
        number += 1
        addition = f" ({number}){extension}"
        free = _cut(stem, LONGEST - len(addition.encode())) + addition
    return free


def _marked(whole: str, text: str, longest: int) -> str:
    """A text with a mark of the whole name before its extension, not too long."""
    stem, extension = _split(text)
    addition = f"~{_digest(whole)}{extension}"
    return _cut(stem, longest - len(addition.encode())) + addition


def _split(name: str) -> tuple[str, str]:
    """Stem and extension; a double one (`.tar.gz`) is one."""
    stem, dot, extension = name.rpartition(".")
    if not stem.strip(".") or len(extension.encode()) > _LONGEST_EXTENSION:
        return name, ""
    inner, inner_dot, last = stem.rpartition(".")
    if inner and last == "tar":
        return inner, f"{inner_dot}{last}{dot}{extension}"
    return stem, dot + extension


def _cut(text: str, longest: int) -> str:
    """The beginning of a text that has at most so many bytes."""
    return text.encode()[: max(longest, 0)].decode("utf-8", "ignore")


def _without_drive(name: str) -> str:
    """A name that no system takes for one with a drive letter."""
    return f"{name[0]}_{name[2:]}" if _DRIVE.match(name) else name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_MARK]
