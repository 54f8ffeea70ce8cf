"""The file of a backup: a tar (POSIX.1-2001) that is written in one go and proves that it is whole.

backup.json     what it is of; the first entry
database.dump   pg_dump's custom format
objects/HASH    each object, by the hash of its content; or
objects.list    `HASH SIZE` a line, for objects that stay where they are
master.key      only if asked for
end.json        the last entry: how much there is, and the hash of every byte before it
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from controlroom.errors import Conflict, Invalid, Unavailable
from controlroom.postgres.release import FIRST_RELEASE

FORMAT: Final = 2
_Json = TypeVar("_Json")
_PIECE: Final = 1 << 20
_BLOCK: Final = 512
_TAIL: Final = b"\0" * 2 * _BLOCK
_MOST_JSON: Final = 1 << 20


class Head(Struct, frozen=True, kw_only=True):
    """What a backup is of."""

    format: int
    release: str
    """Of controlroom."""
    schema: str = ""
    """The stamp of the database's newest migration; empty in the first form, which did not tell it."""
    postgres: int
    """Major version of the database."""
    begun_at: str
    objects_url: str | None
    """Where the objects are that were listed and not copied; None: they are here."""
    has_key: bool


class End(Struct, frozen=True, kw_only=True):
    """What there is in a whole one."""

    objects: int
    object_bytes: int
    sha256: str
    """Of all bytes of the file before this entry."""


class BackupDamaged(Invalid):
    """The file is no backup, or not all of one."""

    code = "BACKUP_DAMAGED"

    def __init__(self, why: str) -> None:
        super().__init__(f"this is no whole backup: {why}")


