"""Runs: triggered, told while and after they run, cancelled, retried (§3.2, §3.3, §3.8, §4)."""

import asyncio
import re

import pytest

from controlroom.engine.access.model import Permission
from controlroom.engine.jobs.model import JobSettings
from controlroom.protocol import ErrorCode, PhaseState

BLANK = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00")
OVERRIDES = {
    "git_sha": "abc1234",
    "git_branch": "feature/x",
    "github_pull_request_id": 12,
    "schema_override": "tmp",
    "dbt_version_override": "1.11.0-latest",
    "threads_override": 8,
    "target_name_override": "ci",
    "generate_docs_override": True,
    "timeout_seconds_override": 60,
    "steps_override": ["dbt seed", "dbt build --select tag:a"],
}


async def trigger(cloud, job, **body):
    """Let a job run."""
    return await cloud.post(f"jobs/{job.number}/run/", body or {"cause": "test"})


async def test_a_triggered_run_is_told_with_every_field(cloud, site):
    """Exactly 200, queued, with its trigger and where a person sees it (§0.17, §0.18)."""
    job = await site.job()

    run = await trigger(cloud, job, cause="Nightly load", job_id=job.number, account_id=cloud.account, **OVERRIDES)

    numbers = {"account_id": cloud.account, "project_id": cloud.project, "environment_id": site.target.number}
    assert numbers.items() <= run.items()
    assert run["job_id"] == run["job_definition_id"] == job.number
    assert (run["status"], run["status_humanized"]) == (1, "Queued")
    assert (run["in_progress"], run["is_complete"], run["is_success"]) == (True, False, False)
    assert run["href"].endswith(f"/deploy/{cloud.account}/projects/{cloud.project}/runs/{run['id']}/")
    assert run["href"].startswith("http")
    assert run["trigger"]["cause"] == "Nightly load"
    assert {key: run["trigger"][key] for key in OVERRIDES} == OVERRIDES
    assert (run["trigger"]["cause_category"], run["trigger_id"]) == ("api", run["trigger"]["id"])
    assert BLANK.fullmatch(run["created_at"])
    assert BLANK.fullmatch(run["trigger"]["created_at"])
    assert (run["started_at"], run["finished_at"], run["run_steps"]) == (None, None, [])
    assert (run["finished_at_humanized"], run["can_retry"]) == ("0 minutes from now", False)
    assert run["retry_not_supported_reason"] == "RETRY_NOT_FAILED_RUN"
    assert re.fullmatch(r"\d\d:\d\d:\d\d", run["duration"])


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"json": {}},
        {"json": None, "headers": {"Content-Type": "application/json"}},
        {"content": b"null"},
        {"data": {"cause": "by a form", "steps_override": ["dbt seed", "dbt run"]}},
        {"files": {"cause": (None, "in parts")}},
        {"json": {"cause": None, "git_sha": None, "threads_override": None, "steps_override": None}},
        {"json": {"cause": "x", "threads_override": "4"}},
    ],
)
async def test_a_trigger_is_taken_however_it_is_written(cloud, site, how):
    """JSON, either form, nothing, null, explicit nulls, numbers as text (§0.10, §0.11, corrections)."""
    job = await site.job()

    answer = await cloud.call("POST", f"jobs/{job.number}/run", **how)

    assert answer.status_code == 200, answer.text
    trigger = answer.json()["data"]["trigger"]
    assert trigger["cause"]
    if "data" in how:
        assert trigger["steps_override"] == ["dbt seed", "dbt run"]
    if "threads_override" in (how.get("json") or {}) and how["json"]["cause"]:
        assert trigger["threads_override"] == 4


@pytest.mark.parametrize(
    "body",
    [
        {"steps_override": ["rm -rf /"]},
        {"steps_override": ["dbt build --profiles-dir /tmp"]},
        {"threads_override": 0},
        {"threads_override": {}},
        {"git_sha": "not a commit"},
        {"timeout_seconds_override": -1},
        {"cause": "x" * 2000},
    ],
)
async def test_a_trigger_that_cannot_be_is_refused(cloud, site, body):
    """400 in the envelope, and no run."""
    job = await site.job()

    answer = await cloud.call("POST", f"jobs/{job.number}/run/", json=body)

    assert answer.status_code == 400, answer.text
    assert answer.json()["status"]["user_message"]
    assert (await cloud.listed("runs/", job_definition_id=job.number))["data"] == []


