"""Work with a caller's input, done aside."""

import asyncio
import os
import signal
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psutil
import pytest

import called_aside as work
from controlroom.aside.pool import Aside, Bounds, TooCostly
from controlroom.aside.turns import Turns
from controlroom.errors import Conflict, Unavailable

BOUNDS = Bounds("the work", seconds=0.3)


def children() -> set[psutil.Process]:
    """Processes of this pool and of others."""
    return {each for each in psutil.Process().children() if "controlroom.aside.child" in each.cmdline()}


@pytest.fixture
async def aside(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(work.__file__).parent))
    monkeypatch.setenv("CONTROLROOM_MASTER_KEY", "what nobody else is to see")
    before = children()
    pool = Aside(processes=2)
    yield pool
    await pool.close()
    assert children() <= before


async def test_what_a_function_takes_and_returns_goes_over_as_it_is(aside):
    """Texts, bytes, times, paths, lists and structs."""
    at = datetime.now(timezone(timedelta(hours=2)))

    found = await aside.call(BOUNDS, work.told, "ä", b"\0\xff", at=at, path=Path("x/y"), numbers=[1, -2])

    assert found == work.Told("ä", b"\0\xff", at, Path("x/y"), [1, -2])
    assert found.at.isoformat() == at.isoformat()


async def test_a_process_is_used_again(aside):
    """One starts at the first call, and serves the next ones."""
    assert aside.resting == []

    first = await aside.call(BOUNDS, work.pid)
    second = await aside.call(BOUNDS, work.pid)

    assert first == second != os.getpid()
    assert aside.resting == [first]


async def test_a_process_of_a_large_server_is_used_again(aside):
    """What the server holds when it starts one is not held against it."""
    held = bytearray(os.urandom(4096)) * (80 << 10)  # 320 MiB, of which every page is in memory

    first = await aside.call(BOUNDS, work.pid)

    assert await aside.call(BOUNDS, work.pid) == first
    assert len(held) > 256 << 20


async def test_a_call_that_does_not_end_is_killed_and_refused(aside):
    """By what it computes; the next call has a process again."""
    with pytest.raises(TooCostly, match=r"the work cannot be taken: .* more than 0\.3 s") as refused:
        await aside.call(BOUNDS, work.never)

    assert refused.value.code == "TOO_COSTLY"
    assert await aside.call(BOUNDS, work.pid)


@pytest.mark.parametrize("function", [work.huge, work.crashes])
async def test_a_call_that_breaks_its_process_is_refused(aside, function):
    """Memory beyond the bounds, or a fault of a library."""
    with pytest.raises(TooCostly):
        await aside.call(BOUNDS, function)

    assert await aside.call(BOUNDS, work.pid)


async def test_a_call_too_deep_is_refused(aside):
    """For the interpreter's stack."""
    with pytest.raises(TooCostly):
        await aside.call(BOUNDS, work.deep, 0)


async def test_a_cancelled_call_is_killed(aside):
    """Whoever asked has gone: nothing goes on for them."""
    calling = asyncio.create_task(aside.call(BOUNDS, work.waits))
    await aside.call(BOUNDS, work.pid)  # the other process: by now the first has started

    calling.cancel()
    await asyncio.wait({calling})

    assert len(aside.resting) == 1


async def test_refusals_come_back_as_what_they_are(aside):
    """Kind, code, message and fields."""
    with pytest.raises(Conflict, match="it is taken") as refused:
        await aside.call(BOUNDS, work.refuses)

    assert (refused.value.code, refused.value.fields) == ("TAKEN", {"by": "ada"})


async def test_a_refusal_that_speaks_of_odd_bytes_shows_them(aside):
    """Names of files and links need not be text; whoever reads why something is refused gets them readable."""
    with pytest.raises(Conflict) as refused:
        await aside.call(BOUNDS, work.refuses_odd_bytes)

    assert refused.value.message == r"\udcff is taken"
    assert refused.value.fields == {"names": [r"\udcff", 1], "by": {r"\ud800": "x"}}


async def test_a_bug_is_told_as_one(aside):
    """With where it happened."""
    with pytest.raises(RuntimeError, match=r"called_aside\.py(.|\n)*KeyError: 'a bug'"):
        await aside.call(BOUNDS, work.broken)


async def test_a_process_knows_nothing_of_the_room(aside, tmp_path):
    """Neither the environment nor the files of the server."""
    assert "CONTROLROOM_MASTER_KEY" not in await aside.call(BOUNDS, work.environment)
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003 - the system's signature
        assert file.name not in await aside.call(BOUNDS, work.files)


async def test_a_process_that_died_at_rest_is_replaced(aside):
    """Nobody is refused for it."""
    first = await aside.call(BOUNDS, work.pid)
    os.kill(first, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(first)], timeout=60)

    assert await aside.call(BOUNDS, work.pid) != first


async def test_a_process_ends_when_it_has_rested(monkeypatch):
    """And is started again when it is wanted."""
    monkeypatch.setenv("PYTHONPATH", str(Path(work.__file__).parent))
    pool = Aside(idle_seconds=0.0)
    first = psutil.Process(await pool.call(BOUNDS, work.pid))

    gone, _ = await asyncio.to_thread(psutil.wait_procs, [first], timeout=60)

    assert gone
    assert pool.resting == []
    assert await pool.call(BOUNDS, work.pid) != first.pid
    await pool.close()


async def test_a_process_ends_with_its_server(aside):
    """When the server is gone, its socket is."""
    found = psutil.Process(await aside.call(BOUNDS, work.pid))

    await aside.close()

    assert not found.is_running()


async def test_askers_take_turns():
    """One who asks often does not make the others wait for all of it."""
    turns, order = Turns(1, 10), []
    await turns.take("ada", seconds=60)

    async def ask(who: str) -> None:
        await turns.take(who, seconds=60)
        order.append(who)
        turns.give()

    asking = [asyncio.create_task(ask(who)) for who in ("cleo", "cleo", "cleo", "ben")]
    await asyncio.sleep(0)
    turns.give()
    await asyncio.gather(*asking)

    assert order == ["cleo", "ben", "cleo", "cleo"]


async def test_too_many_who_wait_are_sent_away():
    """At once, and those who have waited too long; a turn is never lost by it."""
    turns = Turns(1, 1)
    await turns.take("ada", seconds=60)
    waiting = asyncio.create_task(turns.take("ben", seconds=0.05))
    await asyncio.sleep(0)

    with pytest.raises(Unavailable):
        await turns.take("cleo", seconds=60)
    with pytest.raises(Unavailable) as late:
        await waiting

    assert late.value.code == "BUSY"
    turns.give()
    await turns.take("cleo", seconds=60)
