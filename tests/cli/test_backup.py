"""A room is backed up while it runs, and made anew of the file."""

import signal
import subprocess
from pathlib import Path

import pytest

from rooms import PROGRAM, clean_environment, room, run_cli

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def backups(tmp_path_factory):
    """A room in which a robot has run, its folder, and two backups of it: with the key and without."""
    folder = tmp_path_factory.mktemp("backups")
    with room() as running:
        running.cli("secrets", "set", "bank", "pin=1234")
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
    """Its keys and secrets open, its runs are there, its robots run, and what happens is told."""
    folder, facts, _ = backups
    done = run_cli("restore", folder / "with.backup", "--data", tmp_path / "room")
    assert done.returncode == 0, done.stderr

    with room(data=tmp_path / "room") as running:
        for sealed in ("workspace_id", "api_key", "user_credentials"):
            assert running.facts[sealed] == facts[sealed]
        [old] = running.json("runs", "list")
        running.cli("run", "Plain", "--follow")
        new = [run for run in running.json("runs", "list") if run["id"] != old["id"]]
        assert [run["state"] for run in [old, *new]] == ["completed", "completed"]


def test_without_its_key_a_room_does_not_start_and_with_it_does(backups, tmp_path):
    """The key may be named at the restoring."""
    folder, facts, _ = backups
    done = run_cli("restore", folder / "without.backup", "--data", tmp_path / "bare")
    assert (done.returncode, "master key" in done.stderr) == (0, True)
    assert not (tmp_path / "bare" / "master.key").exists()

    options = ("--data", tmp_path / "keyed", "--key", folder / "master.key")
    assert run_cli("restore", folder / "without.backup", *options).returncode == 0
    with room("--no-worker", data=tmp_path / "keyed") as running:
        assert running.facts["api_key"] == facts["api_key"]


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


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_killed_at_any_moment_nothing_has_the_name(backups, tmp_path, what):
    """Neither a file nor a folder; the next try succeeds, and leaves nothing of the one before."""
    folder, _, data = backups
    where = tmp_path / what
    words = {
        "backup": ["backup", where, "--data", data],
        "restore": ["restore", folder / "with.backup", "--data", where],
    }[what]
    for line in ("writing", "reading it back") if what == "backup" else ("reading", "restoring"):
        program = subprocess.Popen(
            [*PROGRAM, *map(str, words)],
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
            start_new_session=True,
        )
        assert program.stderr is not None
        while line not in program.stderr.readline():
            pass
        program.send_signal(signal.SIGKILL)
        program.wait()
        program.stderr.close()
        assert not where.exists()

    done = run_cli(*words)

    assert done.returncode == 0, done.stderr
    assert [each.name for each in tmp_path.iterdir()] == [what]
