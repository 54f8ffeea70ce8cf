"""Real workers as processes, for the worker's tests."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from room_server import LINK_TOKEN, RoomServer
from warm_workers import WarmWorker

from controlroom.worker.environments.build_place import remove_tree
from controlroom.worker.setup import home_elsewhere

PROGRAM = """
import asyncio, sys
import msgspec
from controlroom.worker.serve import serve
from controlroom.worker.settings import WorkerSettings
settings = msgspec.json.decode(sys.argv[1], type=WorkerSettings, dec_hook=lambda kind, value: kind(value))
sys.exit(asyncio.run(serve(settings)))
"""


class WorkerProcess:
    """A real worker."""

    def __init__(self, process: asyncio.subprocess.Process | WarmWorker, folder: Path, log: Path) -> None:
        self.process = process
        self.folder = folder
        self._log = log

    @property
    def runs(self) -> Path:
        """Where its robots' folders are: elsewhere where no sandbox brings them there and their users can't go."""
        elsewhere = home_elsewhere(self.folder.resolve())
        return (elsewhere if elsewhere.exists() else self.folder) / "runs"

    @property
    def log(self) -> str:
        return self._log.read_text()

    @asynccontextmanager
    async def logged(self, text: str, *, last: bool = False) -> AsyncIterator[str]:
        """Wait until a line with this text was logged (`last`: after now), and give it."""
        seen = len(self.log) if last else 0
        async with asyncio.timeout(30):
            while not (lines := [line for line in self.log[seen:].splitlines() if text in line]):
                await asyncio.sleep(0.02)  # a file has no event
        yield lines[-1]

    async def stop(self) -> int:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            return await self.process.wait()


@asynccontextmanager
async def working(
    room: RoomServer,
    folder: Path,
    *,
    uid: int | None = None,
    python: Sequence[str] = (sys.executable,),
    path: str = os.environ["PATH"],
    **settings: Any,
) -> AsyncIterator[WorkerProcess]:
    """A worker for the room until the block ends; if asked, of another user, interpreter or PATH."""
    values = {"url": room.url, "folder": str(folder), "link_token": LINK_TOKEN, "kill_grace_seconds": 1.0, **settings}
    log = Path(tempfile.mkstemp(prefix="worker-", suffix=".log")[1])
    told = msgspec.json.encode(values).decode()
    environment = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    process: asyncio.subprocess.Process | WarmWorker
    if uid is None and python == (sys.executable,):
        process = await WarmWorker.start(told, environment=environment, log=str(log))
    else:
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *python,
                "-c",
                PROGRAM,
                told,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                user=uid,
                group=uid,
                extra_groups=[] if uid is not None else None,
                start_new_session=True,
                cwd="/",
            )
    worker = WorkerProcess(process, folder, log)
    try:
        yield worker
    finally:
        try:
            await worker.stop()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            print(worker.log[-20_000:])  # pytest shows it beside a failure, of which it is often the only witness
            log.unlink()
            if (elsewhere := home_elsewhere(folder.resolve())).exists():
                remove_tree(elsewhere)  # environments are closed even against their owner
