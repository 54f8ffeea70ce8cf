"""Which robot is meant where there are several."""

import io
import zipfile

import pytest

from controlroom.errors import Invalid
from controlroom.robots.archive import read_robot_from_zip
from controlroom.robots.definition import read_robot

ROBOT = "tasks: {{{name}: {{shell: x}}}}\nartifactsDir: o"


def in_folder(tmp_path, places, within=""):
    """The robot of a folder with these robots, and where it lies."""
    for place in places:
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "robot.yaml").write_text(ROBOT.format(name="x"))
    return read_robot(tmp_path, within=within)[0].relative_to(tmp_path).as_posix()


def in_zip(_tmp_path, places, within=""):
    """Likewise, of a package."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for place in places:
            package.writestr(f"{place}/robot.yaml".removeprefix("./"), ROBOT.format(name="x"))
    return read_robot_from_zip(out, within=within)[0] or "."


WAYS = pytest.mark.parametrize("way", [in_folder, in_zip])


@WAYS
@pytest.mark.parametrize(
    ("places", "within", "found"),
    [
        ([".", "a", "b"], "", "."),  # the folder itself is the robot, whatever lies in it
        (["b/two"], "", "b/two"),
        (["b", "b/tests/robot", "b/z"], "", "b"),
        (["z/deep", "node_modules/a", ".venv/b", "__MACOSX/c"], "", "z/deep"),
        (["a", "b"], "b", "b"),
        (["a", "b"], "./b/", "b"),
        (["a", "x/b"], "x", "x/b"),
        ([".", "a"], "a", "a"),
    ],
)
def test_the_only_robot_is_meant(tmp_path, way, places, within, found):
    """That of the folder itself, else the only one below; a folder of several is chosen by name."""
    assert way(tmp_path, places, within) == found


@WAYS
@pytest.mark.parametrize(
    ("places", "within", "said"),
    [
        (["b", "a"], "", "There are 2 robots in .*: `a`, `b`. Choose one by its folder"),
        (["a", "b/deep"], "", "There are 2 robots in .*: `a`, `b/deep`"),
        (["x/a", "x/b", "y"], "x", "There are 2 robots in `x`: `x/a`, `x/b`"),
        (["a", "b"], "c", "no robot.yaml in `c` of .*, and no dbt_project.yml; there are robots in `a`, `b`"),
        ([], "", r"There is no robot.yaml in .*, and no dbt_project.yml"),
        (["a"], "../a", "named as it lies"),
        (["a"], "/a", "named as it lies"),
    ],
)
def test_without_a_choice_several_are_refused(tmp_path, way, places, within, said):
    """The refusal lists those that there are."""
    with pytest.raises(Invalid, match=said) as refused:
        way(tmp_path, places, within)
    assert refused.value.code == "PACKAGE_INVALID"
