"""Code that a real worker reads."""

from uuid import uuid4

import pytest
from real_worker import working
from sandboxes import needs_sandbox

from controlroom.engine.analyses.rules import DEFAULT
from controlroom.protocol import CodeToRead

ROBOT = "tasks:\n  Main:\n    shell: python tasks.py\nartifactsDir: output\n"
CLEAN = '''
"""A robot as they are."""
import json
import subprocess
from pathlib import Path


def main(rows):
    """Write rows down, and call a program."""
    Path("output/rows.json").write_text(json.dumps(rows))
    subprocess.run(["ls", "-l"], check=True)
    assert rows
    return len(rows)
'''
SHELL = "import subprocess\n\ndef main(name):\n    subprocess.call('rm ' + name, shell=True)  # noqa: S602\n"


@pytest.fixture(params=[pytest.param("auto", marks=needs_sandbox), "off"])
async def walt(room, tmp_path, request):
    """A worker, with a sandbox and without."""
    async with working(room, tmp_path / "walt", sandbox=request.param) as worker:
        yield worker


def code(room, rules=DEFAULT.rules, **files):
    """A package to be read."""
    named = {name.replace("__", "."): text for name, text in files.items()}
    return CodeToRead(id=uuid4(), attempt=1, package=room.add_package({"robot.yaml": ROBOT, **named}), rules=rules)


async def test_it_finds_what_the_rules_mind_and_nothing_else(room, walt):
    """Whatever the package itself says of rules; what is no program at all is found, too; a clean robot is clean."""
    ours = {"pyproject__toml": "[tool.ruff.lint]\nignore = ['S']\n", "__gitignore": "tasks.py\n"}

    clean = await room.read(code(room, tasks__py=CLEAN))
    shell = await room.read(code(room, tasks__py=SHELL, **ours))
    broken = await room.read(code(room, tasks__py="def (\n"))

    assert (clean.findings, clean.message) == ((), "")
    [found] = shell.findings
    assert (found.rule, found.path, found.line) == ("S602", "tasks.py", 4)
    assert found.label == "subprocess-popen-with-shell-equals-true"
    assert {each.rule for each in broken.findings} == {"E999"}


async def test_what_cannot_be_read_is_told(room, walt):
    """A rule that there is not, or a package that is none; and the next one is read."""
    unknown = await room.read(code(room, rules=("ZZZ999",), tasks__py=CLEAN))
    ghost = code(room, tasks__py=CLEAN + "# another\n")
    room.packages[ghost.package.hash] = b"no zip"
    nothing = await room.read(ghost)

    assert "ZZZ999" in unknown.message
    assert nothing.message
    assert (await room.read(code(room, tasks__py=CLEAN + "\n"))).message == ""
