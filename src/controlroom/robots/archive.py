"""Packages: a robot's folder as a zip file, packed by an author and unpacked by machines that do not trust him.

What is refused is in `archive_rules`.
"""

import errno
import os
import secrets
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from pathspec import GitIgnoreSpec

from controlroom.errors import Conflict, Unavailable
from controlroom.robots.archive_rules import (
    DEFAULT_LIMITS,
    ArchiveLimits,
    check_directory,
    checked_entries,
    checked_name,
    too_large,
)
from controlroom.robots.definition import (
    FILE_NAME,
    RobotDefinition,
    decode,
    folder_source,
    parse_robot,
    read_robot,
    shallowest_robot,
    with_interfaces,
)
from controlroom.robots.environments import check_environment
from controlroom.robots.yaml_text import invalid

__all__ = ["DEFAULT_LIMITS", "ArchiveLimits", "inspect", "pack", "read_robot_from_zip", "unpack"]


def inspect(archive: Path | IO[bytes], limits: ArchiveLimits = DEFAULT_LIMITS) -> list[str]:
    """Give the names of the files in a package, having refused what must not be unpacked.

    Raises Invalid: PACKAGE_INVALID, or PACKAGE_TOO_LARGE for the limits. Goes by what the archive says of itself;
    whoever reads it with this module then gets no more than it said, and a refusal where it lied.
    """
    with _opened(archive, limits) as package:
        return [name for name, entry in checked_entries(package, limits).items() if not entry.is_dir()]


