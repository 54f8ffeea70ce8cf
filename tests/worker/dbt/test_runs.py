"""Runs of dbt projects by a real worker with real dbt."""

import pytest
import sample_projects as projects
from sandboxes import needs_nesting, needs_sandbox

from controlroom.project_plans import SourceComing, SourceHere, SourceRefused, Tool
from controlroom.protocol import ErrorCode, Order

pytestmark = pytest.mark.timeout(300)

SECRET = "s3cret-of-ada"


async def test_a_project_is_built_and_described(dbt):
    """Phases as planned, dbt's own console, artifacts and log of each command; secrets in none of them."""
    files = projects.SHOP | {"models/shown.sql": "select '{{ env_var(\"DBT_TOKEN\") }}' as token"}
    plan = projects.plan(
        "dbt build -s orders totals people shown",
        docs=True,
        output=projects.DUCKDB,
        secrets=(SECRET,),
        variables={"DBT_TOKEN": SECRET, "DBT_COLOUR": "red", "DBT_TARGET_PATH": "/elsewhere"},
        database=dbt.database(None),
    )

    ran = await dbt.run(files, plan)

    assert (ran.finish.error, ran.finish.exit_code) == (None, 0)
    assert [phase.name for _, phase in sorted(ran.attempt.phases.items())] == [phase.name for phase in plan.phases]
    assert ran.states == ["succeeded"] * 5
    assert [phase.is_preparation for _, phase in sorted(ran.attempt.phases.items())] == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert all(ran.console(position) for position in range(5))
    assert "Nothing to install" in ran.console(2)
    assert "Completed successfully" in ran.console(3)
    assert {"manifest.json", "run_results.json", "compiled/shop/models/orders.sql", "logs/dbt.log"} <= ran.names(3)
    assert {"catalog.json", "index.html", "manifest.json"} <= ran.names(4)
    assert not any("partial_parse" in name for _, name in ran.attempt.of_phases)
    environment = ran.json(3, "run_results.json")["metadata"]["env"]
    assert (environment["DBT_CLOUD_RUN_ID"], environment["DBT_CLOUD_JOB_ID"]) == ("4", "3")
    assert ran.json(3, "manifest.json")["nodes"]["model.shop.orders"]["compiled_code"].endswith("'red' as colour")
    assert "\x1b" not in ran.attempt.console.decode()
    for content in [ran.attempt.console, *ran.attempt.of_phases.values()]:
        assert SECRET.encode() not in content
    assert b"*****" in ran.attempt.of_phases[3, "compiled/shop/models/shown.sql"]
    [database] = ran.attempt.databases

    second = await dbt.run(
        projects.SHOP,
        projects.plan(
            "dbt show --inline 'select n from totals'", output=projects.DUCKDB, database=dbt.database(database)
        ),
    )

    assert second.finish.error is None
    assert "| 1 |" in second.console(3)
    assert "Unable to do partial parsing because saved" not in second.console(3)


@needs_sandbox
@needs_nesting
async def test_later_commands_are_born_of_a_warm_interpreter_and_alike(dbt):
    """What a spare leaves is what a process of its own leaves, but for times and ids; no id comes twice."""
    plan = projects.plan("dbt build", "dbt compile -s orders")
    plain = await dbt.run(projects.SHOP, plan)
    async with dbt.worker.logged("zygote ready"):
        pass

    warm = await dbt.run(projects.SHOP, plan)

    async with dbt.worker.logged("spare=True"):
        pass
    assert warm.states == plain.states == ["succeeded"] * 5
    assert warm.names(3) == plain.names(3)
    assert without_times(warm.json(3, "manifest.json")) == without_times(plain.json(3, "manifest.json"))
    ids = [ran.json(n, "manifest.json")["metadata"]["invocation_id"] for ran in (plain, warm) for n in (3, 4)]
    assert len(set(ids)) == 4
    told, plainly = ((ran.json(3, "run_results.json")) for ran in (warm, plain))
    assert told["args"] == plainly["args"]
    assert told["metadata"]["env"] == plainly["metadata"]["env"]
    assert told["metadata"]["env"]["DBT_CLOUD_RUN_ID"] == "4"


