"""Locks at the prompt, against a real room."""

from rooms import run_cli, until

ROBOT = 'tasks:\n  Go:\n    shell: "true"\nartifactsDir: output\n'


def test_locks_are_asked_for_shown_and_set(running, tmp_path):
    """A process says what its runs hold, a start asks for more; the run tells for whom it waits."""
    (tmp_path / "robot.yaml").write_text(ROBOT)
    running.cli("push", tmp_path, "--name", "robot")
    running.cli("process", "create", "Load", "--step", "one=robot:Go", "--lock", "warehouse")
    first = running.cli("run", "Load").stdout.strip()
    second = running.cli("run", "Load", "--lock", "disk").stdout.strip()
    until(lambda: running.json("locks", "show", "warehouse")["held"] == 1, "the first run has the lock")

    shown = running.cli("runs", "show", second).stdout
    assert all(word in shown for word in ("warehouse", "waiting", "Load #1", "disk"))
    assert running.json("runs", "show", second)["blocked_by"] == [first]
    assert "Load #1" in running.cli("locks", "list").stdout
    line = running.cli("locks", "show", "warehouse").stdout
    assert line.index("holds it") < line.index("waits")

    running.cli("locks", "set", "warehouse", "--capacity", "2")
    until(lambda: running.json("locks", "show", "warehouse")["held"] == 2, "the second run has it, too")
    for run in (first, second):
        running.end(run)
    running.cli("locks", "delete", "warehouse", "--yes")
    assert "warehouse" not in [each["name"] for each in running.json("locks", "list")]
    assert "no run" in running.cli("locks", "show", "warehouse", code=1).stderr
    running.cli("process", "edit", "Load", "--no-locks")
    assert running.json("process", "show", "Load")["locks"] == []
    of_one = {
        "CONTROLROOM_URL": running.url,
        "CONTROLROOM_WORKSPACE": running.facts["workspace_id"],
        "CONTROLROOM_API_KEY": running.cli("keys", "create", "writer", "-p", "write_processes").stdout.strip(),
    }
    refused = run_cli("locks", "set", "slots", "--capacity", "2", "--organization", **of_one)
    assert (refused.returncode, "admin" in refused.stderr) == (1, True)
