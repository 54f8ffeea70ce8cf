"""Several workers, each with a disk of its own, and databases that are with the room or with one of them."""

import itertools
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from dbt_shop import Shop
from rooms import PROGRAM, Room, clean_environment, room, until

COUNTED = {
    "dbt_project.yml": "name: counted\nprofile: counted\nversion: '1.0'\n",
    "models/turns.sql": "{{ config(materialized='incremental') }}\n"
    'select \'{{ env_var("DBT_CLOUD_RUN_ID") }}\' as run, \'{{ var("turn", "") }}\' as turn',
}


@pytest.fixture(scope="module")
def there(environments) -> Iterator[Room]:
    """A room without a worker of its own."""
    with room("--no-worker", CONTROLROOM_WORKER_ENVIRONMENTS=str(environments)) as started:
        yield started


class Crew:
    """Workers of a room, each a process with a folder of its own."""

    def __init__(self, running: Room, environments: Path, folder: Path) -> None:
        self._room = running
        self._environments = environments
        self._folder = folder

    @contextmanager
    def at_work(self, name: str, **variables: str) -> Iterator[psutil.Popen]:
        """A worker, while the block lasts; the same name has the same disk again."""
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        token = self._room.cli("workers", "link-token", "--all").stdout.strip()
        more = {"CONTROLROOM_URL": self._room.url, "CONTROLROOM_LINK_TOKEN": token}
        more |= {"CONTROLROOM_WORKER_ENVIRONMENTS": str(self._environments)}
        more |= {"CONTROLROOM_WORKER_SPARES_MEMORY_BYTES": "0"} | variables  # they are made for more runs than these
        words = [*PROGRAM, "worker", "--folder", str(folder), "--name", name]
        with (folder / "log").open("ab") as log:
            program = psutil.Popen(
                words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=clean_environment(**more)
            )
        try:
            until(lambda: self.states().get(name) == "idle", f"{name} is idle")
            yield program
        finally:
            program.terminate()
            program.wait(30)
            until(lambda: self.states().get(name) != "idle", f"{name} is gone")

    def states(self) -> dict[str, str]:
        """The workers and their states."""
        return {worker["name"]: worker["state"] for worker in self._room.json("workers", "list")}


@pytest.fixture(scope="module")
def crew(there, environments, tmp_path_factory) -> Crew:
    return Crew(there, environments, tmp_path_factory.mktemp("crew"))


@pytest.fixture(scope="module")
def shop(there, tmp_path_factory) -> Shop:
    """A project whose one table gets a row by each run."""
    return Shop(there, tmp_path_factory.mktemp("counted"), COUNTED, name="counted")


def turn(number: int) -> str:
    return f'dbt run --vars \'{{"turn": "turn-{number}"}}\''


def test_two_workers_take_turns(shop, crew):
    """Each finds what the other has built, also who has an older version on its own disk."""
    by = []
    for number, name in enumerate(["walt", "wanda", "walt"]):
        with crew.at_work(name):
            by.append(shop.good(shop.start(turn(number)))["executed_by_thread_id"])
            found = shop.shown("select turn from turns order by turn")
            assert [f"turn-{each}" in found for each in range(4)] == [each <= number for each in range(4)]

    assert by[0] == by[2] != by[1]


def test_two_workers_at_once(shop, crew):
    """Runs of two jobs on one database, with both workers idle: one after the other, none is told of a lock."""
    jobs = [shop.make_job("dbt run"), shop.make_job("dbt run")]
    with crew.at_work("walt"), crew.at_work("wanda"):
        runs = [shop.start(turn(10 + number), job=jobs[number % 2]) for number in range(6)]
        ended = [shop.good(run) for run in runs]
        found = shop.shown("select turn from turns order by turn")

    assert all(f"turn-{10 + number}" in found for number in range(6))
    assert not any("lock" in step["logs"].lower() for run in ended for step in run["run_steps"])
    times = sorted((run["dequeued_at"], run["finished_at"]) for run in ended)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(times))


def test_a_worker_that_dies_leaves_the_other_the_last_version(shop, crew):
    """The run it had fails; what it had begun is nowhere, and the other goes on from what was there before."""
    slow = "select count(*) as n from range(1000000000) a(i), range(1000) b(j) where sqrt(i + j) < 0"
    with crew.at_work("walt") as walt:
        run = shop.start(turn(20), f'dbt show --inline "{slow}"')
        until(lambda: shop.steps(run)[3:] == ["Success", "Running"], "it has built, and goes on")
        walt.kill()
        for each in walt.children(recursive=True):
            each.kill()
        with crew.at_work("wanda"):
            assert shop.ended(run)["status"] == 20
            shop.good(shop.start(turn(21)))
            found = shop.shown("select turn from turns order by turn")

    assert "turn-20" not in found
    assert "turn-21" in found


def test_a_file_on_one_workers_disk(there, crew, tmp_path_factory):
    """Runs go to who has it and may: the file lies where the connection says, and grows there run by run."""
    tables = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="dbt-tables-"))
    tables.chmod(0o1777)
    try:
        with (
            crew.at_work("keeper", CONTROLROOM_WORKER_DATABASE_FOLDERS=str(tables)) as keeper,
            crew.at_work("wanda"),
        ):
            words = ("dbt", "connections", "create", "Kept", "duckdb:kept.duckdb", "--folder", tables)
            there.cli(*words, "--worker", "keeper")
            kept = Shop(there, tmp_path_factory.mktemp("kept"), COUNTED, "--connection-name", "Kept", name="kept")
            runs = [kept.good(kept.start(turn(number))) for number in range(3)]
            found = kept.shown("select turn from turns order by turn")
            size = (tables / "kept.duckdb").stat().st_size
            assert keeper.is_running()
        with crew.at_work("wanda"):
            waiting = kept.start(turn(4))
            until(lambda: kept.run(waiting)["status"] == 1, "it waits for its worker")
            kept.cancel(waiting)
            assert kept.ended(waiting)["status"] == 30
    finally:
        for file in tables.iterdir():
            file.unlink()
        tables.rmdir()

    assert len({run["executed_by_thread_id"] for run in runs}) == 1
    assert all(f"turn-{number}" in found for number in range(3))
    assert size > 0
    assert there.json("dbt", "connections", "show", "Kept")["versions"] == []


def test_a_folder_that_nobody_allows(there, crew, tmp_path_factory):
    """The run fails in the phase of its profile, and says which setting would allow it."""
    with crew.at_work("wanda"):
        there.cli("dbt", "connections", "create", "Refused", "duckdb:x.duckdb", "--folder", "/etc", "--worker", "wanda")
        refused = Shop(
            there, tmp_path_factory.mktemp("refused"), COUNTED, "--connection-name", "Refused", name="refused"
        )

        found = refused.ended(refused.start())

    assert found["status"] == 20
    assert [step["status_humanized"] for step in found["run_steps"]] == ["Success", "Error", "Skipped", "Skipped"]
    assert "database_folders" in found["run_steps"][1]["logs"]
