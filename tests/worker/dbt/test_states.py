"""Commands that go on from, or defer to, what other runs have left; and a dbt of the same version typed by hand."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest
import sample_projects as projects
from msgspec import structs

from controlroom.project_plans import Purpose
from controlroom.protocol import OnFailure

pytestmark = [pytest.mark.timeout(300), pytest.mark.matrix]

FAILING = projects.SHOP | {
    "models/broken.sql": "select {{ 'no_such_column' if env_var('DBT_BROKEN', '1') == '1' else '1 as fine' }}",
    "models/after.sql": "select * from {{ ref('broken') }}",
}


async def test_a_retry_goes_on_from_the_failed_node(dbt):
    """Only what failed and what was skipped runs again; results and manifest come by the plan."""
    first = await dbt.run(FAILING, projects.plan("dbt build", output=projects.DUCKDB, database=dbt.database(None)))
    plan = projects.plan(
        "dbt build",
        output=projects.DUCKDB,
        variables={"DBT_BROKEN": "0"},
        database=dbt.database(first.attempt.databases[-1]),
        retry=tuple(dbt.file(name, first.attempt.of_phases[3, name]) for name in ("run_results.json", "manifest.json")),
    )
    retried = structs.replace(plan.phases[3], words=("dbt", "retry"), purpose=Purpose.RETRY)

    ran = await dbt.run(FAILING, structs.replace(plan, phases=(*plan.phases[:3], retried)))

    assert first.finish.exit_code == 1
    assert ran.finish.error is None, ran.attempt.text
    nodes = {result["unique_id"] for result in ran.json(3, "run_results.json")["results"]}
    assert nodes == {"model.shop.broken", "model.shop.after"}


async def test_a_retry_of_the_same_run(dbt):
    """A job may retry itself: the results are those of the command before."""
    plan = projects.plan("dbt build", "dbt retry")
    plan = structs.replace(
        plan, phases=tuple(structs.replace(phase, on_failure=OnFailure.CONTINUE) for phase in plan.phases)
    )

    ran = await dbt.run(FAILING, plan)

    nodes = {result["unique_id"] for result in ran.json(4, "run_results.json")["results"]}
    assert nodes == {"model.shop.broken", "model.shop.after"}


async def test_deferral(dbt):
    """What was not selected is read where the other run has made it."""
    production = await dbt.run(
        projects.SHOP,
        projects.plan("dbt build", output={"type": "duckdb", "schema": "live"}, database=dbt.database(None)),
    )
    plan = projects.plan(
        "dbt build -s totals",
        output={"type": "duckdb", "schema": "tried"},
        database=dbt.database(production.attempt.databases[-1]),
        defer=dbt.file("manifest.json", production.attempt.of_phases[3, "manifest.json"]),
    )

    ran = await dbt.run(projects.SHOP, plan)

    assert ran.finish.error is None, ran.attempt.text
    compiled = ran.json(3, "manifest.json")["nodes"]["model.shop.totals"]["compiled_code"]
    assert '"live"."orders"' in compiled


def without_times(value):
    """An artifact without what differs from one invocation to the next: times, ids, paths."""
    ignored = {
        *("created_at", "generated_at", "invocation_id", "invocation_started_at", "run_started_at", "user_id"),
        *("root_path", "project_root", "env"),
    }
    match value:
        case dict():
            return {key: without_times(each) for key, each in value.items() if key not in ignored}
        case list():
            return [without_times(each) for each in value]
        case _:
            return value


async def test_the_manifest_is_that_of_dbt_typed_by_hand(dbt, tmp_path):
    """The same program in a folder of one's own leaves the same, but for times, ids and paths."""
    ran = await dbt.run(projects.SHOP, projects.plan("dbt build"))
    for name, text in projects.SHOP.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    profile = {"shop": {"target": "prod", "outputs": {"prod": {**projects.DUCKDB, "path": ":memory:", "threads": 2}}}}
    (tmp_path / "profiles.yml").write_bytes(msgspec.json.encode(profile))
    version = ran.json(3, "manifest.json")["metadata"]["dbt_version"]
    found = Path(dbt.environments).glob(
        f"shares/*/environments/*/lib/python3*/site-packages/dbt_core-{version}.dist-info"
    )
    program = next(
        each.parents[3] / "bin" / "dbt" for each in found if list(each.parent.glob("dbt_duckdb-*.dist-info"))
    )  # other files of tests have environments there, too

    subprocess.run(
        [program, "build"], cwd=tmp_path, check=True, capture_output=True, env={"PATH": os.defpath, "DO_NOT_TRACK": "1"}
    )

    by_hand = msgspec.json.decode((tmp_path / "target" / "manifest.json").read_bytes())
    assert without_times(ran.json(3, "manifest.json")) == without_times(by_hand)
