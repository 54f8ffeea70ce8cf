"""The dbt Cloud grammar, by light clients from PyPI that nobody here has touched, over TLS, with real dbt behind it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from client_programs import Account, account, environment, first_object

pytestmark = [pytest.mark.e2e, pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(600)]

DBTC = """
import os

from dbtc import dbtCloudClient

account, project, environment = (int(os.environ[name]) for name in ("ACCOUNT", "PROJECT", "ENVIRONMENT"))
cloud = dbtCloudClient(service_token=os.environ["ROOM_TOKEN"], host=os.environ["ROOM_HOST"]).cloud


def data(answer):
    assert answer["status"]["is_success"], answer
    return answer["data"]


assert [each["id"] for each in data(cloud.list_accounts())] == [account]
assert data(cloud.get_project_by_name("orchard", account))["id"] == project
assert environment in [each["id"] for each in data(cloud.list_environments(account, project))]
ends = {"github_webhook": False, "schedule": False, "git_provider_webhook": False}
body = {
    "id": None, "account_id": account, "project_id": project, "environment_id": environment, "name": "dbtc", "state": 1,
    "execute_steps": ["dbt seed"], "dbt_version": None, "generate_docs": False, "run_generate_sources": False,
    "settings": {"threads": 2, "target_name": "default"}, "triggers": ends,
    "schedule": {"date": {"type": "every_day"}, "time": {"type": "every_hour", "interval": 1}},
}
job = data(cloud.create_job(account, body))
assert job["id"] in [each["id"] for each in data(cloud.list_jobs(account, project_id=project))]
run = data(cloud.trigger_job(account, job["id"], {"cause": "dbtc"}, should_poll=True, poll_interval=1))
assert run["status_humanized"] == "Success", run
steps = data(cloud.get_run(account, run["id"], include_related=["run_steps"]))["run_steps"]
assert [each["status_humanized"] for each in steps] == ["Success"] * 4
assert "run_results.json" in data(cloud.list_run_artifacts(account, run["id"], step=4))
results = cloud.get_run_artifact(account, run["id"], "run_results.json", step=4)
assert results["metadata"]["env"]["DBT_CLOUD_RUN_ID"] == str(run["id"])
assert data(cloud.get_most_recent_run(account, job_definition_id=job["id"]))["id"] == run["id"]
hook = {"name": "w", "event_types": ["job.run.completed"], "client_url": "https://example.com/", "active": True}
made = data(cloud.create_webhook(account, hook | {"job_ids": job["id"]}))
assert data(cloud.get_webhook(account, made["id"]))["job_ids"] == [str(job["id"])]
data(cloud.delete_webhook(account, made["id"]))
token = data(cloud.create_service_token(account, {"name": "t", "permission_grants": [{"permission_set": "job_admin"}]}))
assert token["token_string"].startswith("dbtc_")
assert data(cloud.delete_job(account, job["id"]))["state"] == 2
"""


@pytest.fixture(scope="module")
def there() -> Iterator[Account]:
    """One room for all clients."""
    with account() as made:
        yield made


def test_dbt_cloud_cli(there: Account, tmp_path: Path):
    """A job is made, run, looked at, exported, imported and deleted; each run's artifacts tell that run."""
    programs = environment(tmp_path / "there", "dbt-cloud-cli==0.9.1")
    told = {
        "DBT_CLOUD_HOST": there.host,
        "DBT_CLOUD_API_TOKEN": there.token,
        "DBT_CLOUD_ACCOUNT_ID": str(there.ids["account_id"]),
        "DBT_CLOUD_PROJECT_ID": str(there.ids["project_id"]),
    }

    def cloud(*words: object) -> str:
        return there.ran(tmp_path, programs / "dbt-cloud", *words, **told)

    for noun in ("account", "project", "environment", "connection", "job", "run"):
        assert first_object(cloud(noun, "list"))["status"]["is_success"]
    assert first_object(cloud("audit-log", "get"))["data"]
    steps = json.dumps(["dbt seed", "dbt run"])
    job = first_object(
        cloud(
            "job", "create", "--environment-id", there.ids["environment_id"], "--name", "cli", "--execute-steps", steps
        )
    )["data"]["id"]
    for _ in range(2):
        run = first_object(cloud("job", "run", "--job-id", job, "--wait"))["data"]["id"]
        found = first_object(cloud("run", "get", "--run-id", run))["data"]
        assert (found["status_humanized"], found["job_id"]) == ("Success", job)
        for name in ("run_results.json", "manifest.json"):
            artifact = json.loads(cloud("run", "get-artifact", "--run-id", run, "--path", name, "--step", 5))
            assert artifact["metadata"]["env"]["DBT_CLOUD_RUN_ID"] == str(run)
    cloud("job", "export", "--job-id", job, "-f", tmp_path / "job.json")
    again = first_object(cloud("job", "import", "-f", tmp_path / "job.json"))["data"]
    assert (again["execute_steps"], again["id"] == job) == (json.loads(steps), False)
    run = first_object(cloud("job", "run", "--job-id", again["id"], "--no-wait"))["data"]["id"]
    assert first_object(cloud("run", "cancel", "--run-id", run))["data"]["id"] == run
    cloud("job", "delete-all", "-y", "--keep-jobs", "[]")
    assert first_object(cloud("job", "list"))["data"] == []
    project = first_object(cloud("project", "create", "--name", "second", "--type", 0))["data"]["id"]
    assert first_object(cloud("project", "delete", "--project-id", project))["data"]["state"] == 2


