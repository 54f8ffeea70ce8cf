"""Links in robots: the same rule, in the same words, for folders that are pushed and for zip files (so for git)."""

import io
import os
import stat
import zipfile

import pytest

from controlroom.errors import Invalid
from controlroom.robots.archive import ArchiveLimits, inspect, read_robot_from_zip, unpack
from controlroom.robots.packing import pack

ROBOT = "tasks: {go: {shell: python -m robocorp.tasks run go.py -t go}}\nartifactsDir: output\n"
FILES = {"robot.yaml": ROBOT, "go.py": "@task\ndef go(a: int): ...", "lib/x.py": "x", "lib/deep/y.py": "y"}


def link(name):
    """A zip's entry for a link, as git and Info-ZIP write it."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def zipped(files, links):
    """A zip file with these files and links."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, text in files.items():
            package.writestr(name, text)
        for name, target in links.items():
            package.writestr(link(name), os.fsencode(target))
    return out


def folder_of(place, files, links):
    """The same as a folder."""
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    for name, target in links.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).symlink_to(target)
    return place


def by_zip(tmp_path, links):
    """What is unpacked of a zip file, by name."""
    package = zipped(FILES, links)
    read_robot_from_zip(package)
    unpack(package, tmp_path / "unpacked", robot="")
    return texts(tmp_path / "unpacked")


def by_push(tmp_path, links):
    """What is unpacked of a folder that was pushed, by name."""
    out = io.BytesIO()
    pack(folder_of(tmp_path / "robot", FILES, links), out)
    unpack(out, tmp_path / "unpacked", robot="")
    return texts(tmp_path / "unpacked")


def texts(folder):
    """All files by name; there is no link among them."""
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


WAYS = pytest.mark.parametrize("way", [by_zip, by_push])

FOLLOWED = [
    ({"latest.py": "go.py"}, {"latest.py": FILES["go.py"]}),
    ({"lib/up.py": "../go.py"}, {"lib/up.py": FILES["go.py"]}),
    ({"a": "b", "b": "./lib/../lib//x.py"}, {"a": "x", "b": "x"}),
    ({"more": "lib"}, {"more/x.py": "x", "more/deep/y.py": "y"}),
    ({"more": "lib", "z": "more/deep/y.py"}, {"more/x.py": "x", "more/deep/y.py": "y", "z": "y"}),
    ({"more": "lib/"}, {"more/x.py": "x", "more/deep/y.py": "y"}),
    ({"lib/twice": "deep", "lib/deep/x": "../x.py"}, {"lib/twice/y.py": "y", "lib/twice/x": "x", "lib/deep/x": "x"}),
]


@WAYS
@pytest.mark.parametrize(("links", "found"), FOLLOWED)
def test_links_within_the_robot_are_followed(tmp_path, way, links, found):
    """A link to a file or a folder of the robot becomes what it leads to."""
    assert way(tmp_path, links) == FILES | found


REFUSED = [
    ({"out": "/etc/hostname"}, "`out` is a link to `/etc/hostname`, which leads out of the robot's folder"),
    ({"out": "../elsewhere"}, "`out` is a link to `../elsewhere`, which leads out of the robot's folder"),
    ({"lib/out": "../../x"}, "`lib/out` is a link to `../../x`, which leads out of the robot's folder"),
    ({"back": "../robot/go.py"}, "`back` is a link to `../robot/go.py`, which leads out of the robot's folder"),
    ({"lib/back": "../../robot/go.py"}, "which leads out of the robot's folder"),
    ({"out": "inner", "inner": "../.."}, "which leads out of the robot's folder"),
    ({"none": "nothing.py"}, "`none` is a link to `nothing.py`, and there is nothing of that name"),
    ({"none": "\udcff\udcfe"}, "and there is nothing of that name"),
    ({"none": "go.py/x"}, "`none` is a link to `go.py/x`, and there is nothing of that name"),
    ({"a": "b", "b": "a"}, "which leads back to itself"),
    ({"self": "."}, "`self` is a link to a folder in which it lies itself"),
    ({"lib/back": "../lib"}, "`lib/back` is a link to a folder in which it lies itself"),
    ({"lib/a": "../z", "z/b": "../lib"}, "is a link to a folder in which it lies itself"),
]


@WAYS
@pytest.mark.parametrize(("links", "said"), REFUSED)
def test_links_that_leave_the_robot_are_refused(tmp_path, way, links, said):
    """A link out of the robot's folder, to nothing, or round in a circle is refused by name, wherever it comes from."""
    with pytest.raises(Invalid) as refused:
        way(tmp_path, links)

    assert said in str(refused.value)
    assert refused.value.code == "PACKAGE_INVALID"


