"""An account of a live room, loaded by `dbt_cloud_source`: every row beside what the API tells."""

import pytest

from controlroom.protocol import ErrorCode
from controlroom.sources.dbt_cloud import artifact_tables, tables
from sources.dbt_cloud.compared import assert_same
from sources.dbt_cloud.conftest import LEFT

PAGE = (
    *("account", "accounts", "projects", "environments", "jobs", "job", "runs", "run"),
    *("run_artifacts", "run_artifact_get", "repositories", "users", "connections"),
)
ALL = [
    each.name
    for root in (
        *(tables.ACCOUNT, tables.ACCOUNTS, tables.USERS, tables.PROJECTS, tables.ENVIRONMENTS, tables.REPOSITORIES),
        *(tables.CONNECTIONS, tables.JOBS, tables.JOB, tables.RUNS, tables.RUN),
        *(artifact_tables.RUN_ARTIFACTS, artifact_tables.RUN_ARTIFACT_GET),
    )
    for each in root.all
]
MOVING = {"blocked_by", "can_retry", "retry_not_supported_reason", "updated_at"} | {
    *("duration", "run_duration", "queued_duration")
}
"""What changes of a run because of other runs, or while it goes on."""
FILES = ("manifest.json", "run_results.json", "sources.json", "catalog.json")


async def some_jobs(site, cloud):
    """A job with a run that has ended well, one with a run that failed, one whose run goes on, and one that is gone."""
    good, bad, long, gone = [await site.job("dbt build", "dbt test") for _ in range(4)]
    for job in (good, bad, long):
        await cloud.post(f"jobs/{job.number}/run/", {"cause": "nightly", "git_branch": "main"})
        if job is good:
            await site.work(**LEFT)
        if job is bad:
            await site.work(fails_at=3, error=ErrorCode.ROBOT_FAILED, **LEFT)
    await cloud.delete(f"jobs/{gone.number}/")
    return good, bad, long, gone


async def told_runs(cloud):
    """All runs, each as it is told by itself."""
    listed = (await cloud.listed("runs/", limit=1000, order_by="id"))["data"]
    return [await cloud.get(f"runs/{run['id']}/", include_related="run_steps,trigger,audit") for run in listed]


async def assert_whole(loading, cloud):
    """Every table has what the API tells, no more and no less."""
    runs = await told_runs(cloud)
    assert_same(tables.RUNS, loading.rows("runs"), runs, apart=MOVING)
    assert_same(tables.RUN, loading.rows("run"), runs, apart=MOVING | {"steps", "retried_by"})
    for row in loading.rows("runs"):
        assert row["duration_seconds"] == sum(
            int(part) * size for part, size in zip(row["duration"].split(":"), (3600, 60, 1), strict=True)
        )
    ended = {run["id"]: run for run in runs if run["is_complete"]}
    took = {row["id"]: (row["duration"], row["run_duration"], row["queued_duration"]) for row in loading.rows("runs")}
    for number, run in ended.items():
        assert took[number] == (run["duration"], run["run_duration"], run["queued_duration"])
    steps = [{**step, "logs": None} for run in runs for step in run["run_steps"]]
    loaded = loading.rows("run_steps")
    assert {(row["run_id"], row["index"], row["id"]) for row in loaded} == {
        (step["run_id"], step["index"], step["id"]) for step in steps
    }
    by_id = {row["id"]: row for row in loaded}
    for step in steps:
        row = by_id[step["id"]]
        assert (row["name"], row["status"], row["status_humanized"]) == (
            step["name"],
            step["status"],
            step["status_humanized"],
        )
        assert row["command"] == (step["run_step_command"] or {}).get("dbt_command")
    triggers = {row["run_id"]: row for row in loading.rows("run_triggers")}
    assert triggers.keys() == {run["id"] for run in runs}
    for run in runs:
        assert (triggers[run["id"]]["cause"], triggers[run["id"]]["git_branch"]) == ("nightly", "main")
    parts = {(row["run_id"], row["part"]): row for row in loading.rows("run_timings")}
    for run in runs:
        assert (run["id"], "queued") in parts
        assert ((run["id"], "running") in parts) == (run["started_at"] is not None)
    left = {
        (run["id"], step["index"], path)
        for run in runs
        for step in run["run_steps"]
        for path in await cloud.get(f"runs/{run['id']}/artifacts/", step=step["index"])
        if run["is_complete"]
    }
    assert {(row["run_id"], row["step"], row["path"]) for row in loading.rows("run_artifacts")} == left
    last = {run: max(step for each, step, path in left if each == run and path == FILES[0]) for run, _, _ in left}
    assert {(row["run_id"], row["step"], row["path"]) for row in loading.rows("run_artifact_get")} == {
        each for each in left if each[2] in FILES and (each[2] != FILES[0] or each[1] == last[each[0]])
    }
    results = loading.rows("run_results")
    assert {(row["run_id"], row["step"]) for row in results} == {each[:2] for each in left if each[2] == FILES[1]}
    assert len({(row["run_id"], row["step"], row["unique_id"]) for row in results}) == len(results)
    assert {row["run_id"] for row in loading.rows("manifest_nodes")} == {run for run, _, _ in left}


@pytest.mark.timeout(600)  # ten seconds of work, on a machine that may do much else
async def test_an_account_is_loaded_whole_and_later_what_has_changed(loading, source, site, cloud):
    """First all that there is; then the run that went on, and the new one; then nothing."""
    await loading.run(source)
    empty = {table: loading.columns(table) for table in ALL}
    assert loading.rows("runs") == loading.rows("manifest_nodes") == loading.rows("jobs") == []
    good, bad, long, gone = await some_jobs(site, cloud)

    first = await loading.run(source)

    assert {table: loading.columns(table) for table in ALL} == empty
    assert first.rows["runs"] == 3
    await assert_whole(loading, cloud)
    states = {row["id"]: row["state"] for row in loading.rows("jobs")}
    assert states == {job.number: 1 for job in (good, bad, long)} | {gone.number: 2}
    for table, path in (
        (tables.JOBS, "jobs/"),
        (tables.PROJECTS, "v3:projects/"),
        (tables.ENVIRONMENTS, f"v3:projects/{cloud.project}/environments/"),
        (tables.CONNECTIONS, f"v3:projects/{cloud.project}/connections/"),
        (tables.REPOSITORIES, "repositories/"),
        (tables.ACCOUNTS, "/api/v3/accounts/"),
    ):
        told = (await cloud.listed(path, state="all"))["data"]
        assert_same(table, loading.rows(table.name), told, apart={"next_run"})
    assert_same(tables.ACCOUNT, loading.rows("account"), [await cloud.get("")])
    assert {
        row["job_id"]: row["command"] for row in loading.rows("job_steps") if row["position"] == 1
    } == dict.fromkeys(states, "dbt test")
    recent = {row["id"]: row["most_recent_run_id"] for row in loading.rows("job")}
    assert recent.keys() == {job.number for job in (good, bad, long)}
    assert set(recent.values()) == {row["id"] for row in loading.rows("runs")}

    await site.work(**LEFT)
    await cloud.post(f"jobs/{bad.number}/run/", {"cause": "nightly", "git_branch": "main"})
    second = await loading.run(source)

    assert second.rows["runs"] == second.rows["run"] == 2
    await assert_whole(loading, cloud)

    third = await loading.run(source)
    assert (third.rows["runs"], third.rows.get("run_artifact_get", 0)) == (1, 0)  # the one that still waits
    small = {"account", "accounts", "users", "repositories", "projects", "environments", "connections", "jobs", "job"}
    assert not small & third.rows.keys()
    await assert_whole(loading, cloud)
