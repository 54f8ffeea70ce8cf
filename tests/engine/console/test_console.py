"""Console lines come in order, once, and stay readable while they are moved."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from controlroom.engine.access.scope import Room
from controlroom.engine.console import actions, store
from controlroom.engine.console.errors import ConsoleGap, Overtaken
from controlroom.engine.console.model import Position
from controlroom.engine.console.reading import read
from controlroom.engine.wakes import Topic
from controlroom.errors import Invalid
from controlroom.ids import WorkerId, uuid7


async def compacted(console, rest=timedelta(seconds=30)) -> int:
    """Compact what has ended; how many attempts of the step run have an archive then."""
    await actions.compact_ended(console.engine, Room(), limit=100, rest=rest)
    return await console.engine.database.value(
        "select count(*) from console_archive where step_run_id = %(id)s", id=console.step_run
    )


async def chunks(console) -> int:
    """How many chunks the step run has."""
    return await console.engine.database.value(
        "select count(*) from console_chunk where step_run_id = %(id)s", id=console.step_run
    )


async def test_lines_are_readable_as_soon_as_they_are_acknowledged(console):
    """What was appended is there, with its numbers, its time and its text as printed."""
    await console.append(0, "Grüß Gott", "", at=1_700_000_000.25)
    await console.append(2, "a\rb\x0b\x00\u2028c")

    lines = await console.read()

    assert [line.text for line in lines] == ["Grüß Gott", "", "a\rb\x0b\x00\u2028c"]
    assert [(line.attempt, line.number) for line in lines] == [(1, 0), (1, 1), (1, 2)]
    assert lines[0].at.timestamp() == 1_700_000_000.25
    assert await store.count(console.engine.database, console.seen, console.step_run) == 3


async def test_a_batch_may_be_sent_again(console):
    """After a lost answer the worker repeats a batch, and the lines are there once."""
    await console.append(0, "one", "two")
    await console.append(2, "three")

    await console.append(0, "one", "two")
    await console.append(2, "three")

    assert await console.texts() == ["one", "two", "three"]


async def test_equal_batches_at_once_are_one(console):
    """A repetition that overtakes its first try is no second line, and no error."""
    for first in range(0, 40, 2):
        await asyncio.gather(*(console.append(first, "a", "b") for _ in range(4)))

    assert len(await console.texts()) == 40


@pytest.mark.parametrize(("first", "count"), [(1, 1), (3, 1), (0, 1), (0, 3)])
async def test_gaps_and_overlaps_are_refused_with_the_line_that_comes_next(console, first, count):
    """A batch that does not begin where the last one ended changes nothing, and the answer says where to go on."""
    await console.append(0, "one", "two")

    with pytest.raises(ConsoleGap) as refused:
        await console.append(first, *["x"] * count)

    assert refused.value.fields == {"have": 2}
    assert await console.texts() == ["one", "two"]


async def test_only_the_worker_that_has_the_attempt_appends(console):
    """An overtaken attempt, another worker, another workspace's worker and an ended attempt are refused alike."""
    other = replace(console, worker=_with(console.worker, worker_id=WorkerId(uuid7())))
    stranger = replace(console, worker=_with(console.worker, workspaces=(uuid7(),)))
    later = replace(console, attempt=2)

    for wrong in (other, stranger, later):
        with pytest.raises(Overtaken):
            await wrong.append(0, "x")
    await console.end()
    with pytest.raises(Overtaken):
        await console.append(0, "x")
    assert await console.texts() == []


async def test_a_wrong_time_is_refused(console):
    """A time that no calendar has is the worker's fault, not the database's."""
    for at in (-1.0, 1e30, float("nan"), float("inf")):
        with pytest.raises(Invalid):
            await console.append(0, "x", at=at)


async def test_whoever_follows_is_woken(console):
    """New lines wake those who wait for the step run."""
    with console.engine.wakes.watch(Topic.CONSOLE, console.step_run) as watch:
        await console.append(0, "one")

        assert await watch.wait(60)


