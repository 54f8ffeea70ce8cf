"""Figures at the prompt, against a real room."""

from rooms import until

ROBOT = 'tasks:\n  Go:\n    shell: "true"\nartifactsDir: output\n'


def test_figures_agree_with_what_was_done(running, tmp_path):
    """What waits, what ended and how, why it failed; and figures are made anew."""
    (tmp_path / "robot.yaml").write_text(ROBOT)
    running.cli("push", tmp_path, "--name", "counted")
    running.cli("process", "create", "Counted", "--step", "one=counted:Go")
    run = running.cli("run", "Counted").stdout.strip()
    assert any(row["waiting"] == 1 for row in running.json("figures", "queues"))
    running.cli("runs", "stop", run, "--terminate")

    def ended():
        rows = running.json("figures", "show", "process", "result", "--noun", "run", "--process", "Counted")
        return [(row["process_name"], row["result"], row["count"]) for row in rows]

    until(lambda: ended() == [("Counted", "stopped", 1)], "the run that was stopped is counted")
    assert "stopped" in running.cli("figures", "show", "--noun", "run", "--process", "Counted").stdout
    assert isinstance(running.json("figures", "failures"), list)
    until(lambda: not running.get("/figures/rebuild")["under_way"], "nothing is made anew")
    running.cli("figures", "rebuild")