def test_an_absolute_link_into_the_pushed_folder_stays_inside(tmp_path):
    """Where the folder lies is known only there; in a zip file such a link leads out."""
    (tmp_path / "way").symlink_to(tmp_path)
    links = {name: str(tmp_path / way / "robot" / "go.py") for name, way in (("latest.py", "."), ("other.py", "way"))}
    folder = folder_of(tmp_path / "robot", FILES, links)

    assert {"latest.py", "other.py"} <= set(pack(folder, io.BytesIO()))
    (folder / "back.py").symlink_to(tmp_path / "robot" / ".." / "robot" / "go.py")
    with pytest.raises(Invalid, match="leads out"):
        pack(folder, io.BytesIO())
    with pytest.raises(Invalid, match="leads out"):
        inspect(zipped(FILES, {"latest.py": "/robot/go.py"}))


def test_links_that_stay_at_home_may_lead_anywhere(tmp_path):
    """What is ignored, or an environment or the results, is nobody's business."""
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    files = FILES | {"robot.yaml": ROBOT + "ignoreFiles: [.gitignore]", ".gitignore": "secret\nlogs/"}
    links = {"secret": "/etc", "logs": "/nowhere", ".venv": str(tmp_path / "venv"), "output": "/nowhere"}
    folder = folder_of(tmp_path / "robot", files, links)

    assert sorted(pack(folder, io.BytesIO())) == sorted(files)


def test_links_beside_the_robot_are_followed_or_left_out(tmp_path):
    """A repository with more in it than the robot is taken; its other links do no harm."""
    files = {f"robots/a/{name}": text for name, text in FILES.items()} | {"shared/z.py": "z"}
    links = {"shared/fine.py": "z.py", "shared/out": "/etc", "shared/none": "x", "shared/loop": ".."}
    package = zipped(files, links)

    folder, _ = read_robot_from_zip(package)
    unpack(package, tmp_path / "unpacked", robot=folder)

    assert folder == "robots/a"
    assert texts(tmp_path / "unpacked") == files | {"shared/fine.py": "z"}
    with pytest.raises(
        Invalid, match=r"`robots/a/z.py` is a link to `../../shared/z.py`, which leads out of the robot"
    ):
        read_robot_from_zip(zipped(files, {"robots/a/z.py": "../../shared/z.py"}))
    with pytest.raises(Invalid, match="leads out of the robot's folder"):
        read_robot_from_zip(zipped(files, {"robots/a/z.py": "../a/go.py"}))


def test_robot_yaml_may_be_a_link(tmp_path):
    """It is read as what it leads to."""
    files = {"real.yaml": ROBOT, "go.py": FILES["go.py"]}
    package = zipped(files, {"robot.yaml": "real.yaml"})

    _, robot = read_robot_from_zip(package)

    assert [task.name for task in robot.tasks] == ["go"]
    assert [parameter.name for parameter in robot.tasks[0].interface.inputs] == ["a"]


def test_nothing_is_written_through_a_link():
    """A name cannot lie in a link."""
    with pytest.raises(Invalid, match="as a file and as a folder"):
        inspect(zipped({"a/passwd": "x"}, {"a": "/etc"}))


def test_a_mode_of_a_link_says_it_whatever_its_name():
    """A link whose name looks like a folder's is a link."""
    with pytest.raises(Invalid, match="as a file and as a folder"):
        inspect(zipped({"a/passwd": "x"}, {"a/": "/etc"}))


def test_links_cannot_make_much_of_little():
    """Folders of links to folders, files that are linked a thousand times: the limits hold for what comes out."""
    links = {f"d{level}/{name}": f"../d{level - 1}" for level in range(1, 30) for name in "abcdefgh"}
    with pytest.raises(Invalid, match="by its links"):
        inspect(zipped({"robot.yaml": ROBOT, "d0/x": "x"}, links))

    big = {f"l{number}": "big" for number in range(100)}
    with pytest.raises(Invalid, match="by its links"):
        inspect(zipped({"robot.yaml": ROBOT, "big": os.urandom(2000)}, big), ArchiveLimits(max_total=100_000))


def test_links_that_take_long_to_follow_are_refused_soon():
    """Many links that each lead through many others end in a refusal, not in minutes."""
    chain = {f"c{number}": "./" + "lib/../" * 130 + f"c{number + 1}" for number in range(35)}
    many = {f"x/{number}": "../c0" for number in range(2000)}

    with pytest.raises(Invalid, match="too many links"):
        inspect(zipped(FILES | {"c35": ""}, chain | many))


def test_a_link_that_is_no_text_is_refused():
    """What says where a link leads is a path."""
    for target in ("", "a\0b", "x" * 2000):
        with pytest.raises(Invalid, match="`a` is a link"):
            inspect(zipped(FILES, {"a": target}))
