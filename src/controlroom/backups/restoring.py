"""A room from a backup, made aside and named when it is whole: a folder that was half restored is never a room's."""

import asyncio
import fcntl
import os
import shutil
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from controlroom.backups.archive import BackupDamaged, Head, check, entries, head_of, newer
from controlroom.backups.listed import Missing, missing
from controlroom.backups.making import connected, is_local
from controlroom.backups.positions import renumber
from controlroom.backups.postgres_tools import Tools, check_can_restore
from controlroom.backups.progress import Progress, Tell
from controlroom.engine.workspaces.first_start import keys_for
from controlroom.errors import Conflict, Invalid, Unavailable
from controlroom.keys import Keys
from controlroom.objects.store import ObjectStore
from controlroom.postgres import postmaster
from controlroom.postgres.database import Database
from controlroom.postgres.embedded import EmbeddedPostgres
from controlroom.postgres.release import schema_stamp
from controlroom.settings import Settings

_PIECE: Final = 1 << 20


class Restored(Struct, frozen=True, kw_only=True):
    """What a room was made of."""

    head: Head
    missing: Missing | None
    """Listed objects that are not where the settings say; None: none was listed, or the settings say nothing."""


async def restore(settings: Settings, path: Path, *, key: Path | None, tell: Tell) -> Restored:
    """Make the room of a backup in the data folder of the settings; what the backup is of.

    The database is a private one in the folder, or the empty one that the settings name. `key` is the file of the
    master key, for a backup without. Raises Conflict for a folder or a database that is not empty, BackupDamaged before
    anything is made, as Invalid for a backup of a release before this schema or after this one; Invalid also for a
    database or programs older than the backup's and for a key that is none, or another room's, Unavailable for what
    does not answer.
    """
    folder = settings.data.absolute()
    head = head_of(path)
    if head.schema > schema_stamp():
        raise newer(head)
    _check_empty(folder)
    if not is_local(settings.objects_url) and head.objects_url is None:
        raise Invalid("the objects of this backup go into a folder: unset CONTROLROOM_OBJECTS_URL", code="SETTINGS")
    key_text = None if key is None else await asyncio.to_thread(_key, key)
    await _check_database(settings, head)
    tell("reading the backup")
    await asyncio.to_thread(check, path, Progress(tell, "read").add)
    lacking = await _look_for_objects(settings, head, path, tell)
    making = folder.with_name(f".{folder.name}.restoring")
    lock = await _taken(making)
    try:
        await _fill(settings, path, making, key=key_text, tell=tell)
        _publish(making, folder)
    except BaseException:
        await _cleared(making)
        raise
    finally:
        making.with_name(f"{making.name}.lock").unlink(missing_ok=True)
        os.close(lock)
    return Restored(head=head, missing=lacking)


async def _look_for_objects(settings: Settings, head: Head, path: Path, tell: Tell) -> Missing | None:
    if head.objects_url is None or settings.objects_url is None:
        return None
    tell("looking for the objects that it lists")
    return await missing(path, ObjectStore.open(settings.objects_url), Progress(tell, "objects"))


def _key(file: Path) -> bytes:
    """What is in the file of a master key. Raises Invalid if that is none."""
    try:
        text = file.read_bytes()
        Keys.from_base64(text.decode("ascii"))
    except (Invalid, UnicodeDecodeError, OSError) as wrong:
        raise Invalid(f"{file} is no master key: {wrong}", code="MASTER_KEY") from wrong
    return text


