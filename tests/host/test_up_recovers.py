"""`up` on what it finds: copied folders, damaged files, a newer schema, another key. It starts, or says why not."""

import asyncio
import json
import os
import pty
import shutil
import subprocess
import threading
import time
from pathlib import Path

import asyncpg
import psutil
import pytest
from _pytest.mark import ParameterSet

from controlroom.host import children
from controlroom.postgres.embedded import running_address
from rooms import MADE_BEFORE, PROGRAM, Room, clean_environment, run_cli, until

pytestmark = pytest.mark.e2e  # each starts rooms of its own: seconds of a processor


@pytest.fixture(scope="module")
def rested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a room that has run and was stopped."""
    data = tmp_path_factory.mktemp("rested") / "data"
    running = Room(data, "--port", "0")
    try:
        running.wait_until_ready()
        work(running, data.parent)
        assert running.stop() == 0
    finally:
        running.kill()
    return data


def work(running: Room, folder: Path) -> None:
    """Run a robot with an environment to its end."""
    robot = folder / "robot"
    if not robot.exists():
        robot.mkdir()
        (robot / "robot.yaml").write_text(
            "tasks: {go: {command: [python, -c, 'print(1)']}}\ncondaConfigFile: conda.yaml\nartifactsDir: output\n"
        )
        (robot / "conda.yaml").write_text("dependencies: [python=3.11]\n")
        running.cli("push", robot, "--name", "robot")
        running.cli("process", "create", "P", "--step", "s=robot:go")
    running.cli("run", "P", "--follow")


@pytest.fixture
def data(rested: Path, tmp_path: Path):
    """A copy of it, owners and all; what a test left running is ended."""
    copy = tmp_path / "data"
    subprocess.run(["cp", "-a", rested, copy], check=True)
    yield copy
    Room.end_in(copy)


def at_length(*contents: object) -> list[ParameterSet]:
    """The same in further shapes, which are tried where there is time."""
    return [pytest.param(each, marks=pytest.mark.matrix) for each in contents]


def refusal(data: Path, *options: str, **variables: str) -> str:
    """What `up` says that does not start."""
    done = run_cli("up", "--data", data, "--port", "0", *options, **variables)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def starts(data: Path, *options: str) -> Room:
    """A room that starts in a folder, with its worker."""
    running = Room(data, *options).wait_until_ready()
    assert [worker["state"] for worker in running.get("/workers")["data"]].count("idle") == 1
    return running


def statement(data: Path, sql: str) -> None:
    """Do something to the database of a running room, behind its back."""

    async def execute() -> None:
        address = await running_address(data / "postgres")
        assert address is not None
        connection = await asyncpg.connect(address)
        await connection.execute(sql)
        await connection.close()

    asyncio.run(execute())


def test_a_folder_copied_without_its_owners_starts(data, rested, tmp_path):
    """Modes and owners are lost (`cp -r`, an unpacked archive): the copy is a room like the first, builds included."""
    copy = tmp_path / "copied"
    shutil.copytree(data, copy, symlinks=True)
    for folder, folders, files in os.walk(copy):
        for name in (*folders, *files):
            path = Path(folder, name)
            os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)
    running = starts(copy)
    try:
        work(running, rested.parent)
        assert running.stop() == 0
    finally:
        running.kill()


def test_a_newer_schema_is_refused_with_words(data):
    """A release that does not know a migration of the database does not touch it."""
    running = Room(data, "--no-worker").wait_until_ready()
    statement(data, "insert into schema_migration (name, sha256) values ('29990101000000_pre_of_tomorrow.sql', '')")
    assert running.stop() == 0

    said = refusal(data)

    assert "newer release" in said
    assert "29990101000000_pre_of_tomorrow.sql" in said


def test_a_folder_of_before_the_schema_was_frozen_is_refused_with_words(data):
    """It says what it is and what to do; the folder stays as it was."""
    running = Room(data, "--no-worker").wait_until_ready()
    statement(data, MADE_BEFORE)
    assert running.stop() == 0

    said = refusal(data)

    assert "made by a release before 0.2.0 (by 20261122000000_pre_first_stone.sql)" in said
    assert "Start afresh with another data folder" in said
    assert "or go on with the release that made it" in said


def test_a_missing_master_key_is_an_error_and_not_a_new_key(data):
    """Nothing is made in its place, and with the key back the room is as it was."""
    key = (data / "master.key").read_text()
    (data / "master.key").unlink()

    said = refusal(data)

    assert "master key is missing" in said
    assert "master.key" in said
    assert not (data / "master.key").exists()
    (data / "master.key").write_text(key)
    running = starts(data)
    assert running.stop() == 0


@pytest.mark.parametrize("content", ["not base64", *at_length("", "QUJD", "A" * 43 + "=")])
def test_another_master_key_is_told(data, content):
    """Damaged or somebody else's: it is said before anything is done with it."""
    (data / "master.key").write_text(content)
    assert "master key" in refusal(data)


def test_a_master_key_of_another_room_is_told_where_it_is_a_variable(data):
    """A server that was given the wrong key does not work beside the right ones."""
    said = refusal(data, CONTROLROOM_MASTER_KEY="QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=")
    assert "not the one of this database" in said


