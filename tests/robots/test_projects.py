"""dbt projects are packages without tasks: found, read and packed as robots are, and never taken for one."""

import io
import zipfile

import pytest

from controlroom.errors import Invalid
from controlroom.robots.archive import has_robot, read_robot_from_zip, unpack
from controlroom.robots.definition import folder_source, read_robot, read_robot_of
from controlroom.robots.environments import read_environment
from controlroom.robots.packing import pack

PROJECT = "name: shop\nprofile: \"{{ env_var('X') }}\"\nvars: {a: '{{ 1 }}'}\n"
ROBOT = "tasks: {x: {shell: x}}\nartifactsDir: o"


def write(folder, files):
    """Write files below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def in_folder(folder, files, within=""):
    """What a folder with these files is, and where."""
    write(folder, files)
    root, definition = read_robot(folder, within=within)
    return root.relative_to(folder).as_posix(), definition


def in_zip(_folder, files, within=""):
    """Likewise, of a package."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, text in files.items():
            package.writestr(name, text)
    root, definition = read_robot_from_zip(out, within=within)
    return root or ".", definition


WAYS = pytest.mark.parametrize("way", [in_folder, in_zip])


@WAYS
@pytest.mark.parametrize(
    ("files", "within", "found"),
    [
        ({"dbt_project.yml": PROJECT, "integration_tests/dbt_project.yml": PROJECT}, "", "."),
        ({"transform/dbt_project.yml": PROJECT, "dbt_packages/x/dbt_project.yml": PROJECT}, "", "transform"),
        ({"a/dbt_project.yml": PROJECT, "b/dbt_project.yml": PROJECT}, "b", "b"),
    ],
)
def test_the_only_project_is_meant(tmp_path, way, files, within, found):
    """What lies within another, or was installed, is none of its own."""
    place, definition = way(tmp_path, files, within)

    assert (place, definition.is_project, definition.tasks) == (found, True, ())


@WAYS
def test_a_robot_is_meant_before_a_project(tmp_path, way):
    """A robot that runs dbt by itself stays a robot."""
    files = {"dbt_project.yml": PROJECT, "robot/robot.yaml": ROBOT}
    assert way(tmp_path, files)[0] == "robot"


@WAYS
@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a/dbt_project.yml": PROJECT, "b/dbt_project.yml": PROJECT}, "There are 2 dbt projects in .*: `a`, `b`"),
        ({"dbt_project.yml": "profile: x"}, "dbt_project.yml, line 1: `name` must be the name of the dbt project"),
        ({"dbt_project.yml": "- x"}, "dbt_project.yml, line 1"),
        ({"dbt_project.yml": "name: {{ x }"}, "dbt_project.yml"),
        ({"readme.md": ""}, "There is no robot.yaml in .*, and no dbt_project.yml"),
    ],
)
def test_what_is_no_project_is_told(tmp_path, way, files, said):
    """The refusal says what its author must mend."""
    with pytest.raises(Invalid, match=said):
        way(tmp_path, files)


def test_a_projects_environment_is_its_requirements_alone(tmp_path):
    """A pyproject.toml beside it is about its author's tools."""
    write(tmp_path, {"dbt_project.yml": PROJECT, "pyproject.toml": "[project]\nname='x'\nversion='1'"})
    _, definition = read_robot_of(tmp_path, "")
    assert read_environment(definition, folder_source(tmp_path)) is None

    (tmp_path / "requirements.txt").write_text("dbt-core==1.11.1\n")
    found = read_environment(definition, folder_source(tmp_path))
    assert found is not None
    assert found.pip == ("dbt-core==1.11.1",)


def test_what_dbt_makes_stays_at_home(tmp_path):
    """Results, logs, what .gitignore names and profiles with their passwords; installed packages go along."""
    files = {
        "dbt_project.yml": PROJECT,
        ".gitignore": "private/\n",
        "models/a.sql": "select 1",
        "target/manifest.json": "{}",
        "logs/dbt.log": "",
        "private/x": "",
        "profiles.yml": "password: x",
        "dbt_packages/p/macros/m.sql": "",
    }
    write(tmp_path, files)
    out, left_out = io.BytesIO(), {}
    names = pack(tmp_path, out, left_out=left_out.__setitem__)

    assert names == [".gitignore", "dbt_packages/p/macros/m.sql", "dbt_project.yml", "models/a.sql"]
    assert left_out["profiles.yml"] == "profiles are made from the connection"
    unpack(out, tmp_path / "again", robot="")
    assert read_robot_of(tmp_path / "again", "")[1].is_project


def test_a_project_is_no_bot(tmp_path):
    """Where only robots are taken, a zip with a project is a file."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as package:
        package.writestr("dbt_project.yml", PROJECT)
    assert not has_robot(tmp_path / "x.zip")


def test_a_hostile_project_is_refused(tmp_path):
    """As every package: links that lead out, and names that do."""
    write(tmp_path, {"dbt_project.yml": PROJECT})
    (tmp_path / "hosts").symlink_to("/etc/hosts")
    with pytest.raises(Invalid, match="leads out"):
        pack(tmp_path, io.BytesIO())
    with pytest.raises(Invalid):
        in_zip(tmp_path, {"dbt_project.yml": PROJECT, "../x": ""})
