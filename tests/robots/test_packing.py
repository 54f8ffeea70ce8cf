"""Packing a robot's folder: what goes in, what stays at home, and that the author hears of it."""

import io
import os
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlroom.errors import Invalid
from controlroom.robots.archive import ArchiveLimits, unpack
from controlroom.robots.packing import pack

ROBOT = "tasks: {go: {shell: python go.py}}\nartifactsDir: output\nignoreFiles: [.gitignore]\n"


def write(folder, files):
    """Make a folder of a robot with these files."""
    for name, text in {"robot.yaml": ROBOT, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def packed(folder):
    """The package of a folder."""
    out = io.BytesIO()
    pack(folder, out)
    return out


def test_packing_leaves_out_what_is_not_the_robot(tmp_path):
    """Ignored files, results, version control, caches and environments stay at home; robot.yaml never does."""
    folder = write(
        tmp_path / "robot",
        {
            ".gitignore": "*.log\n/secret/\nrobot.yaml\n!kept.log\n",
            "go.py": "",
            "a.log": "",
            "kept.log": "",
            "secret/key": "",
            "lib/secret/fine": "",
            "output/result": "",
            ".git/config": "",
            "lib/__pycache__/go.pyc": "",
            "old.pyc": "",
            "myenv/pyvenv.cfg": "",
            "myenv/bin/python": "",
            ".hidden": "",
        },
    )

    left_out = []

    names = pack(folder, io.BytesIO(), left_out=lambda name, why: left_out.append((name, why)))

    assert names == [".gitignore", ".hidden", "go.py", "kept.log", "lib/secret/fine", "robot.yaml"]
    assert sorted(left_out) == [
        (".git/", "version control"),
        ("a.log", "ignoreFiles"),
        ("lib/__pycache__/", "caches"),
        ("myenv/", "virtual environments"),
        ("old.pyc", "caches"),
        ("output/", "artifactsDir"),
        ("secret/", "ignoreFiles"),
    ]


def test_equal_folders_give_equal_packages(tmp_path):
    """Times and the order of creation do not matter, so that a second push of the same is recognised."""
    one = write(tmp_path / "one", {"b.py": "b", "a/x.py": "x"})
    other = write(tmp_path / "other", {"a/x.py": "x", "b.py": "b"})
    os.utime(other / "b.py", (0, 0))

    assert packed(one).getvalue() == packed(other).getvalue()


def test_packing_tells_its_progress(tmp_path):
    """Every name is told as its turn comes."""
    told = []

    names = pack(write(tmp_path / "robot", {"a": "", "b": ""}), io.BytesIO(), progress=told.append)

    assert told == names


NEVER_PACKED = {"pyvenv.cfg", "output", "__pycache__"}
PART = st.text(
    st.characters(blacklist_characters="/\\:", blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20
).filter(lambda part: part not in NEVER_PACKED and not part.startswith(".") and not part.endswith(".pyc"))
NAMES = st.lists(PART, min_size=1, max_size=3).map("/".join)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, st.tuples(st.binary(max_size=100), st.booleans()), max_size=6))
def test_packing_and_unpacking_are_each_others_reverse(files):
    """Any folder of files arrives as it was: names, content, executable bits."""
    with TemporaryDirectory() as place:
        folder = write(Path(place) / "robot", {})
        for name, (data, is_program) in files.items():
            path = folder / name
            if path.exists() or any(parent.is_file() for parent in path.parents):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o755 if is_program else 0o644)

        unpack(packed(folder), Path(place) / "unpacked")

        assert tree(Path(place) / "unpacked") == tree(folder)


def tree(folder: Path):
    """All files with their content and whether they are programs."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_lies_beside_the_robot_is_told_to_stay(tmp_path):
    """Only the robot's folder goes; whoever did not choose it hears of that."""
    write(tmp_path / "deep" / "robot", {"go.py": ""})
    (tmp_path / "beside.py").touch()
    told = []

    for within in ("", "deep", "deep/robot"):
        names = pack(tmp_path, io.BytesIO(), within=within, left_out=lambda *what: told.append(what))
        assert names == ["go.py", "robot.yaml"]

    assert told == [("all but deep/robot/", "beside the robot")] * 2


def test_empty_folders_go_along(tmp_path):
    """A robot that writes into a folder finds it; one that is empty only because of ignored files does not go."""
    folder = write(tmp_path / "robot", {".gitignore": "*.log", "logs/a.log": ""})
    (folder / "data" / "in").mkdir(parents=True)

    unpack(packed(folder), tmp_path / "unpacked")

    assert (tmp_path / "unpacked" / "data" / "in").is_dir()
    assert not (tmp_path / "unpacked" / "logs").exists()


def test_what_is_no_file_is_refused(tmp_path):
    """A socket cannot be packed, and is not left out without a word."""
    folder = write(tmp_path / "robot", {})
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "agent"))

        with pytest.raises(Invalid, match="`agent` is neither file nor folder"):
            packed(folder)
        (folder / ".gitignore").write_text("agent")
        packed(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_refused(tmp_path):
    """A file or a folder that its author may not read is named."""
    folder = write(tmp_path / "robot", {"key": "", "deep/file": ""})
    for name in ("key", "deep"):
        (folder / name).chmod(0)
        with pytest.raises(Invalid, match=f"/{name}` cannot be read: Permission denied"):
            packed(folder)
        (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (ArchiveLimits(max_files=2), "has 3 files; 2 are allowed"),
        (ArchiveLimits(max_file=50), "`big` has 60 bytes; 50 are allowed"),
        (ArchiveLimits(max_total=100), "more than 100 bytes"),
        (ArchiveLimits(max_name=2), "too long"),
    ],
)
def test_limits_are_known_before_the_upload(tmp_path, limits, said):
    """What a server would refuse for its size is refused where it is packed."""
    folder = write(tmp_path / "robot", {"big": "x" * 60, "a": ""})

    with pytest.raises(Invalid, match=said):
        pack(folder, io.BytesIO(), limits=limits)
