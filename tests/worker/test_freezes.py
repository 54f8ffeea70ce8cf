"""What an environment was made of, beside the artifacts of each of its step runs."""

import sys
import threading
from pathlib import Path

import sample_robots as robots
from real_worker import working
from room_server import RoomServer

from controlroom.worker.environments.environment import Environment, EnvironmentKind
from controlroom.worker.freezes import Freezes


def test_step_runs_that_end_at_once_all_get_the_file(tmp_path):
    """They share an environment, and whoever of them is first writes the file."""
    prefix = tmp_path / "environment"
    prefix.mkdir()
    environment = Environment(
        kind=EnvironmentKind.UV, fingerprint="f", prefix=prefix, python=Path(sys.executable), python_version="3.11.7"
    )
    for turn in range(20):
        freezes, together, found = Freezes(tmp_path / f"freezes-{turn}"), threading.Barrier(8), []

        def ask(freezes=freezes, together=together, found=found):
            together.wait()
            [(_, file)] = freezes.of(environment)
            found.append(file.read_text())

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert all("python=3.11.7" in text for text in found)


async def test_what_cannot_be_gathered_at_the_end_does_not_keep_the_end_from_being_told(room: RoomServer, tmp_path):
    """The robot has done its work: it ends well, and its console says what is missing."""
    folder = tmp_path / "walt"
    folder.mkdir(mode=0o700)
    (folder / "freezes").write_text("a file where the folder should be")
    async with working(room, folder, sandbox="off"):
        files = robots.plain("print('done')", extra="environmentConfigs:\n  - conda.yaml\n")
        conda = f"dependencies:\n  - python={sys.version_info.major}.{sys.version_info.minor}\n"
        attempt = await room.assign(room.add_package({**files, "conda.yaml": conda}))
        finish = await room.finished(attempt)

    assert (finish.error, finish.exit_code) == (None, 0)
    assert "done" in attempt.text
    assert any(line.startswith("The artifacts could not be gathered: ") for line in attempt.text)
