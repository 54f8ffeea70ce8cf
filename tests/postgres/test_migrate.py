import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from controlroom.errors import Unavailable
from controlroom.postgres.clock import shift_clock
from controlroom.postgres.database import Database
from controlroom.postgres.migrate import MigrationError, migrate, migrations, pending

FIRST, SECOND, THIRD = (
    "20260101000000_pre_first.sql",
    "20260101000001_pre_second.sql",
    "20260102000000_post_third.sql",
)


@pytest.fixture
async def empty(new_database):
    """The address of a new database."""
    return await new_database()


@pytest.fixture
def written(folder):
    """A folder of three migrations, one of them outside of a transaction."""
    (folder / SECOND).write_text("insert into a values (1);")
    (folder / FIRST).write_text("create table a (x int);")
    (folder / THIRD).write_text(
        "-- no transaction\ncreate index concurrently if not exists a_x on a (x);\ninsert into a values (2);\n"
    )
    return folder


async def ask(dsn, sql):
    database = await Database.connect(dsn, min_size=1)
    try:
        return await database.all(str, sql)
    finally:
        await database.close()


async def test_migrations_are_applied_once_and_in_order(empty, written):
    """What was applied is recorded with its content, and is not applied again."""
    assert await pending(empty, written) == [FIRST, SECOND, THIRD]
    assert await migrate(empty, written) == [FIRST, SECOND, THIRD]
    assert await migrate(empty, written) == await pending(empty, written) == []

    digest = hashlib.sha256(b"create table a (x int);").hexdigest()
    assert await ask(empty, f"select name from schema_migration where sha256 = '{digest}'") == [FIRST]
    assert await ask(empty, "select x::text from a order by x") == ["1", "2"]


async def test_servers_that_start_together_apply_once(empty, written):
    """One applies, the others wait and find nothing to do."""
    applied = await asyncio.gather(*(migrate(empty, written) for _ in range(4)))

    assert sorted(applied) == [[], [], [], [FIRST, SECOND, THIRD]]


async def test_a_failing_migration_leaves_nothing(empty, written):
    """Neither its rows nor its record; the ones before it stay, and it can be mended and applied."""
    (written / SECOND).write_text("insert into a values (1); insert into nowhere values (2);")
    with pytest.raises(Exception, match="nowhere"):
        await migrate(empty, written)
    assert await pending(empty, written) == [SECOND, THIRD]

    (written / SECOND).write_text("insert into a values (1);")

    assert await migrate(empty, written) == [SECOND, THIRD]


async def test_a_changed_file_is_refused(empty, written):
    """What is applied is never edited: nothing is done, and the file is named."""
    await migrate(empty, written)
    (written / FIRST).write_text("create table a (x bigint);")

    for call in (migrate, pending):
        with pytest.raises(MigrationError, match=FIRST):
            await call(empty, written)


async def test_a_misnamed_file_is_refused(empty, written):
    """A file that nobody could put in order is told at once."""
    (written / "3_third.sql").write_text("select 1;")

    with pytest.raises(MigrationError, match=r"3_third\.sql"):
        await migrate(empty, written)


async def test_a_busy_table_delays_a_migration(empty, written, monkeypatch):
    """It does not wait in line before the table's users, it tries again until they are done."""
    monkeypatch.setattr("controlroom.postgres.migrate._LOCK_TIMEOUT", "50ms")
    await migrate(empty, written)
    (written / "20260103000000_pre_fourth.sql").write_text("alter table a add y int;")
    database = await Database.connect(empty, min_size=1)

    async with database.transaction() as tx:
        await tx.execute("select from a")
        task = asyncio.create_task(migrate(empty, written))
        while not await database.value("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"):
            pass
        while await database.value("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"):
            pass
        assert await database.value("select count(*) from a") == 2

    assert await task == ["20260103000000_pre_fourth.sql"]
    await database.close()