def test_dbtc(there: Account, tmp_path: Path):
    """Jobs, runs, artifacts, webhooks and service tokens, with what the client itself polls and checks."""
    programs = environment(tmp_path / "there", "dbtc==0.11.7", "pyarrow<21")
    there.ran(tmp_path, programs / "python", "-c", DBTC)


@pytest.mark.parametrize("address", ["http", "https"])
def test_dbt_jobs_as_code(there: Account, tmp_path: Path, address: str):
    """What a file of jobs says is there after a sync; a second plan finds nothing to do, strict mode no odd field."""
    programs = environment(tmp_path / "there", "dbt-jobs-as-code==1.22.0")
    (tmp_path / "jobs.yml").write_text(_jobs(there))
    told = {
        "DBT_BASE_URL": there.room.url if address == "http" else str(there.room.facts["https_url"]),
        "DBT_API_KEY": there.token,
        "DBT_ACCOUNT_ID": str(there.ids["account_id"]),
    }
    account_id, project = there.ids["account_id"], there.ids["project_id"]

    def code(*words: object) -> str:
        return there.ran(tmp_path, programs / "dbt-jobs-as-code", *words, **told)

    code("validate", "jobs.yml", "--online")
    code("sync", "jobs.yml")
    assert json.loads(code("plan", "jobs.yml", "--json"))["job_changes"] == []
    of_project = ("import-jobs", "--account-id", account_id, "--project-id", project, "--managed-only")
    imported = code(*of_project, "--include-linked-id")
    assert "dbt build" in imported
    assert "0 */2 * * 1-5" in imported
    job = imported.split("nightly:")[1].split("linked_id: ")[1].split()[0]
    assert "new field" not in code("import-jobs", "--account-id", account_id, "--job-id", job, "--check-missing-fields")
    code("deactivate-jobs", "--account-id", account_id, "--job-id", job)
    assert json.loads(code("plan", "jobs.yml", "--json"))["job_changes"] != []
    code("unlink", "--account-id", account_id, "--project-id", project)
    assert "nightly" not in code(*of_project)


def _jobs(there: Account) -> str:
    return f"""
jobs:
  nightly:
    account_id: {there.ids["account_id"]}
    project_id: {there.ids["project_id"]}
    environment_id: {there.ids["environment_id"]}
    name: nightly
    execute_steps: ["dbt build"]
    generate_docs: false
    run_generate_sources: true
    settings: {{threads: 2, target_name: production}}
    schedule: {{cron: "0 */2 * * 1-5"}}
    triggers: {{github_webhook: false, git_provider_webhook: false, schedule: true, on_merge: false}}
    custom_environment_variables: [{{DBT_COLOUR: red}}]
  ci:
    account_id: {there.ids["account_id"]}
    project_id: {there.ids["project_id"]}
    environment_id: {there.ids["environment_id"]}
    name: ci
    deferring_environment_id: {there.ids["environment_id"]}
    execute_steps: ["dbt build -s state:modified+"]
    generate_docs: false
    run_generate_sources: false
    settings: {{threads: 4, target_name: default}}
    schedule: {{cron: "0 14 * * *"}}
    triggers: {{github_webhook: true, git_provider_webhook: false, schedule: false, on_merge: false}}
"""