def without_times(value):
    """An artifact without what differs from one invocation to the next."""
    ignored = {"created_at", "generated_at", "invocation_id", "invocation_started_at", "run_started_at", "user_id"}
    match value:
        case dict():
            return {key: without_times(each) for key, each in value.items() if key not in ignored}
        case list():
            return [without_times(each) for each in value]
        case _:
            return value


async def test_the_source_is_waited_for_or_refused(dbt):
    """The phase fails with the reason, everything else is skipped."""
    files = dbt.room.add_package({"readme.md": "no project"})
    plan = projects.plan("dbt build")

    refused = await dbt.run({}, plan, SourceComing(0.01), SourceRefused("the branch `x` is not there"))
    empty = await dbt.run({}, plan, SourceHere(package=files))

    assert refused.states == empty.states == ["failed", "skipped", "skipped", "skipped"]
    assert refused.finish.error.code is ErrorCode.PACKAGE_INVALID
    assert "the branch `x` is not there" in refused.console(0)
    assert "dbt_project.yml" in empty.finish.error.message


async def test_a_tool_that_is_not_had_fails_the_profile(dbt):
    """So does a plan that says what is wrong with it; both say what to do."""
    unknown = await dbt.run(projects.SHOP, projects.plan("dbt build", tool=Tool("1.12", "duckdb")))
    troubled = await dbt.run(projects.SHOP, projects.plan("dbt build", trouble="The target has no log-in."))

    assert unknown.states == troubled.states == ["succeeded", "failed", "skipped", "skipped"]
    assert "dbt 1.11 with duckdb" in unknown.console(1)
    assert troubled.finish.error.code is ErrorCode.ENVIRONMENT_FAILED
    assert troubled.console(1) == "The target has no log-in."


@pytest.mark.matrix
async def test_a_failure_skips_what_follows_and_keeps_the_database(dbt):
    """What was built before a test failed is kept, and so are the results."""
    files = projects.SHOP | {"tests/never.sql": "select * from {{ ref('totals') }}"}
    plan = projects.plan("dbt build", "dbt compile", output=projects.DUCKDB, database=dbt.database(None), docs=True)

    ran = await dbt.run(files, plan)

    assert ran.states == ["succeeded", "succeeded", "succeeded", "failed", "skipped", "skipped"]
    assert (ran.finish.error.code, ran.finish.exit_code) == (ErrorCode.ROBOT_FAILED, 1)
    assert {result["status"] for result in ran.json(3, "run_results.json")["results"]} >= {"fail", "success"}
    assert len(ran.attempt.databases) == 1


SLOW = "select count(*) as n from range(1000000000) a(i), range(1000) b(j) where sqrt(i + j) < 0"


@pytest.mark.parametrize("how", ["terminated", pytest.param("timeout", marks=pytest.mark.matrix)])
async def test_an_end_from_outside_begins_with_an_interrupt(dbt, how):
    """Then dbt cancels its query and writes its results; what was built stays in the database."""
    files = projects.SHOP | {
        "models/zz_slow.sql": "-- depends_on: {{ ref('totals') }}\n" + "{{ config(materialized='table') }}" + SLOW
    }
    plan = projects.plan("dbt run", "dbt compile", output=projects.DUCKDB, database=dbt.database(None))
    limit = {"timeout_seconds": 25.0} if how == "timeout" else {}
    attempt = await dbt.room.assign_project(dbt.room.add_package(files), plan, **limit)
    if how == "terminated":
        await dbt.room.until(lambda: b"START sql table model main.zz_slow" in attempt.console)
        await dbt.room.order(attempt, Order.TERMINATE)
    finish = await dbt.room.finished(attempt)

    assert finish.error.code is (ErrorCode.TIMEOUT if how == "timeout" else ErrorCode.TERMINATED)
    if how == "terminated":
        assert (3, "run_results.json") in attempt.of_phases
    assert attempt.phases[4].state.value == "skipped"
    assert (3, "logs/dbt.log") in attempt.of_phases
    assert len(attempt.databases) == 1
