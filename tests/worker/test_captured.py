"""Programs that are read to their end and never outlive the block that started them."""

import asyncio
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from controlroom.worker import captured as module
from controlroom.worker import orphans
from controlroom.worker.captured import captured
from controlroom.worker.environments import build_place

OPEN = Path("/proc/self/fd")
ESCAPE = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("away", file=sys.stderr, flush=True)
        os.execvp("sleep", ["sleep", MARK])
    os._exit(0)
os.wait()
"""
"""A program that leaves its session with both of its pipes open."""


@pytest.fixture
def mark() -> str:
    """A number of seconds to sleep by which a test finds its own processes."""
    return f"{600 + os.getpid() / 10_000_000 + time.time() % 1 / 1000:.10f}"


def escaping(mark: str, then: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", ESCAPE.replace("MARK", repr(mark)) + then]


async def none_sleeps(mark: str) -> bool:
    async with asyncio.timeout(60):
        while any(process.info["cmdline"] == ["sleep", mark] for process in psutil.process_iter(["cmdline"])):
            await asyncio.sleep(0.01)
    return True


def kept(argv: list[str]) -> list[str]:
    return orphans.command(argv, uid=None, is_alone=False)


async def test_all_is_read_and_the_exit_code_told(tmp_path):
    """More than pipes hold, on both streams; a signal is told as a shell tells it."""
    code = "import os, sys; sys.stdout.write('o' * 300_000); sys.stderr.write('e' * 300_000); sys.exit(7)"
    async with captured(kept([sys.executable, "-c", code]), {}, layers=1, cwd=tmp_path) as program:
        assert await program.communicate() == (7, b"o" * 300_000, b"e" * 300_000)
    killed = "import os; os.kill(os.getpid(), 9)"
    async with captured(kept([sys.executable, "-c", killed]), {}, layers=1, cwd=tmp_path) as program:
        assert await program.communicate() == (137, b"", b"")


async def test_what_has_left_its_session_goes_when_the_block_is_left(tmp_path, mark):
    """Whether the program has ended by itself or is ended."""
    async with captured(kept(escaping(mark, "")), dict(os.environ), layers=1, cwd=tmp_path) as program:
        code, _, complained = await program.communicate()
    assert (code, complained) == (0, b"away\n")
    assert await none_sleeps(mark)

    async with captured(kept(escaping(mark, "time.sleep(600)")), dict(os.environ), layers=1, cwd=tmp_path) as program:
        assert await program.stderr.readline() == b"away\n"
    assert await none_sleeps(mark)


async def test_nobody_waits_for_pipes_that_somebody_else_holds(tmp_path, mark, monkeypatch):
    """Neither at the program's end nor when it is ended, though nothing ended him who escaped."""
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.1)
    for then in ("", "time.sleep(600)"):
        async with (
            asyncio.timeout(60),
            captured(escaping(mark, then), dict(os.environ), layers=0, cwd=tmp_path) as program,
        ):
            if then:
                assert await program.stderr.readline() == b"away\n"
            else:
                assert await program.communicate() == (0, b"", b"away\n")
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] == ["sleep", mark]:
            process.kill()
    assert await none_sleeps(mark)


async def test_a_program_that_is_not_there(tmp_path):
    """It is an error of the system, and no pipe is left open."""
    before = len(list(OPEN.iterdir()))
    with pytest.raises(FileNotFoundError):
        async with captured(["/nowhere/at/all"], {}, layers=0, cwd=tmp_path):
            pass
    await asyncio.sleep(0)  # transports close in the next turn
    assert len(list(OPEN.iterdir())) == before


async def test_a_build_command_that_is_given_up_leaves_nothing(tmp_path, mark):
    """Not even what it has started in a session of its own."""
    seen = asyncio.Event()
    place = build_place.furnish(
        tmp_path,
        own=os.environ,
        enclosure=None,
        run_as=None,
        readable=(),
        offered=tmp_path,
        progress=lambda _: seen.set(),
    )
    running = asyncio.create_task(place.run(escaping(mark, "time.sleep(600)")))
    await seen.wait()

    running.cancel()
    async with asyncio.timeout(60):
        await asyncio.gather(running, return_exceptions=True)

    assert running.cancelled()
    assert await none_sleeps(mark)
