"""Locks between processes."""

import asyncio
import subprocess
import sys

from controlroom.worker.environments.locks import FileLock


def test_shared_locks_keep_out_exclusive_ones(tmp_path):
    """Any number share; one alone has it exclusively."""
    path = tmp_path / "lock"
    first = FileLock.try_take(path, exclusive=False)
    second = FileLock.try_take(path, exclusive=False)
    assert first
    assert second
    assert FileLock.try_take(path, exclusive=True) is None
    first.release()
    second.release()
    alone = FileLock.try_take(path, exclusive=True)
    assert alone
    assert FileLock.try_take(path, exclusive=False) is None


async def test_waiting_is_told_once_and_ends_with_the_holder(tmp_path):
    """Whoever waits says so once, and has the lock as soon as it is free."""
    path = tmp_path / "lock"
    held = FileLock.try_take(path, exclusive=True)
    waiting = asyncio.Event()
    told = []

    def tell():
        told.append(True)
        waiting.set()

    task = asyncio.create_task(FileLock.take(path, exclusive=True, waiting=tell))
    await waiting.wait()
    held.release()
    (await task).release()
    assert told == [True]


async def test_removed_lock_file_locks_nobody_out(tmp_path):
    """Who waited on a file that was removed takes the new one, so that two never believe to be alone."""
    path = tmp_path / "lock"
    held = FileLock.try_take(path, exclusive=True)
    waiting = asyncio.Event()
    task = asyncio.create_task(FileLock.take(path, exclusive=True, waiting=waiting.set))
    await waiting.wait()
    held.remove()
    lock = await task
    assert path.exists()
    assert FileLock.try_take(path, exclusive=True) is None
    lock.release()


def test_lock_dies_with_its_process(tmp_path):
    """A killed holder holds nothing."""
    path = tmp_path / "lock"
    program = (
        "import sys, time; from pathlib import Path; from controlroom.worker.environments.locks import FileLock\n"
        "lock = FileLock.try_take(Path(sys.argv[1]), exclusive=True); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        assert FileLock.try_take(path, exclusive=True) is None
        holder.kill()
        holder.wait()
    assert FileLock.try_take(path, exclusive=True) is not None
