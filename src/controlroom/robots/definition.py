"""robot.yaml: which tasks a robot has, how they are started, in which environment.

Read as rcc reads it, and more strictly only where rcc would fail later.
"""

import os
import platform
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import assert_never

import msgspec
from msgspec import Struct

from controlroom.errors import Invalid, NotFound
from controlroom.robots.choosing import (
    FILE_NAME,
    NEVER_SEARCHED,
    PROJECT_FILE,
    choose_robot,
    inner_folder,
    shallowest_robot,
)
from controlroom.robots.interfaces import FILE_NAME as INTERFACES_FILE
from controlroom.robots.interfaces import Interface, parse_interfaces, signature_interface
from controlroom.robots.yaml_text import Mapping, invalid


class RobotTaskName(Struct, frozen=True, tag="robot_task_name"):
    """A task of Robot Framework, by its name in the .robot files."""

    robot_task: str


class Shell(Struct, frozen=True, tag="shell"):
    """A command line, split as a POSIX shell would; no shell runs it."""

    line: str


class Command(Struct, frozen=True, tag="command"):
    """A command line, already split."""

    words: tuple[str, ...]


Start = RobotTaskName | Shell | Command

Source = Callable[[str], str | None]
"""Gives a file of a robot as text by its name relative to the root; None if there is none."""


class TaskDefinition(Struct, frozen=True):
    """A task of a robot: how it is started, and what it takes and gives."""

    name: str
    start: Start
    interface: Interface = Interface()


class RobotDefinition(Struct, frozen=True):
    """What robot.yaml says. All paths are relative to its folder, with forward slashes."""

    tasks: tuple[TaskDefinition, ...]
    dev_tasks: tuple[TaskDefinition, ...]
    environment_configs: tuple[str, ...]
    conda_config_file: str | None
    pre_run_scripts: tuple[str, ...]
    artifacts_dir: str
    path: tuple[str, ...]
    pythonpath: tuple[str, ...]
    ignore_files: tuple[str, ...]
    is_project: bool = False
    """It is a dbt project: no robot.yaml says anything of it, and a job says which commands run in it."""

    @property
    def named_environments(self) -> tuple[str, ...]:
        """The environment files that it names, in the order in which they are tried."""
        return (*self.environment_configs, *([self.conda_config_file] if self.conda_config_file else []))


def parse_robot(text: str) -> RobotDefinition:
    """Read a robot.yaml. Raises Invalid (PACKAGE_INVALID) that says which line and key, and what was expected."""
    top = Mapping.read(FILE_NAME, text)
    tasks = _tasks(top.mapping("tasks"))
    if not tasks:
        top.refuse("tasks", "a mapping with at least one task")
    artifacts_dir = _inner_path(top, "artifactsDir", top.text("artifactsDir"))
    if not artifacts_dir:
        top.refuse("artifactsDir", "the name of the folder for results, for example: output")
    conda_config_file = top.text("condaConfigFile")
    scripts = top.texts("preRunScripts")
    for script in scripts:
        split_command(script, f"{FILE_NAME}: preRunScripts")
    return RobotDefinition(
        tasks=tasks,
        dev_tasks=_tasks(top.mapping("devTasks")),
        environment_configs=_inner_paths(top, "environmentConfigs"),
        conda_config_file=_inner_path(top, "condaConfigFile", conda_config_file) if conda_config_file else None,
        pre_run_scripts=scripts,
        artifacts_dir=artifacts_dir,
        path=_slashes(top.texts("PATH")),
        pythonpath=_slashes(top.texts("PYTHONPATH")),
        ignore_files=_inner_paths(top, "ignoreFiles"),
    )


def read_robot(folder: Path, *, within: str = "") -> tuple[Path, RobotDefinition]:
    """Find and read the robot of a folder: robot.yaml in the folder itself, else the only one below it.

    Where there is no robot it is the dbt project, likewise. `within` chooses one of several by the folder that it lies
    in. Returns that folder, too: the root of the robot. Raises Invalid (PACKAGE_INVALID).
    """
    inner = inner_folder(within)
    root = folder / inner
    if not (root / FILE_NAME).is_file():
        name = choose_robot(_names_below(folder), inner, where=folder.name or str(folder))
        root = (folder / name).parent
    return root, _robot_at(root)


def read_robot_of(folder: Path, robot: str | None) -> tuple[Path, RobotDefinition]:
    """Likewise, where whoever took the package has said where its robot lies; else the least deep one."""
    if robot is None:
        found = shallowest_robot(_names_below(folder))
        robot = "" if found is None else str(PurePosixPath(found).parent)
    root = folder / robot
    if not (root / FILE_NAME).is_file() and not (root / PROJECT_FILE).is_file():
        raise invalid(f"There is no {FILE_NAME} in {folder.name or folder} or below it, and no {PROJECT_FILE}")
    return root, _robot_at(root)


