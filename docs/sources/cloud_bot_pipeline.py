"""The pipeline of the page "Cloud bot Python API Docs", corrected until it runs.

    python cloud_bot_pipeline.py

beside a `.dlt/secrets.toml`:

    [sources.cloud_bot_source]
    control_room_url = "https://room.example"
    username = "your_username"
    api_key = "your_api_key"

Resources have the names and paths of the page. What was wrong with it, and which of its resources are left out because
they start bots or give tokens away, stands in `automation360.md`. These paths are answered by our server alone: what
loads the vendor's Control Room, too, and later only what has changed, is `controlroom.sources.automation360_source`.
"""

import dlt
from dlt.sources.helpers import requests
from dlt.sources.rest_api import RESTAPIConfig, rest_api_resources


@dlt.source
def cloud_bot_source(
    control_room_url: str = dlt.config.value,
    username: str = dlt.secrets.value,
    api_key: str = dlt.secrets.value,
):
    url = control_room_url.rstrip("/")
    told = requests.post(f"{url}/v1/authentication", json={"username": username, "apiKey": api_key})
    config: RESTAPIConfig = {
        "client": {
            "base_url": url,
            "auth": {
                "type": "api_key",
                "name": "X-Authorization",
                "api_key": told.json()["token"],
                "location": "header",
            },
            "paginator": {"type": "header_link"},
        },
        "resource_defaults": {"primary_key": "id", "write_disposition": "replace"},
        "resources": [
            {
                "name": "automations",
                "endpoint": {"path": "v3/automations", "data_selector": "automations"},
            },
            {  # the page's table calls the same list so
                "name": "automation_queues",
                "endpoint": {"path": "v3/automations", "data_selector": "automations"},
            },
            {
                "name": "automation",
                "endpoint": {
                    "path": "v3/automations/{resources.automations.id}",
                    "data_selector": "$",
                    "paginator": "single_page",
                },
            },
            {
                "name": "executions",
                "write_disposition": "merge",
                "endpoint": {
                    "path": "v3/automations/executions",
                    "data_selector": "executions",
                },
            },
            {
                "name": "execution",
                "write_disposition": "merge",
                "max_table_nesting": 0,  # outputs are named by bots: one column of JSON
                "endpoint": {
                    "path": "v3/automations/executions/{resources.executions.id}",
                    "data_selector": "$",
                    "paginator": "single_page",
                },
            },
            {
                "name": "users",
                "endpoint": {"path": "v1/users", "data_selector": "users"},
            },
            {
                "name": "robots",
                "endpoint": {"path": "v1/robots", "data_selector": "robots"},
            },
        ],
    }
    yield from rest_api_resources(config)


def get_data() -> None:
    dlt.config["runtime.dlthub_telemetry"] = False
    pipeline = dlt.pipeline(
        pipeline_name="cloud_bot_pipeline",
        # Without Parquet a load into DuckDB takes ten times as long, and as much memory.
        destination=dlt.destinations.duckdb("cloud_bot.duckdb", preferred_loader_file_format="parquet"),
        dataset_name="cloud_bot_data",
    )
    load_info = pipeline.run(cloud_bot_source())
    load_info.raise_on_failed_jobs()
    print(load_info)
    # A selector that matches nothing, or a second page that is not asked for, is no error to dlt: look at the rows.
    print(pipeline.last_trace.last_normalize_info.row_counts)


if __name__ == "__main__":
    get_data()
