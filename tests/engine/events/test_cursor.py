"""Readers of the record of events: each event once, in order, none skipped."""

import pytest

from controlroom.engine.events import cursor
from controlroom.engine.events.store import By, Event, append

READER = "tests"
WANTED = ("test.wanted",)


@pytest.fixture
def engine(empty_engine):
    """An engine whose record of events is the test's alone."""
    return empty_engine


@pytest.fixture
async def reader(engine):
    """A reader that begins now."""
    await engine.database.execute(
        "insert into event_cursor (reader, xid, id) values (%(reader)s, pg_current_xact_id(), 0)", reader=READER
    )


@pytest.fixture
def happen(team):
    """Appends events of some kinds."""

    async def append_these(tx, *kinds: str) -> None:
        await append(tx, By("system"), *(Event(kind=kind, organization_id=team.organization) for kind in kinds))

    return append_these


async def read(engine, *, limit: int = 100) -> tuple[int, list[str]]:
    """Read on once: how many events were passed, and what the wanted ones are."""
    async with engine.database.transaction() as tx:
        position = await cursor.hold(tx, READER)
        span = await cursor.next_span(tx, position, limit=limit)
        if span is None:
            return 0, []
        found = await cursor.events_in(tx, span, WANTED)
        await cursor.move(tx, position, span)
        return span.count, [event.kind for event in found]


async def test_each_event_is_read_once(engine, reader, happen):
    """In batches, those of other kinds passed over and counted; at the end there is nothing more."""
    async with engine.database.transaction() as tx:
        await happen(tx, "test.wanted", "test.other", "test.wanted")

    assert await read(engine, limit=2) == (2, ["test.wanted"])
    assert await read(engine, limit=2) == (1, ["test.wanted"])
    assert await read(engine, limit=2) == (0, [])


async def test_one_that_commits_late_is_not_skipped(engine, reader, happen):
    """Nothing is read past a transaction that has not ended, and the reader knows that there will be more."""
    async with engine.database.transaction() as late:
        await happen(late, "test.wanted")
        await late.write_collected()
        async with engine.database.transaction() as quick:
            await happen(quick, "test.wanted")
        assert await read(engine) == (0, [])
        async with engine.database.transaction() as tx:
            position = await cursor.hold(tx, READER)
            assert await cursor.has_more(tx, position, WANTED)
            assert not await cursor.has_more(tx, position, ["test.other"])

    assert await read(engine) == (2, ["test.wanted", "test.wanted"])


async def test_what_is_undone_is_read_again(engine, reader, happen):
    """The cursor moves with what its reader has written, or not at all."""
    async with engine.database.transaction() as tx:
        await happen(tx, "test.wanted")

    async def read_and_fail():
        async with engine.database.transaction() as tx:
            position = await cursor.hold(tx, READER)
            await cursor.move(tx, position, await cursor.next_span(tx, position, limit=9))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await read_and_fail()

    assert await read(engine) == (1, ["test.wanted"])


async def test_one_reads_at_a_time(engine, reader, happen):
    """Who finds the cursor held by somebody else leaves it to them."""
    async with engine.database.transaction() as first, engine.database.transaction() as second:
        assert await cursor.hold(first, READER) is not None
        assert await cursor.hold(second, READER) is None