def _robot_at(root: Path) -> RobotDefinition:
    found = read_definition(folder_source(root))
    if found is None:
        raise invalid(f"{FILE_NAME} is a link that leads out of its folder")
    return found


def read_definition(source: Source) -> RobotDefinition | None:
    """What the files of a robot's folder, or a dbt project's, say of it; None if neither is there. Raises Invalid."""
    text = source(FILE_NAME)
    if text is not None:
        return with_interfaces(parse_robot(text), source)
    text = source(PROJECT_FILE)
    return parse_project(text) if text is not None else None


def parse_project(text: str) -> RobotDefinition:
    """Read a dbt_project.yml, of which only the name matters here. Raises Invalid (PACKAGE_INVALID) as `parse_robot`.

    What else it says is dbt's own matter, and so is `{{ … }}` in it.
    """
    top = Mapping.read(PROJECT_FILE, text)
    if not top.text("name").strip():
        top.refuse("name", "the name of the dbt project")
    return RobotDefinition(
        tasks=(),
        dev_tasks=(),
        environment_configs=(),
        conda_config_file=None,
        pre_run_scripts=(),
        artifacts_dir="target",
        path=(),
        pythonpath=(),
        ignore_files=(".gitignore",),
        is_project=True,
    )


def folder_source(root: Path) -> Source:
    """The files of a robot's folder; those that a link fetches from elsewhere are not there."""

    def source(name: str) -> str | None:
        path = root / name
        try:
            return _read(path) if path.is_file() and path.resolve().is_relative_to(root.resolve()) else None
        except OSError as refused:
            raise invalid(f"`{name}` cannot be read: {refused.strerror}") from refused

    return source


def with_interfaces(robot: RobotDefinition, source: Source) -> RobotDefinition:
    """Add what the tasks take and give."""
    declared_text = source(INTERFACES_FILE)
    declared = parse_interfaces(declared_text) if declared_text is not None else {}
    known = {task.name for task in robot.tasks}
    for name in declared.keys() - known:
        raise invalid(f"{INTERFACES_FILE}: there is no task `{name}` in {FILE_NAME}; it has {_list(known)}")
    tasks = (
        msgspec.structs.replace(
            task, interface=declared.get(task.name) or signature_interface(command_line(task, artifacts_dir=""), source)
        )
        for task in robot.tasks
    )
    return msgspec.structs.replace(robot, tasks=tuple(tasks))


def find_task(robot: RobotDefinition, name: str | None) -> TaskDefinition:
    """Find a task by its name, exactly or, failing that, whatever the case; without a name, the only one there is.

    Raises NotFound (TASK_NOT_FOUND) that names the tasks there are.
    """
    known = _list({task.name for task in robot.tasks})
    wanted = (name or "").strip().strip("\"'").strip()
    if not wanted:
        if len(robot.tasks) == 1:
            return robot.tasks[0]
        raise NotFound(f"Which task? The robot has {known}", code="TASK_NOT_FOUND")
    for task in robot.tasks:
        if task.name.strip() == wanted:
            return task
    for task in robot.tasks:
        if task.name.strip().casefold() == wanted.casefold():
            return task
    raise NotFound(f"The robot has no task `{wanted}`; it has {known}", code="TASK_NOT_FOUND", task=wanted)


def command_line(task: TaskDefinition, *, artifacts_dir: str | Path, python: str = "python") -> list[str]:
    """Give the program and its arguments that start a task, in the root of the robot."""
    match task.start:
        case RobotTaskName(robot_task):
            options = ["--report", "NONE", "--outputdir", str(artifacts_dir), "--logtitle", "Task log"]
            return [python, "-m", "robot", *options, "--task", robot_task, "."]
        case Shell(line):
            return split_command(line, f"task `{task.name}`")
        case Command(words):
            return list(words)
        case _ as unknown:
            assert_never(unknown)


