"""`controlroom dbt runs|logs|artifacts`: runs of jobs at the prompt, in a room where nobody works them."""

import json
import urllib.request
from copy import copy

import pytest

from rooms import Room


@pytest.fixture(scope="module")
def running(started: Room, tmp_path_factory) -> Room:
    """A room without a worker, with a project."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "dbt_project.yml").write_text("name: shop\n")
    here = copy(started)
    here.ids = here.json("dbt", "push", folder)
    here.token = here.json("dbt", "tokens", "create", "prompt", "--permission", "account_admin")["token"]
    return here


def job(running: Room) -> int:
    """A job of the project, by its id."""
    ids = running.ids
    body = {
        "project_id": ids["project_id"],
        "environment_id": ids["environment_id"],
        "name": "Nightly",
        "execute_steps": ["dbt build"],
    }
    request = urllib.request.Request(
        f"{running.url}/api/v2/accounts/{ids['account_id']}/jobs/",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Token {running.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["data"]["id"]


def test_a_run_is_started_shown_and_cancelled(running):
    """By the ids that programs are told; without steps there are no logs and no files."""
    of = job(running)
    run = running.cli("dbt", "runs", "start", str(of), "--cause", "by hand", "--step", "dbt run").stdout.strip()

    listed = json.loads(running.cli("dbt", "runs", "list", "--job", str(of), "--json").stdout)
    assert [(each["id"], each["trigger"]["cause"]) for each in listed] == [(int(run), "by hand")]
    table = running.cli("dbt", "runs", "list", "--status", "queued").stdout
    assert "Nightly" in table
    assert "Queued" in running.cli("dbt", "runs", "show", run).stdout
    assert running.cli("dbt", "logs", run).stdout == ""
    assert json.loads(running.cli("dbt", "artifacts", "list", run, "--json").stdout) == []
    running.cli("dbt", "runs", "cancel", run)
    followed = running.cli("dbt", "logs", run, "--follow", code=1)
    assert "cancelled" in followed.stderr


def test_what_there_is_not_is_told(running):
    """In the room's words, with an exit code that says so."""
    refused = running.cli("dbt", "runs", "show", "7", code=1)
    assert "no run" in refused.stderr
    of = job(running)
    run = running.cli("dbt", "runs", "start", str(of)).stdout.strip()
    assert "cannot be retried" in running.cli("dbt", "runs", "retry", run, code=1).stderr
    assert "no step 9" in running.cli("dbt", "logs", run, "--step", "9", code=1).stderr
