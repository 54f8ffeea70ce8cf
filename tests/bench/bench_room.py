"""A room by itself: its first start, a later start, and what its server holds in memory when idle."""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.figures import Figure, percentile, show
from tests.rooms import Room

ROUNDS = 5
IDLE_SECONDS = 10.0


def main() -> Iterator[Figure]:
    """The figures."""
    first, later, memory = [], [], []
    with tempfile.TemporaryDirectory() as name:
        for number in range(ROUNDS):
            data = Path(name) / f"room-{number}"
            first.append(_started(data)[0])
            seconds, megabytes = _started(data, idle=IDLE_SECONDS if number == 0 else 0)
            later.append(seconds)
            memory.append(megabytes)
    yield Figure("first start to ready (median / slowest)", _seconds(first), "≤ 4 s", "Prefect 12 to 21 s")
    yield Figure("later start to ready (median / slowest)", _seconds(later), "≤ 1.5 s")
    yield Figure("server's memory, idle, without PostgreSQL", f"{memory[0]:.0f} MB", "≤ 150 MB", "Prefect 200 MB")


def _started(data: Path, *, idle: float = 0) -> tuple[float, float]:
    """Seconds to ready, and megabytes of the server (resident, private) after a rest; then the room is ended."""
    here = Room(data).wait_until_ready()
    try:
        time.sleep(idle)
        return here.seconds, here.child("server").memory_info().rss / 1e6
    finally:
        here.stop()


def _seconds(took: list[float]) -> str:
    return f"{percentile(took, 0.5):.2f} / {max(took):.2f} s"


if __name__ == "__main__":
    show(main())
