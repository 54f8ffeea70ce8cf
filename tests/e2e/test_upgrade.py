"""A room of an earlier commit (`FROM`) comes to this one: on its data, from its backup, and while its server works.

The earlier one runs with this checkout's dependencies: what is tried is what is ours.
"""

import asyncio
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import psutil
import pytest

from controlroom.postgres.embedded import running_address
from rooms import PROGRAM, Room, clean_environment, run_cli, until

FROM = os.environ.get("FROM")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(FROM is None, reason="FROM names no commit")]

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def earlier(tmp_path_factory) -> dict[str, str]:
    """The variables with which a program of ours is that of the earlier commit."""
    folder = tmp_path_factory.mktemp("earlier")
    packed = subprocess.run(["git", "archive", str(FROM), "src"], cwd=PROJECT, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return {"PYTHONPATH": str(folder / "src")}


@pytest.fixture
def old(earlier, tmp_path):
    """A room of the earlier commit in which a robot has run once."""
    room = Room(tmp_path / "room", **earlier)
    try:
        room.wait_until_ready()
        cli(room, "push", PROJECT / "examples/plain-script", "--name", "plain", **earlier)
        [task] = json.loads(cli(room, "packages", "show", "plain", "--json", **earlier))["tasks"]
        cli(room, "process", "create", "Plain", "--step", f"work=plain:{task['name']}", **earlier)
        works(room, runs=1, **earlier)
        yield room
    finally:
        room.kill()


def test_a_room_goes_on_and_so_does_one_of_its_backup(old, earlier, tmp_path):
    """Its runs are there, its keys open, its robot runs again, on its worker."""
    backup, folder = tmp_path / "backup", tmp_path / "restored"
    done = run_cli("backup", backup, "--data", old.data, "--with-key", **earlier)
    assert done.returncode == 0, done.stderr
    assert old.stop() == 0
    done = run_cli("restore", backup, "--data", folder)
    assert done.returncode == 0, done.stderr

    for data in (old.data, folder):
        new = Room(data)
        try:
            new.wait_until_ready()
            assert new.facts["api_key"] == old.facts["api_key"]
            works(new, runs=2)
            assert len(new.json("workers", "list")) == (1 if data == old.data else 2)  # that of a backup stays away
            assert new.stop() == 0
            assert '"level":"error"' not in new.log
        finally:
            new.kill()


def test_servers_of_both_commits_serve_one_room(old, earlier, tmp_path):
    """The new one begins while the earlier one works; both show the same, and runs that either starts complete."""
    ready, log = tmp_path / "ready.json", tmp_path / "new.log"
    variables = clean_environment(
        CONTROLROOM_DATABASE_URL=str(asyncio.run(running_address(old.data / "postgres"))),
        CONTROLROOM_MASTER_KEY=(old.data / "master.key").read_text().strip(),
        CONTROLROOM_OBJECTS_URL=str(old.data / "objects"),
    )
    with log.open("ab") as out:
        words = ["server", "--port", "0", "--ready-file", str(ready)]
        server = psutil.Popen([*PROGRAM, *words], stdout=out, stderr=out, env=variables)
    try:
        until(lambda: ready.exists() or server.poll() is not None, "the new server is ready")
        beside = {"CONTROLROOM_URL": json.loads(ready.read_text())["url"]}
        works(old, runs=2, **beside)
        works(old, runs=3, **earlier)
    finally:
        if server.is_running():
            server.terminate()
        server.wait(60)
    assert old.stop() == 0
    for said in (log.read_text(), old.log):
        assert '"level":"error"' not in said


def test_workers_come_after_their_servers(old, earlier, tmp_path):
    """One of the earlier commit works for a server of this one, until somebody brings it up to date."""
    assert old.stop() == 0
    new = Room(old.data, "--no-worker")
    try:
        new.wait_until_ready()
        token = cli(new, "workers", "link-token").strip()
        variables = clean_environment(CONTROLROOM_LINK_TOKEN=token, **earlier)
        with (tmp_path / "worker.log").open("ab") as out:
            words = ["worker", "--url", new.url, "--folder", str(tmp_path / "worker")]
            worker = psutil.Popen([*PROGRAM, *words], stdout=out, stderr=out, env=variables)
        try:
            works(new, runs=2)
        finally:
            worker.terminate()
            worker.wait(60)
    finally:
        new.kill()


def works(room: Room, *, runs: int, **variables: str) -> None:
    """The robot runs to its end, and all runs so far are shown."""
    cli(room, "run", "Plain", "--follow", **variables)
    states = [run["state"] for run in json.loads(cli(room, "runs", "list", "--json", **variables))]
    assert states == ["completed"] * runs


def cli(room: Room, *words: object, **variables: str) -> str:
    """What a command tells, of this commit or, by its variables, of the earlier one."""
    asking = {
        "CONTROLROOM_URL": room.url,
        "CONTROLROOM_WORKSPACE": room.facts["workspace_id"],
        "CONTROLROOM_API_KEY": room.facts["api_key"],
    }
    done = run_cli(*words, **{**asking, **variables})
    assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return done.stdout
