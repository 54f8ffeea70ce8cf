"""A room whose database and objects are elsewhere is backed up, and made anew of the file."""

import asyncio
import base64
import contextlib
import json
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import pytest

from controlroom.backups.archive import Writer
from controlroom.backups.postgres_tools import check_can_dump, check_can_restore
from controlroom.errors import Invalid
from controlroom.objects.store import ObjectStore
from controlroom.postgres.migrate import migrate
from rooms import MADE_BEFORE, PROGRAM, clean_environment
from seaweed import s3_service


async def command(*words: object, **variables: str) -> tuple[int, str]:
    """Run a command beside the loop; its exit code and all that it said, in one line."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *map(str, words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=clean_environment(**variables),
    )
    said, _ = await process.communicate()
    return process.returncode or 0, " ".join(said.decode().split())


@contextlib.asynccontextmanager
async def saying_another_version(dsn: str, wrong: bytes):
    """The address of a database that says another version number of PostgreSQL, and is else the one of an address."""
    ours = urlsplit(dsn)
    socket = Path(dict(parse_qsl(ours.query))["host"]) / ".s.PGSQL.5432"

    async def answers(reader, writer):
        while piece := await reader.read(1 << 16):
            before, found, after = piece.partition(b"server_version\0")
            writer.write(before + found + (wrong + after[len(wrong) :] if found else after))
        writer.close()

    async def questions(reader, writer):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
        writer.close()

    async def serve(reader, writer):
        back, forth = await asyncio.open_unix_connection(socket)
        await asyncio.gather(answers(back, writer), questions(reader, forth), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield ours._replace(netloc=f"{ours.netloc.rpartition('@')[0]}@127.0.0.1:{port}", query="").geturl()
    finally:
        server.close()


@pytest.mark.parametrize(("database", "tools", "fits"), [(18, 18, True), (15, 18, True), (19, 18, False)])
def test_tools_dump_databases_that_are_not_newer(database, tools, fits):
    """A newer one is refused, with both numbers."""
    with (
        contextlib.nullcontext() if fits else pytest.raises(Invalid, match=r"PostgreSQL 19, and pg_dump here is of 18")
    ):
        check_can_dump(database=database, tools=tools)


@pytest.mark.parametrize(
    ("backup", "tools", "database", "why"),
    [
        (18, 18, 18, None),
        (16, 18, 17, None),
        (19, 18, 19, "pg_restore here is of 18"),
        (18, 18, 17, "the database is 17"),
    ],
)
def test_neither_tools_nor_database_may_be_older_than_a_backup(backup, tools, database, why):
    """What is too old is named."""
    with contextlib.nullcontext() if why is None else pytest.raises(Invalid, match=why):
        check_can_restore(backup=backup, tools=tools, database=database)


async def test_a_database_newer_than_the_tools_is_refused(new_database, tmp_path):
    """Before anything is written."""
    dsn = await new_database()
    await migrate(dsn)

    async with saying_another_version(dsn, b"99") as newer:
        code, said = await command("backup", tmp_path / "b", CONTROLROOM_DATABASE_URL=newer)

    assert code == 1
    assert "the database is PostgreSQL 99, and pg_dump here is of " in said
    assert "CONTROLROOM_POSTGRES_BIN" in said
    assert list(tmp_path.iterdir()) == []


async def test_a_backup_is_not_restored_into_an_older_database(new_database, tmp_path):
    """Before anything is made."""
    dsn = await new_database()
    await migrate(dsn)
    assert (await command("backup", tmp_path / "b", CONTROLROOM_DATABASE_URL=dsn))[0] == 0

    async with saying_another_version(await new_database(), b"11") as older:
        code, said = await command(
            "restore", tmp_path / "b", "--data", tmp_path / "room", CONTROLROOM_DATABASE_URL=older
        )

    assert (code, "and the database is 11: name a newer one" in said) == (1, True), said
    assert [each.name for each in tmp_path.iterdir()] == ["b"]


async def test_a_room_of_before_the_schema_was_frozen_is_not_backed_up(new_database, tmp_path):
    """Its own release does that: nobody would bring the file back here."""
    dsn = await new_database()
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    await connection.execute(MADE_BEFORE)
    await connection.close()

    code, said = await command("backup", tmp_path / "b", CONTROLROOM_DATABASE_URL=dsn)

    assert (code, "made by a release before 0.2.0" in said) == (1, True), said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ({"format": 1, "release": "0.1.0"}, "made by controlroom 0.1.0, and the schema of releases before 0.2.0"),
        ({"format": 2, "release": "9", "schema": "29990101000000"}, "made by controlroom 9, and this is an older one"),
    ],
)
async def test_a_backup_of_another_schema_is_refused_before_anything_is_made(tmp_path, head, why):
    """One of before the schema was frozen, and one of a later release."""
    writer = Writer(tmp_path / "b")
    rest = {"postgres": 18, "begun_at": "", "objects_url": None, "has_key": False}
    writer.add("backup.json", json.dumps({**head, **rest}).encode())
    writer.close(objects=0, object_bytes=0)
    writer.finish(lambda _aside: None)

    code, said = await command("restore", tmp_path / "b", "--data", tmp_path / "room")

    assert (code, why in said) == (1, True), said
    assert [each.name for each in tmp_path.iterdir()] == ["b"]


@pytest.mark.matrix
async def test_objects_in_a_bucket_are_listed_and_looked_for(new_database, tmp_path):
    """They stay in it; restoring names those that are gone, says that all are there, or that nobody has looked."""
    dsn = await new_database()
    await migrate(dsn)
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    with s3_service() as bucket:
        store = ObjectStore.open(bucket)
        blobs = [await store.put_bytes(f"object {number} of the bucket".encode() * 50) for number in range(9)]
        told = {"CONTROLROOM_OBJECTS_URL": bucket, "CONTROLROOM_MASTER_KEY": key}
        backup = tmp_path / "b"
        code, said = await command("backup", backup, CONTROLROOM_DATABASE_URL=dsn, **told)
        assert (code, "Listing the objects of s3://room: they stay there" in said) == (0, True), said
        content = backup.read_bytes()
        assert b"of the bucket" not in content
        assert all(f"{blob.hash} {blob.size}\n".encode() in content for blob in blobs)
        assert bucket.partition("secret_access_key=")[2].encode() not in content

        async def restored(name: str, **variables: str) -> str:
            code, said = await command("restore", backup, "--data", tmp_path / name, **variables)
            assert code == 0, said
            return said

        assert "All 9 objects that the backup lists are where CONTROLROOM_OBJECTS_URL says" in await restored(
            "whole", **told, CONTROLROOM_DATABASE_URL=await new_database()
        )
        for blob in blobs[:7]:
            await store.delete(blob.hash)
        lacking = await restored("lacking", **told)
        assert "Warning: 7 of the 9 objects that the backup lists are not where" in lacking
        assert ", ".join(sorted(blob.hash for blob in blobs[:7])[:5]) + " …" in lacking
    assert "objects are at s3://room, and nobody has looked whether all are there" in await restored("unlooked")
    gone = await command("restore", backup, "--data", tmp_path / "gone", **told)
    assert (gone[0], (tmp_path / "gone").exists()) == (1, False), gone[1]
