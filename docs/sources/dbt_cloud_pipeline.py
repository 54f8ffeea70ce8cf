"""The pipeline of the page "dbt Cloud Python API Docs", corrected until it runs.

    python dbt_cloud_pipeline.py

beside a `.dlt/secrets.toml`:

    [sources.dbt_cloud_source]
    dbt_cloud_host = "cloud.getdbt.com"
    account_id = 12345
    api_token = "your_dbt_cloud_api_token_here"

Resources have the names and paths of the page's table, all thirteen. What was wrong with it stands in `dbt-cloud.md`.
It runs against the vendor's cloud and against our server alike; what keeps up with what changes, and makes tables of
dbt's files, is `controlroom.sources.dbt_cloud_source`.
"""

import dlt
from dlt.sources.rest_api import RESTAPIConfig, rest_api_resources


@dlt.source
def dbt_cloud_source(
    dbt_cloud_host: str = dlt.config.value,
    account_id: int = dlt.config.value,
    api_token: str = dlt.secrets.value,
):
    address = dbt_cloud_host if "://" in dbt_cloud_host else f"https://{dbt_cloud_host}"
    account = f"accounts/{account_id}"
    later = f"{address}/api/v3/{account}"  # what exists in version 3 only; a whole address takes the place of base_url
    paged = {"type": "offset", "limit": 100, "total_path": "extra.pagination.total_count"}
    one = {"data_selector": "data", "paginator": "single_page"}
    config: RESTAPIConfig = {
        "client": {
            "base_url": f"{address}/api/v2",
            "auth": {"type": "bearer", "token": api_token},
            "paginator": paged,
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "merge",
            "endpoint": {"data_selector": "data"},
        },
        "resources": [
            {"name": "account", "endpoint": {"path": f"{account}/", **one}},
            {"name": "accounts", "endpoint": {"path": "accounts/"}},
            {"name": "projects", "endpoint": {"path": f"{account}/projects/"}},
            {"name": "environments", "endpoint": {"path": f"{later}/projects/{{resources.projects.id}}/environments/"}},
            {"name": "jobs", "endpoint": {"path": f"{account}/jobs/"}},
            {"name": "job", "endpoint": {"path": f"{account}/jobs/{{resources.jobs.id}}/", **one}},
            {"name": "runs", "endpoint": {"path": f"{account}/runs/", "params": {"order_by": "id"}}},
            {"name": "run", "endpoint": {"path": f"{account}/runs/{{resources.runs.id}}/", **one}},
            {
                "name": "run_artifacts",
                "primary_key": ["run_id", "path"],
                "include_from_parent": ["id"],
                "processing_steps": [{"yield_map": a_row_each}],
                "endpoint": {
                    "path": f"{account}/runs/{{resources.runs.id}}/artifacts/",
                    "data_selector": "$",  # `data` is a list of texts, and rows are objects
                    "paginator": "single_page",
                },
            },
            {
                "name": "run_artifact_get",
                "primary_key": ["_runs_id", "unique_id"],
                "include_from_parent": ["id"],
                "max_table_nesting": 0,  # what databases answer differs: one column of JSON
                "endpoint": {
                    "path": f"{account}/runs/{{resources.runs.id}}/artifacts/run_results.json",
                    "data_selector": "results",  # a file has no envelope; these are its own
                    "paginator": "single_page",
                    "response_actions": [{"status_code": 404, "action": "ignore"}],  # of runs that have left none
                },
            },
            {"name": "repositories", "endpoint": {"path": f"{account}/repositories/"}},
            {"name": "users", "endpoint": {"path": f"{account}/users/"}},
            {
                "name": "connections",
                "primary_key": ["project_id", "id"],
                "endpoint": {"path": f"{later}/projects/{{resources.projects.id}}/connections/"},
            },
        ],
    }
    yield from rest_api_resources(config)


def a_row_each(listed):
    """The paths of a run's artifacts, a row each."""
    yield from ({"run_id": listed["_runs_id"], "path": path} for path in listed["data"] or ())


def get_data() -> None:
    dlt.config["runtime.dlthub_telemetry"] = False
    pipeline = dlt.pipeline(
        pipeline_name="dbt_cloud_pipeline",
        # Without Parquet a load into DuckDB takes ten times as long, and as much memory.
        destination=dlt.destinations.duckdb("dbt_cloud.duckdb", preferred_loader_file_format="parquet"),
        dataset_name="dbt_cloud_data",
    )
    load_info = pipeline.run(dbt_cloud_source())
    load_info.raise_on_failed_jobs()
    print(load_info)
    # A selector that matches nothing, or a second page that is not asked for, is no error to dlt: look at the rows.
    print(pipeline.last_trace.last_normalize_info.row_counts)


if __name__ == "__main__":
    get_data()
