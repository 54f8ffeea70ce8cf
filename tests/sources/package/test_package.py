"""The task package: a robot whose list is pinned, and that brings all that it imports of ours."""

import io
import re
import subprocess
import sys
import zipfile

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


def test_a_list_of_ones_own_stands_in_place_of_ours(tmp_path):
    """For destinations that need other packages."""
    package.write(tmp_path, requirements="dlt[snowflake]==1.31.0\n")

    assert (tmp_path / "requirements.txt").read_text() == "dlt[snowflake]==1.31.0\n"
