"""Jobs of dbt projects at the prompt, against a real room."""

import json

import pytest

from rooms import Room


@pytest.fixture(scope="module")
def project(running: Room, tmp_path_factory) -> int:
    """The number of a project with an environment; the room has no other project."""
    folder = tmp_path_factory.mktemp("jaffle")
    (folder / "dbt_project.yml").write_text("name: jaffle\n")
    pushed = json.loads(running.cli("dbt", "push", folder, "--name", "jaffle", "--json").stdout)
    return pushed["project_id"]


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


def test_a_job_is_started_otherwise(running, project):
    """What it is given for this run; what may not be run is refused, and nothing is started."""
    running.cli("dbt", "jobs", "create", "Hourly", "-c", "dbt build")

    refused = running.cli("dbt", "jobs", "run", "Hourly", "-c", "dbt run --profiles-dir /", code=1)
    started = running.json("dbt", "jobs", "run", "Hourly", "--cause", "a try", "-c", "dbt parse", "--threads", "2")

    assert (refused.stdout, "may not be run" in refused.stderr) == ("", True)
    assert started["started"] is True
    assert running.json("dbt", "runs", "show", str(started["number"]))["trigger"]["cause"] == "a try"
    assert "made documentation" in running.cli("dbt", "docs", "Hourly", code=1).stderr
    running.cli("dbt", "jobs", "delete", "Hourly", "--yes")


def test_run_slots_are_told(running):
    """In words, and as JSON."""
    assert "dbt run at once, as was set" in running.cli("dbt", "slots", "1").stdout
    assert running.json("dbt", "slots")["capacity"] == 1


def test_the_environments_and_variables_of_a_pushed_project_are_found(running, project):
    """Environments are those of the only project; a variable is the workspace's, unless the project is named."""
    environments = running.json("dbt", "environments", "list")
    assert [each["name"] for each in environments] == ["Production"]
    assert running.json("dbt", "environments", "show", "Production", "--project", "jaffle") == environments[0]
    here = ("--project", str(project))
    running.cli("dbt", "variables", "set", "DBT_COLOR", "red", *here)
    assert [each["value"] for each in running.json("dbt", "variables", "list", *here)] == ["red"]
    assert "--project" in running.cli("dbt", "variables", "list").stderr
    assert "--project" in running.cli("dbt", "variables", "show", "DBT_COLOR", code=1).stderr
    running.cli("dbt", "variables", "delete", "DBT_COLOR", "--yes", *here)
