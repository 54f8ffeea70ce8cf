"""Jobs of dbt projects at the prompt, against a real room."""

import json
import urllib.request
from typing import Any

import pytest


@pytest.fixture(scope="module")
def project(running) -> int:
    """The number of a project with an environment, made as programs make it; the room has no other project."""
    token = running.json("dbt", "tokens", "create", "maker", "--permission", "account_admin")
    account = f"{running.url}/api/v3/accounts/{token['account_id']}"

    def make(path: str, **body: Any) -> int:
        headers = {"Authorization": f"Token {token['token']}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{account}/{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["data"]["id"]

    made = make("projects/", name="jaffle")
    connection = make("connections/", name="tables", adapter_version="duckdb_v0")
    make(f"projects/{made}/environments/", name="Production", connection_id=connection)
    return made


def test_a_job_is_made_listed_shown_started_and_deleted(running, project):
    """The only project and the only environment need not be named; a job is found by name and by number."""
    made = running.json(
        *("dbt", "jobs", "create", "Nightly", "-c", "dbt seed", "-c", "dbt build -s 'a b'"),
        *("--cron", "0 3 * * *", "--threads", "8", "--docs"),
    )
    assert (made["commands"], made["threads"], made["generates_docs"]) == (["dbt seed", "dbt build -s 'a b'"], 8, True)
    assert (made["project"]["number"], made["cron_in_words"]) == (project, "At 03:00 AM")
    number = str(made["number"])

    listed = running.cli("dbt", "jobs", "list").stdout
    assert all(word in listed for word in (number, "Nightly", "jaffle", "Production", "scheduled"))
    assert running.json("dbt", "jobs", "list", "--project", str(project)) == [made]
    assert running.json("dbt", "jobs", "show", number) == running.json("dbt", "jobs", "show", "Nightly") == made
    assert "At 03:00 AM, UTC" in running.cli("dbt", "jobs", "show", "Nightly").stdout

    after = running.cli("dbt", "jobs", "create", "After", "--after", "Nightly", "--after-end", "failed").stdout.strip()
    assert running.json("dbt", "jobs", "show", after)["follows"]["after"] == ["failed"]
    assert "may not be run" in running.cli("dbt", "jobs", "create", "Bad", "-c", "make", code=1).stderr
    assert "There are: Nightly, After" in running.cli("dbt", "jobs", "show", "Weekly", code=1).stderr
    assert "no project 'other'" in running.cli("dbt", "jobs", "list", "--project", "other", code=1).stderr

    assert "--yes" in running.cli("dbt", "jobs", "delete", "Nightly", code=2).stderr
    running.cli("dbt", "jobs", "delete", "Nightly", "--yes")
    assert [job["name"] for job in running.json("dbt", "jobs", "list")] == ["After"]


def test_a_job_of_a_project_without_files_is_not_started(running, project):
    """It says so, and nothing is started."""
    running.cli("dbt", "jobs", "create", "Empty", "-c", "dbt build")

    refused = running.cli("dbt", "jobs", "run", "Empty", "--cause", "a try", code=1)

    assert refused.stdout == ""
    assert refused.stderr.strip()
