"""The example project on a PostgreSQL of the test's own: everything that a run may come to."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from controlroom.postgres.embedded import EmbeddedPostgres
from dbt_shop import Shop, written
from loopback import on_loopback
from rooms import until

EXAMPLE = Path(__file__).parents[4] / "examples" / "dbt-orchard"
MORE = {
    "models/marts/tried.sql": "-- depends_on: {{ ref('crates') }}\n{{ config(materialized='table') }}\n"
    "select {{ 'no_such_column' if env_var('DBT_BROKEN', '0') == '1' else '1 as fine' }}",
    "models/marts/behind.sql": "select * from {{ ref('tried') }}",
    "models/marts/slow.sql": "{{ config(materialized='table') }} select 1 as id "
    "from (select pg_sleep({{ var('seconds', 0) }})) as slept",
    "models/marts/lost.sql": "select 1 as id{% if var('lost', 0) %} from {{ ref('nothing') }}{% endif %}",
    "tests/never.sql": "-- depends_on: {{ ref('crates') }}\nselect 1 as id where {{ var('fails', 0) }} = 1",
}
IGNORED = {
    *("created_at", "generated_at", "invocation_id", "invocation_started_at", "run_started_at", "user_id"),
    *("root_path", "project_root", "env"),
}
"""What differs from one invocation to the next: times, ids, paths."""


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[dict[str, Any]]:
    """A second cluster, at an address of loopback."""
    cluster = asyncio.run(EmbeddedPostgres.start(tmp_path_factory.mktemp("cluster") / "postgres"))
    try:
        with on_loopback(cluster.dsn) as address:
            yield address | {"dsn": cluster.dsn}
    finally:
        asyncio.run(cluster.stop())


@pytest.fixture(scope="module")
def orchard(opened, server, tmp_path_factory) -> Shop:
    """The example, and what can go wrong in it, on that server."""
    password = tmp_path_factory.mktemp("password") / "password"
    password.write_text(server["password"])
    address = f"postgres://{server['user']}@{server['host']}:{server['port']}/{server['dbname']}"
    files = {
        str(file.relative_to(EXAMPLE)): file.read_text()
        for file in EXAMPLE.rglob("*")
        if file.is_file() and file.name != ".gitignore"
    }
    options = ("--connection", address, "--password-file", password, "--schema", "orchard")
    found = opened(files | MORE, *options, name="orchard", steps=("dbt build",))
    found.seeded = found.good(found.start("dbt seed"))
    return found


def rows(server: dict[str, Any], query: str) -> list[Any]:
    """What the server holds."""

    async def asked() -> list[Any]:
        connection = await asyncpg.connect(server["dsn"])
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()

    return asyncio.run(asked())


def statuses(shop: Shop, run: int, step: int) -> dict[str, str]:
    """How the nodes of a step have ended."""
    results = shop.artifact(run, "run_results.json", step=step)["results"]
    return {each["unique_id"]: each["status"] for each in results}


def test_success_with_freshness_and_docs(orchard, server):
    """Every step is good, each has left its own; the tables are there, and the password is in nothing."""
    job = orchard.make_job("dbt build", generate_docs=True, run_generate_sources=True)

    run = orchard.good(orchard.start(job=job))

    assert [step["status_humanized"] for step in run["run_steps"]] == ["Success"] * 6
    assert "Completed successfully" in run["run_steps"][4]["logs"]
    assert run["has_docs_generated"]
    assert run["has_sources_generated"]
    assert orchard.artifact(run["id"], "sources.json", step=4)["results"][0]["status"] == "pass"
    assert "model.orchard.crates" in orchard.artifact(run["id"], "catalog.json")["nodes"]
    assert set(statuses(orchard, run["id"], 5).values()) <= {"success", "pass", "no-op"}  # the exposure
    assert rows(server, "select count(*) from orchard.growers_by_month")[0][0] > 0
    page = orchard.raw(f"/jobs/{job}/artifacts/index.html")
    assert b"<html" in page
    for name in orchard.call("GET", f"/runs/{run['id']}/artifacts/?step=5"):
        assert server["password"].encode() not in orchard.raw(f"/runs/{run['id']}/artifacts/{name}?step=5")
    assert not any(server["password"] in step["logs"] for step in run["run_steps"])


def test_a_failing_test(orchard):
    """The run is an error, and its results say which test."""
    found = orchard.ended(orchard.start("dbt build --vars '{\"fails\": 1}'"))

    assert (found["status"], found["is_error"]) == (20, True)
    assert statuses(orchard, found["id"], 4)["test.orchard.never"] == "fail"
    assert found["can_retry"]


def test_a_compile_error(orchard):
    """The run is an error with dbt's words, left no results, and cannot be retried for that."""
    found = orchard.ended(orchard.start("dbt build --vars '{\"lost\": 1}'"))

    assert found["status"] == 20
    assert "nothing" in found["run_steps"][3]["logs"]
    assert "run_results.json" not in orchard.call("GET", f"/runs/{found['id']}/artifacts/?step=4")
    assert (found["can_retry"], found["retry_not_supported_reason"]) == (False, "RETRY_NO_RUN_RESULTS")


