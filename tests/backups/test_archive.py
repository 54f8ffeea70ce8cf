"""The file of a backup proves that it is whole, and has its name only then."""

import hashlib

import msgspec
import pytest

from controlroom.backups.archive import BackupDamaged, End, Head, Writer, check, head_of, prepare
from controlroom.errors import Conflict, Invalid

HEAD = Head(format=1, release="1", postgres=18, begun_at="2026-11-29T12:00:00+00:00", objects_url=None, has_key=False)
OBJECTS = [b"one", b"", b"x" * 100_000]


def names(folder) -> list[str]:
    return [each.name for each in folder.iterdir()]


def add(writer: Writer, name: str, content: bytes) -> None:
    writer.begin(name, len(content))
    writer.write(content)
    writer.end(len(content))


def write(path, *, head: Head = HEAD, objects=OBJECTS) -> Writer:
    """All of a backup, without its name."""
    writer = Writer(path)
    add(writer, "backup.json", msgspec.json.encode(head))
    add(writer, "database.dump", b"a dump")
    for each in objects:
        add(writer, f"objects/{hashlib.sha256(each).hexdigest()}", each)
    end = End(
        objects=len(objects),
        object_bytes=sum(map(len, objects)),
        dump_sha256=hashlib.sha256(b"a dump").hexdigest(),
    )
    add(writer, "end.json", msgspec.json.encode(end))
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
    add(writer, "backup.json", msgspec.json.encode(HEAD))
    add(writer, f"objects/{'0' * 64}", b"other")

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
    """Cut anywhere, or changed in any content."""
    path, damaged = tmp_path / "room.backup", tmp_path / "damaged"
    write(path).finish(check)
    whole = path.read_bytes()

    for at in (0, 100, 511, 1500, 5000, len(whole) // 2, len(whole) - 3000, len(whole) - 1600):
        damaged.write_bytes(whole[:at])
        with pytest.raises(BackupDamaged):
            check(damaged)
    for content in (b"a dump", b"one", b"xxxx", b'"format":1', b'"objects":3'):
        at = whole.index(content)
        damaged.write_bytes(whole[:at] + b"#" + whole[at + 1 :])
        with pytest.raises(BackupDamaged):
            check(damaged)


def test_a_later_form_is_refused_with_words(tmp_path):
    """The release that made it is named."""
    path = tmp_path / "room.backup"
    with pytest.raises(Invalid, match=r"controlroom 9, and this is an older one"):
        write(path, head=msgspec.structs.replace(HEAD, format=2, release="9")).finish(check)