@pytest.mark.parametrize(
    "content", ["{", None, *at_length("", "[]", "null", '{"url": 3}', '{"url": "http://127.0.0.1:1"}', "\x00\xff")]
)
def test_a_damaged_worker_file_does_not_stop_a_room(data, content):
    """The local worker is linked anew; with a folder in the file's place, too."""
    file = data / "worker" / "worker.json"
    file.unlink()
    if content is None:
        file.mkdir()
    else:
        file.write_text(content, encoding="latin-1")

    running = starts(data)

    assert json.loads(file.read_text())["url"] == running.url
    assert running.stop() == 0


def test_a_worker_that_the_room_does_not_know_is_linked_anew(data):
    """The credential is another room's, or the worker was deleted: `up` says so and has a worker all the same."""
    file = data / "worker" / "worker.json"
    known = json.loads(file.read_text())
    known["linked"]["token"] = known["linked"]["token"][:-1] + ("a" if known["linked"]["token"][-1] != "a" else "b")
    file.write_text(json.dumps(known))

    running = starts(data)

    assert "linked anew" in running.log
    assert running.stop() == 0


def test_a_worker_of_another_room_is_told_so(data, tmp_path):
    """One that stands alone says which room it is linked to, or that this one does not know it, and ends."""
    folder = tmp_path / "worker"
    folder.mkdir()
    known = json.loads((data / "worker" / "worker.json").read_text())
    running = Room(data, "--no-worker").wait_until_ready()
    try:
        (folder / "worker.json").write_text(json.dumps({**known, "url": "http://127.0.0.1:1"}))
        done = run_cli("worker", "--url", running.url, "--folder", folder)
        assert done.returncode == 1
        assert "linked to the room at http://127.0.0.1:1" in done.stderr

        linked = {**known["linked"], "token": known["linked"]["token"][::-1]}
        (folder / "worker.json").write_text(json.dumps({"url": running.url, "linked": linked}))
        done = run_cli("worker", "--url", running.url, "--folder", folder)
        assert done.returncode == 1
        assert "does not know this worker" in done.stderr

        (folder / "worker.json").write_text("{")
        done = run_cli("worker", "--url", running.url, "--folder", folder)
        assert done.returncode == 1
        assert "link the worker again" in done.stderr
        assert running.stop() == 0
    finally:
        running.kill()


@pytest.mark.matrix
def test_logs_rotate_while_a_room_runs(data):
    """A log that has grown long is put aside, the part goes on in a new one, and the oldest goes."""
    ours, theirs = pty.openpty()
    said = bytearray()
    words = [*PROGRAM, "up", "--data", str(data), "--port", "0", "--no-worker"]
    room = psutil.Popen(words, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=clean_environment())
    os.close(theirs)

    def read() -> None:
        while True:
            try:
                said.extend(os.read(ours, 4096))
            except OSError:
                return

    threading.Thread(target=read, daemon=True).start()
    log = data / "logs" / "server.log"
    try:
        until(lambda: b"is ready at" in said, "the room is ready")
        for number in range(1, children._LOGS_KEPT + 1):
            (data / "logs" / f"server.{number}.log").write_text(str(number))
        before = log.stat().st_ino
        os.truncate(log, children._LOG_BYTES + 1)
        until(lambda: log.exists() and log.stat().st_ino != before, "a new log is there", seconds=60)
        assert (data / "logs" / "server.1.log").stat().st_ino == before
        assert (data / "logs" / "server.2.log").read_text() == "1"
        assert not (data / "logs" / f"server.{children._LOGS_KEPT + 1}.log").exists()
        assert run_cli("workers", "link-token", CONTROLROOM_DATA=str(data)).returncode == 0
        until(lambda: b"link-tokens" in log.read_bytes(), "what the server says stands in the new one")
        room.terminate()
        assert room.wait(60) == 0
    finally:
        if room.is_running():
            room.kill()
        os.close(ours)


@pytest.mark.matrix
def test_running_robots_get_their_grace(data, tmp_path):
    """With --stop-grace a robot that runs ends by itself, and its run completes, before the room does."""
    robot = tmp_path / "robot"
    robot.mkdir()
    (robot / "robot.yaml").write_text("tasks: {go: {command: [python3, go.py]}}\nartifactsDir: output\n")
    (robot / "go.py").write_text("import time\ntime.sleep(4)  # what is asked to stop comes meanwhile\n")
    running = Room(data, "--stop-grace", "60").wait_until_ready()
    running.cli("push", robot, "--name", "slow")
    running.cli("process", "create", "Slow", "--step", "s=slow:go")
    run = running.json("run", "Slow")["id"]
    until(lambda: _is_at_work(running), "the robot runs")
    asked = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - asked < 60

    again = Room(data, "--no-worker").wait_until_ready()
    try:
        assert again.json("runs", "show", run)["state"] == "completed"
    finally:
        again.kill()


def _is_at_work(running: Room) -> bool:
    return [worker["state"] for worker in running.get("/workers")["data"]] == ["busy"]
