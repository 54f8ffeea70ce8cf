"""Killing servers and the database while a queue is fed and moves to the workspace of its bot: no item is lost.

Each round makes a queue of Control Room's grammar, feeds it from several sides and by a table, gives it an automation
whose bot lies in another workspace, and kills while that goes on. Afterwards every item that was acknowledged is there
once, every row of the table is there once, and all of it lies where the bot lies. `FAULT_SEED=… FAULT_ROUNDS=1` repeats
a round.
"""

import asyncio
import json
import os
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from tests.rooms import Room, run_cli

from controlroom.postgres.embedded import EmbeddedPostgres

pytestmark = pytest.mark.fault

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "20"))
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
FEEDERS = 4
FED = 40
"""Calls of each feeder."""
ROWS = 4000
"""Of the table."""
PATIENCE = 240.0
BLINK = Path(__file__).parent / "robots" / "blink"


class Site:
    """A room under test, and a bot in a workspace of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.room = self._room()
        self.workspace, key = self.room.another_workspace("bots")
        there = {"CONTROLROOM_URL": self.room.url, "CONTROLROOM_WORKSPACE": self.workspace, "CONTROLROOM_API_KEY": key}
        pushed = run_cli("push", BLINK, "--name", "blink", **there)
        assert pushed.returncode == 0, pushed.stderr
        self.token = ""

    def _room(self) -> Room:
        return Room(self.folder / "room", "--slots", "2", "--servers", "2").wait_until_ready()

    def call(self, path: str, body: Any, *, content_type: str = "application/json") -> Any:
        """What the room answers. Raises OSError while it is away."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "X-Authorization": self.token}
        request = urllib.request.Request(f"{self.room.url}{path}", data, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as failed:
            if failed.code < 500:
                raise AssertionError(f"{path}: {failed.code} {failed.read()!r}") from failed
            raise

    def insist(self, path: str, body: Any, **options: Any) -> Any:
        """Likewise, again until somebody answers."""
        until = time.monotonic() + 60
        while True:
            try:
                return self.call(path, body, **options)
            except OSError:
                assert time.monotonic() < until, "the room does not come back"
                time.sleep(0.1)  # between two questions to a room that is away

    def log_in(self) -> None:
        """Have a token of the admin."""
        admin = self.room.facts["admin"] | {"multipleLogin": True}
        self.token = self.insist("/v2/authentication", admin)["token"]

    def kill(self, what: str, chance: random.Random) -> None:
        """Kill -9 something; what supervises it, or this, brings it back."""
        with suppress(AssertionError, psutil.NoSuchProcess, IndexError):
            match what:
                case "server":
                    servers = [each for each in self.room.process.children() if each.cmdline()[-1:] == ["server"]]
                    chance.choice(servers).kill()
                case _:
                    self.room.child(what).kill()


class Round:
    """One queue, what was put into it, and what was acknowledged."""

    def __init__(self, site: Site, chance: random.Random) -> None:
        self.site = site
        self.chance = chance
        self.acknowledged: list[str] = []
        self.faults: list[BaseException] = []
        name = f"queue {chance.randrange(10**9)}"
        model = site.insist("/v3/wlm/workitemmodels", {"name": name, "attributes": [{"name": "Key", "type": "TEXT"}]})
        body = {"name": name, "workItemModelId": model["id"], "displayColumnIds": [model["attributes"][0]["id"]]}
        self.queue = site.insist("/v3/wlm/queues", body)["id"]
        where = {"filter": {"operator": "eq", "field": "name", "value": "Blink"}}
        [self.bot] = [each["id"] for each in site.insist("/v2/repository/workspaces/public/files/list", where)["list"]]

    def feed(self, feeder: int) -> None:
        """Put items in, two a call; a call that nobody answers is made again with other items."""
        try:
            for number in range(FED):
                for attempt in range(1000):
                    keys = [f"{feeder}-{number}-{attempt}-{each}" for each in "ab"]
                    body = {"workItems": [{"json": {"Key": key}} for key in keys]}
                    try:
                        made = self.site.call(f"/v3/wlm/queues/{self.queue}/workitems", body)["list"]
                    except OSError:
                        time.sleep(0.1)  # between two calls to a room that is away
                        continue
                    assert [each["col1"] for each in made] == keys
                    self.acknowledged += keys
                    break
        except BaseException as fault:
            self.faults.append(fault)
            raise

    def load(self) -> int:
        """Upload a table; the number of its order."""
        rows = "\n".join(["Key", *(f"row-{number}" for number in range(ROWS))])
        form = f'--x\r\nContent-Disposition: form-data; name="upload"; filename="t.csv"\r\n\r\n{rows}\r\n--x--\r\n'
        path = f"/v4/wlm/queues/{self.queue}/file"
        return int(self.site.insist(path, form.encode(), content_type="multipart/form-data; boundary=x")["id"])

    def run(self) -> list[int]:
        """Feed, load, move and kill; the numbers of all orders that may have been taken."""
        feeders = [threading.Thread(target=self.feed, args=(each,)) for each in range(FEEDERS)]
        for each in feeders:
            each.start()
        order = self.load()
        time.sleep(self.chance.uniform(0, 1))  # the random moment is the point
        self.site.kill(self.chance.choice(("server", "server", "database")), self.chance)
        body = {"name": "Move", "fileId": self.bot, "queueId": self.queue, "status": "PAUSE"}
        self.site.insist("/v3/wlm/automations", body)
        for _ in range(3):
            time.sleep(self.chance.uniform(0, 1.5))  # likewise
            self.site.kill(self.chance.choice(("server", "server", "database")), self.chance)
        for each in feeders:
            each.join()
        return [order]


async def check(round_: Round) -> list[str]:
    """What is wrong once the tables are in."""
    site = round_.site
    dsn = (await EmbeddedPostgres.start(site.room.data / "postgres")).dsn
    connection = await asyncpg.connect(dsn)
    until = time.monotonic() + PATIENCE
    jobs = "from queue_job where queue_id = (select id from queue where number = $1)"
    while await connection.fetchval(f"select exists (select {jobs} and ended_at is null)", round_.queue):
        assert time.monotonic() < until, "a table is not put in"
        await asyncio.sleep(0.3)  # between two questions
    tables = await connection.fetchval(f"select count(*) {jobs}", round_.queue)
    states = await connection.fetch(f"select state, error {jobs}", round_.queue)
    rows = await connection.fetch(
        """
        select payload ->> 'Key' as key, workspace_id::text as place from work_item
         where queue_id = (select id from queue where number = $1)
        """,
        round_.queue,
    )
    place = await connection.fetchval("select workspace_id::text from queue where number = $1", round_.queue)
    await connection.close()
    there = Counter(row["key"] for row in rows)
    wrong = [f"{key} is there {there[key]} times" for key in round_.acknowledged if there[key] != 1]
    wrong += [f"{key} was put in twice" for key, count in there.items() if not key.startswith("row-") and count > 1]
    wrong += [f"row {number} is there {there[f'row-{number}']} times"
              for number in range(ROWS) if there[f"row-{number}"] != tables]  # fmt: skip
    wrong += [f"{row['key']} stayed behind" for row in rows if row["place"] != site.workspace]
    wrong += [f"a table ended {row['state']}: {row['error']}" for row in states if row["state"] != "completed"]
    wrong += [] if place == site.workspace else ["the queue has not moved"]
    return wrong + [repr(fault) for fault in round_.faults]


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """A room with two servers."""
    site = Site(tmp_path)
    yield site
    site.room.kill()


@pytest.mark.timeout(7200)
async def test_kill_nine_loses_no_item_of_a_queue_that_moves(site):
    """Whatever dies, whenever: what was acknowledged is there once, and lies where the bot lies."""
    for number in range(ROUNDS):
        seed = SEED + number
        began = time.monotonic()
        site.log_in()
        round_ = Round(site, random.Random(seed))
        await asyncio.to_thread(round_.run)
        found = await check(round_)
        fed = len(round_.acknowledged)
        print(f"queues {number + 1}/{ROUNDS} seed {seed}: {fed} items, {time.monotonic() - began:.1f} s")
        assert not found, (seed, found[:20])
