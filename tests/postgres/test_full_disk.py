"""A database whose disk is full says so, by a code of its own, and is itself again once there is room."""

import os
import subprocess
from types import SimpleNamespace

import pytest

from controlroom.errors import Unavailable
from controlroom.ids import uuid7
from controlroom.maintenance.write_probe import WriteProbe
from controlroom.postgres import probe
from controlroom.postgres.database import Database
from controlroom.postgres.migrate import migrate


@pytest.fixture
async def small(server, folder):
    """A migrated database whose probe, and the table `filling`, lie on a disk of 4 MiB."""
    place = folder / "disk"
    place.mkdir()
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], check=False, capture_output=True)
        if os.geteuid() == 0
        else None
    )
    if mounted is None or mounted.returncode:
        pytest.skip("only root can mount a small disk")
    owner = (folder / "postgres" / "cluster").stat()
    for each in (folder, place):
        os.chown(each, owner.st_uid, owner.st_gid)
    await migrate(server.dsn)
    database = await Database.connect(server.dsn, min_size=1)
    await database.execute(f"create tablespace small location '{place}'")
    await database.execute("alter table write_probe set tablespace small")
    await database.execute("create table filling (bytes bytea) tablespace small")
    await database.execute("alter table filling alter column bytes set storage external")
    yield database
    await database.close()
    await server.stop()
    subprocess.run(["umount", place], check=True)


async def fill(database: Database) -> Unavailable:
    """Write until the disk is full; what the last writer is told."""
    told = None
    for size in (1 << 20, 1 << 15, 1 << 13):
        told = await until_refused(
            lambda size=size: database.execute("insert into filling values (%(bytes)s)", bytes=os.urandom(size))
        )
    return told


async def until_refused(write) -> Unavailable:
    """Do it again and again, until the database says that it cannot."""
    for _ in range(1000):
        try:
            await write()
        except Unavailable as told:
            return told
    raise AssertionError("the disk is never full")


async def test_a_full_disk_is_told_and_logged(small, capsys):
    """The failure has a code and a message of its own, the operator reads it in the log, and reading goes on."""
    told = await fill(small)

    assert (told.code, told.message) == (
        "DATABASE_FULL",
        "The disk of the database is full: nothing can be stored until there is room.",
    )
    assert "the disk of the database is full" in capsys.readouterr().out
    assert await small.value("select count(*) > 0 from filling")
    with pytest.raises(Unavailable, match="full"):
        async with small.transaction() as tx:
            await tx.execute("insert into filling values (%(bytes)s)", bytes=os.urandom(1 << 20))


async def test_readiness_finds_it_out_before_a_caller_does(small):
    """The probe fails while the disk is full, though the database answers, and passes when there is room."""
    writes = WriteProbe(SimpleNamespace(database=small))
    await writes.tick()
    await writes.check()
    await fill(small)

    await until_refused(writes.tick)  # the pages that its earlier rows gave back are used up first
    with pytest.raises(Unavailable, match="The disk of the database is full"):
        await writes.check()
    assert await small.value("select 1") == 1

    await small.execute("drop table filling")
    await writes.tick()
    await writes.check()


async def test_each_server_has_its_own_row(server):
    """Probes of several servers do not meet, and those of servers that are no more go."""
    await migrate(server.dsn)
    database = await Database.connect(server.dsn, min_size=1)
    one, two = uuid7(), uuid7()
    await probe.write(database, one)
    await database.execute("update write_probe set written_at = clock_now() - interval '2 days'")

    await probe.write(database, two)
    await probe.write(database, two)

    assert await database.value("select array_agg(server) from write_probe") == [two]
    await database.close()
