"""The commands over the repository, against a real room."""

import json

from rooms import run_cli


def test_folders_are_made_and_rights_given(running):
    """By paths: a folder is made, found, given rights by who governs, checked out by a user, and deleted."""
    token = run_cli("login", CONTROLROOM_DATA=str(running.data)).stdout.strip()
    session = {
        "CONTROLROOM_URL": running.url,
        "CONTROLROOM_API_KEY": token,
        "CONTROLROOM_WORKSPACE": running.facts["workspace_id"],
    }

    def admin(*words):
        answer = run_cli("repository", *words, **session)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    made = running.cli("repository", "mkdir", "North").stdout.strip()
    [workspace] = [row for row in running.json("repository", "list") if row["kind"] == "workspace"]
    path = f"{workspace['path']}/North"
    assert running.json("repository", "show", path)["id"] == made
    role = run_cli("roles", "create", "clerks", **session).stdout.strip()
    admin("rights", path, role, "--give", "view", "--give", "run")
    assert json.loads(admin("rights", path, "clerks", "--take", "run", "--json"))["rights"] == ["view"]
    running.cli("repository", "move", path, "--name", "South")
    running.cli("repository", "delete", f"{workspace['path']}/South", "--yes")
    assert "there is nothing" in running.cli("repository", "show", path, code=1).stderr
