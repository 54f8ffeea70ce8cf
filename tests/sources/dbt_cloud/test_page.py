"""The sample of the page on dbt Cloud, corrected, runs as a reader of the page would run it."""

import shutil

import duckdb
import pytest

from controlroom.dialects.dbt_cloud.permission_sets import ROLES
from controlroom.engine.access.grants.model import WantedGrant
from controlroom.engine.access.service_tokens import actions
from sources.dbt_cloud.conftest import LEFT
from sources.samples import SAMPLES, run_sample

SAMPLE = SAMPLES / "dbt_cloud_pipeline.py"
LISTS = {
    "accounts": "/api/v2/accounts/",
    "projects": "projects/",
    "jobs": "jobs/",
    "runs": "runs/",
    "repositories": "repositories/",
    "users": "users/",
}


@pytest.fixture
async def reader(room, as_, ada):
    """A token that reads the test's project and the people of the account."""
    grants = [WantedGrant(ROLES["stakeholder"], ada.workspace), WantedGrant(ROLES["security_admin"], None)]
    _, value = await actions.create(room.engine, room.admin, name="reader", wanted=grants)
    caller = as_(value)
    caller.token = value
    return caller


@pytest.mark.timeout(600)  # a few seconds of work, on a machine that may do much else
async def test_the_sample_of_the_page_loads_each_of_its_resources(room, reader, cloud, site, tmp_path):
    """Every row that the page's paths tell is there, over more pages than one."""
    job = await site.job("dbt build")
    run_id = (await cloud.post(f"jobs/{job.number}/run/", {"cause": "x"}))["id"]
    await site.work(**LEFT)
    waiting = (await cloud.post(f"jobs/{job.number}/run/", {"cause": "y"}))["id"]
    for place in range(100):  # and the one that is there already
        await cloud.post(f"v3:projects/{cloud.project}/environments/", {"name": f"Environment {place}"})
    shutil.copy(SAMPLE, tmp_path)
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "secrets.toml").write_text(
        f'[sources.dbt_cloud_source]\ndbt_cloud_host = "{room.url}"\n'
        f'account_id = {cloud.account}\napi_token = "{reader.token}"\n'
    )

    said = await run_sample(SAMPLE.name, tmp_path, seconds=500)

    assert "contains no failed jobs" in said
    told = {table: await reader.get(path, limit=1000) for table, path in LISTS.items()}
    told |= {"account": [await reader.get("")], "job": told["jobs"], "run": told["runs"]}
    told["environments"] = await reader.get(f"v3:projects/{cloud.project}/environments/", limit=1000)
    told["connections"] = await reader.get(f"v3:projects/{cloud.project}/connections/", limit=1000)
    assert len(told["environments"]) == 101
    assert {row["id"] for row in told["runs"]} == {run_id, waiting}
    with duckdb.connect(str(tmp_path / "dbt_cloud.duckdb"), read_only=True) as database:

        def column(name, table):
            return sorted(each for (each,) in database.execute(f"select {name} from dbt_cloud_data.{table}").fetchall())

        for table, rows in told.items():
            assert column("id", table) == sorted(row["id"] for row in rows), table
        assert column("path", "run_artifacts") == sorted(await reader.get(f"runs/{run_id}/artifacts/"))
        results = (await reader.call("GET", f"runs/{run_id}/artifacts/run_results.json")).json()["results"]
        assert column("unique_id", "run_artifact_get") == sorted(each["unique_id"] for each in results)
        assert set(column("_runs_id", "run_artifact_get")) == {run_id}