async def test_runs_of_what_was_deleted_are_found_by_it(cloud, site):
    """By their job and by their environment: what has happened goes on to name them."""
    job = await site.job()
    run = await trigger(cloud, job)
    await cloud.delete(f"jobs/{job.number}")
    await cloud.delete(f"environments/{site.target.number}")

    for asked in ({"job_definition_id": job.number}, {"job_id": job.number}, {"environment_id": site.target.number}):
        assert [each["id"] for each in (await cloud.listed("runs/", **asked))["data"]] == [run["id"]]
    assert (await cloud.get(f"runs/{run['id']}"))["status_humanized"] == "Cancelled"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ErrorCode.PACKAGE_INVALID, "the repository has no content yet"),
        (ErrorCode.ROBOT_FAILED, "the package has no content yet"),
    ],
)
async def test_what_the_room_says_of_a_run_has_the_words_of_the_grammar(cloud, site, error, told):
    """What dbt has said stays as it was."""
    run = await trigger(cloud, await site.job())

    await (await site.take()).finish(error, "the package has no content yet")

    assert (await cloud.get(f"runs/{run['id']}"))["status_message"] == told


async def test_a_job_that_goes_meanwhile_is_unknown(cloud, site):
    """Of two who change and delete it at once: the change is done, or there is no job; no field is blamed."""
    for _ in range(3):
        job = await site.job()
        change = cloud.call("POST", f"jobs/{job.number}", json={"description": "x"})
        changed, gone = await asyncio.gather(change, cloud.call("DELETE", f"jobs/{job.number}"))
        assert gone.status_code == 200
        assert changed.status_code in {200, 404}


async def test_a_trigger_tells_its_job(cloud, site):
    """Who triggers a run learns in the same answer what its job is, and whether it has a schedule."""
    job = await site.job("dbt build")

    told = await trigger(cloud, job)

    assert (told["job"]["id"], told["job"]["triggers"]["schedule"]) == (job.number, False)
    assert told["trigger"]["job_definition_id"] == job.number


async def test_a_run_is_followed_by_its_steps(cloud, site):
    """Those to come are queued; logs are texts that only grow; times are the run's (§0.14, §0.15)."""
    job = await site.job("dbt build")
    number = (await trigger(cloud, job))["id"]
    working = await site.take()
    starting = await cloud.get(f"runs/{number}/")
    await working.phase(
        0, "Clone git repository", PhaseState.SUCCEEDED, prints="cloned", is_preparation=True, kind="source"
    )
    await working.phase(
        1, "Create profile from connection W", PhaseState.SUCCEEDED, is_preparation=True, kind="profile"
    )
    await working.phase(
        2, "Invoke dbt with `dbt deps`", PhaseState.SUCCEEDED, prints="nothing to do", is_preparation=True
    )
    await working.phase(3, "Invoke dbt with `dbt build`", PhaseState.IN_PROGRESS, prints="1 of 2")
    first = await cloud.get(f"runs/{number}", include_related='["run_steps"]')
    await working.phase(3, "Invoke dbt with `dbt build`", PhaseState.FAILED, prints="2 of 2")
    await working.finish(ErrorCode.ROBOT_FAILED)
    ended = await cloud.get(f"runs/{number}", include_related="run_steps,debug_logs")

    assert (starting["status"], starting["status_humanized"], starting["run_steps"]) == (2, "Starting", [])
    assert (first["status"], first["in_progress"], first["is_complete"]) == (3, True, False)
    steps = first["run_steps"]
    assert [step["index"] for step in steps] == [1, 2, 3, 4]
    assert [step["status"] for step in steps] == [10, 10, 10, 3]
    assert [step["logs"] for step in steps] == ["cloned\n", "(no output)", "nothing to do\n", "1 of 2\n"]
    assert steps[3]["run_step_command"] == {"run_step_id": steps[3]["id"], "dbt_command": "dbt build"}
    last = ended["run_steps"][3]
    assert (last["status_humanized"], last["id"]) == ("Error", steps[3]["id"])
    assert last["logs"].startswith(steps[3]["logs"])
    assert BLANK.fullmatch(last["started_at"])
    assert (ended["status"], ended["status_humanized"], ended["status_message"]) == (20, "Error", "dbt has failed")
    for key in ("created_at", "updated_at", "dequeued_at", "started_at", "finished_at"):
        assert BLANK.fullmatch(ended[key])
    assert ended["is_error"] is True


