import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from room_server import LINK_TOKEN, RoomServer

PROGRAM = """
import asyncio, sys
from pathlib import Path
import msgspec
from controlroom.worker.serve import serve
from controlroom.worker.settings import WorkerSettings
settings = msgspec.json.decode(sys.argv[1], type=WorkerSettings, dec_hook=lambda kind, value: kind(value))
sys.exit(asyncio.run(serve(settings)))
"""


class WorkerProcess:
    """A real worker."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, log: Path) -> None:
        self.process = process
        self.folder = folder
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    async def stop(self) -> int:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            return await self.process.wait()


@asynccontextmanager
async def working(
    room: RoomServer, folder: Path, *, uid: int | None = None, **settings: Any
) -> AsyncIterator[WorkerProcess]:
    """A worker for the room, as another user if asked, until the block ends."""
    values = {"url": room.url, "folder": str(folder), "link_token": LINK_TOKEN, "kill_grace_seconds": 1.0, **settings}
    log = Path(tempfile.mkstemp(prefix="worker-", suffix=".log")[1])
    with log.open("wb") as output:  # noqa: ASYNC230 - a moment
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROGRAM,
            msgspec.json.encode(values).decode(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"},
            user=uid,
            group=uid,
            extra_groups=[] if uid is not None else None,
            start_new_session=True,
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
            log.unlink()  # noqa: ASYNC240 - likewise


@pytest.fixture
async def room() -> AsyncIterator[RoomServer]:
    server = RoomServer()
    await server.start()
    yield server
    await server.stop()
