"""What a package holds, by name: links followed by the rule of `links`, limits kept."""

import zipfile
from collections.abc import Iterable
from pathlib import PurePosixPath

from msgspec import Struct

from controlroom.robots.archive_rules import (
    ArchiveLimits,
    check_total,
    checked_entries,
    checked_name,
    kind_of_entry,
    too_large,
)
from controlroom.robots.choosing import FILE_NAME, choose_robot, shallowest_robot
from controlroom.robots.links import Kind, followed
from controlroom.robots.yaml_text import invalid


class Contents(Struct, frozen=True):
    """A package's files by name, a link's under its own name; and its folders."""

    robot: str
    """The robot's folder; empty for the top, and where there is no robot."""
    files: dict[str, zipfile.ZipInfo]
    folders: tuple[str, ...]


def chosen_in(package: zipfile.ZipFile, limits: ArchiveLimits, within: str) -> str:
    """The folder of the package's only robot, in a folder if one is named. Raises Invalid that lists several."""
    entries = checked_entries(package, limits)
    found = choose_robot(_robots(entries), within, where="the package")
    return _folder_of(found)


def contents(package: zipfile.ZipFile, limits: ArchiveLimits, robot: str | None) -> Contents:
    """Everything in a package whose robot is known to lie in a folder (else in that of its least deep robot.yaml).

    Raises Invalid for what must not be in a package.
    """
    entries = checked_entries(package, limits)
    if robot is None:
        robot = _folder_of(shallowest_robot(_robots(entries)) or FILE_NAME)
    tree = _Package(package, entries)
    files: dict[str, zipfile.ZipInfo] = {}
    folders: list[str] = []
    total = 0
    named = len(tree.names) + sum(kind_of_entry(entry) is not Kind.FOLDER for entry in entries.values())
    most = max(named, limits.max_files)  # what comes beyond is there by links
    for found in followed(tree, robot=robot):
        if found.kind is Kind.FOLDER:
            folders.append(found.name)
        else:
            files[found.name] = entries[found.real]
            total += entries[found.real].file_size
        if found.name != found.real:
            checked_name(found.name, limits)
        if len(files) + len(folders) > most or total > limits.max_total:
            raise too_large(
                f"The package has more than {limits.max_files} files, or {limits.max_total} bytes, by its links"
            )
    check_total(total, sum(info.compress_size for info in entries.values()), limits)
    return Contents(robot, files, tuple(folders))


def _robots(entries: dict[str, zipfile.ZipInfo]) -> list[str]:
    return [name for name, entry in entries.items() if kind_of_entry(entry) is not Kind.FOLDER]


def _folder_of(name: str) -> str:
    folder = str(PurePosixPath(name).parent)
    return "" if folder == "." else folder


class _Package:
    """The table of contents as a tree, in its own order; folders that it does not name are there all the same."""

    def __init__(self, package: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> None:
        self._package = package
        self._entries = entries
        self.names: dict[str, dict[str, None]] = {"": {}}
        for name, entry in entries.items():
            if kind_of_entry(entry) is Kind.FOLDER:
                self.names.setdefault(name, {})
            child = name
            while child:
                parent, _, part = child.rpartition("/")
                known = parent in self.names
                self.names.setdefault(parent, {})[part] = None
                if known:
                    break
                child = parent

    def kind(self, name: str) -> Kind | None:
        entry = self._entries.get(name)
        if entry is not None:
            return kind_of_entry(entry)
        return Kind.FOLDER if name in self.names else None

    def target(self, name: str) -> str:
        raw = self._package.read(self._entries[name])
        said = raw.decode(errors="backslashreplace")  # of what is no text there is no name here: nothing is there
        if not raw or b"\0" in raw:
            raise invalid(f"`{name}` is a link to nothing")
        return said

    def below(self, folder: str) -> Iterable[str]:
        return self.names.get(folder, ())
