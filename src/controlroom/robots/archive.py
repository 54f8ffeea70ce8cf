"""Packages: a robot's folder as a zip file, unpacked by machines that do not trust its author.

What is refused is in `archive_rules`, what becomes of links in `links`; folders are packed by `packing`.
"""

import errno
import os
import secrets
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from controlroom.errors import Conflict, Invalid, Unavailable
from controlroom.robots.archive_rules import DEFAULT_LIMITS, ArchiveLimits, check_directory, too_large
from controlroom.robots.choosing import FILE_NAME, inner_folder
from controlroom.robots.contents import chosen_in, contents
from controlroom.robots.definition import RobotDefinition, decode, read_definition
from controlroom.robots.environments import check_environment
from controlroom.robots.yaml_text import invalid

__all__ = ["DEFAULT_LIMITS", "ArchiveLimits", "inspect", "read_robot_from_zip", "unpack"]


def inspect(archive: Path | IO[bytes], limits: ArchiveLimits = DEFAULT_LIMITS) -> list[str]:
    """Give the names of the files in a package, having refused what must not be unpacked.

    Raises Invalid: PACKAGE_INVALID, or PACKAGE_TOO_LARGE for the limits. Goes by what the archive says of itself;
    whoever reads it with this module then gets no more than it said, and a refusal where it lied.
    """
    with _opened(archive, limits) as package:
        return list(contents(package, limits, None).files)


def unpack(
    archive: Path | IO[bytes], folder: Path, limits: ArchiveLimits = DEFAULT_LIMITS, *, robot: str | None = None
) -> None:
    """Unpack a package into a folder that does not exist yet, wholly or not at all.

    Files keep the executable bit, and nothing else of their rights (0644 or 0755); links become what they lead to.
    `robot` is the robot's folder in the package, which links of the robot may not leave. Raises Invalid as `inspect`
    does, and PACKAGE_INVALID for content that differs from its description; Conflict if the folder is there;
    Unavailable (UNPACK_FAILED) if the disk does not take it.
    """
    aside = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    try:
        with _opened(archive, limits) as package:
            _unpack_aside(package, aside, limits, robot)
        aside.rename(folder)
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            raise Conflict(f"{folder.name} exists already", code="FOLDER_EXISTS") from error
        raise Unavailable(f"The package could not be unpacked: {error.strerror}", code="UNPACK_FAILED") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read_robot_from_zip(
    archive: Path | IO[bytes], limits: ArchiveLimits = DEFAULT_LIMITS, *, within: str = ""
) -> tuple[str, RobotDefinition]:
    """Read the robot of a package without unpacking it, and its folder in it: what a server does at upload.

    `within` is the folder that was chosen of a package with several. Raises Invalid for a package that `inspect` or
    `parse_robot` would refuse, that has neither robot.yaml nor dbt_project.yml, or several and none was chosen, or
    whose environment no worker could build.
    """
    with _opened(archive, limits) as package:
        root = chosen_in(package, limits, inner_folder(within))
        files = contents(package, limits, root).files

        def source(name: str) -> str | None:
            entry = files.get(f"{root}/{PurePosixPath(name)}" if root else str(PurePosixPath(name)))
            if entry is None:
                return None
            with package.open(entry) as file:
                return decode(name, file.read(_LONGEST_TEXT + 1))

        robot = read_definition(source)
        if robot is None:
            raise invalid(f"{FILE_NAME} is no file")
        check_environment(robot, source)
        return root, robot


def has_robot(archive: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> bool:
    """Whether a file is a zip with a robot.yaml in it, be it one that is refused; done aside as the next."""
    try:
        with archive.open("rb") as file:
            if file.read(2) != b"PK":
                return False
            file.seek(0)
            check_directory(file, limits)
            with zipfile.ZipFile(file) as package:
                return any(PurePosixPath(name).name == FILE_NAME for name in package.namelist())
    except (zipfile.BadZipFile, Invalid, ValueError, OverflowError, RuntimeError, NotImplementedError, EOFError):
        return False


def robot_of_package(archive: Path, within: str) -> tuple[str, RobotDefinition]:
    """Likewise, as a server has it done aside: a robot's texts may be written to take long."""
    return read_robot_from_zip(archive, within=within)


_LONGEST_TEXT = 1 << 20
_PIECE = 1 << 20


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


def _unpack_aside(package: zipfile.ZipFile, aside: Path, limits: ArchiveLimits, robot: str | None) -> None:
    aside.mkdir(mode=0o755)
    total = 0
    held = contents(package, limits, robot)
    for name in held.folders:
        (aside / name).mkdir(parents=True, exist_ok=True)
    for name, info in held.files.items():
        is_program = bool((info.external_attr >> 16) & 0o111)
        written = 0
        with package.open(info) as content, (aside / name).open("xb") as file:
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
