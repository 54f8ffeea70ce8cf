"""The task package: a robot whose list is pinned, and that brings all that it imports of ours."""

import ast
import io
import re
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

from controlroom.robots.environment_spec import parse_environment
from controlroom.robots.packing import pack
from controlroom.sources import package


def test_the_package_is_a_robot_with_a_pinned_list_and_the_sources(tmp_path):
    """Equal each time; nothing of the server in it, and no registry's address."""
    package.write(tmp_path)
    first, second = io.BytesIO(), io.BytesIO()

    pack(tmp_path, first)
    pack(tmp_path, second)

    assert first.getvalue() == second.getvalue()
    names = set(zipfile.ZipFile(first).namelist())
    assert {"robot.yaml", "requirements.txt", "controlroom/__init__.py", "controlroom/sources/running.py"} <= names
    assert {"controlroom/sources/package/task.py", "controlroom/sources/robocorp/source.py"} <= names
    assert not [name for name in names if re.match(r"controlroom/(?!__init__.py$|sources/)", name)]
    lines = parse_environment("requirements.txt", (tmp_path / "requirements.txt").read_text()).pip
    assert all(re.match(r"[a-z0-9.\[\]_-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", line) for line in lines)
    assert {"dlt", "duckdb", "robocorp-vault"} <= {re.split(r"[=\[]", line)[0] for line in lines}


def test_the_task_finds_all_of_ours_in_the_package(tmp_path):
    """With nothing else of this house on the path."""
    package.write(tmp_path)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import controlroom.sources.package.task, controlroom.sources.running, controlroom.sources as s;"
        "s.robocorp_source; print(controlroom.__file__)"
    )

    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)

    assert ran.stdout.startswith(str(tmp_path))


def imported(file: Path) -> set[str]:
    """The packages that a module imports of others, at its top or later; beside those for types alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"controlroom"}


def test_what_the_sources_import_is_in_the_list(tmp_path):
    """Here everything is installed, so that nothing else would miss it before a room's own load does."""
    package.write(tmp_path)
    lines = parse_environment("requirements.txt", (tmp_path / "requirements.txt").read_text()).pip
    listed = {re.split(r"[=\[ ]", line)[0] for line in lines}
    known = packages_distributions()
    missing = {
        f"{file.relative_to(tmp_path)}: {name}"
        for file in tmp_path.rglob("*.py")
        for name in imported(file)
        if not listed & {each.lower().replace("_", "-") for each in known.get(name, [name])}
    }

    assert missing == set()


def test_a_list_of_ones_own_stands_in_place_of_ours(tmp_path):
    """For destinations that need other packages."""
    package.write(tmp_path, requirements="dlt[snowflake]==1.31.0\n")

    assert (tmp_path / "requirements.txt").read_text() == "dlt[snowflake]==1.31.0\n"
