"""A room is backed up while it runs, and made anew of the file."""

import asyncio
import base64
import json
import signal
import subprocess
import urllib.request
from pathlib import Path

import asyncpg
import pytest

from controlroom.postgres.backup_lock import _LOCK
from controlroom.postgres.embedded import running_address
from rooms import PROGRAM, Room, clean_environment, room, run_cli, until

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def backups(tmp_path_factory):
    """A room in which a robot has run, its folder, and two backups of it: with the key and without."""
    folder = tmp_path_factory.mktemp("backups")
    with room() as running:
        running.cli("secrets", "set", "shop", "user=ada", "password=correct horse battery")
        package = running.cli("push", EXAMPLES / "plain-script", "--name", "plain").stdout.strip()
        task = running.json("packages", "show", package)["tasks"][0]["name"]
        running.cli("process", "create", "Plain", "--step", f"work={package}:{task}")
        running.cli("run", "Plain", "--follow")
        for name, options in (("with", ("--with-key",)), ("without", ())):
            done = run_cli("backup", folder / f"{name}.backup", "--data", running.data, *options)
            assert done.returncode == 0, done.stderr
        copied = (running.data / "master.key").read_bytes()
        (folder / "master.key").write_bytes(copied)
        yield folder, running.facts, running.data


def test_a_restored_room_is_the_room(backups, tmp_path):
    """Its keys open, its runs are there, numbers go on behind them, and its robots run and read its vault."""
    folder, facts, _ = backups
    done = run_cli("restore", folder / "with.backup", "--data", tmp_path / "room")
    assert done.returncode == 0, done.stderr

    with room(data=tmp_path / "room") as running:
        for sealed in ("workspace_id", "api_key", "user_credentials"):
            assert running.facts[sealed] == facts[sealed]
        [old] = running.json("runs", "list")
        running.cli("run", "Plain", "--follow")
        [new] = [run for run in running.json("runs", "list") if run["id"] != old["id"]]
        assert [run["state"] for run in (old, new)] == ["completed", "completed"]
        assert run_numbers(running, old["process"]["id"]) == {old["id"]: 1, new["id"]: 2}

        package = running.cli("push", EXAMPLES / "vault-and-assets", "--name", "visits").stdout.strip()
        running.cli("process", "create", "Visits", "--step", f"work={package}:log-in")
        console = running.cli("run", "Visits", "--follow").stdout
        assert "logging in as ada with a password of 21 characters" in console


@pytest.mark.matrix
def test_without_its_key_a_room_does_not_start_and_with_it_does(backups, tmp_path):
    """Restoring says what is needed; no other key is made; the right one, by file or environment, opens the room."""
    folder, facts, _ = backups
    bare, key = tmp_path / "bare", folder / "master.key"
    done = run_cli("restore", folder / "without.backup", "--data", bare)
    assert done.returncode == 0
    assert f"Put its master key to {bare / 'master.key'}, or set CONTROLROOM_MASTER_KEY" in " ".join(
        done.stderr.split()
    )

    started = run_cli("up", "--data", bare, "--port", 0)
    assert (started.returncode == 0, "the master key is missing" in started.stderr) == (False, True), started.stderr
    assert not (bare / "master.key").exists()
    with room("--no-worker", data=bare, CONTROLROOM_MASTER_KEY=key.read_text().strip()) as running:
        assert running.facts["api_key"] == facts["api_key"]
        assert "user" in running.cli("secrets", "show", "shop").stdout

    options = ("--data", tmp_path / "keyed", "--key", key)
    assert run_cli("restore", folder / "without.backup", *options).returncode == 0
    with room("--no-worker", data=tmp_path / "keyed") as running:
        assert running.facts["api_key"] == facts["api_key"]


def test_what_is_no_master_key_is_refused_before_anything_is_made(backups, tmp_path):
    """A file of something else, and one that is not there."""
    folder, _, _ = backups
    (tmp_path / "other").write_text("hunter2")

    for name in ("other", "absent"):
        done = run_cli("restore", folder / "without.backup", "--data", tmp_path / "room", "--key", tmp_path / name)
        assert (done.returncode == 0, f"{name} is no master key" in done.stderr) == (False, True), done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["other"]