def split_command(line: str, where: str) -> list[str]:
    """Split a command line as a POSIX shell would. Raises Invalid (PACKAGE_INVALID) for an open quote or no word."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise invalid(f"{where}: the command line `{line}` cannot be split: {error}") from error
    if not words or not words[0]:
        raise invalid(f"{where}: the command line is empty")
    return words


def fits_platform(name: str, system: str = "linux", machine: str = "amd64") -> bool:
    """Whether a file or command is meant for a platform: those that its name mentions, all if it mentions none."""
    return _mentions(name, _SYSTEMS, system) and _mentions(name, _MACHINES, machine_name(machine))


def machine_name(machine: str | None = None) -> str:
    """Give `amd64` or `arm64` for what the system calls them (this machine's by default); anything else as it is."""
    machine = (machine or platform.machine()).lower()
    return {"x86_64": "amd64", "x64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def fitting_environment(
    robot: RobotDefinition, source: Source, *, system: str = "linux", machine: str = "amd64"
) -> str | None:
    """Choose the environment file of a robot; None if it has none and runs with what is there.

    The first of `environmentConfigs` that exists and fits; else `condaConfigFile`. Only where neither names any:
    requirements.txt, else a pyproject.toml that describes a project, in the root. Raises Invalid if files are named and
    none of them can be taken: to run such a robot in another environment would only fail later and less clearly.
    """
    marker = f"{system}_{machine_name(machine)}"
    for name in robot.environment_configs:
        needs_marker = "freeze" in name.lower() or name.count("_") > _MOST_UNDERSCORES
        fits = marker in name if needs_marker else fits_platform(name, system, machine)
        if fits and source(name) is not None:
            return name
    if robot.conda_config_file and source(robot.conda_config_file) is not None:
        return robot.conda_config_file
    if named := robot.named_environments:
        raise invalid(f"None of the environment files fits {marker} and exists: {', '.join(named)}")
    if source("requirements.txt") is not None:
        return "requirements.txt"
    if robot.is_project:  # its pyproject.toml is about its author's tools
        return None
    return "pyproject.toml" if _describes_project(source) else None


_SYSTEMS = ("windows", "darwin", "linux")
_MACHINES = ("amd64", "arm64")
_MOST_UNDERSCORES = 2
_DEEPEST = 32
_LONGEST_SOURCE = 1 << 20


def _mentions(name: str, words: tuple[str, ...], ours: str) -> bool:
    mentioned = [word for word in words if word in name.lower()]
    return not mentioned or ours in mentioned


def _tasks(section: Mapping) -> tuple[TaskDefinition, ...]:
    return tuple(_task(section, name) for name in section)


def _task(section: Mapping, name: str) -> TaskDefinition:
    if not name.strip():
        section.refuse(name, "named: a task without a name cannot be called")
    entry = section.mapping(name)
    given = [key for key in ("robotTaskName", "shell", "command") if key in entry]
    match given:
        case ["robotTaskName"]:
            return TaskDefinition(name, RobotTaskName(entry.text("robotTaskName")))
        case ["shell"]:
            line = entry.text("shell")
            split_command(line, f"{FILE_NAME}, line {entry.lines['shell']}: task `{name}`")
            return TaskDefinition(name, Shell(line))
        case ["command"]:
            words = entry.texts("command")
            if not words or not words[0].strip():
                entry.refuse("command", "a list of words, the program first")
            return TaskDefinition(name, Command(words))
        case _:
            what = "has none of them" if not given else f"has {' and '.join(given)}"
            raise invalid(
                f"{FILE_NAME}, line {section.lines[name]}: task `{name}` must have exactly one of robotTaskName, shell "
                f"and command, but {what}"
            )


def _inner_paths(top: Mapping, key: str) -> tuple[str, ...]:
    return tuple(_inner_path(top, key, text) for text in top.texts(key))


def _inner_path(top: Mapping, key: str, text: str) -> str:
    """A path below the robot's root; nothing that is listed here may lead out of the package."""
    (text,) = _slashes((text.strip(),))
    if text.startswith("/") or re.match(r"[A-Za-z]:", text) or ".." in text.split("/"):
        top.refuse(key, f"inside the robot's folder, which `{text}` is not")
    return str(PurePosixPath(text)) if text else ""


def _slashes(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(path.replace("\\", "/") for path in paths)


def _names_below(folder: Path) -> list[str]:
    """The names of all files below a folder, not through links, not in folders that never hold a robot."""
    names: list[str] = []
    for place, folders, files in os.walk(folder):
        inner = Path(place).relative_to(folder)
        folders[:] = [name for name in folders if name not in NEVER_SEARCHED and len(inner.parts) < _DEEPEST]
        names += [(inner / name).as_posix() for name in files if name in {FILE_NAME, PROJECT_FILE}]
    return names


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return decode(path.name, file.read(_LONGEST_SOURCE + 1))


def decode(name: str, data: bytes) -> str:
    """Give the text of a file that a robot's author wrote. Raises Invalid if it is not UTF-8 or longer than 1 MiB."""
    if len(data) > _LONGEST_SOURCE:
        raise invalid(f"{name} is longer than {_LONGEST_SOURCE >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid(f"{name} is not in UTF-8 (byte {error.start})") from error


def _describes_project(source: Source) -> bool:
    """Whether pyproject.toml is about dependencies, not only about tools; a broken one is, to be complained of."""
    try:
        text = source("pyproject.toml")
        content = tomllib.loads(text) if text is not None else {}
    except (tomllib.TOMLDecodeError, Invalid, RecursionError):
        return True
    tool = content.get("tool")
    return "project" in content or (isinstance(tool, dict) and "poetry" in tool)


def _list(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
