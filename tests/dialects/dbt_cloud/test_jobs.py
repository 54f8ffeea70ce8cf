"""Jobs in this grammar: as clients send them, and as strict ones want them back."""

from datetime import UTC, datetime

import pytest

from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Role
from controlroom.engine.projects import actions as projects
from controlroom.engine.projects.model import ProjectChange
from controlroom.engine.targets import actions as targets
from controlroom.engine.targets.model import TargetDefinition
from controlroom.ids import uuid7

FIELDS = {
    *("id", "account_id", "project_id", "environment_id", "name", "description", "dbt_version", "raw_dbt_version"),
    *("execute_steps", "execution", "settings", "triggers", "job_type", "state", "generate_docs", "schedule"),
    *("run_generate_sources", "generate_sources", "run_lint", "errors_on_lint_failure", "run_compare_changes"),
    *("compare_changes_flags", "triggers_on_draft_pr", "deferring_job_definition_id", "deferring_environment_id"),
    *("is_deferrable", "job_completion_trigger_condition", "cost_optimization_features", "force_node_selection"),
    *("is_fusion_ready_override", "fusion_readiness", "lifecycle_webhooks", "lifecycle_webhooks_url"),
    *("run_failure_count", "deactivated", "deactivation_reason", "is_system", "cron_humanized", "next_run"),
    *("next_run_humanized", "created_at", "updated_at", "account", "project", "environment", "most_recent_run"),
    "most_recent_completed_run",
}
"""All that the specification tells of a job, and nothing else (§3.7): there are clients that refuse further keys."""


@pytest.fixture
async def environment(room, workspace) -> int:
    """The number of an environment of the project that ada's workspace is."""
    await projects.found(room.engine, room.admin, workspace, ProjectChange())
    made = await targets.create(room.engine, room.admin, workspace, TargetDefinition(name=f"Production {uuid7()}"))
    return made.number


@pytest.fixture
def make(cloud, environment):
    """Makes a job of few keys."""

    async def make(**body):
        usual = {"project_id": cloud.project, "environment_id": environment, "name": "Nightly"}
        return await cloud.post("jobs/", {**usual, "execute_steps": ["dbt build"], **body})

    return make


async def test_four_keys_make_a_job(cloud, environment):
    """Everything else has a value as clients expect it (prefect's body)."""
    body = {
        "project_id": cloud.project,
        "environment_id": environment,
        "name": "Nightly",
        "execute_steps": ["dbt seed", "dbt run -s 'a b'"],
    }

    made = await cloud.post("jobs", body)

    assert set(made) == FIELDS
    assert (made["account_id"], made["project_id"], made["environment_id"]) == (
        cloud.account,
        cloud.project,
        environment,
    )
    assert made["execute_steps"] == ["dbt seed", "dbt run -s 'a b'"]
    assert (made["description"], made["state"], made["job_type"]) == ("", 1, "other")
    assert made["settings"] == {"threads": 4, "target_name": "default"}
    assert made["execution"] == {"timeout_seconds": 0}
    assert made["triggers"] == {
        "github_webhook": False,
        "git_provider_webhook": False,
        "schedule": False,
        "on_merge": False,
    }
    assert made["schedule"] == {
        "cron": "0 * * * *",
        "date": {"type": "every_day"},
        "time": {"type": "every_hour", "interval": 1},
    }
    assert (made["errors_on_lint_failure"], made["compare_changes_flags"]) == (True, "--select state:modified")
    assert (made["next_run"], made["next_run_humanized"], made["cron_humanized"]) == (None, None, "Every hour")
    assert (made["cost_optimization_features"], made["run_failure_count"]) == ([], 0)
    assert "T" in made["created_at"]
    assert await cloud.get(f"jobs/{made['id']}") == made


async def test_six_keys_without_commands_make_a_job(cloud, environment):
    """Its runs bring them (dagster's body)."""
    body = {
        "account_id": cloud.account,
        "environment_id": environment,
        "project_id": cloud.project,
        "name": "DAGSTER_ADHOC_JOB__1",
        "description": "Run by a tool.",
        "job_type": "other",
    }

    made = await cloud.post("jobs", body)

    assert (made["execute_steps"], made["description"]) == ([], "Run by a tool.")


