"""Killing servers, workers and the database while many runs contend for locks: never too many holders, all in turn.

Each round starts runs that want one or two locks, on a room with two servers, and kills while they go on. Afterwards
the record of events is read as a history: who took what, when, and when it was given back. `FAULT_SEED=…
FAULT_ROUNDS=1` repeats a round.
"""

import asyncio
import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest
from tests.rooms import Room

from controlroom.postgres.embedded import EmbeddedPostgres

pytestmark = pytest.mark.fault

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "20"))
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
RUNS = 40
PATIENCE = 240.0
BLINK = Path(__file__).parent / "robots" / "blink"
CAPACITIES = {"file": 1, "slots": 3}
WISHES = (("file",), ("slots",), ("file", "slots"))


def history(events: list[tuple[str, str]], wishes: dict[str, tuple[str, ...]]) -> list[str]:
    """What is wrong in the order in which runs, oldest first, took locks and ended."""
    wrong = []
    holding: list[str] = []
    waiting = list(wishes)
    for kind, run in events:
        if kind != "run.locks_taken":
            if run in holding:
                holding.remove(run)
            continue
        for name in wishes[run]:
            held = sum(name in wishes[each] for each in holding)
            older = sum(name in wishes[each] for each in waiting[: waiting.index(run)]) if run in waiting else 0
            if held + older >= CAPACITIES[name]:
                wrong.append(f"{run} took {name}, held by {held}, with {older} older runs before it")
        holding.append(run)
        with suppress(ValueError):
            waiting.remove(run)
    wrong += [f"{run} never had its turn" for run in waiting]
    return wrong + [f"{run} holds its locks for ever" for run in holding]


class Site:
    """A room under test, and a process that does next to nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.room = self._room()
        self.room.cli("push", BLINK, "--name", "blink")
        for name, capacity in CAPACITIES.items():
            self.room.cli("locks", "set", name, "--capacity", capacity)
        step = ("--step", "blink=blink:Blink", "--retries", "blink=999")
        self.process = self.room.cli("process", "create", "Blink", *step).stdout.strip()

    def _room(self) -> Room:
        return Room(self.folder / "room", "--slots", "4", "--servers", "2").wait_until_ready()

    def start(self, names: tuple[str, ...]) -> None:
        """Start a run that wants locks; again where nobody answers, so that there may be two."""
        until = time.monotonic() + 60
        while True:
            try:
                locks = [{"name": name} for name in names]
                self.room.post(f"/processes/{self.process}/process-runs", {"locks": locks})
            except OSError:  # the room is away
                assert time.monotonic() < until, "the room does not come back"
                time.sleep(0.1)  # between two questions to a room that is away
            else:
                return

    def kill(self, what: str, chance: random.Random) -> None:
        """Kill -9 something; what supervises it, or this, brings it back."""
        with suppress(AssertionError, psutil.NoSuchProcess, IndexError):
            match what:
                case "server":
                    servers = [each for each in self.room.process.children() if each.cmdline()[-1:] == ["server"]]
                    chance.choice(servers).kill()
                case "everything":
                    self.room.kill()
                    self.room = self._room()
                case _:
                    self.room.child(what).kill()

    def open_runs(self) -> int | None:
        """How many runs have not ended; None while the room is away."""
        try:
            pages = [self.room.get(f"/process-runs?limit=1000&state={state}") for state in ("new", "in_progress")]
        except OSError:
            return None
        return sum(len(page["data"]) for page in pages)

    def rest(self) -> None:
        """Wait until all runs have ended."""
        until = time.monotonic() + PATIENCE
        while (left := self.open_runs()) != 0:
            assert time.monotonic() < until, f"{left} runs do not come to rest:\n{self.room.log[-3000:]}"
            time.sleep(0.3)  # between two questions

    async def check(self) -> list[str]:
        """What was wrong since the beginning."""
        dsn = (await EmbeddedPostgres.start(self.room.data / "postgres")).dsn
        connection = await asyncpg.connect(dsn)
        rows = await connection.fetch("select id::text, parameters -> 'locks' as locks, state from run order by number")
        events = await connection.fetch(
            """
            select kind, run_id::text from event
             where kind in ('run.locks_taken', 'run.completed', 'run.unresolved') order by id
            """
        )
        left = await connection.fetchval("select count(*) from run_lock_claim")
        await connection.close()
        wishes = {row["id"]: tuple(lock["name"] for lock in json.loads(row["locks"])) for row in rows}
        wrong = history([tuple(row) for row in events], wishes)
        wrong += [f"{row['id']} is {row['state']}" for row in rows if row["state"] != "completed"]
        return wrong + ([f"{left} claims are left"] if left else [])


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """A room with two servers."""
    site = Site(tmp_path)
    yield site
    site.room.kill()


def one_round(site: Site, chance: random.Random) -> None:
    """Runs that contend, and what is killed among them."""
    for _ in range(RUNS):
        site.start(chance.choice(WISHES))
        if chance.random() < 0.1:
            site.kill(chance.choice(("server", "server", "worker", "database", "everything")), chance)
    for _ in range(3):
        time.sleep(chance.uniform(0.1, 2.0))  # the random moment is the point
        site.kill(chance.choice(("server", "server", "worker", "database")), chance)
    site.rest()


@pytest.mark.timeout(7200)
async def test_kill_nine_gives_no_lock_to_two_and_lets_nobody_wait_for_ever(site):
    """Whatever dies, whenever: no more holders than there is room for, older ones first, and all have their turn."""
    for number in range(ROUNDS):
        seed = SEED + number
        began = time.monotonic()
        await asyncio.to_thread(one_round, site, random.Random(seed))
        found = await site.check()
        print(f"locks {number + 1}/{ROUNDS} seed {seed}: {time.monotonic() - began:.1f} s, {len(found)} violations")
        assert not found, (seed, found[:20])


def test_the_history_tells_what_is_wrong():
    """The checker sees a second holder, one that overtakes, one that waits for ever."""
    taken, ended = "run.locks_taken", "run.completed"
    both = {"a": ("file",), "b": ("file",)}

    assert history([(taken, "a"), (ended, "a"), (taken, "b"), (ended, "b")], both) == []
    assert len(history([(taken, "a"), (taken, "b"), (ended, "a"), (ended, "b")], both)) == 1
    assert len(history([(taken, "b"), (ended, "b"), (taken, "a"), (ended, "a")], both)) == 1
    assert len(history([(taken, "a"), (ended, "a")], both)) == 1
