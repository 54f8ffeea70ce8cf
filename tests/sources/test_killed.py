"""A load that is killed at any moment costs a window: the next one goes on, and no row is lost or doubled."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from sources.serving import listing

SCRIPT = """
import sys
import dlt
from controlroom.sources.columns import TEXT, TIME, Column, Table
from controlroom.sources import resources
from controlroom.sources.paging import Request, by_link
from controlroom.sources.reading import Reader
from controlroom.sources.resources import resource
from controlroom.sources.running import load
from controlroom.sources.sweeping import Sweep
import datetime as dt

url, place, folder = sys.argv[1:]
ITEMS = Table(name="items", description="…", key=("id",), columns=(
    Column("id", TEXT, "…"), Column("created_at", TIME, "…"), Column("state", TEXT, "…")))

@dlt.source(name="list")
def source():
    def pages():
        sweep = Sweep(reader=Reader(url), first=Request("items", {"limit": 100}), following=by_link(),
            one=lambda id_: Request(f"items/{id_}"), is_open=lambda row: row["state"] == "new",
            look_back=dt.timedelta(hours=1), window=1000)
        for page in sweep.pages(resources.state(), frozenset({"items"})):
            print("page", flush=True)
            yield page
    return resource(ITEMS, pages)

report = load(source, f"duckdb:{place}", name="list", folder=folder, dataset="killed",
    tell=lambda step, what, count: print(step, flush=True))
print("done", flush=True)
"""


@pytest.mark.fault
@pytest.mark.parametrize("seed", range(6))
def test_a_killed_load_goes_on_where_it_was(tmp_path: Path, seed):
    """Kill -9 at any moment, again and again; at last every row is there once, as the server has it."""
    chance = random.Random(seed)
    place = tmp_path / "k.duckdb"
    with listing() as server:
        server.link_first = seed % 2 == 0  # pages are then read on while a window is loaded
        for n in range(5_000):
            id_ = f"{n:05}"
            at = f"2026-{1 + n // 500:02}-{1 + n % 28:02}T00:00:00Z"
            server.rows[id_] = {"id": id_, "created_at": at, "state": "done" if n % 50 else "new"}
        kills = 0
        while True:
            program = subprocess.Popen(
                [sys.executable, "-c", SCRIPT, server.url, str(place), str(tmp_path / "p")],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "NO_PROXY": "127.0.0.1"},
            )
            assert program.stdout is not None
            words, last = chance.randint(1, 120) if kills < 5 else 10**9, ""
            for _, word in zip(range(words), program.stdout, strict=False):
                last = word.strip()
            if last == "done":
                assert program.wait() == 0, program.stderr
                break
            if program.poll() is not None:
                raise AssertionError(program.stderr.read())
            time.sleep(chance.random() / 50)  # not only between two words
            program.send_signal(signal.SIGKILL)
            program.wait()
            program.stdout.close()
            kills += 1
        with duckdb.connect(str(place), read_only=True) as database:
            rows = database.execute("select id, state from killed.items order by id").fetchall()
    print(json.dumps({"kills": kills, "requests": len(server.asked)}))
    assert rows == [(row["id"], row["state"]) for row in server.rows.values()]
