"""A robot's processes, from the first to the last of its tree."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import structlog

log = structlog.get_logger(__name__)

_KILL_PATIENCE_SECONDS = 5.0
_STOP_PATIENCE_SECONDS = 0.1
_DEAD = frozenset({"Z", "X", ""})
_AT_REST = _DEAD | {"T", "t"}
"""What a process is that starts nothing: stopped, traced, dead or gone."""
_MOST_LOOKS = 200


class ProcessTree:
    """A program in its enclosure with everything that it starts.

    The enclosure ends when the program does and takes the rest of the tree with it; killing it does the same.
    Neither leaving the process group, nor forking twice, nor ignoring signals helps against it.
    """

    def __init__(self, pid: int, *, layers: int, reap: Callable[[], int], has_keeper: bool = False) -> None:
        """The tree below an enclosure's process, which nobody has reaped yet.

        `reap` does, and tells the program's exit code; -n if signal n ended the enclosure itself.
        """
        self.pid = pid
        """The process id of the enclosure."""
        self._layers = layers
        self._reap = reap
        self._has_keeper = has_keeper
        self._program = 0
        """The process id of the program, as soon as it was seen."""
        self._is_ordered_to_end = False
        self.was_lost = False
        """Whether somebody else than we, or the robot, killed the enclosure, and with it a program that had not ended.

        Of a keeper it is not said: what runs below it without a sandbox may kill it.
        """
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._watch()

    @classmethod
    def start(
        cls,
        argv: Sequence[str],
        variables: Mapping[str, str],
        *,
        layers: int,
        cwd: Path,
        stdout: int,
        stderr: int,
        passed: Sequence[int] = (),
        umask: int = -1,
    ) -> "ProcessTree":
        """Start a program. Call it in a thread that lives as long as the worker.

        When the thread ends that started it, the kernel ends the robot (`PR_SET_PDEATHSIG`).
        """
        process = subprocess.Popen(  # noqa: S603 - what a robot starts is its author's business, inside the enclosure
            argv,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=variables,
            cwd=cwd,
            pass_fds=passed,
            umask=umask,
            start_new_session=True,
        )
        return cls(process.pid, layers=layers, reap=process.wait, has_keeper=layers == 1)

    @property
    def has_ended(self) -> bool:
        """Whether the program has ended."""
        return self._ended.done()

    async def wait(self) -> int:
        """The exit code; 128 + n if signal n ended the program. May be cancelled and asked again."""
        return await asyncio.shield(self._ended)

    def when_ended(self, call: Callable[[], None]) -> None:
        """Call this once when the program has ended."""
        self._ended.add_done_callback(lambda _: call())

    def pause(self) -> None:
        """Stop every process of the tree."""
        stopped: set[int] = set()
        for _ in range(_MOST_LOOKS):  # until one finds nothing new: a process may fork while we go through them
            fresh = set(self._robot_processes()) - stopped
            if not fresh:
                return
            for pid in fresh:
                _signal(pid, signal.SIGSTOP)
            stopped |= fresh
        log.warning("a robot forks faster than it can be paused", pid=self.pid)

    def resume(self) -> None:
        """Let a paused tree go on."""
        for pid in reversed(self._robot_processes()):
            _signal(pid, signal.SIGCONT)

    async def interrupt(self, patience: float) -> bool:
        """Ask the tree to end by SIGINT, as Ctrl-C does; whether the program has ended within the patience."""
        for pid in self._robot_processes():
            _signal(pid, signal.SIGINT)
            _signal(pid, signal.SIGCONT)
        return await self._ends_within(patience)

    async def terminate(self, grace: float) -> int:
        """End the tree: SIGTERM to all, SIGKILL to what is left when the program has ended or the grace is over."""
        for pid in self._robot_processes():
            _signal(pid, signal.SIGTERM)
            _signal(pid, signal.SIGCONT)
        await self._ends_within(grace)
        return await self.kill()

    async def kill(self) -> int:
        """End the tree now. Returns in any case: what the kernel does not let go of can't run any more."""
        if not self._ended.done():
            self._is_ordered_to_end = True
            if self._has_keeper and not self.is_held_up:
                _signal(self.pid, signal.SIGTERM)  # the keeper kills its tree when it is told to
            else:
                _kill_enclosure(self.pid)
            if not await self._ends_within(_KILL_PATIENCE_SECONDS):
                _kill_enclosure(self.pid)
            if not await self._ends_within(_KILL_PATIENCE_SECONDS):
                log.error("a killed robot does not go", pid=self.pid, state=_state(self.pid))
                self._give_up()
        return await self.wait()

    async def _ends_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._ended)
        return self._ended.done()

    @property
    def is_held_up(self) -> bool:
        """Whether something keeps the enclosure from its work, which is to see the end of the program.

        That is a robot that has stopped it or traces it, where it can, or a program that has ended unseen. Ask twice:
        between its end and the enclosure's lies a moment.
        """
        layer = [self.pid]
        for _ in range(self._layers):
            if any(_is_halted(pid) for pid in layer):
                return True
            layer = [child for pid in layer for child in _children(pid)]
        self._program = self._program or next(iter(layer), 0)
        return self._program != 0 and _state(self._program) in _DEAD

    def memory_bytes(self) -> int:
        """What the tree holds of memory, its share of common pages counted once."""
        return sum(map(_memory, self._robot_processes()))

    def _robot_processes(self) -> list[int]:
        """All processes of the tree but those of the enclosure."""
        layer = [self.pid]
        for _ in range(self._layers):
            layer = [child for pid in layer for child in _children(pid)]
        return [process for pid in layer for process in (pid, *_descendants(pid))]

    def _watch(self) -> None:
        self._descriptor = os.pidfd_open(self.pid)

        def ended() -> None:
            self._forget()
            code = self._reap()
            self.was_lost = code < 0 and not self._is_ordered_to_end and not self._has_keeper
            self._ended.set_result(code if code >= 0 else 128 - code)

        asyncio.get_running_loop().add_reader(self._descriptor, ended)

    def _give_up(self) -> None:
        if not self._ended.done():
            self._forget()
            self._ended.set_result(128 + signal.SIGKILL)

    def _forget(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def end_leftovers(runs: Path) -> None:
    """End what an earlier worker's death left of its robots' enclosures. Only for the holder of the folder's lock.

    Why anything is left: bubblewrap's inner process waits for its outer one before it asks to die with it, and a worker
    that is killed in that moment leaves it waiting for ever (before the robot's first instruction).
    """
    below = f"{runs}/"
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or [""]
        if words[0].endswith("bwrap") and any(word.startswith(below) for word in words):
            _signal(process.pid, signal.SIGKILL)


def _kill_enclosure(pid: int) -> None:
    """Kill bubblewrap and all below it: not only the outer process, for the reason that `end_leftovers` gives."""
    _signal(pid, signal.SIGSTOP)  # so that it starts nothing while we look
    _await_stop(pid)
    for doomed in (pid, *_descendants(pid)):
        _signal(doomed, signal.SIGKILL)


def _await_stop(pid: int) -> None:
    """Wait until a stopped process has left what it was doing: a fork that has begun goes on, and has no child yet."""
    deadline = time.monotonic() + _STOP_PATIENCE_SECONDS
    while _state(pid) not in _AT_REST and time.monotonic() < deadline:
        time.sleep(0.0002)


def _is_halted(pid: int) -> bool:
    """Whether a process is stopped or traced. A tracer may let it run from time to time: it is told apart by name."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:  # noqa: PTH123 - asked for often
            lines = dict(line.split(b":", 1) for line in file.read().splitlines() if b":" in line)
    except OSError:
        return False
    return int(lines.get(b"TracerPid", b"0")) != 0 or lines.get(b"State", b"").strip()[:1] in {b"T", b"t"}


def _state(pid: int) -> str:
    """The kernel's letter for what a process does; empty if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - asked for often
            return file.read().rpartition(b") ")[2][:1].decode()
    except OSError:
        return ""


def _descendants(pid: int) -> list[int]:
    found = _children(pid)
    for child in found:
        found += _children(child)
    return found


def _children(pid: int) -> list[int]:
    """The processes that this one has started, or was given by the kernel; none if it is gone.

    Why not by psutil: it reads the whole of /proc for it, which takes milliseconds on a busy machine.
    """
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - asked for often
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as children:  # noqa: PTH123 - likewise
                found += map(int, children.read().split())
    except FileNotFoundError:
        if Path(f"/proc/{pid}").exists():  # a kernel without these files
            with suppress(psutil.Error):
                return [child.pid for child in psutil.Process(pid).children()]
    except (ProcessLookupError, PermissionError):
        pass
    return found


def _memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as rollup:  # noqa: PTH123 - read for every spare again and again
            for line in rollup:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
