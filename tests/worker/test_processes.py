"""The enclosure of a robot ends whole, whenever it is ended."""

import asyncio
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from sandboxes import needs_sandbox, of_this_machine

from controlroom.protocol import SandboxKind
from controlroom.worker.processes import ProcessTree, end_leftovers
from controlroom.worker.sandbox import Sandbox, View, system_plan

pytestmark = needs_sandbox


@pytest.fixture
def wrapped(tmp_path):
    """`sleep` in a sandbox, with a working folder by which its processes are found."""
    sandbox = Sandbox(kind=SandboxKind.BWRAP, bwrap=of_this_machine().bwrap, system=system_plan())
    work = tmp_path / "runs" / "1" / "work"
    work.mkdir(parents=True)
    view = View(folder=work, working_folder=work)
    return sandbox.wrap(["/usr/bin/sleep", "600"], {}, view=view, user=None)


def enclosures(tmp_path) -> list[psutil.Process]:
    """What is alive of the test's own."""
    mark = f"{tmp_path}/"
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(word.startswith(mark) for word in words):
            found.append(process)
    return found


async def none_left(tmp_path) -> bool:
    async with asyncio.timeout(60):
        while enclosures(tmp_path):
            await asyncio.sleep(0.01)
    return True


@pytest.mark.parametrize("milliseconds", range(12))
async def test_a_tree_that_is_killed_while_it_starts(tmp_path, wrapped, milliseconds):
    """At no moment of its start does a killed enclosure leave a process behind."""
    tree = ProcessTree.start(wrapped.argv, wrapped.variables, layers=2, cwd=Path("/"), stdout=1, stderr=2)
    await asyncio.sleep(milliseconds / 2000)

    await tree.kill()

    assert await none_left(tmp_path)


async def test_what_a_killed_worker_left_is_ended_at_the_next_start(tmp_path, wrapped):
    """Enclosures in the worker's folder that no worker holds any more are ended."""
    outer = subprocess.Popen(wrapped.argv, env=wrapped.variables)
    try:
        async with asyncio.timeout(60):
            while len(enclosures(tmp_path)) < 2:
                await asyncio.sleep(0.01)

        end_leftovers(tmp_path / "runs")

        assert await none_left(tmp_path)
    finally:
        outer.send_signal(signal.SIGKILL)
        outer.wait()
