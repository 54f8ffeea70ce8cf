"""Packages: what is refused, what arrives, and that packing and unpacking are each other's reverse."""

import io
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlroom.errors import Conflict, Invalid
from controlroom.robots.archive import ArchiveLimits, inspect, read_robot_from_zip, unpack
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
        (stat.S_IFCHR | 0o666, "neither file nor folder"),
        (stat.S_IFBLK | 0o666, "neither file nor folder"),
        (stat.S_IFIFO | 0o666, "neither file nor folder"),
        (stat.S_IFSOCK | 0o666, "neither file nor folder"),
    ],
)
def test_devices_are_refused(mode, said):
    """A package holds files, folders and links to them, and nothing else."""
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

    folder, robot = read_robot_from_zip(package)
    assert folder == "inner"
    assert robot == read_robot(tmp_path / "robot")[1]
    assert [parameter.name for parameter in robot.tasks[0].interface.inputs] == ["a"]


@pytest.mark.parametrize("names", [[], ["a.py"], ["robot.yaml/"], ["Robot.yaml"]])
def test_a_package_without_robot_is_refused(names):
    """A zip file without robot.yaml is no package."""
    with pytest.raises(Invalid, match=r"no robot\.yaml in the package"):
        read_robot_from_zip(zipped(*((name, "") for name in names)))


def packed_elsewhere(raw, extra=b""):
    """A zip of robot.yaml and one file, as a tool writes it that knows no flag: the names are bytes."""
    entries, directory = b"", b""
    for name, content, more in ((b"robot.yaml", ROBOT.encode(), b""), (raw, b"x", extra)):
        sizes = struct.pack("<III", zlib.crc32(content), len(content), len(content))
        entry = struct.pack("<HHHHH", 20, 0, 0, 0, 33) + sizes
        lengths = struct.pack("<HH", len(name), len(more))
        directory += b"PK\x01\x02" + struct.pack("<H", 0x0314) + entry + lengths
        directory += struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, len(entries)) + name + more
        entries += b"PK\x03\x04" + entry + lengths + name + more + content
    end = struct.pack("<HHHHIIH", 0, 0, 2, 2, len(directory), len(entries), 0)
    return io.BytesIO(entries + directory + b"PK\x05\x06" + end)


def unicode_path(raw, text):
    """Info-ZIP's field with the name in UTF-8, beside the bytes that it belongs to."""
    field = b"\1" + struct.pack("<I", zlib.crc32(raw)) + text.encode()
    return struct.pack("<HH", 0x7075, len(field)) + field


@pytest.mark.parametrize(
    ("raw", "extra", "name"),
    [
        ("Ärger/ß 漢.txt".encode(), b"", "Ärger/ß 漢.txt"),
        ("A\u0308rger.txt".encode(), b"", "A\u0308rger.txt"),  # as the Finder writes it
        ("Straße.txt".encode("cp437"), b"", "Straße.txt"),
        ("Ärger.txt".encode("cp850"), unicode_path("Ärger.txt".encode("cp850"), "Ärger.txt"), "Ärger.txt"),
        (b"?.txt", unicode_path(b"?.txt", "漢.txt"), "漢.txt"),
        (b"renamed.txt", unicode_path(b"before.txt", "old.txt"), "renamed.txt"),
        (b"newer.txt", unicode_path(b"newer.txt", "x").replace(b"\1", b"\2"), "newer.txt"),
    ],
)
def test_names_are_read_as_they_were_written(tmp_path, raw, extra, name):
    """Many tools leave out the flag for UTF-8: valid UTF-8 is UTF-8, Info-ZIP's own field counts, the rest is 437."""
    package = packed_elsewhere(raw, extra)

    assert inspect(package) == ["robot.yaml", name]
    unpack(package, tmp_path / "robot")
    assert (tmp_path / "robot" / name).read_text() == "x"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_in_utf_8_is_checked_as_it_is_read():
    """What a field or the bytes say in the end is what is judged."""
    assert "leads out" in str(refusal(packed_elsewhere(b"a.txt", unicode_path(b"a.txt", "../a.txt"))))
    assert "`ä` twice" in str(refusal(zipped((entry("ä"), "x"), (entry("ä"), "y"))))