async def test_skipped_steps_are_shown(cloud, site):
    """With the verbatim command in their name, and as Skipped (§4)."""
    job = await site.job("dbt seed", "dbt build  --select 'a b'")
    number = (await trigger(cloud, job))["id"]
    await site.work(fails_at=3)

    steps = (await cloud.get(f"runs/{number}/"))["run_steps"]

    assert [(step["name"], step["status_humanized"]) for step in steps[2:]] == [
        ("Invoke dbt with `dbt deps`", "Success"),
        ("Invoke dbt with `dbt seed`", "Error"),
        ("Invoke dbt with `dbt build  --select 'a b'`", "Skipped"),
    ]
    assert [step["logs"] == "" for step in steps[2:]] == [False, False, True]


async def test_a_step_is_told_by_its_own_id(cloud, site):
    """With the end of its debug logs, the whole where it is asked for, and its trigger (§3.2)."""
    job = await site.job()
    number = (await trigger(cloud, job, cause="why"))["id"]
    await site.work()
    [*_, last] = (await cloud.get(f"runs/{number}/"))["run_steps"]

    step = await cloud.get(f"steps/{last['id']}/")
    full = await cloud.get(f"steps/{last['id']}", include_related="['debug_logs','trigger']")

    assert {key: step[key] for key in ("id", "run_id", "name", "logs")} == {
        key: last[key] for key in ("id", "run_id", "name", "logs")
    }
    assert step["debug_logs"] is None
    assert step["truncated_debug_logs"].splitlines()[0] == "line 500"
    assert len(full["debug_logs"].splitlines()) == 1_500
    assert full["trigger"]["cause"] == "why"
    assert (await cloud.call("GET", f"steps/{number}/")).status_code == 404


async def test_artifacts_are_those_of_a_step(cloud, site):
    """Without one of the last; raw, by extension's type; what is not there is 404 in the envelope (§6)."""
    job = await site.job("dbt seed", "dbt build", settings=JobSettings(generates_docs=True))
    number = (await trigger(cloud, job))["id"]
    await site.work()

    paths = await cloud.get(f"runs/{number}/artifacts/")
    first = await cloud.call("GET", f"runs/{number}/artifacts/run_results.json", params={"step": 4})
    last = await cloud.call("GET", f"runs/{number}/artifacts/run_results.json")
    sql = await cloud.call("GET", f"runs/{number}/artifacts/compiled/jaffle/models/a.sql")

    assert paths == ["compiled/jaffle/models/a.sql", "manifest.json", "run_results.json"]
    assert await cloud.get(f"runs/{number}/artifacts", step=3) == []
    assert (first.json()["step"], last.json()["step"]) == (3, 5)
    assert first.headers["content-type"] == "application/json"
    assert first.headers["content-length"] == str(len(first.content))
    assert sql.text == "select 1"
    for missing in ("catalog.json", "logs/dbt.log", "../secret", "manifest.json?step=99"):
        answer = await cloud.call("GET", f"runs/{number}/artifacts/{missing}")
        assert answer.status_code == 404
        assert answer.json()["data"] is None
    assert (await cloud.call("GET", f"runs/{number}/artifacts/manifest.json?step=x")).status_code == 400
    assert (await cloud.get(f"runs/{number}/"))["artifacts_saved"] is True


async def test_a_job_has_the_artifacts_of_its_last_good_run(cloud, site):
    """Whatever has failed since (§3.2)."""
    job = await site.job()
    await trigger(cloud, job)
    await site.work(catalog_json=b"{}")
    await trigger(cloud, job)
    await site.work(fails_at=3)

    manifest = await cloud.call("GET", f"jobs/{job.number}/artifacts/manifest.json")
    catalog = await cloud.call("GET", f"jobs/{job.number}/artifacts/catalog.json")

    assert (manifest.status_code, manifest.json()) == (200, {"step": 3})
    assert catalog.status_code == 200
    assert (await cloud.call("GET", f"jobs/{job.number}/artifacts/sources.json")).status_code == 404


async def test_a_run_is_cancelled_wherever_it_is(cloud, site):
    """Queued: at once. At work: its worker is told. Ended: it stays as it is (§4)."""
    job = await site.job()
    queued = (await trigger(cloud, job))["id"]
    answer = await cloud.call("POST", f"runs/{queued}/cancel", headers={"Content-Type": "application/json"})
    await site.dispatch(await run_id(site, queued))
    cancelled = await cloud.get(f"runs/{queued}/", include_related="audit")
    again = await cloud.post(f"runs/{queued}/cancel/")

    assert (answer.status_code, answer.json()["data"]["id"]) == (200, queued)
    assert (cancelled["status"], cancelled["is_cancelled"]) == (30, True)
    assert (cancelled["status_message"], again["status"]) == ("The run was cancelled.", 30)
    assert (
        cancelled["audit"]["trigger"]["actor"]["name"] == cancelled["audit"]["cancellation"]["actor"]["name"] == "ada"
    )


