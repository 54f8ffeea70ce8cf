"""What is watched while a room works for hours, and how far it may grow."""

import asyncio
import statistics
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from tests.rooms import Room

MEGABYTE = 1024 * 1024

_DATABASE = """
with told as (
    select pg_class.oid, relname, pg_relation_size(pg_class.oid) as bytes, n_live_tup as rows,
           (select coalesce(sum(avg_width), 0) from pg_stats
             where schemaname = 'public' and tablename = relname) as width
      from pg_class join pg_stat_user_tables using (relname)
     where relkind = 'r' and relnamespace = 'public'::regnamespace
)
select (select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()),
       (select array_agg(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()),
       (select coalesce(sum(temp_files), 0)::bigint from pg_stat_database),
       (select sum(greatest(bytes - 2 * rows * (width + 32), 0))::float8 from told)
"""
# 32: a row's header and its pointer in the page. Twice: a table that turns over is never packed.


@dataclass
class Gauge:
    """A figure of the room: `most` at any time, and `growth` from the first quarter after the warm-up to the last."""

    name: str
    unit: str
    growth: float
    most: float
    readings: list[float] = field(default_factory=list)

    def quarters(self) -> tuple[float, float]:
        """The medians of the first and of the last quarter of the readings, the first fifth left out as warm-up."""
        steady = self.readings[len(self.readings) // 5 :]
        quarter = max(1, len(steady) // 4)
        return statistics.median(steady[:quarter]), statistics.median(steady[-quarter:])

    @property
    def fault(self) -> str | None:
        """What is wrong with it."""
        first, last = self.quarters()
        if last - first > self.growth:
            return f"{self.name} grew from {first:.1f} to {last:.1f} {self.unit}, by more than {self.growth:g}"
        if (peak := max(self.readings)) > self.most:
            return f"{self.name} was {peak:.1f} {self.unit} once, more than {self.most:g}"
        return None

    def __str__(self) -> str:
        first, last = self.quarters()
        shown = f"{first:8.1f} → {last:8.1f}, at most {max(self.readings):8.1f} {self.unit:<3}"
        return f"{self.name:<34} {shown} (may grow by {self.growth:g}, to {self.most:g})"


def gauges() -> dict[str, Gauge]:
    """Everything that is watched, with bounds that hold for any duration: what is steady does not grow."""
    return {
        gauge.name: gauge
        for gauge in (
            Gauge("server's memory", "MB", growth=20, most=300),
            Gauge("worker's memory", "MB", growth=10, most=200),
            Gauge("supervisor's memory", "MB", growth=5, most=100),
            Gauge("memory of database sessions", "MB", growth=30, most=300),
            Gauge("database sessions", "", growth=4, most=24),
            Gauge("server's open files", "", growth=8, most=200),
            Gauge("worker's open files", "", growth=8, most=200),
            Gauge("server's threads", "", growth=4, most=60),
            Gauge("processes of the room", "", growth=8, most=80),
            Gauge("temporary files", "", growth=5, most=40),
            Gauge("temporary files of the database", "", growth=0, most=0),
            Gauge("space in tables beyond their rows", "MB", growth=16, most=48),
        )
    }


@dataclass
class Watched:
    """A room, and where to look for what it leaves."""

    room: Room
    dsn: str
    temporary: Path

    def read(self, into: dict[str, Gauge]) -> None:
        """Read every gauge once."""
        server, worker = self.room.child("server"), self.room.child("worker")
        sessions, pids, spilled, loose = asyncio.run(self._ask())
        for name, value in {
            "server's memory": _memory(server.pid),
            "worker's memory": _memory(worker.pid),
            "supervisor's memory": _memory(self.room.process.pid),
            "memory of database sessions": sum(map(_memory, pids or ())),
            "database sessions": sessions,
            "server's open files": server.num_fds(),
            "worker's open files": worker.num_fds(),
            "server's threads": server.num_threads(),
            "processes of the room": len(self.room.processes()),
            "temporary files": self._left(),
            "temporary files of the database": spilled,
            "space in tables beyond their rows": loose / MEGABYTE,
        }.items():
            into[name].readings.append(float(value))

    async def _ask(self) -> tuple:
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute("analyze")  # what it knows of its rows is as old as the last one
            return tuple(await connection.fetchrow(_DATABASE))
        finally:
            await connection.close()

    def _left(self) -> int:
        """What lies in the folder for temporary files, where uploads arrive, and where robots run."""
        places = (self.temporary, self.room.data / "objects" / "incoming", self.room.data / "worker" / "runs")
        return sum(len(list(place.iterdir())) for place in places if place.exists())


def _memory(pid: int) -> float:
    """The memory of a process's own, in megabytes: without files, and without what PostgreSQL's processes share."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has just ended
        return 0.0
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(kilobytes) / 1024
