"""The dbt Cloud grammar, by what teams already run: orchestrators and loaders from PyPI that nobody here has touched.

Each has an environment of its own, of several hundred megabytes, so they are asked for by `make clients` alone.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from client_programs import Account, account, environment

pytestmark = [pytest.mark.clients, pytest.mark.network]

JOB = """
import json, os, urllib.request

account, project, environment = (int(os.environ[name]) for name in ("ACCOUNT", "PROJECT", "ENVIRONMENT"))
name = f"seeds {os.getpid()}"
body = {"project_id": project, "environment_id": environment, "name": name, "execute_steps": ["dbt seed"]}
headers = {"Authorization": "Token " + os.environ["ROOM_TOKEN"], "Content-Type": "application/json"}
url = os.environ["ROOM_HTTP"] + f"/api/v2/accounts/{account}/jobs/"
with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
    job = json.load(answer)["data"]["id"]
"""
"""How each script comes to a job."""

DLT = """
from dlt.helpers.dbt_cloud.client import DBTCloudClientV2

for base in (os.environ["ROOM_HTTP"], os.environ["ROOM_HTTPS"]):
    client = DBTCloudClientV2(api_token=os.environ["ROOM_TOKEN"], account_id=str(account), base_api_url=base + "/api")
    run = client.trigger_job_run(str(job), {"cause": "dlt"})
    while (status := client.get_run_status(run))["in_progress"]:
        pass
    assert status["is_success"], status
"""

PREFECT_DBTCLOUD = """
from prefect_dbtcloud.utils import dbtCloudClient

client = dbtCloudClient(account_id=account, token=os.environ["ROOM_TOKEN"], api_domain=os.environ["ROOM_HOST"])
more = {"steps_override": ["dbt seed", "dbt ls"], "threads_override": 2}
run = client.trigger_job_run(job_id=job, cause="prefect", additional_args=more)
done = client.wait_for_job_run(run["id"], max_wait_time=200)
assert done["status_humanized"] == "Success", done
assert "manifest.json" in [name for _, name in client.list_run_artifact_links(run["id"])]
"""

AIRFLOW = """
import asyncio, datetime, time
from unittest.mock import MagicMock

at = {"conn_type": "dbt_cloud", "host": os.environ["ROOM_HOST"]}
os.environ["AIRFLOW_CONN_DBT"] = json.dumps(at | {"login": str(account), "password": os.environ["ROOM_TOKEN"]})

from airflow.exceptions import AirflowException
from airflow.providers.dbt.cloud.hooks.dbt import DbtCloudHook, DbtCloudJobRunStatus
from airflow.providers.dbt.cloud.operators.dbt import (
    DbtCloudGetJobRunArtifactOperator, DbtCloudListJobsOperator, DbtCloudRunJobOperator
)
from airflow.providers.dbt.cloud.sensors.dbt import DbtCloudJobRunSensor
from airflow.providers.dbt.cloud.triggers.dbt import DbtCloudRunJobTrigger
from airflow.sdk import DAG

hook = DbtCloudHook("dbt")
assert hook.test_connection()[0]
assert hook.get_job_by_name(project_name="orchard", environment_name="Production", job_name=name)["id"] == job


def execute(kind, **settings):
    with DAG("d", start_date=datetime.datetime(2026, 1, 1), schedule=None) as dag:
        task = kind(task_id="t", dbt_cloud_conn_id="dbt", **settings)
    instance = MagicMock(dag_id="d", task_id="t", try_number=1)
    return task.execute({"ti": instance, "task_instance": instance, "task": task, "run_id": "x", "dag": dag})


run = execute(DbtCloudRunJobOperator, job_id=job, check_interval=1, timeout=200)
assert DbtCloudJobRunSensor(task_id="s", dbt_cloud_conn_id="dbt", run_id=run).poke({})
kept = execute(DbtCloudGetJobRunArtifactOperator, run_id=run, path="run_results.json", output_file_name="results.json")
assert json.load(open(kept))["metadata"]["env"]["DBT_CLOUD_RUN_ID"] == str(run)
assert job in execute(DbtCloudListJobsOperator, project_id=project)
try:
    execute(DbtCloudRunJobOperator, job_id=job, steps_override=["dbt run --no-such"], check_interval=1, timeout=200)
except AirflowException as failure:
    assert "ERROR" in str(failure)
else:
    raise AssertionError("a run that failed is told so")
again = execute(DbtCloudRunJobOperator, job_id=job, retry_from_failure=True, wait_for_termination=False)
hook.cancel_job_run(again)
cancelled = DbtCloudJobRunStatus.CANCELLED.value
assert hook.wait_for_job_run_status(again, expected_statuses=cancelled, check_interval=1, timeout=60)
deferred = hook.trigger_job_run(job, "x" * 255).json()["data"]["id"]


async def event():
    until = time.time() + 200
    waiting = DbtCloudRunJobTrigger(conn_id="dbt", run_id=deferred, end_time=until, poll_interval=1, account_id=None)
    async for told in waiting.run():
        return told.payload


