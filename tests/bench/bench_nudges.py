"""Live pages: what 100 streams of 200 topics each cost the server, while much happens and while nothing does.

The streams are those of one process of a server, called as functions; what happens is recorded as the engine does it,
in bursts of 500 events about 200 runs. A figure is the processor time of that process alone, with all else it does.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.bench_console_pages import Browser
from tests.bench.crowded import opened
from tests.bench.figures import Figure, milliseconds, show

from controlroom.engine.access.model import system
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Of, scoped
from controlroom.ids import uuid7
from controlroom.postgres.embedded import EmbeddedPostgres
from controlroom.ui.live import streams

TABS: Final = 100
TOPICS: Final = 200
BURSTS: Final = 30
EVENTS: Final = 500


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name:
        yield from asyncio.run(_figures(Path(name)))


async def _figures(folder: Path) -> list[Figure]:
    streams.MOST = TABS  # one user has them all here
    postgres = await EmbeddedPostgres.start(folder / "postgres")
    try:
        async with opened(folder, postgres.dsn) as room:
            browser = Browser(room)
            await browser.log_in()
            runs = [uuid7() for _ in range(TOPICS)]
            heard = [0]
            topics = ",".join(f"run-{each}" for each in runs)
            open_ones = [asyncio.create_task(browser.listen(topics, heard)) for _ in range(TABS)]
            await asyncio.sleep(5)
            alone, seconds = time.process_time(), 20.0
            await asyncio.sleep(seconds)
            idle = (time.process_time() - alone) / seconds
            began, worked, before = time.monotonic(), time.process_time(), heard[0]
            async for _ in _happens(room, runs):
                pass
            await asyncio.sleep(1)
            took, cost = time.monotonic() - began, time.process_time() - worked
            nudges = heard[0] - before
            for each in open_ones:
                each.cancel()
            await asyncio.gather(*open_ones, return_exceptions=True)
            return [
                Figure(f"{TABS} live streams of {TOPICS} topics, nothing happens", f"{idle:.1%} of a core", "≤ 15 %"),
                Figure(
                    f"the same, {BURSTS} bursts of {EVENTS} events: a nudge of one stream, with all its topics",
                    milliseconds((cost - idle * took) / max(1, nudges)),
                    "≤ 1 ms",
                    f"{nudges:,} nudges in {took:.0f} s, {cost / took:.0%} of a core in all, recording among it",
                ),
            ]
    finally:
        await postgres.stop()


async def _happens(room: Any, runs: list[Any]) -> AsyncIterator[None]:
    place = Of(room.organization, (room.workspace,))
    for burst in range(BURSTS):
        async with scoped(room.room.engine.database, room.organization) as tx:
            for number in range(EVENTS):
                run = runs[(burst + number) % len(runs)]
                await record(room.room.engine, tx, system(room.organization), place, "run.started", run_id=run)
        yield
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    show(main())