async def test_a_whole_job_comes_back_as_it_was_sent(cloud, environment):
    """Whatever means nothing here, too (the body of jobs-as-code)."""
    body = {
        "id": None,
        "account_id": cloud.account,
        "project_id": cloud.project,
        "environment_id": environment,
        "dbt_version": None,
        "name": "Daily [[daily]]",
        "settings": {"threads": 8, "target_name": "prod"},
        "execution": {"timeout_seconds": 3600},
        "deferring_job_definition_id": None,
        "deferring_environment_id": environment,
        "run_generate_sources": True,
        "run_lint": True,
        "errors_on_lint_failure": False,
        "execute_steps": ["dbt build"],
        "generate_docs": True,
        "schedule": {
            "cron": "30 4 L * *",
            "date": {"type": "custom_cron", "cron": "30 4 L * *"},
            "time": {"type": "every_hour", "interval": 1},
        },
        "triggers": {"github_webhook": True, "git_provider_webhook": True, "schedule": True, "on_merge": True},
        "description": "Whole",
        "state": 1,
        "run_compare_changes": True,
        "compare_changes_flags": "--select state:modified+",
        "job_type": "scheduled",
        "cost_optimization_features": ["state_aware_orchestration", "dbt_state"],
        "triggers_on_draft_pr": True,
        "job_completion_trigger_condition": None,
    }

    made = await cloud.post("jobs/", body)

    assert {name: made[name] for name in body if name != "id"} == {n: v for n, v in body.items() if n != "id"}
    assert datetime.fromisoformat(made["next_run"]) > datetime.now(UTC)
    assert made["next_run_humanized"]
    assert made["cron_humanized"] == "At 04:30 AM, on the last day of the month"
    assert (await cloud.post(f"jobs/{made['id']}/", made))["schedule"] == body["schedule"]


@pytest.mark.parametrize(
    ("date", "time", "cron", "told"),
    [
        ({"type": "every_day"}, {"type": "every_hour", "interval": 6}, "0 */6 * * *", {"type": "every_day"}),
        (
            {"type": "days_of_week", "days": [0, 5]},
            {"type": "at_exact_hours", "hours": [0, 12]},
            "0 0,12 * * 0,5",
            {"type": "days_of_week", "days": [0, 5]},
        ),
        (
            {"type": "interval_cron", "days": [1, 2]},
            {"type": "every_hour", "interval": 12},
            "6 */12 * * 1,2",
            {"type": "interval_cron", "days": [1, 2], "cron": "6 */12 * * 1,2"},
        ),
        (
            {"type": "custom_cron", "cron": "0 3 L * *"},
            {"type": "every_hour", "interval": 1},
            "0 3 L * *",
            {"type": "custom_cron", "cron": "0 3 L * *"},
        ),
    ],
)
async def test_all_four_kinds_of_schedules(make, date, time, cron, told):
    """Days and hours come back as they were sent, with the expression that they are."""
    sent = {"cron": "6 */12 * * 1,2", "date": date, "time": time}

    made = await make(schedule=sent, triggers={"schedule": True})

    assert made["schedule"] == {"cron": cron, "date": told, "time": time}
    assert made["next_run"] is not None
    assert made["job_type"] == "scheduled"


async def test_the_minute_of_an_interval_may_stand_in_its_date(make):
    """Some programs write the expression there alone; what they sent is what is told."""
    date = {"type": "interval_cron", "days": [0, 1], "cron": "6 */4 * * 0,1"}

    made = await make(schedule={"date": date, "time": {"type": "every_hour", "interval": 4}})

    assert (made["schedule"]["cron"], made["schedule"]["date"]) == (date["cron"], date)


async def test_an_update_may_be_a_part(cloud, make):
    """What is left out stays, also within settings and triggers; the id may be missing, and no other one is taken."""
    made = await make(settings={"threads": 8, "target_name": "prod"}, triggers={"schedule": True}, description="x")

    changed = await cloud.post(f"jobs/{made['id']}", {"settings": {"threads": 2}})
    paused = await cloud.post(f"jobs/{made['id']}/", {"id": made["id"], "triggers": {"schedule": False}})
    wrong = await cloud.call("POST", f"jobs/{made['id']}", json={"id": made["id"] + 1, "name": "Other"})

    assert changed["settings"] == {"threads": 2, "target_name": "prod"}
    assert changed["next_run"] == made["next_run"]
    assert (paused["next_run"], paused["triggers"]["schedule"], paused["description"]) == (None, False, "x")
    assert (wrong.status_code, list(wrong.json()["data"])) == (400, ["id"])
    assert (await cloud.get(f"jobs/{made['id']}/"))["name"] == "Nightly"


