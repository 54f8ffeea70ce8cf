"""Folders for work in hand, and what killed processes left in them."""

import subprocess
import sys

import psutil
import pytest

from controlroom.scratch import Scratch

HOLDING = """
import subprocess, sys
from pathlib import Path
from controlroom.scratch import Scratch
with Scratch(Path(sys.argv[1])).folder("git") as folder:
    (folder / "pack").write_text("half")
    child = subprocess.Popen(["sleep", "600"], cwd=folder, start_new_session=True, stdout=subprocess.DEVNULL)
    print(folder.name, child.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that works in a folder, with a child in it; its folder's name and the child."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        name, child = process.stdout.readline().split()
        yield process, tmp_path / name, psutil.Process(int(child))
        process.kill()
    if psutil.pid_exists(int(child)):
        psutil.Process(int(child)).kill()


def test_what_a_killed_process_left_is_swept_with_its_children(tmp_path, holder):
    """While it lives nobody touches its folder; once it was killed, the next one removes all of it."""
    process, folder, child = holder
    scratch = Scratch(tmp_path)

    assert scratch.sweep() == 0
    assert (folder / "pack").exists()
    process.kill()
    process.wait()
    assert scratch.sweep() == 1

    assert list(tmp_path.iterdir()) == []
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_folder_is_gone_with_its_block(tmp_path):
    """Also when the work fails; nobody else reads it meanwhile."""

    def work():
        with Scratch(tmp_path / "new").folder("work") as folder:
            (folder / "file").touch()
            assert folder.stat().st_mode & 0o777 == 0o700
            raise KeyError

    with pytest.raises(KeyError):
        work()

    assert list((tmp_path / "new").iterdir()) == []
    assert Scratch(tmp_path / "never").sweep() == 0
