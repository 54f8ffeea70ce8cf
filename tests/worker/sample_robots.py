"""Small robots for the worker's tests."""

import textwrap
from collections.abc import Mapping


def plain(code: str, *, command: str = "python task.py", extra: str = "", **files: str) -> dict[str, str]:
    """A robot that is one script without any library."""
    robot = f"tasks:\n  main:\n    shell: {command}\nartifactsDir: output\n{extra}"
    named = {name.replace("__", "/") + ".py": textwrap.dedent(content) for name, content in files.items()}
    return {"robot.yaml": robot, "task.py": textwrap.dedent(code), **named}


def tasks(code: str, *, name: str = "work") -> Mapping[str, str]:
    """A robot of robocorp.tasks."""
    return {
        "robot.yaml": (
            f"tasks:\n  main:\n    shell: python -m robocorp.tasks run tasks.py -t {name}\n"
            "environmentConfigs:\n  - conda.yaml\nartifactsDir: output\n"
        ),
        "conda.yaml": "dependencies:\n  - python=3.11\n  - pip:\n      - robocorp-tasks==4.1.1\n",
        "tasks.py": textwrap.dedent(code),
    }
