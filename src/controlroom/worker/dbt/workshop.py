"""What all runs of projects of a worker share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from controlroom.robots.environment_spec import EnvironmentSpec
from controlroom.tasks import cancelled
from controlroom.worker.dbt.kept_files import KeptFiles
from controlroom.worker.dbt.zygotes import DbtZygotes
from controlroom.worker.environments.cache import Lease
from controlroom.worker.places import Places
from controlroom.worker.sandbox import Sandbox
from controlroom.worker.settings import MEGABYTE, WorkerSettings
from controlroom.worker.zygotes import Programs

_DATABASES_SHARE: Final = 4
"""Databases may take a quarter of what environments may."""
_PARSES_BYTES: Final = 512 * MEGABYTE


class Workshop(Struct, frozen=True):
    """The parts that runs of projects need besides those of robots."""

    databases: KeptFiles
    """Versions of databases, and manifests, by content."""
    parses: KeptFiles
    """What dbt keeps of its parses."""
    zygotes: DbtZygotes


@asynccontextmanager
async def workshop(
    settings: WorkerSettings,
    folder: Path,
    sandbox: Sandbox,
    places: Places,
    take_lease: Callable[[EnvironmentSpec | None, str], Awaitable[Lease]],
    programs: Programs,
) -> AsyncIterator[Workshop]:
    """All of it, while the block lasts."""
    zygotes = DbtZygotes(settings, sandbox, places, take_lease, programs)
    keeping = asyncio.create_task(zygotes.keep())
    try:
        yield Workshop(
            databases=KeptFiles(folder / "databases", max_bytes=settings.cache_max_bytes // _DATABASES_SHARE),
            parses=KeptFiles(folder / "parses", max_bytes=_PARSES_BYTES),
            zygotes=zygotes,
        )
    finally:
        await cancelled(keeping)
