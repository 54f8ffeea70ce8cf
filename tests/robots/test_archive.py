"""Packages: what is refused, what arrives, and that packing and unpacking are each other's reverse."""

import io
import os
import stat
import struct
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlroom.errors import Conflict, Invalid
from controlroom.robots.archive import ArchiveLimits, inspect, pack, read_robot_from_zip, unpack
from controlroom.robots.definition import read_robot

ROBOT = "tasks: {go: {shell: python go.py}}\nartifactsDir: output\nignoreFiles: [.gitignore]\n"


def zipped(*entries, method=zipfile.ZIP_DEFLATED):
    """A zip file of (name, content) or (ZipInfo, content)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as package:
        for name, data in entries:
            package.writestr(name, data)
    return out


def entry(name, *, mode=stat.S_IFREG | 0o644):
    """A ZipInfo that says just this, whatever the library would make of the name."""
    info = zipfile.ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def refusal(package, limits=None):
    """The failure that inspecting gives; unpacking must give the same and write nothing."""
    with pytest.raises(Invalid) as failure:
        inspect(package, limits or ArchiveLimits())
    return failure.value


HOSTILE_NAMES = [
    ("../escape", "leads out of its folder"),
    ("a/../../escape", "leads out of its folder"),
    ("a/..", "leads out of its folder"),
    ("/etc/passwd", "absolute name"),
    ("//server/share", "absolute name"),
    ("C:/windows", "absolute name"),
    ("c:x", "absolute name"),
    ("a\\..\\b", "backslash"),
    ("..\\b", "backslash"),
    ("a\nb", "control character"),
    ("a\x7fb", "control character"),
    ("x" * 256, "more than 255 bytes"),
    ("/".join(["x" * 200] * 6), "too long or too deep"),
    ("/".join(["x"] * 65), "too long or too deep"),
]


@pytest.mark.parametrize(("name", "said"), HOSTILE_NAMES)
def test_names_that_could_do_harm_are_refused(tmp_path, name, said):
    """A name that leads out, or means different things on different systems, is refused, and nothing is written."""
    package = zipped(("robot.yaml", ROBOT), (entry(name), "x"))

    assert said in str(refusal(package))
    with pytest.raises(Invalid):
        unpack(package, tmp_path / "robot")
    assert list(tmp_path.iterdir()) == []


def test_a_name_with_nul_is_refused():
    """A name that ends early for some readers is refused."""
    data = zipped(("robot.yaml.exe", "x")).getvalue().replace(b"robot.yaml.exe", b"robot.yaml\0exe")

    assert "control character" in str(refusal(io.BytesIO(data)))


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (stat.S_IFLNK | 0o777, "a link"),
        (stat.S_IFCHR | 0o666, "neither file nor folder"),
        (stat.S_IFBLK | 0o666, "neither file nor folder"),
        (stat.S_IFIFO | 0o666, "neither file nor folder"),
        (stat.S_IFSOCK | 0o666, "neither file nor folder"),
    ],
)
def test_links_and_devices_are_refused(mode, said):
    """A package holds files and folders and nothing else."""
    assert said in str(refusal(zipped((entry("thing", mode=mode), "/etc/passwd"))))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a", "a"), ("a", "./a"), ("a/b", "a//b"), ("a/", "a")])
def test_a_name_that_stands_twice_is_refused(names):
    """One name, one content: nobody can show one file to the server and another to the worker."""
    assert "`a" in str(refusal(zipped(*((entry(name), "x") for name in names))))


def test_a_file_is_no_folder():
    """A name cannot be a file and a folder at once."""
    assert "as a file and as a folder" in str(refusal(zipped(("a", "x"), ("a/b", "y"))))


def test_names_that_differ_in_case_are_two_files(tmp_path):
    """Names are what they are, as on Linux."""
    unpack(zipped(("A", "1"), ("a", "2")), tmp_path / "robot")

    assert ((tmp_path / "robot" / "A").read_text(), (tmp_path / "robot" / "a").read_text()) == ("1", "2")


def test_encrypted_packages_are_refused():
    """Nobody has the password."""
    data = bytearray(zipped(("a", "x")).getvalue())
    data[data.index(b"PK\x01\x02") + 8] |= 1

    assert "encrypted" in str(refusal(io.BytesIO(data)))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(method):
    """Only what every tool reads, and what unpacks in bounded memory."""
    assert "other than deflate" in str(refusal(zipped(("a", "x" * 1000), method=method)))


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (ArchiveLimits(max_files=2), "has 3 files; 2 are allowed"),
        (ArchiveLimits(max_file=999), "`a` has 1000 bytes; 999 are allowed"),
        (ArchiveLimits(max_total=2999), "unpacks to 3000 bytes; 2999 are allowed"),
        (ArchiveLimits(ratio_from=999, max_ratio=10), "more than 10 times its size"),
        (ArchiveLimits(ratio_from=2999, max_ratio=10), "more than 10 times its size"),
    ],
)
def test_limits(limits, said):
    """Each limit refuses with its figure; at the limit itself a package passes."""
    package = zipped(*((name, b"0" * 1000) for name in "abc"))

    failure = refusal(package, limits)

    assert said in str(failure)
    assert failure.code == "PACKAGE_TOO_LARGE"
    assert inspect(package, ArchiveLimits(max_files=3, max_file=1000, max_total=3000, ratio_from=3000)) == [*"abc"]


def test_ten_gigabytes_of_zeros_are_refused_at_once():
    """A bomb is refused by what it says of itself, before any of it is unpacked."""
    data = bytearray(zipped(("a", bytes(100))).getvalue())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)

    assert refusal(io.BytesIO(data)).code == "PACKAGE_TOO_LARGE"


@pytest.mark.parametrize("said", [10, 999, 1001, 2000])
def test_a_size_that_is_a_lie_is_found_out(tmp_path, said):
    """Content that is longer or shorter than the package says is refused while unpacking, and nothing stays."""
    data = bytearray(zipped(("a", os.urandom(1000))).getvalue())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + offset
        data[at : at + 4] = struct.pack("<I", said)

    with pytest.raises(Invalid):
        unpack(io.BytesIO(data), tmp_path / "robot")
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_contents_that_fills_the_memory_is_refused_before_it_is_read():
    """The end record alone decides whether the table is read."""
    data = bytearray(zipped(("a", "x")).getvalue())
    at = data.rindex(b"PK\x05\x06")
    data[at + 12 : at + 16] = struct.pack("<I", 1 << 30)

    assert "more than 20000 files" in str(refusal(io.BytesIO(data)))


def test_the_form_for_huge_archives_is_refused():
    """A second end record, which some readers obey and others do not, is refused."""
    data = zipped(("a", "x")).getvalue()
    at = data.rindex(b"PK\x05\x06")

    assert "65,535" in str(refusal(io.BytesIO(data[:at] + b"PK\x06\x07" + bytes(16) + data[at:])))


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"no zip at all" * 10, zipped(("a", "x")).getvalue()[:-5]],
    ids=["empty", "the first letters", "a text", "cut off"],
)
def test_what_is_no_zip_is_said_to_be_none(data):
    """An upload that is no zip file, or half of one, is refused in words."""
    assert refusal(io.BytesIO(data)).code == "PACKAGE_INVALID"


SOUND = zipped(("robot.yaml", ROBOT), ("go.py", "print(1)\n" * 50), ("lib/", ""), ("lib/x.py", "")).getvalue()


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_a_damaged_package_is_read_or_refused(changes):
    """Whatever bytes of a package are changed: it is unpacked into its folder, or Invalid and nothing is left."""
    data = bytearray(SOUND)
    for at, value in changes:
        data[at] = value
    with TemporaryDirectory() as place:
        left = {"robot"} if is_unpacked(io.BytesIO(data), Path(place) / "robot") else set()

        assert {path.name for path in Path(place).iterdir()} == left


def is_unpacked(package, folder):
    """Whether a package was unpacked rather than Invalid; any other failure comes out."""
    try:
        read_robot_from_zip(package)
        unpack(package, folder)
    except Invalid:
        return False
    return True


PARTS = st.sampled_from(["..", ".", "", "a", "b", "C:", "\\", "..\\x", "~", "\0", "x" * 300, "é", "con"])


@settings(max_examples=200, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=5).map("/".join))
def test_no_name_ever_escapes(name):
    """However a name is put together, nothing is written beside the folder it is unpacked to."""
    package = zipped((entry(name or "a"), "x"), ("robot.yaml", ROBOT))
    with TemporaryDirectory() as place:
        (Path(place) / "inner").mkdir()

        left = {"robot"} if is_unpacked(package, Path(place) / "inner" / "robot") else set()

        assert {path.name for path in Path(place).iterdir()} == {"inner"}
        assert {path.name for path in (Path(place) / "inner").iterdir()} == left


def test_unpacking_keeps_the_executable_bit_and_nothing_more(tmp_path):
    """Programs stay programs; no set-user-id, no rights for others, whatever the archive or the umask says."""
    package = zipped(
        (entry("run.sh", mode=stat.S_IFREG | 0o4777), "x"),
        (entry("data", mode=stat.S_IFREG), "x"),
        (entry("windows.txt", mode=0), "x"),
        (entry("deep/er/file", mode=stat.S_IFREG | 0o600), "x"),
    )
    before = os.umask(0o077)
    try:
        unpack(package, tmp_path / "robot")
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "robot").rglob("*")}
    assert modes == {"run.sh": 0o755, "data": 0o644, "windows.txt": 0o644, "deep": 0o755, "er": 0o755, "file": 0o644}


def test_unpacking_over_a_folder_is_a_conflict(tmp_path):
    """A folder that has something in it is left as it is."""
    unpack(zipped(("a", "first")), tmp_path / "robot")

    with pytest.raises(Conflict) as failure:
        unpack(zipped(("a", "second")), tmp_path / "robot")

    assert failure.value.code == "FOLDER_EXISTS"
    assert (tmp_path / "robot" / "a").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["robot"]


def test_a_robot_is_read_from_its_package(tmp_path):
    """What the server reads from a package is what the worker reads from the unpacked folder."""
    package = zipped(
        ("inner/robot.yaml", "tasks: {go: {shell: python -m robocorp.tasks run go.py -t go}}\nartifactsDir: o"),
        ("inner/go.py", "@task\ndef go(a: int): ..."),
        ("inner/lib/robot.yaml", "broken: ["),
    )

    unpack(package, tmp_path / "robot")

    robot = read_robot_from_zip(package)
    assert robot == read_robot(tmp_path / "robot")[1]
    assert [parameter.name for parameter in robot.tasks[0].interface.inputs] == ["a"]


@pytest.mark.parametrize("names", [[], ["a.py"], ["robot.yaml/"], ["Robot.yaml"]])
def test_a_package_without_robot_is_refused(names):
    """A zip file without robot.yaml is no package."""
    with pytest.raises(Invalid, match=r"no robot\.yaml in the package"):
        read_robot_from_zip(zipped(*((name, "") for name in names)))


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

    names = pack(folder, io.BytesIO())

    assert names == [".gitignore", ".hidden", "go.py", "kept.log", "lib/secret/fine", "robot.yaml"]


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


def test_links_are_packed_as_files_or_refused(tmp_path):
    """A link within the folder becomes its file; one that leads out, or to a folder, is refused by name."""
    folder = write(tmp_path / "robot", {"real": "content"})
    (folder / "link").symlink_to("real")
    with zipfile.ZipFile(packed(folder)) as package:
        assert package.read("link") == b"content"

    (folder / "out").symlink_to("/etc/hostname")
    with pytest.raises(Invalid, match="`out` is a link that leads out"):
        packed(folder)
    (folder / "out").unlink()
    (folder / "dir").symlink_to(tmp_path)
    with pytest.raises(Invalid, match="`dir` is a link to a folder"):
        packed(folder)


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
