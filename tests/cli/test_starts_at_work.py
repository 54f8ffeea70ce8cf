"""Runs that are started as they were asked for: at the prompt, by real workers, to what their robots see."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rooms import PROGRAM, Room, clean_environment, room, until

SAYING = """
import os, sys, time
print("version", "VERSION", "level", os.environ.get("LEVEL"), "region", os.environ.get("REGION"), flush=True)
time.sleep(float(os.environ.get("SLEEP", 0)))
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Room]:
    """A room with a worker."""
    with room() as started:
        yield started


@pytest.fixture(scope="module")
def second_worker(running, tmp_path_factory) -> Iterator[None]:
    """Another worker, called `second`."""
    folder: Path = tmp_path_factory.mktemp("second")
    token = running.cli("workers", "link-token").stdout.strip()
    words = ["worker", "--folder", str(folder), "--name", "second"]
    variables = clean_environment(CONTROLROOM_URL=running.url, CONTROLROOM_LINK_TOKEN=token)
    with (folder / "log").open("wb") as log:
        program = psutil.Popen([*PROGRAM, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=variables)
    try:
        until(lambda: set(states(running).values()) == {"idle"} and len(states(running)) == 2, "two workers are idle")
        yield
    finally:
        program.terminate()
        program.wait(30)


@pytest.fixture(scope="module")
def saying(running, tmp_path_factory) -> str:
    """A package of two versions whose robot says which of them it is, and what its environment has; and its process."""
    folder: Path = tmp_path_factory.mktemp("saying")
    (folder / "robot.yaml").write_text("tasks: {Say: {shell: python3 say.py}}\nartifactsDir: output\n")
    for version in ("one", "two"):
        (folder / "say.py").write_text(SAYING.replace("VERSION", version))
        running.cli("push", folder, "--name", "saying")
    return running.cli(
        *(
            "process",
            "create",
            "Saying",
            "--step",
            "say=saying:Say",
            "--env",
            "say:REGION=eu",
            "--env",
            "say:LEVEL=info",
        ),
        *("--max-parallel", "say=2", "--one-item", "say"),
    ).stdout.strip()


def states(running: Room) -> dict[str, str]:
    """The workers and their states."""
    return {worker["name"]: worker["state"] for worker in running.json("workers", "list")}


def run(running: Room, *words: str, code: int = 0) -> str:
    """What the robot of a run said, which is followed to its end."""
    return running.cli("run", "Saying", *words, "--follow", code=code).stdout


def test_a_robot_sees_what_its_run_was_asked_for(running, saying):
    """Variables over the step's, the version by number or label; the next usual run is as its step says."""
    running.cli("packages", "label", "saying", "production", "1")

    assert "version one level debug region eu" in run(running, "--label", "production", "--env", "LEVEL=debug")
    assert "version one level info region eu" in run(running, "--package-version", "saying:1")
    assert "version two level info region eu" in run(running)


@pytest.mark.matrix
def test_the_time_limit_of_a_run_ends_its_robot(running, saying):
    """A robot that takes longer than its run may is ended, whatever its step says; run again, it keeps the limit."""
    key = ["--idempotency-key", "once", "--env", "SLEEP=600", "--timeout", "1"]
    started = running.cli("run", "Saying", *key).stdout.strip()
    assert running.cli("run", "Saying", *key).stdout.strip() == started
    running.cli("runs", "follow", started, code=1)
    again = running.cli("runs", "rerun", started).stdout.strip()
    running.cli("runs", "follow", again, code=1)

    for each in (started, again):
        [step_run] = running.json("runs", "show", each)["step_runs"]
        assert step_run["error"]["code"] == "TIMEOUT"


@pytest.mark.matrix
def test_a_later_place_helps_while_the_first_is_at_work(running, saying, second_worker):
    """Of two robots at once each group's worker runs one; one that is alone is run by the first's."""
    first = next(name for name in states(running) if name != "second")
    for group, worker in (("near", first), ("far", "second")):
        running.cli("groups", "create", group)
        running.cli("groups", "add", group, worker)
    places = ["--place", "group:near", "--place", "group:far"]

    both = running.cli(*("run", "Saying", "--input", "1", "--input", "2", "--env", "SLEEP=600", *places)).stdout.strip()
    until(lambda: states(running) == {first: "busy", "second": "busy"}, "both workers have a robot", seconds=60)
    running.cli("runs", "stop", both, "--terminate")
    until(lambda: states(running) == {first: "idle", "second": "idle"}, "both are free again", seconds=60)

    alone = running.cli("run", "Saying", "--env", "SLEEP=600", *places).stdout.strip()
    until(lambda: states(running)[first] == "busy", "the first has it", seconds=60)
    assert states(running)["second"] == "idle"
    running.cli("runs", "stop", alone, "--terminate")
    running.cli("runs", "follow", alone, code=1)
