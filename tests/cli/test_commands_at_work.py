"""Steps with commands, from the command line to a real worker and back."""

import json
from pathlib import Path

import pytest

from rooms import Room, run_cli, until

STEP = """
import sys, time
name, *what = sys.argv[1:]
print(f"{name} speaks", flush=True)
open("output/results.json", "w").write(name)
if "waits" in what:
    time.sleep(600)
sys.exit(3 if "fails" in what else 0)
"""


@pytest.fixture(scope="module")
def running(at_work: Room) -> Room:
    """A room with a worker."""
    return at_work


@pytest.fixture(scope="module")
def shop(running, tmp_path_factory) -> str:
    """A package whose program speaks, and waits or fails if it is told to."""
    folder: Path = tmp_path_factory.mktemp("shop")
    (folder / "robot.yaml").write_text("tasks: {Never: {shell: 'false'}}\nartifactsDir: output\n")
    (folder / "step.py").write_text(STEP)
    return running.cli("push", folder, "--name", "shop").stdout.strip()


def command(name: str, *what: str, **more) -> dict:
    """A command that speaks, and does what it is told."""
    return {"name": name, "words": ["python3", "step.py", name, *what], **more}


def start(running: Room, package: str, *commands: dict, **more) -> str:
    """Start a process of these commands; the id of its run."""
    step = {"name": "run", "commands": {"package_id": package, "list": commands}, **more}
    process = running.post("/processes", {"name": "shop", "steps": [step]})
    return running.post(f"/processes/{process['id']}/process-runs")["id"]


def phases(running: Room, run: str) -> dict[str, str]:
    """How the commands of a run stand, by name."""
    rows = [
        phase
        for step_run in running.get(f"/step-runs?process_run_id={run}")["data"]
        for phase in running.get(f"/step-runs/{step_run['id']}/phases")["data"]
    ]
    return {row["name"]: row["state"] for row in rows if row["kind"] == "command"}


def ended(running: Room, run: str) -> dict:
    """The only step run of a run that has ended."""
    until(lambda: running.get(f"/process-runs/{run}")["state"] in {"completed", "unresolved"}, f"run {run} ends")
    [step_run] = running.get(f"/step-runs?process_run_id={run}")["data"]
    return step_run


def test_a_list_with_a_failing_middle(running, shop, tmp_path):
    """Each command has its part of the console and its files of one name; those behind the failure are skipped."""
    run = start(
        running,
        shop,
        command("fresh", "fails", on_failure="ignore"),
        command("deps"),
        command("build", "fails"),
        command("docs"),
        command("tidy", always_run=True),
    )

    step_run = ended(running, run)

    assert (step_run["state"], step_run["error"]["code"]) == ("failed", "ROBOT_FAILED")
    assert "`build` ended with exit code 3" in step_run["error"]["message"]
    states = {"fresh": "failed", "deps": "succeeded", "build": "failed", "docs": "skipped", "tidy": "succeeded"}
    assert phases(running, run) == states
    assert running.cli("runs", "console", run, "--phase", "build").stdout == "build speaks\n"
    assert running.cli("runs", "console", run, "--phase", "docs").stdout == ""
    assert "no phase" in running.cli("runs", "console", run, "--phase", "dogs", code=1).stderr
    assert "tidy speaks" in running.cli("runs", "console", run).stdout
    assert {row["name"]: row["state"] for row in running.json("runs", "phases", run)}.items() >= states.items()
    results = [row["phase"]["name"] for row in running.json("artifacts", "list", run) if row["name"] == "results.json"]
    assert results == ["fresh", "deps", "build", "tidy"]
    running.cli("artifacts", "download", run, "--name", "results.json", "-o", tmp_path)
    assert sorted(path.read_text() for path in tmp_path.rglob("results.json")) == sorted(results)