async def run_id(site, number):
    return await site.room.engine.database.value("select id from run where number = %(number)s", number=number)


async def test_runs_of_a_job_wait_for_each_other(cloud, site):
    """The second one tells which one blocks it (§4)."""
    job = await site.job()
    first, second = (await trigger(cloud, job))["id"], (await trigger(cloud, job))["id"]

    assert (await cloud.get(f"runs/{second}/"))["blocked_by"] == [first]
    assert (await cloud.get(f"runs/{first}/"))["blocked_by"] == []


async def test_a_failed_run_is_retried_from_where_it_failed(cloud, site):
    """With the step that failed, then the skipped ones; what cannot be retried says why (§4)."""
    job = await site.job("dbt build", "dbt test")
    number = (await trigger(cloud, job))["id"]
    await site.work(fails_at=3)

    failed = await cloud.get(f"runs/{number}/")
    begins = await cloud.get(f"runs/{number}/retry/")
    retried = await cloud.post(f"runs/{number}/retry/")
    refused = await cloud.call("POST", f"runs/{number}/retry")

    assert (failed["can_retry"], failed["retry_not_supported_reason"]) == (True, None)
    assert begins == {"failed_step": "dbt build", "skipped_steps": ["dbt test"]}
    assert (retried["retrying_run_id"], retried["trigger"]["cause_category"]) == (number, "rerun")
    assert refused.status_code == 409
    assert f"run {number} cannot be retried" in refused.json()["status"]["user_message"]
    assert refused.json()["data"] == {"retry_not_supported_reason": "RETRY_NOT_LATEST_RUN"}
    again = await cloud.get(f"runs/{number}/", include_related='["run_retries"]')
    assert again["retry_not_supported_reason"] == "RETRY_NOT_LATEST_RUN"
    assert [each["id"] for each in again["run_retries"]] == [retried["id"]]
    listed = await cloud.get("runs/", include_related="run_retries")
    assert [[each["id"] for each in run["run_retries"]] for run in listed] == [[retried["id"]], []]


async def test_a_job_is_run_again(cloud, site):
    """From the failure of its last run, else anew (§3.2)."""
    job = await site.job()
    first = (await trigger(cloud, job))["id"]
    await site.work(fails_at=3)

    again = await cloud.post(f"jobs/{job.number}/rerun/")
    await site.work()
    anew = await cloud.post(f"jobs/{job.number}/rerun")

    assert (again["retrying_run_id"], anew["retrying_run_id"]) == (first, None)


async def test_runs_are_filtered_sorted_and_counted(cloud, site, as_, cleo):
    """By SQL: what is asked is echoed, what is past the end is an empty page (§1.3, §3.3)."""
    job, other = await site.job(), await site.job("dbt seed")
    good = (await trigger(cloud, job))["id"]
    await site.work()
    bad = (await trigger(cloud, job))["id"]
    await site.work(fails_at=3)
    waiting = (await trigger(cloud, other))["id"]

    async def found(**params):
        return [run["id"] for run in (await cloud.listed("runs/", **params))["data"]]

    everything = await cloud.listed("runs/", limit=2, offset=1)
    ended = (await cloud.get(f"runs/{bad}/"))["finished_at"]

    assert everything["extra"] == {
        "filters": {"limit": 2, "offset": 1, "state": "all", "account_id": cloud.account},
        "order_by": "id",
        "pagination": {"count": 2, "total_count": 3},
    }
    assert [run["id"] for run in everything["data"]] == [bad, waiting]
    assert all(run["run_steps"] == [] and run["trigger"] is None for run in everything["data"])
    assert await found(order_by="-id") == await found(order_by="-created_at") == [waiting, bad, good]
    assert await found(order_by="finished_at") == [good, bad, waiting]
    assert await found(order_by="-finished_at", limit=1, status__in="[10, 20]") == [bad]
    assert await found(status=20) == await found(status__in="[20]") == await found(id__gt=good, status=20) == [bad]
    assert await found(job_definition_id=job.number) == [good, bad]
    assert await found(project_id=cloud.project, environment_id=site.target.number) == [good, bad, waiting]
    assert await found(project_id=cloud.account, environment_id=site.target.number) == []
    assert await found(project_id__in=f"[{cloud.project}, {cloud.account}]", pk=bad) == [bad]
    assert await found(project_id=cloud.account) == await found(job_definition_id=cloud.account) == []
    assert await found(pk__in=f"[{good},{waiting}]") == [good, waiting]
    assert await found(finished_at__range=f'["{ended}", "9999-12-31T23:59:59.999999"]') == [bad]
    assert await found(created_at__range='["2020-01-01T00:00:00", "2020-01-02 00:00:00+00:00"]') == []
    assert await found(account_id=7, surplus="x", status=99, limit=5) == []
    assert await found(offset=1000) == []
    assert await found(has_docs_generated="false", dbt_version="1.11") is not None
    steps = await cloud.listed("runs/", include_related=["run_steps,trigger"], limit=1)
    assert len(steps["data"][0]["run_steps"]) == 4
    assert steps["data"][0]["trigger"]["cause"] == "test"
    outside = await as_(cleo.key).listed("runs/")
    assert (outside["data"], outside["extra"]["pagination"]["total_count"]) == ([], 0)


