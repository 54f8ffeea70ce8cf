"""A room and a worker with dbt, shared by the tests of a module: an environment is built once a session."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from real_worker import WorkerProcess, working
from room_server import Attempt, RoomServer

from controlroom.project_plans import FileRef
from controlroom.protocol import DatabaseFile, Finish


class DbtRoom:
    """A room whose worker runs projects."""

    patience = 170.0
    """Seconds for a run."""

    def __init__(self, room: RoomServer, worker: WorkerProcess, environments: Path) -> None:
        self.room = room
        self.worker = worker
        self.environments = environments

    async def run(self, files: dict[str, str], plan: Any, *sources: Any, **fields: Any) -> "Ran":
        """Run a project by a plan."""
        attempt = await self.room.assign_project(self.room.add_package(files), plan, *sources, **fields)
        return Ran(attempt, await self.room.finished(attempt, self.patience))

    def file(self, name: str, content: bytes) -> FileRef:
        """A file that a plan may name."""
        key = hashlib.sha256(content).hexdigest()
        self.room.packages[key] = content
        return FileRef(name, key, len(content))

    def database(self, content: bytes | None, most: int = 1 << 30) -> DatabaseFile:
        """The current version of a database."""
        file = None if content is None else self.file("shop.duckdb", content)
        return DatabaseFile(
            connection=7, name="shop.duckdb", hash=file and file.hash, size=file.size if file else 0, most_bytes=most
        )


class Ran:
    """A run that has ended."""

    def __init__(self, attempt: Attempt, finish: Finish) -> None:
        self.attempt = attempt
        self.finish = finish

    @property
    def states(self) -> list[str]:
        """How its phases stand."""
        return [phase.state.value for _, phase in sorted(self.attempt.phases.items())]

    def console(self, position: int) -> str:
        """What a phase has printed."""
        phase = self.attempt.phases[position]
        lines = [] if phase.last_line is None else self.attempt.text[phase.first_line : phase.last_line + 1]
        return "\n".join(lines)

    def names(self, position: int) -> set[str]:
        """The names of a phase's artifacts."""
        return {name for phase, name in self.attempt.of_phases if phase == position}

    def json(self, position: int, name: str) -> Any:
        """A phase's artifact."""
        return json.loads(self.attempt.of_phases[position, name])


@asynccontextmanager
async def dbt_room(folder: Path, environments: Path, **settings: Any) -> AsyncIterator[DbtRoom]:
    """A room with its worker until the block ends."""
    room = RoomServer()
    await room.start()
    try:
        async with working(room, folder, environments=str(environments), **settings) as worker:
            yield DbtRoom(room, worker, environments)
    finally:
        await room.stop()