def test_commands_are_written_at_the_prompt(running, shop):
    """A line for each, split into words; `show` names them, an edit puts others or a task in their place."""
    lines = ("one=shop:python3 step.py 'a b'", "one=shop:python3 step.py c")
    running.cli("process", "create", "typed", *(word for line in lines for word in ("--command", line)))
    assert running.cli("run", "typed", "--follow").stdout.count(" speaks") == 2

    [step] = running.json("process", "show", "typed")["steps"]
    assert [each["words"][-1] for each in step["commands"]["list"]] == ["a b", "c"]
    assert "python3 step.py c" in running.cli("process", "show", "typed").stdout
    running.cli("process", "edit", "typed", "--command", "one=shop:true", "--timeout", "one=5")
    [step] = running.json("process", "show", "typed")["steps"]
    assert [each["words"] for each in step["commands"]["list"]] == [["true"]]
    running.cli("process", "edit", "typed", "--step", "one=shop:Never")
    [step] = running.json("process", "show", "typed")["steps"]
    assert step["task"]["name"] == "Never"
    assert "commands" not in step
    assert "--command" in running.cli("process", "create", "empty", code=2).stderr


def test_what_ends_a_list_in_the_middle(running, shop):
    """A stop, the time limit and a lost worker end the command in hand and skip the rest, even what always runs."""
    middle = (command("deps"), command("build", "waits"), command("tidy", always_run=True))
    stopped, late = start(running, shop, *middle), start(running, shop, *middle, timeout_seconds=2)

    until(lambda: phases(running, stopped).get("build") == "in_progress", "the second command runs")
    assert phases(running, stopped)["tidy"] == "waiting"
    until(lambda: "build speaks" in running.cli("runs", "console", stopped).stdout, "what it printed has come")
    running.cli("runs", "stop", stopped, "--terminate")
    assert ended(running, stopped)["error"]["code"] == "TERMINATED"
    assert ended(running, late)["error"]["code"] == "TIMEOUT"
    lost = start(running, shop, *middle)
    until(lambda: phases(running, lost).get("build") == "in_progress", "the second command runs")
    until(lambda: "build speaks" in running.cli("runs", "console", lost).stdout, "what it printed has come")
    running.child("worker").kill()

    assert ended(running, lost)["error"]["code"] == "WORKER_LOST"
    for run in (stopped, late, lost):
        assert phases(running, run) == {"deps": "succeeded", "build": "failed", "tidy": "skipped"}
    for run in (stopped, lost):
        assert running.cli("runs", "console", run, "--phase", "build").stdout.startswith("build speaks\n")


def test_code_is_read_by_the_rooms_own_worker(running, tmp_path):
    """From the prompt to the reader and back; a policy that refuses shells takes no such package."""
    (tmp_path / "robot.yaml").write_text("tasks: {Main: {shell: python main.py}}\nartifactsDir: output\n")
    (tmp_path / "main.py").write_text("import os\n\nos.system('ls ' + input())\n")
    running.cli("push", tmp_path, "--name", "shelly")
    root = run_cli("login", CONTROLROOM_DATA=str(running.data)).stdout.strip()
    here = {"CONTROLROOM_URL": running.url, "CONTROLROOM_WORKSPACE": running.facts["workspace_id"]}

    found = json.loads(running.cli("packages", "analyse", "shelly", "--json").stdout)
    strict = ("code-policies", "create", "strict", "--rule", "S6", "--high", "S605", "--refuses", "high")
    assert run_cli(*strict, CONTROLROOM_API_KEY=root, **here).returncode == 0
    running.cli("code-policies", "give", "strict")
    refused = running.cli("push", tmp_path, "--name", "again", code=1)
    (tmp_path / "main.py").write_text("print('hello')\n")
    running.cli("push", tmp_path, "--name", "again")
    running.cli("code-policies", "give")

    assert [(each["rule"], each["severity"], each["line"]) for each in found] == [("S605", "high", 3)]
    assert "main.py:3" in refused.stderr
