"""Ten thousand schedules that are due in the same second: until all of them have started their runs.

CONTROLROOM_BENCH_SCHEDULES (10,000) makes it shorter. All but one are put straight into the table; the room does the
rest.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.bench_work_items import private_dsn
from tests.bench.figures import Figure, show
from tests.rooms import Room, room

SCHEDULES = int(os.environ.get("CONTROLROOM_BENCH_SCHEDULES", "10000"))
PATIENCE = 300.0


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--no-worker") as here:
        workspace = Workspace(here)
        process = workspace.process(robots.plain_script(Path(name), "scheduled", ""))
        due = datetime.now(UTC) + timedelta(seconds=20)
        first = workspace.post(
            "/schedules",
            {
                "name": "at once",
                "process": {"id": process},
                "rule": {"type": "once", "at": due.replace(tzinfo=None).isoformat()},
                "time_zone": "UTC",
            },
        )["id"]
        states, seconds = asyncio.run(started(here, first, due, SCHEDULES))
        began = time.perf_counter()
        for _ in range(300):
            workspace.start(process)
        by_hand = 300 / (time.perf_counter() - began)
        yield Figure(
            f"{SCHEDULES:,} schedules due in one second → all have started a run",
            f"{seconds:.0f} s, {SCHEDULES / seconds:,.0f} a second; {states}",
            "≤ 60 s",
            f"the same start over the API, one caller: {by_hand:,.0f} a second",
        )


async def started(here: Room, first: str, due: datetime, schedules: int) -> tuple[str, float]:
    """Copy the schedule, and wait until all are decided: what became of them, and how long after they were due."""
    connection = await asyncpg.connect(await asyncio.to_thread(private_dsn, here))
    await connection.execute(
        """
        insert into schedule (id, workspace_id, process_id, name, rule, zone, starts_at, missed, grace, overlap, inputs,
                              next_due)
        select gen_random_uuid(), workspace_id, process_id, name, rule, zone, starts_at, missed, grace, overlap, inputs,
               next_due
          from schedule, generate_series(2, $2::int) where id = $1
        """,
        first,
        schedules,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while await connection.fetchval("select count(*) from schedule_occurrence") < schedules:
                await asyncio.sleep(0.1)
    except TimeoutError:
        pass
    seconds = (datetime.now(UTC) - due).total_seconds()
    states = await connection.fetch("select state, count(*) from schedule_occurrence group by state order by state")
    await connection.close()
    return ", ".join(f"{each['count']:,} {each['state']}" for each in states), seconds


if __name__ == "__main__":
    show(main())