def test_a_time_limit(orchard, server):
    """The run ends as cancelled with the limit in its message, and its query runs no more."""
    found = orchard.ended(orchard.start("dbt run -s slow --vars '{\"seconds\": 600}'", timeout_seconds_override=20))

    assert (found["status"], found["is_cancelled"]) == (30, True)
    assert "20" in found["status_message"]
    assert found["run_steps"][3]["status_humanized"] == "Cancelled"
    until(lambda: not sleeping(server), "the query ends")


def test_a_cancel(orchard, server):
    """Its query is cancelled at the server, at once."""
    run = orchard.start("dbt run -s slow --vars '{\"seconds\": 600}'", "dbt run -s crates")
    until(lambda: sleeping(server), "the query runs", seconds=120)

    orchard.cancel(run)

    until(lambda: not sleeping(server), "the query ends")
    found = orchard.ended(run)
    assert found["status"] == 30
    assert [step["status_humanized"] for step in found["run_steps"]][3:] == ["Cancelled", "Skipped"]


def sleeping(server: dict[str, Any]) -> bool:
    return bool(
        rows(
            server,
            "select from pg_stat_activity where state = 'active' and query like '%pg_sleep(600)%'"
            " and pid <> pg_backend_pid()",
        )
    )


def test_a_retry(orchard):
    """Once its cause is gone, only what failed and what was skipped is built, then the commands that were skipped."""
    set_ = ("dbt", "variables", "set", "--project", "orchard", "DBT_BROKEN")
    orchard.room.cli(*set_, "1")
    failed = orchard.ended(orchard.start("dbt build", "dbt run -s slow"))
    orchard.room.cli(*set_, "0")
    assert (failed["status"], failed["can_retry"]) == (20, True)
    told = orchard.call("GET", f"/runs/{failed['id']}/retry/")
    assert told["failed_step"] == "dbt build"

    again = orchard.good(orchard.call("POST", f"/runs/{failed['id']}/retry/")["id"])

    assert again["retrying_run_id"] == failed["id"]
    assert set(statuses(orchard, again["id"], 4)) == {"model.orchard.tried", "model.orchard.behind"}
    assert set(statuses(orchard, again["id"], 5)) == {"model.orchard.slow"}


def test_deferral(orchard, server):
    """What was not selected is read where the last good run of the other job has made it."""
    production = orchard.make_job("dbt build")
    orchard.good(orchard.start(job=production))
    trying = orchard.make_job("dbt run -s growers_by_month", deferring_job_definition_id=production)

    run = orchard.good(orchard.start(job=trying, schema_override="tried"))

    assert run["deferring_run_id"]
    manifest = orchard.artifact(run["id"], "manifest.json")
    code = manifest["nodes"]["model.orchard.growers_by_month"]["compiled_code"]
    assert '"orchard"."crates"' in code
    tables = rows(server, "select table_name from information_schema.tables where table_schema = 'tried'")
    assert [row[0] for row in tables] == ["growers_by_month"]


def test_what_it_leaves_is_what_dbt_leaves_by_hand(orchard, server, environments, tmp_path):
    """The same program typed in a folder of one's own: the same manifest and catalog, but for times, ids and paths."""
    job = orchard.make_job("dbt build", generate_docs=True, settings={"threads": 4, "target_name": "prod"})
    run = orchard.good(orchard.start(job=job))
    shutil.copytree(EXAMPLE, tmp_path / "orchard")
    folder = written(tmp_path / "orchard", MORE)
    output = {name: server[name] for name in ("host", "port", "user", "password", "dbname")}
    output |= {"type": "postgres", "schema": "orchard", "threads": 4}
    (folder / "profiles.yml").write_text(json.dumps({"orchard": {"target": "prod", "outputs": {"prod": output}}}))
    program = next(
        found for found in environments.glob("shares/*/environments/*/bin/dbt") if _has_postgres(found.parents[1])
    )
    variables = {"PATH": os.defpath, "HOME": str(tmp_path), "DO_NOT_TRACK": "1", "DBT_BROKEN": "0"}
    for words in (["deps"], ["build"], ["docs", "generate"]):
        subprocess.run([program, *words], cwd=folder, check=True, capture_output=True, env=variables)

    for name in ("manifest.json", "catalog.json"):
        by_hand = json.loads((folder / "target" / name).read_text())
        assert _compared(orchard.artifact(run["id"], name)) == _compared(by_hand)


def _has_postgres(environment: Path) -> bool:
    return any(environment.glob("lib/python3*/site-packages/dbt/adapters/postgres"))


def _compared(value: Any) -> Any:
    match value:
        case dict():
            return {key: _compared(each) for key, each in value.items() if key not in IGNORED}
        case list():
            return [_compared(each) for each in value]
        case _:
            return value