async def test_a_newer_database_is_left_alone(empty, written):
    """A release that does not know a migration refuses with words, and changes nothing; the newer one goes on."""
    await migrate(empty, written)
    third = (written / THIRD).read_text()
    (written / THIRD).unlink()
    (written / "20260103000000_pre_ours.sql").write_text("create table ours (x int);")

    for ask_for in (migrate, pending):
        with pytest.raises(MigrationError, match=f"newer release.*{THIRD}"):
            await ask_for(empty, written)

    assert await ask(empty, "select coalesce(to_regclass('ours')::text, 'none')") == ["none"]
    (written / THIRD).write_text(third)
    assert await migrate(empty, written) == ["20260103000000_pre_ours.sql"]


async def test_a_database_of_the_days_before_is_left_alone(empty, written):
    """It has migrations older than the first file: it is said what it is and what to do, and nothing is changed."""
    await migrate(empty, written)
    for name in (FIRST, SECOND, THIRD):
        (written / name).unlink()
    (written / "20260201000000_pre_first_stone.sql").write_text("create table ours (x int);")

    for ask_for in (migrate, pending):
        with pytest.raises(MigrationError, match=f"before 0.2.0.*{FIRST}.*nothing was changed. Start afresh"):
            await ask_for(empty, written)

    assert await ask(empty, "select name from schema_migration order by name") == [FIRST, SECOND, THIRD]
    assert await ask(empty, "select coalesce(to_regclass('ours')::text, 'none')") == ["none"]


async def test_cleaning_up_waits_for_servers_of_the_release_before(empty, written):
    """While one is connected that does not know it, and no longer; later files pass it."""
    (written / THIRD).write_text("drop table a;")
    later = "20260103000000_pre_fourth.sql"
    (written / later).write_text("create table b (x int);")
    sessions = [
        await asyncpg.connect(empty, server_settings={"application_name": f"controlroom listener {stamp}"})
        for stamp in (SECOND[:14], later[:14])
    ]

    assert await migrate(empty, written) == [FIRST, SECOND, later]
    assert await pending(empty, written) == [THIRD]
    assert await migrate(empty, written) == []

    await sessions[0].close()
    while await sessions[1].fetchval(
        "select count(*) from pg_stat_activity where application_name = $1", f"controlroom listener {SECOND[:14]}"
    ):
        pass
    assert await migrate(empty, written) == [THIRD]
    await sessions[1].close()


async def test_what_was_interrupted_outside_of_a_transaction_is_begun_again(empty, written):
    """An index that was left half-built is dropped first, and built anew."""
    (written / SECOND).write_text("insert into a values (1), (1);")
    (written / THIRD).write_text(
        "-- no transaction\ndrop index concurrently if exists a_x;\ncreate unique index concurrently a_x on a (x);\n"
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await migrate(empty, written)
    is_valid = "select indisvalid::text from pg_index where indexrelid = 'a_x'::regclass"
    assert await ask(empty, is_valid) == ["false"]
    await ask(empty, "with gone as (delete from a returning x) select max(x)::text from gone")

    assert await migrate(empty, written) == [THIRD]
    assert await ask(empty, is_valid) == ["true"]


async def test_nobody_at_the_address(folder):
    """A database that is away is the domain's `Unavailable`."""
    with pytest.raises(Unavailable):
        await pending(f"postgresql://x:x@/x?host={folder}", folder)


async def test_the_project_s_own_migrations(empty):
    """The package carries them, and they apply to an empty database."""
    names = [migration.name for migration in migrations()]

    assert await migrate(empty) == names != []


async def test_the_database_s_clock_can_be_shifted(empty):
    """Every session sees another time after it, and the right one after it was set right."""
    await migrate(empty)
    database = await Database.connect(empty, min_size=2)

    await shift_clock(empty, timedelta(days=3))
    try:
        for _ in range(3):
            shifted = await database.one(datetime, "select clock_now()")
            assert timedelta(days=3) <= shifted - datetime.now(UTC) + timedelta(minutes=1)
    finally:
        await shift_clock(empty, timedelta(0))
    assert abs(await database.one(datetime, "select clock_now()") - datetime.now(UTC)) < timedelta(minutes=1)
    await database.close()