assert asyncio.run(event())["status"] == "success"
"""

PREFECT = """
import asyncio

os.environ |= {"PREFECT_HOME": os.getcwd(), "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "200"}

from prefect import flow
from prefect_dbt.cloud import DbtCloudCredentials, DbtCloudJob
from prefect_dbt.cloud.jobs import get_dbt_cloud_job_info, trigger_dbt_cloud_job_run_and_wait_for_completion
from prefect_dbt.cloud.runs import get_dbt_cloud_run_artifact

there = DbtCloudCredentials(api_key=os.environ["ROOM_TOKEN"], account_id=account, domain=os.environ["ROOM_HOST"])


@flow
async def seeds():
    assert (await get_dbt_cloud_job_info(dbt_cloud_credentials=there, job_id=job))["id"] == job
    done = await trigger_dbt_cloud_job_run_and_wait_for_completion(
        dbt_cloud_credentials=there, job_id=job, poll_frequency_seconds=1
    )
    assert done["status"] == 10, done
    manifest = await get_dbt_cloud_run_artifact(
        dbt_cloud_credentials=there, run_id=done["id"], path="manifest.json", step=4
    )
    assert manifest["metadata"]["env"]["DBT_CLOUD_RUN_ID"] == str(done["id"])
    run = await DbtCloudJob(dbt_cloud_credentials=there, job_id=job).trigger()
    await run.wait_for_completion()
    assert (await run.fetch_result())["status"] == 10


asyncio.run(seeds())
"""

DAGSTER = """
from dagster import AssetExecutionContext, materialize
from dagster_dbt.cloud_v2.asset_decorator import dbt_cloud_assets
from dagster_dbt.cloud_v2.resources import DbtCloudCredentials, DbtCloudWorkspace

token, url = os.environ["ROOM_TOKEN"], os.environ["ROOM_HTTPS"]
credentials = DbtCloudCredentials(account_id=account, token=token, access_url=url)
workspace = DbtCloudWorkspace(credentials=credentials, project_id=project, environment_id=environment)


@dbt_cloud_assets(workspace=workspace)
def orchard(context: AssetExecutionContext, dbt_cloud: DbtCloudWorkspace):
    yield from dbt_cloud.cli(args=["build"], context=context).wait()


done = materialize([orchard], resources={"dbt_cloud": workspace})
assert done.success
assert len(done.get_asset_materialization_events()) > 3
"""


@pytest.fixture(scope="module")
def there() -> Iterator[Account]:
    """One room for all of them."""
    with account() as made:
        yield made


@pytest.mark.parametrize(
    ("packages", "script"),
    [
        (("dlt==1.31.0",), DLT),
        (("prefect-dbtcloud==0.1.1",), PREFECT_DBTCLOUD),
        (("prefect-dbt==0.7.25", "dbt-core<1.12"), PREFECT),
        (("apache-airflow-providers-dbt-cloud==4.11.1",), AIRFLOW),
        (("dagster-dbt==0.29.27", "dbt-core<1.12", "dbt-duckdb<1.12"), DAGSTER),
    ],
    ids=["dlt", "prefect-dbtcloud", "prefect-dbt", "airflow", "dagster"],
)
def test_an_orchestrator_runs_jobs(there: Account, tmp_path: Path, packages: tuple[str, ...], script: str):
    """It triggers, follows and reads runs as it does there, and tells a failure as one."""
    programs = environment(tmp_path / "there", *packages)
    (tmp_path / "script.py").write_text(JOB + script)
    there.ran(
        tmp_path,
        programs / "python",
        "script.py",
        seconds=900,
        AIRFLOW_HOME=str(tmp_path),
        DAGSTER_DBT_CLOUD_POLL_TIMEOUT="300",
    )


def test_tap_dbt_reads_all_streams(there: Account, tmp_path: Path):
    """Every stream that has rows here, in pages of 5,000; over http, as it takes no authority of ours."""
    programs = environment(tmp_path / "there", "tap-dbt==0.17.0")
    (tmp_path / "job.py").write_text(JOB)
    there.ran(tmp_path, programs / "python", "job.py")
    account_id = str(there.ids["account_id"])
    settings = {"api_key": there.token, "account_ids": [account_id], "base_url": f"{there.room.url}/api/v2"}
    (tmp_path / "settings.json").write_text(json.dumps(settings | {"page_size": 5000}))
    catalog = json.loads(there.ran(tmp_path, programs / "tap-dbt", "--config", "settings.json", "--discover"))
    for each in (metadata for stream in catalog["streams"] for metadata in stream["metadata"]):
        if not each["breadcrumb"]:
            each["metadata"]["selected"] = True
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))

    told = there.ran(tmp_path, programs / "tap-dbt", "--config", "settings.json", "--catalog", "catalog.json")

    lines = [json.loads(line) for line in told.splitlines()]
    found = Counter(each["stream"] for each in lines if each["type"] == "RECORD")
    assert {"accounts", "projects", "environments", "connections", "repositories", "jobs", "users"} <= set(found)
    assert found["audit_logs"] > 5