class Writer:
    """Writes one; it has its final name when `finish` has returned, and else leaves nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_name(f".{path.name}.{secrets.token_hex(6)}.unfinished")
        self._file = open(self._aside, "xb", opener=_private)  # noqa: SIM115 - closed by finish or abandon
        self._hash = hashlib.sha256()
        fcntl.flock(self._file, fcntl.LOCK_EX)  # so that the next one knows whether we live

    def begin(self, name: str, size: int) -> None:
        """Announce an entry whose bytes follow by `write`."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self.write(info.tobuf(tarfile.PAX_FORMAT))

    def write(self, piece: bytes) -> None:
        """Some of its bytes."""
        self._hash.update(piece)
        self._file.write(piece)

    def end(self, size: int) -> None:
        """All of its bytes have come."""
        self.write(b"\0" * (-size % _BLOCK))

    def add(self, name: str, content: bytes) -> None:
        """A small entry, as a whole."""
        self.begin(name, len(content))
        self.write(content)
        self.end(len(content))

    def close(self, *, objects: int, object_bytes: int) -> None:
        """Add the last entry."""
        end = End(objects=objects, object_bytes=object_bytes, sha256=self._hash.hexdigest())
        self.add("end.json", msgspec.json.encode(end))

    def beside(self, name: str) -> Path:
        """A private file for what is to be added, empty; it is gone with ours."""
        path = self._aside.with_name(f"{self._aside.name}.{name}")
        os.close(_private(str(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
        return path

    def finish(self, check: Callable[[Path], None]) -> int:
        """End the file, have it checked, and give it its name; its size. Raises Conflict if the name is taken."""
        self._file.write(_TAIL)
        self._file.flush()
        os.fsync(self._file.fileno())
        check(self._aside)
        try:
            os.link(self._aside, self._path)  # unlike a rename, never over another
        except FileExistsError:
            raise Conflict(f"{self._path} exists: a backup overwrites nothing", code="FILE_EXISTS") from None
        self.abandon()
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return self._path.stat().st_size

    def abandon(self) -> None:
        """Leave nothing aside."""
        for left in self._aside.parent.glob(f"{self._aside.name}*"):
            left.unlink(missing_ok=True)
        self._file.close()


def prepare(path: Path) -> None:
    """See that the file can be made, and remove what killed backups of that name left.

    Raises Conflict if it is there, Unavailable if its folder cannot be written.
    """
    if path.exists():
        raise Conflict(f"{path} exists: a backup overwrites nothing", code="FILE_EXISTS")
    try:
        for left in path.parent.glob(f".{path.name}.*.unfinished"):
            with contextlib.suppress(BlockingIOError), left.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for each in path.parent.glob(f"{left.name}*"):
                    each.unlink()
    except OSError as error:
        raise Unavailable(f"{path.parent} cannot be written: {error.strerror}", code="BACKUP_FOLDER") from error


class Entry(NamedTuple):
    """One of a backup; `begin` is where its header is in the file."""

    name: str
    size: int
    content: IO[bytes]
    begin: int
    content_begin: int

    def decode(self, kind: type[_Json]) -> _Json:
        """Its content, which is JSON. Raises BackupDamaged."""
        try:
            return msgspec.json.decode(self.content.read(_MOST_JSON), type=kind)
        except (msgspec.MsgspecError, tarfile.TarError) as broken:
            raise BackupDamaged(f"{self.name}: {broken}") from broken


def entries(path: Path) -> Iterator[Entry]:
    """Each entry, in order; its content can be read until the next is asked for. Raises BackupDamaged."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            while (info := tar.next()) is not None:
                content = tar.extractfile(info)
                if content is None:
                    raise BackupDamaged(f"{info.name} is no file")
                yield Entry(info.name, info.size, content, info.offset, info.offset_data)
                tar.members.clear()  # type: ignore[attr-defined]  # Why: it keeps them all, and there may be millions
    except (tarfile.TarError, EOFError, UnicodeError) as broken:
        raise BackupDamaged(str(broken)) from broken


def head_of(path: Path) -> Head:
    """What a backup is of. Raises BackupDamaged, and Invalid for one of a later form or of the first one."""
    for entry in entries(path):
        if entry.name != "backup.json":
            break
        head = entry.decode(Head)
        if head.format > FORMAT:
            raise newer(head)
        if head.format < FORMAT:
            raise Invalid(
                f"the backup was made by controlroom {head.release}, and the schema of releases before {FIRST_RELEASE} "
                "is not carried over to this one. Restore it with the release that made it",
                code="BACKUP_OLDER",
            )
        return head
    raise BackupDamaged("it does not begin with backup.json")


def newer(head: Head) -> Invalid:
    """Why a backup of a later release is not restored."""
    return Invalid(f"the backup was made by controlroom {head.release}, and this is an older one", code="BACKUP_NEWER")


def check(path: Path, seen: Callable[[int], None] = lambda _size: None) -> End:
    """Read all of it: no byte is another than was written, and every object has the hash that it is named by.

    Raises BackupDamaged.
    """
    head_of(path)
    objects, total, read = 0, 0, 0
    hasher = hashlib.sha256()
    with path.open("rb") as raw:
        for entry in entries(path):
            _between(raw, read, entry.begin, hasher)
            if entry.name == "end.json":
                end = entry.decode(End)
                if (end.objects, end.object_bytes, end.sha256) != (objects, total, hasher.hexdigest()):
                    raise BackupDamaged("its content is not what was written")
                _check_tail(raw, entry)
                return end
            _between(raw, entry.begin, entry.content_begin, hasher)
            digest = _digest(entry, hasher)
            read = entry.content_begin + entry.size
            if entry.name.startswith("objects/"):
                objects, total = objects + 1, total + entry.size
                if digest != entry.name.removeprefix("objects/"):
                    raise BackupDamaged(f"{entry.name} has another content than its name says")
            seen(entry.size)
    raise BackupDamaged("its end is missing")


def _check_tail(raw: IO[bytes], end: Entry) -> None:
    raw.seek(end.content_begin + end.size)
    if raw.read(_MOST_JSON) != b"\0" * (-end.size % _BLOCK) + _TAIL:
        raise BackupDamaged("its end is cut, or something follows it")


def _between(raw: IO[bytes], start: int, end: int, hasher: "hashlib._Hash") -> None:
    """Hash what is in the file but in no content: headers, and what fills the blocks."""
    raw.seek(start)
    hasher.update(raw.read(end - start))


def _digest(entry: Entry, whole: "hashlib._Hash") -> str:
    """The hash of a content; what is read is added to that of all."""
    hasher, read = hashlib.sha256(), 0
    try:
        while piece := entry.content.read(_PIECE):
            hasher.update(piece)
            whole.update(piece)
            read += len(piece)
    except tarfile.TarError as cut:
        raise BackupDamaged(f"{entry.name}: {cut}") from cut
    if read != entry.size:
        raise BackupDamaged(f"{entry.name} is shorter than it was")
    return hasher.hexdigest()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
