import asyncio
from contextlib import asynccontextmanager
from enum import Enum

import msgspec
import pytest

from controlroom.errors import Invalid, Unavailable
from controlroom.postgres.database import Database, retrying
from controlroom.postgres.errors import (
    CheckViolation,
    Collision,
    ForeignKeyViolation,
    LockTimeout,
    NoRows,
    NotNullViolation,
    UniqueViolation,
)


class Colour(Enum):
    RED = "red"


class Thing(msgspec.Struct, frozen=True):
    id: int
    name: str


@pytest.fixture
async def things(database):
    """A table `thing` with a constraint of each kind."""
    await database.execute(
        """
        create table thing (
            id int constraint thing_key primary key,
            name text not null constraint thing_has_name check (name <> ''),
            parent int constraint thing_of_thing references thing,
            data jsonb
        )
        """
    )
    yield database
    await database.execute("drop table thing")


async def names(database):
    return await database.all(str, "select name from thing order by id")


async def test_statements_return_rows_values_and_counts(things):
    """One, one or none, all, a value, and the number of rows that were touched."""
    count = await things.execute("insert into thing select g, 't' || g from generate_series(1, %(n)s) g", n=3)

    assert count == 3
    assert await things.one(Thing, "select id, name from thing where id = %(id)s", id=1) == Thing(1, "t1")
    assert await things.one_or_none(Thing, "select id, name from thing where id = %(id)s", id=9) is None
    assert await things.all(int, "select id from thing order by id") == [1, 2, 3]
    assert await things.value("select name from thing where id = 9") is None
    assert await things.value("select count(*) from thing") == 3
    assert await things.execute("update thing set name = 'x' where id > 1") == 2


@pytest.mark.parametrize("rows", [0, 2])
async def test_one_means_exactly_one(database, rows):
    """Another number of rows is a bug and not passed over."""
    with pytest.raises(NoRows):
        await database.one(int, "select g from generate_series(1, %(rows)s) g", rows=rows)


async def test_one_or_none_does_not_choose(database):
    """Of several rows none is picked by chance."""
    with pytest.raises(NoRows):
        await database.one_or_none(int, "select generate_series(1, 2)")


@pytest.mark.parametrize(
    ("row", "violation", "constraint"),
    [
        ("(1, 'again')", UniqueViolation, "thing_key"),
        ("(2, '')", CheckViolation, "thing_has_name"),
        ("(2, null)", NotNullViolation, "name"),
        ("(2, 'x', 7)", ForeignKeyViolation, "thing_of_thing"),
    ],
)
async def test_violations_name_their_constraint(things, row, violation, constraint):
    """An action can tell which rule was broken, and of which table."""
    await things.execute("insert into thing values (1, 'first')")

    with pytest.raises(violation) as raised:
        await things.execute(f"insert into thing values {row}")

    assert (raised.value.constraint, raised.value.table) == (constraint, "thing")


async def test_the_character_nul_is_refused(database):
    """PostgreSQL stores no NUL: that is the sender's mistake, in text as in JSON."""
    for sql in ("select %(text)s::text", "select (%(text)s::jsonb)->>0"):
        with pytest.raises(Invalid) as raised:
            await database.value(sql, text="a\0" if "jsonb" not in sql else ["a\0"])
        assert raised.value.code == "UNSTORABLE_CHARACTER"


async def test_a_number_without_end_is_refused(database):
    """JSON's numbers may be larger than anything that PostgreSQL stores."""
    with pytest.raises(Invalid) as raised:
        await database.value("select %(data)s::jsonb", data=msgspec.Raw(b'{"a": 1e999999}'))
    assert raised.value.code == "UNSTORABLE_NUMBER"


async def test_a_transaction_is_all_or_nothing(things):
    """What raised leaves nothing behind; what ended well is there for everybody."""
    with pytest.raises(LookupError):  # noqa: PT012 - the block is what is tested
        async with things.transaction() as tx:
            await tx.execute("insert into thing values (1, 'gone')")
            raise LookupError
    async with things.transaction() as tx:
        await tx.execute("insert into thing values (2, 'stays')")

    assert await names(things) == ["stays"]


async def test_an_error_that_is_passed_over_is_no_commit(things):
    """A transaction in which a statement failed is rolled back, and its caller hears of it."""
    with pytest.raises(RuntimeError, match="rolled back"):  # noqa: PT012 - the block is what is tested
        async with things.transaction() as tx:
            await tx.execute("insert into thing values (1, 'first')")
            with pytest.raises(UniqueViolation):
                await tx.execute("insert into thing values (1, 'again')")

    assert await names(things) == []


async def test_calls_after_commit_wait_for_it(things):
    """They run once, after the commit, and not at all without one; one that fails does not keep back the others."""
    called = []
    with pytest.raises(LookupError):  # noqa: PT012 - the block is what is tested
        async with things.transaction() as tx:
            tx.after_commit(lambda: called.append("rolled back"))
            raise LookupError

    async with things.transaction() as tx:
        tx.after_commit(lambda: 1 / 0)
        tx.after_commit(lambda: called.append("committed"))
        await tx.execute("insert into thing values (1, 'x')")
        assert called == []

    assert called == ["committed"]


async def test_an_ended_transaction_can_do_nothing(database):
    """A transaction that is used behind its block is told so."""
    async with database.transaction() as tx:
        pass

    with pytest.raises(RuntimeError, match="has ended"):
        await tx.value("select 1")


async def test_a_cancelled_transaction_leaves_nothing(things):
    """Neither rows nor locks nor a broken connection."""
    begun = asyncio.Event()

    async def work():
        async with things.transaction() as tx:
            await tx.execute("insert into thing values (1, 'x')")
            begun.set()
            await tx.execute("select pg_sleep(60)")

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await things.execute("insert into thing values (1, 'y')")  # would wait for the other's lock
    assert await names(things) == ["y"]