def unpack(archive: Path | IO[bytes], folder: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
    """Unpack a package into a folder that does not exist yet, wholly or not at all.

    Files keep the executable bit, and nothing else of their rights (0644 or 0755). Raises Invalid as `inspect` does,
    and PACKAGE_INVALID for content that differs from its description; Conflict if the folder is there; Unavailable
    (UNPACK_FAILED) if the disk does not take it.
    """
    aside = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    try:
        with _opened(archive, limits) as package:
            _unpack_aside(package, aside, limits)
        aside.rename(folder)
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            raise Conflict(f"{folder.name} exists already", code="FOLDER_EXISTS") from error
        raise Unavailable(f"The package could not be unpacked: {error.strerror}", code="UNPACK_FAILED") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read_robot_from_zip(archive: Path | IO[bytes], limits: ArchiveLimits = DEFAULT_LIMITS) -> RobotDefinition:
    """Read the robot of a package without unpacking it: what a server does at upload.

    Raises Invalid for a package that `inspect` or `parse_robot` would refuse, that has no robot.yaml, or whose
    environment no worker could build.
    """
    with _opened(archive, limits) as package:
        entries = checked_entries(package, limits)
        files = [name for name, entry in entries.items() if not entry.is_dir()]
        found = shallowest_robot(files)
        if found is None:
            raise invalid("There is no robot.yaml in the package")
        root = PurePosixPath(found).parent

        def source(name: str) -> str | None:
            entry = entries.get(str(root / name))
            if entry is None or entry.is_dir():
                return None
            with package.open(entry) as file:
                return decode(name, file.read(_LONGEST_TEXT + 1))

        text = source(PurePosixPath(found).name)
        assert text is not None  # noqa: S101  # it was found among the files
        robot = with_interfaces(parse_robot(text), source)
        check_environment(robot, source)
        return robot


_LONGEST_TEXT = 1 << 20
_PIECE = 1 << 20
_NEVER_FOLDERS = {".git", ".hg", ".svn", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that zip knows


@contextmanager
def _opened(archive: Path | IO[bytes], limits: ArchiveLimits) -> Iterator[zipfile.ZipFile]:
    """The archive, opened; whatever the zip library finds wrong with it while in use is Invalid."""
    try:
        if isinstance(archive, Path):
            with archive.open("rb") as file, _opened(file, limits) as package:
                yield package
            return
        check_directory(archive, limits)
        with zipfile.ZipFile(archive) as package:
            yield package
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise invalid(f"The package is no valid zip file: {error}") from error
    except (ValueError, OverflowError, RuntimeError) as error:
        raise invalid(f"The package is no zip file that can be read: {error}") from error


def _unpack_aside(package: zipfile.ZipFile, aside: Path, limits: ArchiveLimits) -> None:
    aside.mkdir(mode=0o755)
    total = 0
    for name, info in checked_entries(package, limits).items():
        path = aside / name
        if info.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        is_program = bool((info.external_attr >> 16) & 0o111)
        written = 0
        with package.open(info) as content, path.open("xb") as file:
            while piece := content.read(_PIECE):
                written += len(piece)
                if written > info.file_size or total + written > limits.max_total:
                    raise too_large(f"`{name}` is larger than the package says")
                file.write(piece)
            os.fchmod(file.fileno(), 0o755 if is_program else 0o644)
        if written != info.file_size:
            raise invalid(f"`{name}` is shorter than the package says")
        total += written
    for place, _, _ in os.walk(aside):
        Path(place).chmod(0o755)  # whatever this process's umask: robots run as another user


def pack(folder: Path, out: IO[bytes], *, progress: Callable[[str], None] | None = None) -> list[str]:
    """Write the robot of a folder as a zip file, and give the names that went in.

    What stays out: what the robot's `ignoreFiles` say, version control's folders, caches, virtual environments, the
    artifacts folder. Equal folders give equal bytes (sorted names, no times, no owners), so that a second push of the
    same is recognised. `progress` is called with every name. Raises Invalid (PACKAGE_INVALID) for a folder without a
    robot or with an environment that no worker could build, and for links that lead out of it.
    """
    root, robot = read_robot(folder)
    check_environment(robot, folder_source(root))  # the author hears it now, not from the server
    names = sorted(_names(root, robot))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name in names:
            if progress is not None:
                progress(name)
            path = root / name
            is_program = bool(path.stat().st_mode & stat.S_IXUSR)
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # Unix: the rights below mean something
            info.external_attr = (stat.S_IFREG | (0o755 if is_program else 0o644)) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as file, package.open(info, "w") as entry:
                while piece := file.read(_PIECE):
                    entry.write(piece)
    return names


def _names(root: Path, robot: RobotDefinition) -> Iterator[str]:
    ignored = _ignored(root, robot)
    for place, folders, files in os.walk(root):
        inner = Path(place).relative_to(root)
        folders[:] = [name for name in folders if _is_wanted_folder(root, inner / name, robot, ignored)]
        for name in files:
            relative = (inner / name).as_posix()
            if relative == FILE_NAME or not (name.endswith(".pyc") or ignored.match_file(relative)):
                _check_inside(root, relative)
                if (root / relative).is_file():  # sockets and pipes are nothing to pack
                    checked_name(relative, DEFAULT_LIMITS)  # the author hears it now, not from the server
                    yield relative


def _ignored(root: Path, robot: RobotDefinition) -> GitIgnoreSpec:
    lines: list[str] = []
    for name in robot.ignore_files:
        path = root / name
        if path.is_file():  # templates name files that not every robot has
            lines += decode(name, path.read_bytes()).splitlines()
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise invalid(f"ignoreFiles: {error}") from error


def _is_wanted_folder(root: Path, inner: Path, robot: RobotDefinition, ignored: GitIgnoreSpec) -> bool:
    relative = inner.as_posix()
    if inner.name in _NEVER_FOLDERS or relative == robot.artifacts_dir or ignored.match_file(f"{relative}/"):
        return False
    path = root / inner
    if (path / "pyvenv.cfg").is_file():
        return False
    if path.is_symlink():
        raise invalid(f"`{relative}` is a link to a folder; put the folder itself there, or name it in ignoreFiles")
    return True


def _check_inside(root: Path, relative: str) -> None:
    """A link to a file of the robot is packed as that file; one that leads elsewhere would pack what nobody meant."""
    path = root / relative
    if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
        raise invalid(f"`{relative}` is a link that leads out of the folder; put the file itself there")
