"""Symbolic links in robots, by one rule for folders that are pushed, for zip files, and for repositories.

A link is followed when it stays inside the robot's folder; what it leads to then stands under the link's name too:
packages are unpacked on machines where links would mean something else. A link that leaves the robot's folder, even to
come back, or leads to nothing or back to itself, is refused. Links beside the robot's folder (of a repository with more
in it) are nobody's fault: they are followed where they can be, and left out otherwise.
"""

import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Final, Protocol

from msgspec import Struct

from controlroom.errors import Invalid
from controlroom.robots.yaml_text import invalid

_MOST_HOPS: Final = 40
"""Links that lead to links: as many as Linux follows."""
_MOST_STEPS: Final = 2_000_000
"""Names that are looked at, all links' parts included: links to folders of links would never end. Some seconds."""


class Kind(Enum):
    """What stands under a name."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"
    """Neither file nor folder: a device, a pipe, a socket."""


class Tree(Protocol):
    """Names with forward slashes, relative to a top that is called ``""``."""

    def kind(self, name: str) -> Kind | None:
        """What stands there, a link unfollowed; None for nothing."""

    def target(self, name: str) -> str:
        """What a link says."""

    def below(self, folder: str) -> Iterable[str]:
        """The last parts of the names in a folder, in order."""


class Found(Struct, frozen=True):
    """A file or folder of the robot: the name it has there, and the name where its content lies."""

    name: str
    real: str
    kind: Kind


Wanted = Callable[[Found], bool]
"""Whether a file or folder belongs to the robot; asked of a link, too, that leads nowhere where it may."""


def followed(
    tree: Tree, *, top: str = "", robot: str | None = None, wanted: Wanted = lambda _: True, has_root: bool = False
) -> Iterator[Found]:
    """Everything below `top`, links followed; names are relative to the tree's top, or to `top` where it is the robot.

    `robot` is the robot's folder, `top` by default. `has_root` says that absolute links mean something in this tree.
    Raises Invalid for links of the robot that are to be refused, and for what is neither file nor folder.
    """
    return _Walk(tree, top, top if robot is None else robot, wanted, has_root=has_root).folder("", top, (top,))


class _Walk:
    def __init__(self, tree: Tree, top: str, robot: str, wanted: Wanted, *, has_root: bool) -> None:
        self._tree = tree
        self._top = top
        self._robot = robot
        self._wanted = wanted
        self._has_root = has_root
        self._steps = 0

    def folder(self, shown: str, real: str, above: tuple[str, ...]) -> Iterator[Found]:
        """All below a folder that is shown under a name; `above` are the folders that it lies in."""
        for part in self._tree.below(real):
            self._step()
            name, place = _join(shown, part), _join(real, part)
            kind = self._tree.kind(place)
            if kind is Kind.LINK:
                yield from self._link(name, place, above)
            elif kind is Kind.FOLDER:
                if self._wanted(Found(name, place, kind)):
                    yield Found(name, place, kind)
                    yield from self.folder(name, place, (*above, place))
            elif kind is not None and self._wanted(found := Found(name, place, kind)):
                yield _no_device(found)

    def _link(self, name: str, place: str, above: tuple[str, ...]) -> Iterator[Found]:
        is_robots = _is_in(_join(self._top, name), self._robot)
        try:
            real = self._end(name, place, self._robot if is_robots else "")
        except Invalid as refused:
            # only now: what is left out may lead wherever it likes
            if is_robots and self._wanted(Found(name, place, Kind.LINK)):
                raise refused from None
            return
        found = Found(name, real, self._tree.kind(real) or Kind.OTHER)
        if not self._wanted(found):
            return
        if found.kind is not Kind.FOLDER:
            yield _no_device(found)
        elif not any(_is_in(each, real) for each in above):
            yield found
            yield from self.folder(name, real, (*above, real))
        elif is_robots:
            raise invalid(f"`{name}` is a link to a folder in which it lies itself; there would be no end of it")

    def _end(self, name: str, place: str, inside: str) -> str:
        """Where a link leads in the end. Raises Invalid if that is not in the folder `inside`, or nowhere."""
        said = self._tree.target(place)
        end = self._go(name, place, said, inside)
        if end is None or not _is_in(_lexical(*end), inside):
            raise invalid(
                f"`{name}` is a link to `{said}`, which leads out of the robot's folder; put the file itself there"
            )
        at, missing = end
        if missing:
            raise invalid(f"`{name}` is a link to `{said}`, and there is nothing of that name")
        return at

    def _go(self, name: str, place: str, said: str, inside: str) -> tuple[str, list[str]] | None:
        """As far as a link's words lead, and the part of them for which there is nothing; None if they leave `inside`.

        Also if they come back: elsewhere what lies around the folder has other names. An absolute link may come to it.
        """
        at, left, hops, is_inside = _parent(place), deque(_words(said)), 0, True
        while left:
            self._step()
            part = left.popleft()
            if part in {"/", ".."}:
                if not self._has_root and (part == "/" or not at):
                    return None
                at = _parent(at) if part == ".." else ""
                if part == "/":
                    is_inside = False
                elif is_inside and not _is_in(at, inside):
                    return None
                continue
            there = _join(at, part)
            kind = self._tree.kind(there)
            if kind is Kind.LINK:
                hops += 1
                if hops > _MOST_HOPS:
                    raise invalid(f"`{name}` is a link to `{said}`, which leads back to itself")
                left.extendleft(reversed(_words(self._tree.target(there))))
            elif kind is Kind.FOLDER or (kind is not None and not left):
                at, is_inside = there, is_inside or _is_in(there, inside)
            else:
                return at, [part, *left]
        return at, []

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise invalid("There are too many links, or names, in the robot's folder")


def _no_device(found: Found) -> Found:
    if found.kind is Kind.OTHER:
        raise invalid(f"`{found.name}` is neither file nor folder")
    return found


def _words(said: str) -> list[str]:
    """The parts of what a link says, of which the first is the slash of an absolute one."""
    return (["/"] if said.startswith("/") else []) + [part for part in said.split("/") if part not in {"", "."}]


def _lexical(at: str, missing: list[str]) -> str:
    return os.path.normpath("/" + "/".join([at, *(part for part in missing if part != "/")])).lstrip("/")


class Disk:
    """The file system, as a tree whose top is its root. Raises Invalid for what cannot be read."""

    def kind(self, name: str) -> Kind | None:
        """What stands there."""
        try:
            mode = os.lstat("/" + name).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise unreadable(name, error) from error
        return kind_of(mode)

    def target(self, name: str) -> str:
        """What a link says."""
        try:
            return os.readlink("/" + name)  # noqa: PTH115 - as the name is, no Path made of it
        except OSError as error:
            raise unreadable(name, error) from error

    def below(self, folder: str) -> Iterable[str]:
        """The names in a folder."""
        try:
            return sorted(os.listdir("/" + folder))  # noqa: PTH208 - likewise
        except OSError as error:
            raise unreadable(folder, error) from error


def unreadable(name: str, error: OSError) -> Invalid:
    """The failure of a file that is there and cannot be read."""
    return invalid(f"`/{name.lstrip('/')}` cannot be read: {error.strerror or error}")


def kind_of(mode: int) -> Kind:
    """What a file's mode says it is."""
    match stat.S_IFMT(mode):
        case stat.S_IFREG:
            return Kind.FILE
        case stat.S_IFDIR:
            return Kind.FOLDER
        case stat.S_IFLNK:
            return Kind.LINK
        case _:
            return Kind.OTHER


def _join(folder: str, part: str) -> str:
    return f"{folder}/{part}" if folder else part


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _is_in(name: str, folder: str) -> bool:
    return not folder or name == folder or name.startswith(folder + "/")