async def test_a_deleted_job_is_told_once_more(cloud, make):
    """With the state 2; then it is unknown, and in the list of those that were deleted."""
    made = await make(triggers={"schedule": True})
    other = await make(name="Other")

    gone = await cloud.delete(f"jobs/{made['id']}")
    assert (gone["id"], gone["state"], gone["next_run"]) == (made["id"], 2, None)
    assert set(gone) == FIELDS
    assert (await cloud.call("GET", f"jobs/{made['id']}/")).status_code == 404
    assert (await cloud.call("DELETE", f"jobs/{made['id']}/")).status_code == 404

    assert (await cloud.post(f"jobs/{other['id']}/", {"id": other["id"], "state": 2}))["state"] == 2
    project = {"project_id": cloud.project}
    assert (await cloud.listed("jobs", **project))["data"] == []
    found = await cloud.listed("jobs", state="deleted", **project)
    assert [job["id"] for job in found["data"]] == [made["id"], other["id"]]


async def test_jobs_are_listed_and_filtered(cloud, make, environment):
    """By SQL; what was asked comes back, and a new job is there at once with all its fields."""
    plain = await make(name="Plain [[plain]]")
    timed = await make(name="Timed", triggers={"schedule": True}, dbt_version="1.11.0")

    async def found(**params):
        told = await cloud.listed("jobs/", project_id=cloud.project, **params)
        return [job["name"] for job in told["data"]]

    told = await cloud.listed("jobs", project_id=cloud.project)
    assert [set(job) for job in told["data"]] == [FIELDS, FIELDS]
    assert told["extra"]["filters"] == {
        "limit": 100,
        "offset": 0,
        "project_id": cloud.project,
        "state": "active",
        "account_id": cloud.account,
    }
    assert told["extra"]["pagination"] == {"count": 2, "total_count": 2}
    assert await found(name__icontains="[[PLAIN]]") == ["Plain [[plain]]"]
    assert await found(triggers_schedule="true") == ["Timed"]
    assert await found(environment_id=environment, order_by="-id") == ["Timed", "Plain [[plain]]"]
    assert await found(environment_id=10**9) == []
    assert await found(dbt_version__in='["1.11.0", "1.10.0"]') == ["Timed"]
    assert await found(pk=plain["id"]) == ["Plain [[plain]]"]
    assert await found(is_system="false", is_fusion_ready="false", limit=1, offset=1) == ["Timed"]
    assert await found(is_system="true") == await found(is_fusion_ready="true") == []
    assert await found(project_id__in=f"[{cloud.project}, {timed['id']}]", order_by="name") == [
        "Plain [[plain]]",
        "Timed",
    ]


async def test_a_job_follows_another(cloud, make):
    """By a chain: the condition comes back, and what the job it names is."""
    first = await make(name="First")
    condition = {"condition": {"job_id": first["id"], "project_id": cloud.project, "statuses": [20, 30]}}

    made = await make(name="Second", job_completion_trigger_condition=condition)
    assert made["job_completion_trigger_condition"] == condition
    same = await cloud.post(f"jobs/{made['id']}", {"description": "still"})
    assert same["job_completion_trigger_condition"] == condition
    none = await cloud.post(f"jobs/{made['id']}", {"job_completion_trigger_condition": None})
    assert none["job_completion_trigger_condition"] is None


async def test_a_job_may_defer_to_itself(cloud, make):
    """Once its number is known."""
    made = await make()

    changed = await cloud.post(f"jobs/{made['id']}/", {**made, "deferring_job_definition_id": made["id"]})
    again = await cloud.post(f"jobs/{made['id']}/", {**made, "deferring_job_definition_id": None})

    assert changed["deferring_job_definition_id"] == made["id"]
    assert again["deferring_job_definition_id"] is None