def _check_empty(folder: Path) -> None:
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Conflict(
                f"{folder} is not empty: a backup is restored into a folder of its own", code="FOLDER_EXISTS"
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be used: {error.strerror}", code="BACKUP_FOLDER") from error


async def _check_database(settings: Settings, head: Head) -> None:
    tools = await asyncio.to_thread(Tools(settings.database_url or "", settings.postgres_bin).version)
    database = tools if settings.database_url is None else await _empty_database(settings.database_url)
    check_can_restore(backup=head.postgres, tools=tools, database=database)


async def _empty_database(dsn: str) -> int:
    """The major version of a database, in which nothing may be."""
    connection = await connected(dsn)
    try:
        if await connection.fetchval("select exists (select from pg_tables where schemaname = 'public')"):
            raise Conflict("the database is not empty: name another one", code="DATABASE_NOT_EMPTY")
        return int(connection.get_server_version().major)
    finally:
        await connection.close(timeout=5)


async def _taken(making: Path) -> int:
    """The folder aside, made and locked; what a killed one left in it is gone."""
    lock = os.open(making.with_name(f"{making.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        await _cleared(making)
        os.mkdir(making, 0o700)  # noqa: PTH102 - at once, and there is no other
    except BlockingIOError:
        os.close(lock)
        raise Conflict("a backup is being restored there already", code="FOLDER_EXISTS") from None
    except BaseException:
        os.close(lock)
        raise
    return lock


async def _cleared(making: Path) -> None:
    if postmaster.running(making / "postgres" / "cluster") is not None:
        server = await EmbeddedPostgres.start(making / "postgres")
        await server.stop()
    await asyncio.to_thread(shutil.rmtree, making, ignore_errors=True)


async def _fill(settings: Settings, path: Path, making: Path, *, key: bytes | None, tell: Tell) -> None:
    objects = ObjectStore.open(settings.objects_url or making / "objects")
    dump, progress = making / "database.dump", Progress(tell, "objects")
    tell("restoring the objects")
    for name, size, content, *_ in entries(path):
        if name == "database.dump":
            await asyncio.to_thread(_copy, content, dump)
        elif name == "master.key" and key is None:
            _write_key(making, content.read(1024))
        elif name.startswith("objects/"):
            blob = await objects.put(_pieces(content), expected_size=size)
            if blob.hash != name.removeprefix("objects/"):
                raise BackupDamaged(f"{name} has another content than its name says")
            progress.add(size)
    if key is not None:
        _write_key(making, key)
    tell("restoring the database")
    if settings.database_url is not None:
        await _bring_in(settings.database_url, settings, dump)
        await _check_key(settings.database_url, settings, making / "master.key")
    else:
        server = await EmbeddedPostgres.start(making / "postgres", bin_dir=settings.postgres_bin)
        try:
            await _bring_in(server.dsn, settings, dump)
            await _check_key(server.dsn, settings, making / "master.key")
        finally:
            await server.stop()
    dump.unlink()


async def _bring_in(dsn: str, settings: Settings, dump: Path) -> None:
    await asyncio.to_thread(Tools(dsn, settings.postgres_bin).restore, dump)
    connection = await connected(dsn)
    try:
        await renumber(connection)
        await connection.execute("analyze")
    finally:
        await connection.close(timeout=5)


async def _check_key(dsn: str, settings: Settings, file: Path) -> None:
    """See that the key, if there is one already, is the one of this room. Raises Invalid `MASTER_KEY`."""
    if settings.master_key is None and not await asyncio.to_thread(file.exists):
        return
    database = await Database.connect(dsn, min_size=1, max_size=1)
    try:
        await keys_for(database, master_key=settings.master_key, file=file)
    finally:
        await database.close()


async def _pieces(content: IO[bytes]):  # type: ignore[no-untyped-def]  # noqa: ANN202 - an async generator of bytes
    while piece := await asyncio.to_thread(content.read, _PIECE):
        yield piece


def _copy(content: IO[bytes], path: Path) -> None:
    with open(path, "xb", opener=_private) as file:
        shutil.copyfileobj(content, file, _PIECE)


def _write_key(making: Path, key: bytes) -> None:
    with open(making / "master.key", "xb", opener=_private) as file:
        file.write(key)
        os.fsync(file.fileno())


def _publish(making: Path, folder: Path) -> None:
    os.sync()
    try:
        making.rename(folder)  # over an empty folder at most
    except OSError as error:
        raise Conflict(f"{folder} is not empty any more", code="FOLDER_EXISTS") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
