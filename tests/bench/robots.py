"""Robots for benchmarks: folders as a user has them, and the same commands typed by hand."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.bench.api import Workspace
from tests.rooms import Room

PYTHON = "3.11"

_FIRST_LINE = re.compile(r"first line at (\d+\.\d+)")


def plain_script(folder: Path, name: str, script: str) -> Path:
    """A script of the standard library, without an environment."""
    return _robot(folder / name, "python3 script.py", {"script.py": script}, conda="")


def script_with(folder: Path, name: str, script: str, *requirements: str) -> Path:
    """A script with an environment of its own."""
    return _robot(folder / name, "python script.py", {"script.py": script}, conda=_conda(requirements))


def tasks_robot(folder: Path, name: str, tasks: str, *requirements: str) -> Path:
    """A robot of robocorp.tasks, with its environment."""
    conda = _conda(("robocorp-tasks==4.1.1", *requirements))
    return _robot(folder / name, "python -m robocorp.tasks run tasks.py", {"tasks.py": tasks}, conda=conda)


def _conda(requirements: Iterable[str]) -> str:
    pip = "".join(f"      - {each}\n" for each in requirements)
    return f"channels:\n  - conda-forge\ndependencies:\n  - python={PYTHON}\n  - pip:\n{pip}"


def _robot(folder: Path, command: str, files: dict[str, str], *, conda: str) -> Path:
    folder.mkdir()
    settings = f"tasks:\n  Work:\n    shell: {command}\nartifactsDir: output\nPATH:\n  - .\nPYTHONPATH:\n  - .\n"
    if conda:
        settings += "environmentConfigs:\n  - conda.yaml\n"
        files = {**files, "conda.yaml": conda}
    for name, content in {**files, "robot.yaml": settings}.items():
        (folder / name).write_text(content)
    return folder


FIRST_LINE_SCRIPT = 'import time\nprint(f"first line at {time.time():.6f}", flush=True)\n'
FIRST_LINE_TASKS = """\
import time
BEGAN = time.time()
from robocorp.tasks import task


@task
def work():
    print(f"first line at {BEGAN:.6f}")
"""
NO_OP_SCRIPT = "\n"
NO_OP_TASKS = """\
from robocorp.tasks import task


@task
def work():
    pass
"""


def first_line(text: str) -> float:
    """When the first line of the robot's own module ran, as it printed it; Unix seconds."""
    found = _FIRST_LINE.search(text)
    assert found, text
    return float(found[1])


def environment_of(room: Room, robot: Path) -> Path:
    """The `bin` of the environment in which the room's worker runs a robot, found by what is installed there.

    Of a robot without an environment: where the interpreter is that the worker has chosen among the machine's.
    """
    if not (robot / "conda.yaml").exists():
        workspace = Workspace(room)
        with tempfile.TemporaryDirectory() as name:
            asking = plain_script(Path(name), "which-python", "import sys\nprint(sys.executable)\n")
            run = workspace.ended(workspace.start(workspace.process(asking)))
        return Path(workspace.console(run["id"]).strip()).parent
    wanted = re.findall(r"- ([a-z-]+)==", (robot / "conda.yaml").read_text())
    for found in sorted((room.data / "worker" / "environments").glob("**/bin/python")):
        names = {each.name.partition("-")[0] for each in found.parents[1].glob("lib/python*/site-packages/*.dist-info")}
        if all(each.replace("-", "_") in names for each in wanted):
            return found.parent
    raise AssertionError(f"no environment of {robot.name}")


def warm(workspace: Workspace, process: str) -> None:
    """Run it until environment and spares are there."""
    for _ in range(2):
        workspace.ended(workspace.start(process))


def by_hand(robot: Path, environment: Path, **variables: str) -> tuple[float, float, str]:
    """The robot's command, typed by hand in its folder: when it was typed, how long it took, what it printed."""
    command = re.search(r"shell: (.*)", (robot / "robot.yaml").read_text())
    assert command
    words = command[1].split()
    words[0] = str(environment / words[0])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RC_", "PYTHON"))}
    typed, began = time.time(), time.perf_counter()
    done = subprocess.run(words, cwd=robot, capture_output=True, text=True, check=True, env={**kept, **variables})
    return typed, time.perf_counter() - began, done.stdout