async def test_a_cancelled_statement_leaves_the_pool_whole(postgres):
    """A pool of one goes on after its only connection was busy with a statement that was given up."""
    database = await Database.connect(postgres, min_size=1, max_size=1)
    task = asyncio.create_task(database.execute("select pg_sleep(60)"))
    while not await _is_active(postgres, "pg_sleep(60)"):
        pass
    waiting = asyncio.create_task(database.value("select 1"))

    task.cancel()

    assert await waiting == 1
    await database.close()


async def _is_active(dsn, text):
    other = await Database.connect(dsn, min_size=1)
    try:
        return await other.value(
            "select count(*) from pg_stat_activity where query like '%' || %(text)s || '%' and state = 'active'"
            " and pid <> pg_backend_pid()",
            text=text,
        )
    finally:
        await other.close()


async def test_more_callers_than_connections_wait_in_line(postgres):
    """Nobody is turned away, and given-up callers leave no hole."""
    database = await Database.connect(postgres, min_size=0, max_size=2)
    calls = [asyncio.create_task(database.value("select %(i)s::int", i=i)) for i in range(200)]
    await asyncio.sleep(0)
    for call in calls[::7]:
        call.cancel()

    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert [a for i, a in enumerate(answers) if i % 7] == [i for i in range(200) if i % 7]
    assert await database.value("select 1") == 1
    await database.close()


async def test_a_result_can_be_streamed(things):
    """All rows come, in order, whatever their number."""
    await things.execute("insert into thing select g, 't' from generate_series(1, 1234) g")

    async with things.transaction() as tx:
        found = [
            row.id async for row in tx.stream(Thing, "select id, name from thing where id > %(n)s order by id", n=3)
        ]

    assert found == list(range(4, 1235))


async def test_records_are_copied_in(things):
    """COPY takes what statements take: enums, JSON, nulls."""
    async with things.transaction() as tx:
        count = await tx.copy_in(
            "thing",
            ("id", "name", "data"),
            [(1, Colour.RED, {"a": 1}), (2, "two", msgspec.Raw(b"[2]")), (3, "x", None)],
        )

    assert count == 3
    assert await names(things) == ["red", "two", "x"]
    assert await things.value("select data->'a' from thing where id = 1") == 1


async def test_a_deadlock_is_a_collision_and_can_be_retried(things):
    """Of two transactions that wait for each other one is run again; both are done in the end."""
    await things.execute("insert into thing values (1, 'a'), (2, 'b')")
    both_hold_one = asyncio.Barrier(2)
    attempts = []

    async def lock(tx, first, second):
        await tx.execute("update thing set name = name || '!' where id = %(id)s", id=first)
        attempts.append(first)
        if len(attempts) <= 2:
            await both_hold_one.wait()
        await tx.execute("update thing set name = name || '!' where id = %(id)s", id=second)

    await asyncio.gather(
        retrying(things, lambda tx: lock(tx, 1, 2)),
        retrying(things, lambda tx: lock(tx, 2, 1)),
    )

    assert len(attempts) >= 3  # one of them was run again; on a busy machine they may meet more than once
    assert await names(things) == ["a!!", "b!!"]


async def test_a_call_that_always_collides_is_given_up(database):
    """Three times, then the collision is the caller's."""
    attempts = []

    async def collide(tx):
        attempts.append(1)
        await tx.execute("do $$ begin raise serialization_failure; end $$")

    with pytest.raises(Collision):
        await retrying(database, collide)

    assert len(attempts) >= 3  # one of them was run again; on a busy machine they may meet more than once


async def test_a_lock_that_is_not_free_is_told(things):
    """`nowait` and `lock_timeout` have an error of their own."""
    await things.execute("insert into thing values (1, 'a')")
    async with things.transaction() as tx:
        await tx.execute("select from thing for update")
        with pytest.raises(LockTimeout):
            await things.value("select id from thing for update nowait")


async def test_a_statement_of_its_own_is_one_round_trip(postgres, folder):
    """No BEGIN, no RESET: what is asked goes to the server in one piece, and the answer ends it."""
    pieces = []
    async with relay(postgres, folder, pieces.append) as address:
        database = await Database.connect(address, min_size=1, max_size=1)
        await database.one(int, "select %(n)s::int + 1", n=1)  # prepared and described, once
        pieces.clear()

        for n in range(3):
            assert await database.one(int, "select %(n)s::int + 1", n=n) == n + 1

        assert len(pieces) == 3
        await database.close()


@asynccontextmanager
async def relay(dsn, folder, on_piece):
    """An address that leads to the server of another one, by way of somebody who is shown what clients send."""
    socket = ".s.PGSQL.5432"
    server_folder = dsn.rpartition("=")[2]

    async def pump(reader, writer, show):
        while piece := await reader.read(1 << 16):
            show(piece)
            writer.write(piece)
        writer.close()

    async def serve(reader, writer):
        to_reader, to_writer = await asyncio.open_unix_connection(f"{server_folder}/{socket}")
        await asyncio.gather(pump(reader, to_writer, on_piece), pump(to_reader, writer, lambda _: None))

    server = await asyncio.start_unix_server(serve, f"{folder}/{socket}")
    try:
        yield dsn.replace(server_folder, str(folder))
    finally:
        server.close()


async def test_nobody_at_the_address_is_unavailable(folder, monkeypatch):
    """Who connects to nothing is told so, in the domain's words."""
    monkeypatch.setattr("controlroom.postgres.pool._PATIENCE", 0.1)

    with pytest.raises(Unavailable):
        await Database.connect(f"postgresql://controlroom:x@/controlroom?host={folder}")
