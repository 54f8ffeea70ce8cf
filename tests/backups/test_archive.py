"""The file of a backup proves that it is whole, and has its name only then."""

import hashlib

import msgspec
import pytest

from controlroom.backups.archive import BackupDamaged, Head, Writer, check, head_of, prepare
from controlroom.errors import Conflict, Invalid

HEAD = Head(
    format=2,
    release="1",
    schema="20261129180000",
    postgres=18,
    begun_at="2026-11-29T12:00:00+00:00",
    objects_url=None,
    has_key=False,
)
OBJECTS = [b"one", b"", b"x" * 100_000]


def names(folder) -> list[str]:
    return [each.name for each in folder.iterdir()]


def write(path, *, head: Head = HEAD, objects=OBJECTS) -> Writer:
    """All of a backup, without its name."""
    writer = Writer(path)
    writer.add("backup.json", msgspec.json.encode(head))
    writer.add("database.dump", b"a dump")
    for each in objects:
        writer.add(f"objects/{hashlib.sha256(each).hexdigest()}", each)
    writer.add("master.key", b"a key")
    writer.close(objects=len(objects), object_bytes=sum(map(len, objects)))
    return writer


def test_a_backup_has_its_name_when_it_was_read_back(tmp_path):
    """Nobody else may read it, and nothing is left beside it."""
    path = tmp_path / "room.backup"
    seen = []

    size = write(path).finish(lambda aside: seen.append((aside.name, path.exists(), check(aside).objects)))

    [(name, was_there, objects)] = seen
    assert (name.startswith(".room.backup."), was_there, objects) == (True, False, 3)
    assert (path.stat().st_size, path.stat().st_mode & 0o777) == (size, 0o600)
    assert names(tmp_path) == ["room.backup"]
    assert head_of(path) == HEAD


def test_a_backup_that_cannot_be_read_back_has_no_name(tmp_path):
    """An object with another content than its hash says."""
    writer = Writer(tmp_path / "room.backup")
    writer.add("backup.json", msgspec.json.encode(HEAD))
    writer.add(f"objects/{'0' * 64}", b"other")

    with pytest.raises(BackupDamaged):
        writer.finish(check)
    writer.abandon()

    assert names(tmp_path) == []


def test_nothing_is_overwritten(tmp_path):
    """Neither at the beginning nor at the end."""
    path = tmp_path / "room.backup"
    writer = write(path)
    path.write_bytes(b"mine")

    with pytest.raises(Conflict):
        prepare(path)
    with pytest.raises(Conflict):
        writer.finish(check)
    writer.abandon()

    assert (path.read_bytes(), names(tmp_path)) == (b"mine", ["room.backup"])


def test_what_a_killed_backup_left_goes_with_the_next(tmp_path):
    """What one left that still lives does not."""
    path = tmp_path / "room.backup"
    dead, alive = Writer(path), Writer(path)
    dead.beside("dump")
    dead._file.close()  # as the system does for a program that is killed
    alive.beside("dump")

    prepare(path)

    assert len(names(tmp_path)) == 2
    alive.abandon()
    assert names(tmp_path) == []


def test_every_damage_is_found(tmp_path):
    """Cut anywhere, any byte of a content, a header or what is between them another, or something behind it."""
    path, damaged = tmp_path / "room.backup", tmp_path / "damaged"
    write(path, objects=[b"one", b"", b"x" * 1000]).finish(check)
    whole = path.read_bytes()

    def refused(content: bytes) -> None:
        damaged.write_bytes(content)
        with pytest.raises(BackupDamaged, match="this is no whole backup: "):
            check(damaged)

    for at in (0, 100, 511, *range(512, len(whole), 512)):
        refused(whole[:at])
    form = whole.index(b'"format":2') + len(b'"format":')  # another digit there is another form, and refused as one
    for at in [*(at for at in range(0, len(whole), 29) if at != form), len(whole) - 1]:
        refused(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    for content in (b"a dump", b"one", b"xxxx", b'"format":2', b"12:00:00", b"a key", b'"objects":3'):
        at = whole.index(content)
        refused(whole[:at] + b"#" + whole[at + 1 :])
    refused(whole + b"\0")


def test_a_later_form_is_refused_with_words(tmp_path):
    """The release that made it is named."""
    path = tmp_path / "room.backup"
    with pytest.raises(Invalid, match=r"controlroom 9, and this is an older one"):
        write(path, head=msgspec.structs.replace(HEAD, format=3, release="9")).finish(check)


def test_the_first_form_is_refused_with_words(tmp_path):
    """Its database has a schema that is not carried over: the release that made it is named, and restores it."""
    path = tmp_path / "room.backup"
    first = {"format": 1, "release": "0.1.0", "postgres": 18, "begun_at": "", "objects_url": None, "has_key": False}
    writer = Writer(path)
    writer.add("backup.json", msgspec.json.encode(first))
    writer.finish(lambda _aside: None)

    for read in (head_of, check):
        with pytest.raises(Invalid, match=r"controlroom 0\.1\.0, .*before 0\.2\.0 .*with the release that made it"):
            read(path)
