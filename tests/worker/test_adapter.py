"""Robots with the vendor's library for work items are handed the room's own adapter by their worker."""

import json
import sys

import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer
from test_spares import run, run_in_spare

from controlroom.worker.environments.environment import ADAPTER_MODULE

ROBOT = """
    import json, os, subprocess, sys

    LOOK = (
        "import time; from robocorp.workitems._context import Context; began = time.process_time();"
        "print(type(Context().adapter).__module__, time.process_time() - began)"
    )
    named = os.environ.get("RC_WORKITEM_ADAPTER")
    children = [
        subprocess.run([sys.executable, *options, "-c", LOOK], capture_output=True, text=True, env=os.environ | own)
        for options, own in (([], {}), (["-I"], {}), ([], {"PYTHONPATH": "/nowhere"}))
    ]
    assert all(child.returncode == 0 for child in children), [child.stderr for child in children]
    seconds = [float(child.stdout.split()[1]) for child in children]
    print(json.dumps([named, [child.stdout.split()[0] for child in children], min(seconds)]))
"""
VENDORS_MODULE = "robocorp.workitems._adapters._robocorp"
VENDORS = "robocorp.workitems._adapters.RobocorpAdapter"
CONDA = "dependencies: [python={}.{}, {{pip: [robocorp-workitems==1.5.1]}}]"


@pytest.fixture
def files() -> dict[str, str]:
    """A robot that tells which adapter it, and children of it, would have."""
    plain = robots.plain(ROBOT)
    conda = CONDA.format(*sys.version_info[:2])
    return {**plain, "robot.yaml": plain["robot.yaml"] + "condaConfigFile: conda.yaml\n", "conda.yaml": conda}


def told(attempt) -> list:
    """What the robot has printed."""
    assert attempt.finish.error is None, attempt.artifacts
    return json.loads(attempt.artifacts["stdout.log"])


@pytest.mark.matrix
async def test_the_worker_names_the_adapter_unless_somebody_has_said_otherwise(room: RoomServer, tmp_path, files):
    """In a spare as in a fresh interpreter, isolated or in a child with folders of its own; and it costs no start."""
    package = room.add_package(files)
    cache = str(tmp_path / "cache")
    async with working(room, tmp_path / "walt", environments=cache) as walt:
        plain, _ = await run(room, walt, package, has_robot_api=True)
        spare = await run_in_spare(room, walt, package, has_robot_api=True)
        own, _ = await run(room, walt, package, has_robot_api=True, variables={"RPA_WORKITEMS_ADAPTER": VENDORS})
        older, _ = await run(room, walt, package)

    for attempt in (plain, spare):
        named, used, seconds = told(attempt)
        assert (named, used) == (f"{ADAPTER_MODULE}.Adapter", [ADAPTER_MODULE] * 3)
        print(f"the adapter costs {seconds * 1000:.1f} ms of a robot's start")
    for attempt in (own, older):
        assert told(attempt)[:2] == [None, [VENDORS_MODULE] * 3]


@pytest.mark.matrix
async def test_a_worker_can_be_told_to_leave_the_vendors(room: RoomServer, tmp_path, files):
    """With `fast_adapter` off nothing is named."""
    async with working(room, tmp_path / "walt", fast_adapter=False) as walt:
        attempt, _ = await run(room, walt, room.add_package(files), has_robot_api=True)

    assert told(attempt)[:2] == [None, [VENDORS_MODULE] * 3]