@pytest.mark.matrix
def test_the_key_of_another_room_is_refused(backups, tmp_path):
    """By file or environment; nothing is left."""
    folder, _, _ = backups
    other = base64.b64encode(bytes(32)).decode()
    (tmp_path / "other").write_text(other)

    for options, variables in ((("--key", tmp_path / "other"), {}), ((), {"CONTROLROOM_MASTER_KEY": other})):
        words = ("restore", folder / "without.backup", "--data", tmp_path / "room", *options)
        done = run_cli(*words, **variables)
        refused = (done.returncode == 0, "the master key is not the one of this database" in done.stderr)
        assert refused == (False, True), done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["other"]


def test_a_damaged_backup_is_refused_before_anything_is_made(backups, tmp_path):
    """One bit of it is another, wherever that is: in the database, the key, the head, or the end."""
    folder, _, _ = backups
    whole = (folder / "with.backup").read_bytes()
    key = (folder / "master.key").read_bytes()

    for at in (100, whole.index(b"begun_at") + 14, len(whole) // 2, whole.index(key), len(whole) - 1):
        (tmp_path / "damaged").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        done = run_cli("restore", tmp_path / "damaged", "--data", tmp_path / "room")
        assert (done.returncode == 0, "this is no whole backup: " in done.stderr) == (False, True), (at, done.stderr)
    assert [each.name for each in tmp_path.iterdir()] == ["damaged"]


def test_a_folder_that_is_not_empty_is_left_alone(backups, tmp_path):
    """And so is a file that is there, and a room that does not run."""
    folder, _, data = backups
    (tmp_path / "mine").write_text("x")

    for words, why in (
        (("restore", folder / "with.backup", "--data", tmp_path), "not empty"),
        (("backup", folder / "with.backup", "--data", data), "overwrites nothing"),
        (("backup", tmp_path / "b", "--data", tmp_path / "none"), "no room runs"),
        (("restore", tmp_path / "mine", "--data", tmp_path / "new"), "no whole backup"),
    ):
        done = run_cli(*words)
        assert (done.returncode == 0, why in done.stderr) == (False, True), done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]


@pytest.mark.matrix
@pytest.mark.parametrize("what", ["backup", "restore"])
def test_killed_at_any_moment_nothing_has_the_name(backups, tmp_path, what):
    """Neither a file nor a folder; the next try succeeds, and leaves nothing of the one before."""
    folder, _, data = backups
    where = tmp_path / what
    words = {
        "backup": ["backup", where, "--data", data],
        "restore": ["restore", folder / "with.backup", "--data", where],
    }[what]
    for line in ("Writing", "Reading it back") if what == "backup" else ("Reading", "Restoring"):
        program = subprocess.Popen(
            [*PROGRAM, *map(str, words)],
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
            start_new_session=True,
        )
        assert program.stderr is not None
        assert any(line in told for told in program.stderr)
        program.send_signal(signal.SIGKILL)
        program.wait()
        program.stderr.close()
        assert not where.exists()
        until(lambda: asyncio.run(may_delete(data)), "pruner and sweeper may go on")

    done = run_cli(*words)

    assert done.returncode == 0, done.stderr
    assert [each.name for each in tmp_path.iterdir()] == [what]


def run_numbers(running: Room, process: str) -> dict[str, int]:
    """The number by which people speak of a run, by its id."""
    request = urllib.request.Request(
        f"{running.url}/process-v1/workspaces/{running.facts['workspace_id']}/processes/{process}/runs",
        headers={"Authorization": f"RC-WSKEY {running.facts['api_key']}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return {run["id"]: run["runNo"] for run in json.load(answer)["data"]}


async def may_delete(data: Path) -> bool:
    """What pruner and sweeper of a running room ask before they delete."""
    connection = await asyncpg.connect(await running_address(data / "postgres"))
    try:
        return await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK)  # gone with the connection
    finally:
        await connection.close()
