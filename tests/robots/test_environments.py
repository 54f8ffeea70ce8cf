"""The environment of a robot, as a server sees it when a package comes."""

import io
import os
import zipfile

import pytest

from controlroom.errors import Invalid
from controlroom.robots.archive import read_robot_from_zip
from controlroom.robots.packing import pack

ROBOT = "tasks: {main: {shell: python main.py}}\nartifactsDir: output\n"


def package(extra, **files):
    """A package with these environment files; dots are written as two underscores."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr("robot.yaml", ROBOT + extra)
        for name, text in files.items():
            zipped.writestr(name.replace("__", "."), text)
    return buffer


FINE = "dependencies: [python=3.11]"
OLD = "dependencies: [python=2.7]"


@pytest.mark.parametrize(
    ("extra", "files"),
    [
        ("", {}),
        ("condaConfigFile: conda.yaml", {"conda__yaml": FINE}),
        ("environmentConfigs: [environment_linux_amd64_freeze.yaml, conda.yaml]", {"conda__yaml": FINE}),
        ("environmentConfigs: [conda.yaml]\ncondaConfigFile: gone.yaml", {"conda__yaml": FINE}),
        ("environmentConfigs: [conda_windows.yaml]", {"conda_windows__yaml": "dependencies: [python=2.7]"}),
        ("environmentConfigs: [conda.yaml, other.yaml]", {"conda__yaml": FINE, "other__yaml": "no environment"}),
    ],
)
def test_what_a_worker_could_build_is_taken(extra, files):
    """A package is taken whose environment some worker, or a machine of another system, could build."""
    assert read_robot_from_zip(package(extra, **files))[1].tasks[0].name == "main"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_environment_file_that_cannot_be_read_is_named(tmp_path):
    """Its author hears which file it is."""
    (tmp_path / "robot.yaml").write_text(ROBOT + "condaConfigFile: conda.yaml")
    (tmp_path / "conda.yaml").touch(mode=0)

    with pytest.raises(Invalid, match=r"`conda\.yaml` cannot be read: Permission denied"):
        pack(tmp_path, io.BytesIO())


@pytest.mark.parametrize(
    ("extra", "files", "said"),
    [
        ("condaConfigFile: conda.yaml", {}, "The environment file is not in the package: conda.yaml"),
        ("condaConfigFile: conda.yaml", {"requirements__txt": ""}, "not in the package: conda.yaml"),
        ("environmentConfigs: [a.yaml, b.yaml]", {"pyproject__toml": ""}, "not in the package: a.yaml, b.yaml"),
        ("condaConfigFile: conda.yaml", {"conda__yaml": OLD}, "Python 2.7 is asked for"),
        ("environmentConfigs: [conda_arm64.yaml, c.yaml]", {"conda_arm64__yaml": OLD, "c__yaml": FINE}, "Python 2.7"),
        ("", {"requirements__txt": "-r other.txt"}, "points to a file beside it"),
        ("condaConfigFile: conda.yaml", {"conda__yaml": "dependencies: ['a[foo=1]']"}, "the key `foo`"),
    ],
)
def test_what_no_worker_could_build_is_refused(extra, files, said):
    """An environment file that is named and absent, or that no worker could ever build, is refused when it comes."""
    with pytest.raises(Invalid) as refused:
        read_robot_from_zip(package(extra, **files))

    assert refused.value.code == "PACKAGE_INVALID"
    assert said in refused.value.message
