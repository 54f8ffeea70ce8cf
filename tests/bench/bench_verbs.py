"""Robots' verbs by the vendor's calls, by today's server and by that of an earlier commit, in turns.

CONTROLROOM_BENCH_BEFORE names the commit; unless it does, it is the last one before robots' verbs were plain ASGI. Its
programs run with this checkout's dependencies, on a database of their own. `load.c` calls, by 16 step runs at once.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.bench_work_items import STEP_RUNS, worked_off
from tests.bench.figures import Figure, compiled, note, show
from tests.bench.processor import Meter
from tests.rooms import Room, room

TURNS = int(os.environ.get("CONTROLROOM_BENCH_TURNS", "5"))
ITEMS = int(os.environ.get("CONTROLROOM_BENCH_ITEMS", "2000"))
PROJECT = Path(__file__).parents[2]
STATIC = Path("src/controlroom/ui/static")


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program, earlier = compiled("load.c", folder), earlier_code(folder)
        if program is None or earlier is None:
            return
        with room("--no-worker", **earlier) as old, room("--no-worker") as new:
            before, now = Turns(old, program, folder), Turns(new, program, folder)
            for _ in range(TURNS):
                before.take()
                now.take()
    rates = [ours / theirs for ours, theirs in zip(now.rates, before.rates, strict=True)]
    yield Figure(
        f"vendor's calls, {TURNS} turns of {ITEMS:,} items beside an earlier commit's server: items per second",
        f"{median(rates):.2f} of before ({min(rates):.2f} to {max(rates):.2f})",
        "≥ 1.3 of before",
        f"{median(now.rates):,.0f} beside {median(before.rates):,.0f} a second",
    )
    for what, ours, theirs in (
        ("the server", now.server, before.server),
        ("the database", now.database, before.database),
    ):
        yield Figure(
            f"likewise: processor time of {what} an item, with its making and the run's end",
            f"{median(ours):.2f} ms, {median(ours) / median(theirs):.2f} of before",
            "",
            f"{median(theirs):.2f} ms",
        )


class Turns:
    """What a room does in turns with another one."""

    def __init__(self, here: Room, program: Path, folder: Path) -> None:
        self._of = (here, program, folder)
        self._meter = Meter(here)
        self.rates: list[float] = []
        self.server: list[float] = []
        self.database: list[float] = []
        """Milliseconds of processor an item."""
        worked_off(*self._of, items=20 * STEP_RUNS)  # connections are open, statements prepared

    def take(self) -> None:
        """One turn."""
        with self._meter.used() as used:
            load = worked_off(*self._of, items=ITEMS)
        self.rates.append(load["items"] / load["seconds"])
        self.server.append(used.server / ITEMS * 1000)
        self.database.append(used.database / ITEMS * 1000)


def earlier_code(folder: Path) -> dict[str, str] | None:
    """The variables with which a program of ours is that of the earlier commit; None, with a note, without its code."""
    commit = os.environ.get("CONTROLROOM_BENCH_BEFORE")
    try:
        if commit is None:
            brought = _git("log", "--diff-filter=A", "--format=%H", "--", "src/controlroom/border/verbs.py").decode()
            commit = f"{brought.split()[-1]}^"
        packed = _git("archive", commit, "src")
    except (OSError, subprocess.CalledProcessError, IndexError):
        note("there is no earlier commit to compare with")
        return None
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(folder / "earlier", filter="data")
    there = folder / "earlier" / STATIC
    shutil.copytree(PROJECT / STATIC, there, dirs_exist_ok=True)  # it is built, and not in git; no figure is of it
    return {"PYTHONPATH": str(folder / "earlier/src")}


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, check=True).stdout


if __name__ == "__main__":
    show(main())
