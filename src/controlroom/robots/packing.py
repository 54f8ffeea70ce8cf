"""Making a package of a robot's folder: what goes in, what stays at home, and that nothing does so unsaid."""

import stat
import zipfile
from collections.abc import Callable, Iterator
from os.path import isfile
from pathlib import Path
from typing import IO

from pathspec import GitIgnoreSpec

from controlroom.robots.archive_rules import DEFAULT_LIMITS, ArchiveLimits, checked_name, too_large
from controlroom.robots.choosing import FILE_NAME, PROJECT_FILE, inner_folder
from controlroom.robots.definition import RobotDefinition, decode, folder_source, read_robot
from controlroom.robots.environments import check_environment
from controlroom.robots.links import Disk, Found, Kind, followed, unreadable
from controlroom.robots.yaml_text import invalid

LeftOut = Callable[[str, str], None]
"""Told each name that stays at home, and why."""

_PIECE = 1 << 20
_NEVER = {
    **dict.fromkeys((".git", ".hg", ".svn"), "version control"),
    **dict.fromkeys(("__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"), "caches"),
}
_OF_WHO_TYPES_DBT = frozenset({"profiles.yml", "profiles.yaml", ".user.yml"})
"""Which hold passwords, mostly, and are not used."""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that zip knows


def pack(
    folder: Path,
    out: IO[bytes],
    *,
    within: str = "",
    progress: Callable[[str], None] | None = None,
    left_out: LeftOut = lambda _name, _why: None,
    limits: ArchiveLimits = DEFAULT_LIMITS,
) -> list[str]:
    """Write the robot of a folder as a zip file, and give the names of the files that went in.

    `within` chooses a robot of a folder with several. What stays out: what the robot's `ignoreFiles` say, version
    control, caches, virtual environments, the artifacts folder; `left_out` is told of each. Empty folders go in, and
    links as what they lead to. Equal folders give equal bytes (sorted names, no times, no owners), so that a second
    push of the same is recognised. `progress` is called with every name. Raises Invalid (PACKAGE_INVALID) for a folder
    without a robot or with several, for an environment that no worker could build, for links that lead out of the
    robot's folder, for what is neither file nor folder, and for what cannot be read.
    """
    root, robot = read_robot(folder, within=within)
    check_environment(robot, folder_source(root))  # the author hears it now, not from the server
    if root != folder / inner_folder(within):
        left_out(f"all but {root.relative_to(folder)}/", "beside the robot")
    found = sorted(_found(root, robot, left_out), key=lambda each: each.name)
    filled = {each.name.rpartition("/")[0] for each in found}
    files = [each for each in found if each.kind is Kind.FILE]
    if len(files) > limits.max_files:
        raise too_large(f"The robot has {len(files)} files; {limits.max_files} are allowed")
    total = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for each in found:
            checked_name(each.name, limits)  # the author hears it now, not from the server
            if each.kind is Kind.FOLDER:
                if each.name not in filled and _is_empty(each):
                    package.writestr(_entry(each.name + "/", stat.S_IFDIR | 0o755), b"")
                continue
            if progress is not None:
                progress(each.name)
            total += _write(package, each, limits, total)
    return [each.name for each in files]


def _write(package: zipfile.ZipFile, each: Found, limits: ArchiveLimits, before: int) -> int:
    """Write a file into the package; its size."""
    path = Path("/" + each.real)
    try:
        status = path.stat()
        if status.st_size > limits.max_file:
            raise too_large(f"`{each.name}` has {status.st_size} bytes; {limits.max_file} are allowed")
        if before + status.st_size > limits.max_total:
            raise too_large(f"The robot has more than {limits.max_total} bytes")
        mode = stat.S_IFREG | (0o755 if status.st_mode & stat.S_IXUSR else 0o644)
        written = 0
        with path.open("rb") as file, package.open(_entry(each.name, mode), "w") as entry:
            while piece := file.read(_PIECE):
                entry.write(piece)
                written += len(piece)
    except OSError as error:
        raise unreadable(each.real, error) from error
    return written


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3  # Unix: the rights below mean something
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _found(root: Path, robot: RobotDefinition, left_out: LeftOut) -> Iterator[Found]:
    ignored = _ignored(root, robot)

    def wanted(found: Found) -> bool:
        why = _why_not(found, robot, ignored)
        if why is not None:
            left_out(f"{found.name}/" if found.kind is Kind.FOLDER else found.name, why)
        return why is None

    return followed(Disk(), top=root.resolve().as_posix().lstrip("/"), wanted=wanted, has_root=True)


def _why_not(found: Found, robot: RobotDefinition, ignored: GitIgnoreSpec) -> str | None:
    """Why something stays at home; None if it belongs to the robot."""
    name, last = found.name, found.name.rpartition("/")[2]
    is_folder = found.kind is not Kind.FILE  # or a link, which may lead to one
    if name == (PROJECT_FILE if robot.is_project else FILE_NAME):
        return None
    reasons = (
        (_NEVER.get(last, ""), last in _NEVER),
        ("ignoreFiles", ignored.match_file(name) or (is_folder and ignored.match_file(f"{name}/"))),
        ("artifactsDir", is_folder and name == robot.artifacts_dir),
        ("virtual environments", is_folder and isfile(f"/{found.real}/pyvenv.cfg")),  # noqa: PTH113 - a path's method raises for a closed folder
        ("caches", not is_folder and last.endswith(".pyc")),
        ("profiles are made from the connection", robot.is_project and not is_folder and last in _OF_WHO_TYPES_DBT),
        ("logs", robot.is_project and is_folder and name == "logs"),
    )
    return next((why for why, is_so in reasons if is_so), None)


def _is_empty(each: Found) -> bool:
    """Whether there is nothing at all in a folder, not even something that stays at home."""
    return not any(True for _ in Path("/" + each.real).iterdir())


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
