"""Which commands a spare interpreter can become, and what it imports for them ahead of time."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from controlroom.worker.launch import Command
from controlroom.worker.places import Place

# What `python -m robocorp.tasks` itself imports before it imports anything of the robot's. Nothing else of an
# environment is imported ahead: robocorp.log rewrites libraries as they are imported, as the robot's settings say.
_ROBOCORP_TASKS = (
    "runpy",
    "robocorp.tasks.cli",
    *(
        f"robocorp.tasks._{name}"
        for name in ("callback", "collect_tasks", "config", "exceptions", "hooks", "interrupts")
    ),
    *(f"robocorp.tasks._{name}" for name in ("log_auto_setup", "log_output_setup", "task")),
    "robocorp.log",
    *(f"robocorp.log._{name}" for name in ("ast_utils", "auto_logging_setup", "config", "decoder", "index_v3")),
    *(f"robocorp.log._{name}" for name in ("lifecycle_hooks", "log_redacter", "obj_info_repr", "robo_logger")),
    *(f"robocorp.log._rewrite_{name}" for name in ("ast_add_callbacks", "filtering", "importhook")),
    *(f"robocorp.log.{name}" for name in ("_robo_output_impl", "console", "protocols", "pyproject_config", "redirect")),
    *("copy", "ctypes", "dataclasses", "faulthandler", "glob", "heapq", "platform", "queue", "signal", "subprocess"),
    *("sysconfig", "uuid"),
)

_ROBOT_FRAMEWORK = (
    "runpy",
    "robot.run",
    *(f"robot.libraries.{name}" for name in ("BuiltIn", "Easter", "Reserved")),
)

_BY_MODULE = {"robocorp.tasks": _ROBOCORP_TASKS, "robot": _ROBOT_FRAMEWORK}

_PYTHON = re.compile(r"python(3(\.\d+)?)?")

_READ_AT_START = ("PYTHON", "LD_", "LC_", "MALLOC_", "GLIBC_", "ROBOT_SYSLOG")
_READ_AT_START_NAMES = frozenset({"LANG", "LANGUAGE", "OPENSSL_CONF", "GCONV_PATH", "LOCPATH", "NLSPATH"})
_MODULE_SUFFIXES = frozenset({"", "py", "pyc", "so", "zip"})
_SITE_HOOKS = frozenset({"sitecustomize", "usercustomize"})


def for_command(words: Sequence[str]) -> tuple[str, ...] | None:
    """What to import for a command (`python -m MODULE …`, `python FILE.py …`); None if no spare can be it."""
    match words:
        case [program, "-m", module, *_] if _is_python(program) and module:
            return _BY_MODULE.get(module, ("runpy",))
        case [program, script, *_] if _is_python(program) and script.endswith(".py") and script[0] != "-":
            return ()
        case _:
            return None


def job(
    command: Command, place: Place, start: Mapping[str, str], modules: frozenset[str], looked_at: frozenset[str]
) -> dict[str, object] | None:
    """What to tell a spare; None if the command would behave otherwise in it than in a fresh process.

    The spare was started with the variables `start` and has imported `modules` (top names), which `looked_at` some.
    """
    _, *words = command.argv
    changed = {
        name for name in start.keys() | command.variables.keys() if start.get(name) != command.variables.get(name)
    }
    if any(_is_read_at_start(name) for name in changed) or changed & looked_at:
        return None
    named = str(place.names or "")  # what lies there the spare has taken in, as every interpreter does at its start
    python_path = [folder for folder in command.variables.get("PYTHONPATH", "").split(":") if folder not in {"", named}]
    first = command.working_folder if words[0] == "-m" else (command.working_folder / words[0]).parent
    if words[0] != "-m" and not place.outside(command.working_folder / words[0]).is_file():
        return None
    searched = [place.outside(folder) for folder in (first, *(command.working_folder / each for each in python_path))]
    if any(name in modules for folder in searched for name in _modules_in(folder)):
        return None
    if any(name in _SITE_HOOKS for folder in searched[1:] for name in _modules_in(folder)):
        return None
    return {
        "words": words,
        "environ": dict(command.variables),
        "cwd": str(command.working_folder),
        "path": python_path,
        "zone_changes": "TZ" in changed,
    }


def _is_python(program: str) -> bool:
    return _PYTHON.fullmatch(program) is not None


def _is_read_at_start(name: str) -> bool:
    return name != "PYTHONPATH" and (name.startswith(_READ_AT_START) or name in _READ_AT_START_NAMES)


def _modules_in(folder: Path) -> Iterator[str]:
    """Names that an import could find in a folder."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name, _, suffix = entry.name.partition(".")
                if not suffix and not entry.is_dir():
                    continue  # a program, for example
                if suffix in _MODULE_SUFFIXES or suffix.endswith(".so"):
                    yield name  # a folder has no suffix; it may be a package
    except OSError:
        return