async def test_reading_goes_on_behind_any_line(console):
    """From every position the next lines follow, whatever batches they came in."""
    texts = [f"line {n}" for n in range(20)]
    first = 0
    for size in (1, 5, 2, 9, 3):
        await console.append(first, *texts[first : first + size])
        first += size

    for position in range(-1, 20):
        for limit in (1, 3, 50):
            lines = await console.read(Position(1, position), limit)
            assert [line.text for line in lines] == texts[position + 1 : position + 1 + limit]


async def test_attempts_are_read_one_after_the_other(console):
    """The lines of a lost attempt stay before those of the next one, which count from 0 again."""
    await console.append(0, "one", "two")
    second = await console.next_attempt()
    third = await second.next_attempt()
    await third.append(0, "again", "and on")

    lines = await third.read(Position(1, 0), limit=2)
    rest = await third.read(lines[-1].position, limit=2)

    assert [(line.attempt, line.number, line.text) for line in (*lines, *rest)] == [
        (1, 1, "two"),
        (3, 0, "again"),
        (3, 1, "and on"),
    ]
    assert [line.place for line in (*lines, *rest)] == [2, 3, 4]
    assert await store.count(console.engine.database, console.seen, console.step_run) == 4


async def test_a_compacted_console_reads_like_before(console):
    """After compaction every read gives what it gave, and no chunk is left."""
    first = 0
    for size in (1, 40, 2, 900):
        await console.append(first, *(f"Zeile {n} ä" for n in range(first, first + size)), at=1_700_000_000.125 + first)
        first += size
    positions = [Position(0, -1), Position(1, 0), Position(1, 41), Position(1, 500), Position(1, first - 1)]
    before = [await console.read(position, 50) for position in positions]
    await console.end()

    assert await compacted(console) == 1

    assert await chunks(console) == 0
    assert [await console.read(position, 50) for position in positions] == before
    assert await store.count(console.engine.database, console.seen, console.step_run) == first


async def test_only_what_has_rested_is_compacted(console):
    """Attempts under way and those that have just ended are left alone; an overtaken one is not."""
    await console.append(0, "one")
    assert await compacted(console) == 0

    second = await console.next_attempt()
    await second.append(0, "two")
    assert await compacted(console) == 1

    await second.end()
    assert await compacted(console, rest=timedelta(hours=1)) == 1
    assert await compacted(console) == 2
    assert await console.texts() == ["one", "two"]


async def test_readers_never_see_a_gap_while_a_console_is_compacted(console):
    """Reads at any moment of a compaction give every line once."""
    for first in range(0, 200, 2):
        await console.append(first, "a", "b")
    await console.end()
    done = asyncio.Event()

    async def watch() -> set[int]:
        seen = {len(await console.read())}
        while not done.is_set():
            seen.add(len(await console.read()))
        return seen

    async with asyncio.TaskGroup() as group:
        readers = [group.create_task(watch()) for _ in range(3)]
        await asyncio.gather(*(compacted(console) for _ in range(3)))
        done.set()

    assert [reader.result() for reader in readers] == [{200}] * 3
    assert await chunks(console) == 0
    assert len(await console.texts()) == 200


async def test_a_console_of_several_megabytes_is_compacted_in_parts(console):
    """More than fits into one read of chunks comes out whole."""
    line = "x" * 60_000
    for first in range(0, 200, 20):
        await console.append(first, *[line] * 20)
    await console.end()

    assert await compacted(console) == 1

    assert [len(text) for text in await console.texts()] == [60_000] * 200


async def test_strangers_read_nothing(console, strange):
    """Another workspace has no such console."""
    await console.append(0, "secret")

    assert await read(console.engine, strange, console.step_run, limit=10) == []
    assert await store.count(console.engine.database, strange, console.step_run) == 0
    whole = {"start": 0, "end": 10, "most_bytes": 1000}
    assert await store.pieces(console.engine.database, strange, console.step_run, 1, **whole) == []
    assert len(await store.pieces(console.engine.database, console.seen, console.step_run, 1, **whole)) == 1


def _with(worker, **changes):
    fields = {name: getattr(worker, name) for name in worker.__struct_fields__}
    return type(worker)(**(fields | changes))
