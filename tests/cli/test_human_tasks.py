"""Tasks of people at the prompt, against a real room."""

import json

from rooms import until


def test_a_process_asks_a_person_and_goes_on(running, tmp_path):
    """The form says what is asked; what is missing is refused, and what is filled in comes out of the run."""
    form = tmp_path / "form.json"
    form.write_text(json.dumps({"title": "Approve", "fields": [{"name": "why", "required": True}], "buttons": ["Yes"]}))
    running.cli("process", "create", "Ask", "--ask", f"approve=@{form}")
    run = running.cli("run", "Ask", "--input", '{"sum": 7}').stdout.strip()
    until(lambda: running.json("human-tasks", "list"), "somebody is asked")

    [task] = running.json("human-tasks", "list")
    assert "why" in running.cli("human-tasks", "show", task["id"]).stdout
    assert "why" in running.cli("human-tasks", "submit", task["id"], code=1).stderr
    running.cli("human-tasks", "submit", task["id"], "--field", "why=so", "--button", "Yes")
    until(lambda: running.json("runs", "show", run)["state"] == "completed", "the run has ended")
    assert running.json("human-tasks", "list") == []