@pytest.mark.parametrize(
    "params", [{"order_by": "nothing"}, {"limit": "x"}, {"id__gt": "x"}, {"created_at__range": "[1]"}]
)
async def test_a_query_that_cannot_be_is_refused_by_field(cloud, site, params):
    """400, with what is wanted of the field (§1.4)."""
    answer = await cloud.call("GET", "runs/", params=params)

    assert answer.status_code == 400
    assert answer.json()["data"].keys() == params.keys()


async def test_a_large_page_is_honoured(cloud, site):
    """Up to the setting; what is above is told as it is applied (§1.3, corrections)."""
    assert (await cloud.listed("runs", limit=5_000))["extra"]["filters"]["limit"] == 5_000
    assert (await cloud.listed("runs", limit=9_000))["extra"]["filters"]["limit"] == 5_000


async def test_who_may_only_read_triggers_nothing(as_, cloud, hire, site, workspace):
    """A token does what its permissions name (§10 of the list of what must hold)."""
    job = await site.job()
    number = (await trigger(cloud, job))["id"]
    reader = as_((await hire("reader", workspace, frozenset({Permission.READ_RUNS}))).key)
    starter = as_((await hire("starter", workspace, frozenset({Permission.START_RUNS}))).key)

    refused = await reader.call("POST", f"jobs/{job.number}/run/", json={"cause": "x"})

    assert refused.status_code == 403
    assert "runs.start" in refused.json()["status"]["user_message"]
    assert (await reader.call("GET", f"runs/{number}/")).status_code == 200
    assert (await reader.call("GET", f"runs/{number}/artifacts/")).status_code == 403
    assert (await starter.call("POST", f"jobs/{job.number}/run/")).status_code == 200


RESULTS = b"""{"metadata": {"env": {}}, "elapsed_time": 2.0, "args": {}, "results": [{
    "unique_id": "model.jaffle.a", "status": "success", "thread_id": "Thread-1", "execution_time": 1.5,
    "failures": null, "timing": [
        {"name": "compile", "started_at": "2026-11-30T01:00:00.000000Z", "completed_at": "2026-11-30T01:00:00.5Z"},
        {"name": "execute", "started_at": "2026-11-30T01:00:00.5Z", "completed_at": "2026-11-30T01:00:01.5Z"}]}]}"""


async def test_times_of_models_are_told(cloud, site):
    """Of each step that has left results, by node; results that nobody can read are a conflict (§3.9)."""
    job = await site.job()
    good = (await trigger(cloud, job))["id"]
    await site.work(run_results_json=RESULTS)
    bad = (await trigger(cloud, job))["id"]
    await site.work(run_results_json=b"no JSON")

    [told] = await cloud.get(f"v3:projects/{cloud.project}/runs/{good}/timing/")

    assert told == {
        "run_id": good,
        "step": 4,
        "unique_id": "model.jaffle.a",
        "status": "success",
        "thread_id": "Thread-1",
        "execution_time": 1.5,
        "started_at": "2026-11-30T01:00:00.000000+00:00",
        "completed_at": "2026-11-30T01:00:01.500000+00:00",
    }
    assert (await cloud.call("GET", f"v3:projects/{cloud.project}/runs/{bad}/timing")).status_code == 409
    assert (await cloud.call("GET", f"v3:projects/{cloud.account}/runs/{good}/timing")).status_code == 404


async def test_the_address_of_a_run_leads_somewhere(cloud, site, stranger):
    """In a browser (§0.17)."""
    run = await trigger(cloud, await site.job())

    page = await stranger.get(run["href"])

    assert page.status_code == 200
    assert f"controlroom dbt logs {run['id']}" in page.text
    assert (await stranger.get("/deploy/x")).status_code == 404
