"""Killing anything, at any time, costs nothing but time.

Each round starts a run of 2,000 items, and one of 500 in a second workspace of the same real room (`controlroom up`,
one worker with four slots, real robots), kills something at random moments, waits until both have come to rest, and
lets an independent checker read database and objects. The seed of a round is printed; `FAULT_SEED=… FAULT_ROUNDS=1`
repeats it.

The rounds are of each kind of robot: `courier` speaks the vendor's API by itself, `librarian` uses the vendor's library
on the room's own adapter, `native` our own library, `loop` likewise, with releases that take the next item.
`FAULT_COURIER=librarian` has those alone, in all tests.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx2
import psutil
import pytest
from tests.fault.checker import violations
from tests.rooms import Room, run_cli

from controlroom.postgres.clock import shift_clock
from controlroom.postgres.embedded import EmbeddedPostgres

pytestmark = pytest.mark.fault

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "50"))
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
ITEMS = int(os.environ.get("FAULT_ITEMS", "2000"))
ROBOTS = Path(__file__).parent / "robots"
COURIERS = os.environ.get("FAULT_COURIER", "courier,librarian,native,loop").split(",")
PATIENCE = 240.0
LEASE_AND_MORE = 32.0
_PAUSED = 0.5

KINDS = ("robot", "worker", "server", "database", "everything", "several")


class Tenant:
    """A workspace of the room under test, and the process that is run in it again and again."""

    def __init__(self, room: Room, courier: Path, workspace: str, key: str, items: int) -> None:
        self.room = room
        self.items = items
        self._address = f"/api/v1/workspaces/{workspace}"
        self._headers = {"Authorization": f"RC-WSKEY {key}"}
        words = ("push", courier, "--name", "courier", "--json")
        variables = {"CONTROLROOM_WORKSPACE": workspace, "CONTROLROOM_API_KEY": key, "CONTROLROOM_URL": room.url}
        pushed = run_cli(*words, **variables)
        assert pushed.returncode == 0, pushed.stderr
        package = json.loads(pushed.stdout)
        self.process = self.api("POST", "/processes", self._process(package.get("id") or package["package"]["id"]))[
            "id"
        ]

    def _process(self, package: str) -> dict:
        retry = {"max_attempts": 1000}
        task = {"package_id": package, "name": "Deliver"}
        return {"name": "deliveries", "steps": [{"name": "deliver", "task": task, "max_parallel": 4, "retry": retry}]}

    def api(self, method: str, path: str, body: object = None) -> dict:
        """An answer of the public API; asks again while the room is away."""
        until = time.monotonic() + 60
        while True:
            try:
                answer = self._asked(method, path, body)
            except httpx2.TransportError:
                if method != "GET" or time.monotonic() > until:
                    raise
            else:
                if answer.status_code < 500 or time.monotonic() > until:
                    assert answer.status_code == 200, answer.text
                    return answer.json()
            time.sleep(0.1)  # between two questions to a room that is away

    def _asked(self, method: str, path: str, body: object = None) -> httpx2.Response:
        address = f"{self.room.url}{self._address}{path}"
        return httpx2.request(method, address, json=body, headers=self._headers, timeout=60, trust_env=False)

    def start(self) -> "Work":
        """Start a run of all items; as the room acknowledged it."""
        payloads = [{"number": number} for number in range(self.items)]
        body = {"type": "with_payloads", "payloads": payloads}
        return Work(self, self.api("POST", f"/processes/{self.process}/process-runs", body)["id"])

    def turn(self, step_run: str, verb: str) -> None:
        """Pause or resume a step run, if the room is there and it may be."""
        with suppress(httpx2.TransportError):
            self._asked("POST", f"/step-runs/{step_run}/{verb}")


class Work:
    """A run of a tenant."""

    def __init__(self, tenant: Tenant, run: str) -> None:
        self.tenant = tenant
        self.run = run

    def at_work(self) -> list[dict]:
        """The step runs that a worker has."""
        rows = self.tenant.api("GET", f"/step-runs?process_run_id={self.run}&limit=1000")["data"]
        return [row for row in rows if row["state"] == "in_progress"]

    def pause(self, chance: random.Random) -> None:
        """Halt some of the robots at work."""
        for step_run in self.at_work():
            if chance.random() < _PAUSED:
                self.tenant.turn(step_run["id"], "pause")

    def resume(self) -> None:
        """Let all robots go on that are halted, until none is."""
        until = time.monotonic() + PATIENCE
        while paused := [row["id"] for row in self.at_work() if row["paused_at"]]:
            assert time.monotonic() < until, f"{paused} stay paused:\n{self.tenant.room.log[-3000:]}"
            for step_run in paused:
                self.tenant.turn(step_run, "resume")

    async def rest(self) -> None:
        """Wait until the run has ended."""
        until = time.monotonic() + PATIENCE
        while self.tenant.api("GET", f"/process-runs/{self.run}")["state"] not in {"completed", "unresolved"}:
            assert time.monotonic() < until, f"{self.run} does not come to rest:\n{self.tenant.room.log[-3000:]}"
            await asyncio.sleep(0.2)


class Site:
    """A room under test: two workspaces share its worker, and each has its work."""

    def __init__(self, folder: Path, courier: str) -> None:
        self.folder = folder
        self.room = self._room().wait_until_ready()
        robot = ROBOTS / courier
        self.tenants = [
            Tenant(self.room, robot, self.room.facts["workspace_id"], self.room.facts["api_key"], ITEMS),
            Tenant(self.room, robot, *self.room.another_workspace("neighbour"), ITEMS // 4),
        ]

    def _room(self) -> Room:
        return Room(self.folder / "room", "--slots", "4")

    def start(self) -> list[Work]:
        """Start a run in each workspace."""
        return [tenant.start() for tenant in self.tenants]

    def kill(self, what: str, chance: random.Random) -> None:
        """Kill -9 something; what supervises it, or this, brings it back."""
        with suppress(AssertionError, psutil.NoSuchProcess):
            match what:
                case "robot":
                    robots = [one for one in self.room.child("worker").children(recursive=True) if _is_robot(one)]
                    if robots:
                        chance.choice(robots).kill()
                case "everything":
                    self.room.kill()
                    self.room = self._room().wait_until_ready()
                    for tenant in self.tenants:
                        tenant.room = self.room
                case _:
                    self.room.child(what).kill()

    async def dsn(self) -> str:
        """The address of the private database."""
        return (await EmbeddedPostgres.start(self.room.data / "postgres")).dsn

    async def violations(self, works: list[Work]) -> list[str]:
        """What the independent checker finds once they have come to rest."""
        found = []
        for work in works:
            await work.rest()
            objects, numbers = self.room.data / "objects", set(range(work.tenant.items))
            found += await violations(await self.dsn(), objects, work.run, numbers)
        return found


def _is_robot(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return "python" in process.name()
    return False


@pytest.fixture
async def site(tmp_path, request) -> AsyncIterator[Site]:
    """A room with the robot that a test asks for, else with the first."""
    site = await asyncio.to_thread(Site, tmp_path, getattr(request, "param", COURIERS[0]))
    yield site
    site.room.kill()


def command(*words: object) -> None:
    """Run a program that must succeed."""
    subprocess.run([str(word) for word in words], check=True)


Disturb = Callable[[Site, list[Work], random.Random], object]


async def one_round(site: Site, seed: int, disturb: Disturb) -> list[str]:
    """A run in each workspace with its disturbance; what the checker found."""
    chance = random.Random(seed)
    works = site.start()
    await asyncio.to_thread(disturb, site, works, chance)
    return await site.violations(works)


def kills(kind: str) -> Disturb:
    """Kill that kind of thing once to three times, at random moments, in half of which some robots are halted."""

    def disturb(site: Site, works: list[Work], chance: random.Random) -> None:
        for _ in range(chance.randint(1, 3)):
            time.sleep(chance.uniform(0.05, 2.5))  # the random moment is the point
            if chance.random() < _PAUSED:
                chance.choice(works).pause(chance)
            if kind == "several":
                for each in chance.sample(KINDS[:4], 2):
                    site.kill(each, chance)
            else:
                site.kill(kind, chance)
        for work in works:
            work.resume()

    return disturb


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("site", COURIERS, indirect=True)
async def test_kill_nine_at_random_moments_loses_nothing(site):
    """Fifty rounds of kill -9 of a robot, a worker, the server, the database, all of them: zero violations."""
    for number in range(ROUNDS):
        seed = SEED + number
        kind = KINDS[seed % len(KINDS)]
        began = time.monotonic()
        found = await one_round(site, seed, kills(kind))
        print(
            f"round {number + 1}/{ROUNDS} seed {seed} {kind}: {time.monotonic() - began:.1f} s, {len(found)} violations"
        )
        assert not found, (seed, found[:20])


@pytest.mark.timeout(600)
async def test_a_stopped_worker_that_wakes_up_too_late_changes_nothing(site):
    """SIGSTOP for longer than the lease: the room goes on without it, and what it says afterwards is refused."""

    def disturb(site: Site, _works: list[Work], chance: random.Random) -> None:
        time.sleep(chance.uniform(0.3, 1.0))
        worker = site.room.child("worker")
        frozen = [worker, *worker.children(recursive=True)]
        for how, pause in ((signal.SIGSTOP, LEASE_AND_MORE), (signal.SIGCONT, 0.0)):
            for each in frozen:
                with suppress(psutil.NoSuchProcess):  # a robot that has just ended
                    each.send_signal(how)
            time.sleep(pause)

    assert await one_round(site, SEED, disturb) == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("hours", [2, -2])
async def test_a_clock_that_jumps_loses_nothing(site, hours):
    """The database's clock is put forward or back in the middle of a run, and stays so."""
    works = site.start()
    await asyncio.sleep(1.0)
    await shift_clock(await site.dsn(), timedelta(hours=hours))

    assert await site.violations(works) == []


@pytest.mark.timeout(600)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
async def test_a_full_disk_loses_nothing(tmp_path):
    """Objects cannot be written for a while: what was acknowledged is there, the rest is tried again or fails."""
    objects = tmp_path / "room" / "objects"
    objects.mkdir(parents=True)
    objects.parent.chmod(0o700)
    command("mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "controlroom-test", objects)
    try:
        site = await asyncio.to_thread(Site, tmp_path, COURIERS[0])
        try:
            works = site.start()
            await asyncio.sleep(0.5)
            ballast = objects / "ballast"
            with suppress(OSError), ballast.open("wb") as file:
                while True:
                    file.write(b"\0" * 65536)
            await asyncio.sleep(4.0)
            ballast.unlink()
            assert await site.violations(works) == []
        finally:
            site.room.kill()
    finally:
        command("umount", objects)