async def test_a_deactivated_job_rests(cloud, make):
    """It says why, and is due again when it is active again."""
    made = await make(triggers={"schedule": True})

    rests = await cloud.post(f"jobs/{made['id']}/", {"deactivated": True})
    refused = (await cloud.call("POST", f"jobs/{made['id']}/run/", json={})).json()
    again = await cloud.post(f"jobs/{made['id']}/", {"deactivated": False})

    assert (rests["deactivated"], rests["next_run"], rests["triggers"]["schedule"]) == (True, None, True)
    assert (refused["status"]["code"], refused["data"]) == (409, None)
    assert "deactivated" in refused["status"]["user_message"]
    assert rests["deactivation_reason"]
    assert (again["deactivated"], again["next_run"]) == (False, made["next_run"])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": None}, "name"),
        ({"environment_id": None}, "environment_id"),
        ({"environment_id": 999_999_999}, "environment_id"),
        ({"project_id": None}, "project_id"),
        ({"project_id": 999_999_999}, "project_id"),
        ({"account_id": 7}, "account_id"),
        ({"execute_steps": ["rm -rf /"]}, "execute_steps"),
        ({"execute_steps": ["dbt run --target-path /tmp"]}, "execute_steps"),
        ({"job_type": "weekly"}, "job_type"),
        ({"settings": {"threads": 0}}, "settings.threads"),
        ({"settings": {"threads": "many"}}, "settings.threads"),
        ({"schedule": {"cron": "61 * * * *"}}, "schedule"),
        ({"schedule": {"date": {"type": "sometimes"}}}, "schedule.date.type"),
        ({"schedule": {"date": {"type": "custom_cron"}}}, "schedule.date.cron"),
        ({"deferring_job_definition_id": 999_999_999}, "deferring_job_definition_id"),
        ({"deferring_environment_id": 999_999_999}, "deferring_environment_id"),
        (
            {"job_completion_trigger_condition": {"condition": {"job_id": 1, "project_id": 1, "statuses": [7]}}},
            "job_completion_trigger_condition.condition.statuses",
        ),
    ],
)
async def test_what_is_wrong_is_told_by_field(cloud, environment, wrong, field):
    """400, and nothing is made."""
    usual = {"project_id": cloud.project, "environment_id": environment, "name": "N", "execute_steps": ["dbt run"]}

    answer = await cloud.call("POST", "jobs/", json={**usual, **wrong})

    assert answer.status_code == 400
    assert list(answer.json()["data"]) == [field]
    assert (await cloud.listed("jobs", project_id=cloud.project))["data"] == []


async def test_jobs_are_their_projects_alone(cloud, as_, make, cleo, hire, workspace):
    """Another project's token sees none, and who may only look makes, changes and deletes none."""
    made = await make()
    outside, vera = as_(cleo.key), as_((await hire("vera", workspace, PERMISSIONS_OF_ROLE[Role.VIEWER])).key)

    for method in ("GET", "POST", "DELETE"):
        assert (await outside.call(method, f"jobs/{made['id']}/", json={})).status_code == 404
    assert (await outside.listed("jobs/"))["data"] == []
    assert (await vera.get(f"jobs/{made['id']}/"))["name"] == "Nightly"
    for method, path in (("POST", "jobs/"), ("POST", f"jobs/{made['id']}"), ("DELETE", f"jobs/{made['id']}")):
        refused = await vera.call(method, path, json={"name": "Vera's"})
        assert refused.status_code == 403
        assert "processes.write" in refused.json()["status"]["user_message"]


async def test_what_belongs_to_a_job_is_told_where_it_is_asked_for(room, cloud, site, workspace):
    """In whichever shape it is asked, of one job and of several; the last run, and the last one that has ended."""
    job = await site.job()
    await room.engine.database.execute(
        """
        with ended as (
            insert into run (id, workspace_id, process_id, state, result, started_by, started_at, ended_at)
            values (%(id)s, %(workspace)s, %(process)s, 'completed', 'succeeded', 'api', clock_now(), clock_now())
            returning id, number
        )
        insert into project_run (run_id, run_number, workspace_id, process_id, target_id, kind, stage, work, ended_at)
        select id, number, %(workspace)s, %(process)s, %(target)s, 'other', 'succeeded',
               '{"commands": [], "connection_name": "W", "threads": 4}', clock_now()
          from ended
        """,
        id=uuid7(),
        workspace=workspace,
        process=job.id,
        target=site.target.id,
    )
    queued = await cloud.post(f"jobs/{job.number}/run/", {"cause": "test"})

    told = await cloud.get(
        f"jobs/{job.number}", include_related="['most_recent_run','most_recent_completed_run', 'environment']"
    )
    listed = await cloud.listed(
        "jobs/", project_id=cloud.project, include_related=["account", "project", "custom_environment_variables"]
    )

    assert (told["environment"]["id"], told["project"]) == (site.target.number, None)
    assert (told["most_recent_run"]["status"], told["most_recent_completed_run"]["status"]) == (1, 10)
    assert (told["most_recent_run"]["id"], told["most_recent_run"]["job_id"]) == (queued["id"], job.number)
    [told] = listed["data"]
    assert (told["account"]["id"], told["project"]["id"]) == (cloud.account, cloud.project)
    assert (told["custom_environment_variables"], told["most_recent_run"]) == ([], None)


async def test_a_job_is_a_process_to_others(cloud, make, ada):
    """Whoever lists processes lists it by the same number."""
    made = await make()

    [process] = [each for each in await ada.every("/processes") if each["name"] == made["name"]]

    assert (await cloud.get(f"jobs/{made['id']}"))["name"] == process["name"]
