"""A room that works for hours is in the end as it was in the beginning.

`make soak` takes two hours, with `CONTROLROOM_SOAK_MINUTES=5` five minutes. Every figure is printed with its bound.
"""

import asyncio
import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from tests.rooms import room, until
from tests.soak.gauges import Watched, gauges
from tests.soak.load import Guest, Load, told

from controlroom.postgres.embedded import EmbeddedPostgres

pytestmark = [pytest.mark.soak, pytest.mark.timeout(86_400)]

MINUTES = float(os.environ.get("CONTROLROOM_SOAK_MINUTES", "120"))
READINGS = 60
"""Readings, whatever the duration: enough for medians, few enough not to be a load themselves."""
RESTARTS = 60.0
"""Seconds between two restarts of the second worker."""


@pytest.fixture
def folder():
    """A folder for the room, with one for temporary files in which nobody else has any."""
    made = Path(tempfile.mkdtemp(prefix="controlroom-soak-"))
    (made / "tmp").mkdir()
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_nothing_grows_under_steady_load(folder):
    """Runs, items, webhooks, readers and restarts of a worker, and memory, files, sessions and tables stay bounded."""
    watched = gauges()
    variables = {"TMPDIR": str(folder / "tmp"), "CONTROLROOM_OUTGOING_ALLOW": "127.0.0.1"}
    with room("--slots", "2", data=folder / "room", **variables) as running:
        load, guest = Load(running), Guest(running, folder)
        dsn = asyncio.run(EmbeddedPostgres.start(running.data / "postgres")).dsn
        place = Watched(running, dsn, folder / "tmp")
        with told(load) as endpoint:
            began = time.monotonic()
            try:
                load.prepare(endpoint)
                load.begin(load.short_run, load.short_run, load.queue_run)
                load.begin(load.look_around, every=1)
                load.begin(guest.restart, every=RESTARTS)
                while not load.over.wait(MINUTES * 60 / READINGS) and time.monotonic() - began < MINUTES * 60:
                    place.read(watched)
                load.finish()
            finally:
                load.over.set()
                guest.end(kill=True)
            load.check()
            runs = load.ended.total()
            until(lambda: len(load.told) == runs, "every end of a run was told", seconds=60)

    seconds = time.monotonic() - began
    print(
        f"\n{runs:,} runs ({', '.join(f'{count:,} {name}' for name, count in sorted(load.ended.items()))}) "
        f"in {seconds / 60:.1f} minutes, {load.lines:,} lines read, {load.told.total():,} messages, "
        f"{guest.restarts} restarts of a worker"
    )
    print("\n".join(map(str, watched.values())))
    assert [fault for gauge in watched.values() if (fault := gauge.fault)] == []
