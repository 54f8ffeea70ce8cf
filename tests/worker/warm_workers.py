"""Workers as processes that do not begin by importing: forks of a warm interpreter.

Most tests of the worker start one, and what it imports was nearly half of the processor time of such a test. A line of
the standard input asks for a worker; the answers are a line with its process id and, when it has ended, one with its
exit code. Then the next may be asked for.
"""

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import msgspec

from controlroom.worker.settings import WorkerSettings


class WarmWorker:
    """A worker that is such a fork, as asyncio's processes are."""

    _resting: list[asyncio.subprocess.Process] = []  # noqa: RUF012 - of all: whoever has ended bears another one
    _ended: asyncio.Task[int]

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    @classmethod
    async def start(cls, settings: str, *, environment: Mapping[str, str], log: str) -> "WarmWorker":
        """Start one with these settings, whose output goes to the end of a file."""
        if cls._resting:
            mother = cls._resting.pop()
        else:
            words = [sys.executable, __file__]
            pipe = asyncio.subprocess.PIPE
            mother = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, cwd=Path(__file__).parent)
        assert mother.stdin is not None
        assert mother.stdout is not None
        asked = {"settings": settings, "environment": dict(environment), "log": log}
        mother.stdin.write(json.dumps(asked).encode() + b"\n")
        worker = cls(int(await mother.stdout.readline()))
        worker._ended = asyncio.create_task(worker._wait(mother, mother.stdout))
        return worker

    async def _wait(self, mother: asyncio.subprocess.Process, answers: asyncio.StreamReader) -> int:
        self.returncode = int(await answers.readline())
        self._resting.append(mother)
        return self.returncode

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _bear() -> None:
    """Fork workers, one after the other."""
    from controlroom.worker.serve import serve  # noqa: PLC0415 - the tests themselves need none of it

    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _become(asked, serve)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(asked: Mapping[str, Any], serve: Callable[[WorkerSettings], Coroutine[Any, Any, int]]) -> None:
    """Be the worker, and end."""
    code: object = 1
    try:
        os.setsid()
        os.chdir("/")
        nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(asked["log"], os.O_WRONLY | os.O_APPEND)
        for number, there in ((0, nothing), (1, log), (2, log)):
            os.dup2(there, number)
        os.close(nothing)
        os.close(log)
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - they stay open
        kind = WorkerSettings
        told = msgspec.json.decode(asked["settings"], type=kind, dec_hook=lambda to, value: to(value))
        code = asyncio.run(serve(told))
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - the edge of a process: what an interpreter does with what nobody caught
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _bear()
