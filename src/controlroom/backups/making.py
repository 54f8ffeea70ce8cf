"""A backup of a room that runs: its database at one moment, then every object that there is.

An object is there before any row names it, and nothing is deleted while the backup holds its lock: so whatever the
database names at its moment is among the objects that are read afterwards.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

import asyncpg
import msgspec

from controlroom import __version__
from controlroom.backups import listed
from controlroom.backups.archive import FORMAT, Head, Writer, check, prepare
from controlroom.backups.postgres_tools import Tools, check_can_dump
from controlroom.backups.progress import Progress, Tell
from controlroom.errors import Conflict, Invalid, Unavailable
from controlroom.objects.store import ObjectStore
from controlroom.postgres import backup_lock
from controlroom.postgres.migrate import newest_applied
from controlroom.postgres.release import STAMP_DIGITS
from controlroom.settings import Settings

_PIECE: Final = 1 << 20
_LOOK_EVERY: Final = 1.0


async def make(settings: Settings, path: Path, *, with_key: bool, tell: Tell) -> int:
    """Write the backup of the room whose database the settings name; the size of the file.

    Raises Conflict for a file that is there, and a database without a room or of a release before this schema, Invalid
    for a database newer than the tools, or without the key that is asked for, Unavailable for what does not answer,
    BackupDamaged for what could not be read back.
    """
    prepare(path)
    if settings.database_url is None:
        raise Invalid("a backup needs the address of a database", code="SETTINGS")
    key = _key(settings) if with_key else None
    tools = Tools(settings.database_url, settings.postgres_bin)
    connection = await connected(settings.database_url)
    try:
        version, schema = await _check_database(connection, tools)
        await backup_lock.hold(connection)
        writer = Writer(path)
        try:
            await _write(settings, writer, tools, key=key, version=version, schema=schema, tell=tell)
            await connection.fetchval("select 1")  # the lock was held to here, or this fails
            tell("reading it back")
            progress = Progress(tell, "read back")
            return await asyncio.to_thread(writer.finish, lambda aside: _check(aside, progress))
        except asyncpg.InterfaceError as gone:
            raise Unavailable("the database has closed the connection", code="DATABASE_UNAVAILABLE") from gone
        finally:
            writer.abandon()
    finally:
        await connection.close(timeout=5)


async def connected(dsn: str) -> asyncpg.Connection:
    """A connection of our own. Raises Unavailable."""
    try:
        return await asyncpg.connect(dsn, timeout=30)
    except (OSError, TimeoutError, asyncpg.PostgresError) as refused:
        raise Unavailable(f"the database cannot be reached: {refused}", code="DATABASE_UNAVAILABLE") from refused


async def _check_database(connection: asyncpg.Connection, tools: Tools) -> tuple[int, str]:
    """The major version of the database, and the stamp of its schema."""
    version = int(connection.get_server_version().major)
    check_can_dump(database=version, tools=await asyncio.to_thread(tools.version))
    newest = await newest_applied(connection)
    if newest is None:
        raise Conflict("there is no room in this database", code="NO_ROOM")
    return version, newest[:STAMP_DIGITS]


async def _write(
    settings: Settings, writer: Writer, tools: Tools, *, key: bytes | None, version: int, schema: str, tell: Tell
) -> None:
    elsewhere = None if is_local(settings.objects_url) else without_secrets(settings.objects_url or "")
    head = Head(
        format=FORMAT,
        release=__version__,
        schema=schema,
        postgres=version,
        begun_at=datetime.now(UTC).isoformat(timespec="seconds"),
        objects_url=elsewhere,
        has_key=key is not None,
    )
    writer.add("backup.json", msgspec.json.encode(head))
    tell("writing the database")
    dump = writer.beside("dump")
    try:
        await _dumped(tools, dump, tell)
        await asyncio.to_thread(_add_file, writer, "database.dump", dump)
    finally:
        dump.unlink(missing_ok=True)
    objects = ObjectStore.open(settings.objects_url or settings.data / "objects")
    count, total = 0, 0
    if elsewhere is None:
        tell("writing the objects")
        count, total = await _copied(objects, writer, Progress(tell, "objects"))
    else:
        tell(f"listing the objects of {elsewhere}: they stay there, and are not in the file")
        await _listed(objects, writer, Progress(tell, "objects"))
    if key is not None:
        writer.add("master.key", key)
    writer.close(objects=count, object_bytes=total)


async def _dumped(tools: Tools, dump: Path, tell: Tell) -> None:
    """Have the database written to a file, and say how long that is meanwhile."""
    writing = asyncio.ensure_future(asyncio.to_thread(tools.dump, dump))
    while not (await asyncio.wait([writing], timeout=_LOOK_EVERY))[0]:
        size = await asyncio.to_thread(lambda: dump.stat().st_size)
        tell.passing(f"database: {size / 1e6:,.0f} MB")
    await writing


async def _copied(objects: ObjectStore, writer: Writer, progress: Progress) -> tuple[int, int]:
    count, total = 0, 0
    async for digest, size, _ in objects.hashes():
        writer.begin(f"objects/{digest}", size)
        came = 0
        async for piece in objects.stream(digest):
            came += len(piece)
            await asyncio.to_thread(writer.write, piece)
        if came != size:
            raise Unavailable(f"the object {digest} is not as long as it was", code="OBJECT_DAMAGED")
        writer.end(size)
        count, total = count + 1, total + size
        progress.add(size)
    return count, total


async def _listed(objects: ObjectStore, writer: Writer, progress: Progress) -> None:
    aside = writer.beside("list")
    with aside.open("wb") as file:  # it goes with the writer's own
        async for digest, size, _ in objects.hashes():
            file.write(listed.line(digest, size))
            progress.add(size)
    await asyncio.to_thread(_add_file, writer, listed.LIST, aside)


def _add_file(writer: Writer, name: str, path: Path) -> None:
    size = path.stat().st_size
    writer.begin(name, size)
    with path.open("rb") as file:
        for piece in _pieces(file):
            writer.write(piece)
    writer.end(size)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _check(aside: Path, progress: Progress) -> None:
    check(aside, progress.add)


def _key(settings: Settings) -> bytes:
    if settings.master_key is not None:
        return settings.master_key.strip().encode() + b"\n"
    try:
        return (settings.data / "master.key").read_bytes()
    except OSError as absent:
        raise Invalid(
            f"there is no key to take along: {settings.data / 'master.key'} cannot be read ({absent.strerror}), and "
            "CONTROLROOM_MASTER_KEY is not set",
            code="MASTER_KEY",
        ) from absent


def is_local(objects_url: str | None) -> bool:
    """Whether objects lie in a folder."""
    return objects_url is None or "://" not in objects_url or objects_url.startswith("file://")


def without_secrets(url: str) -> str:
    """The address without what may be a credential in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
