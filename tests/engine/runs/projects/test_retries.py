"""Runs go on where others failed, and defer to what others have built."""

import pytest
from tests.engine.runs.projects.conftest import Shop

from controlroom.engine.jobs.errors import JobNotFound
from controlroom.engine.jobs.model import JobSettings
from controlroom.engine.runs.errors import RunNotFound
from controlroom.engine.runs.projects import retries
from controlroom.engine.runs.projects.errors import RetryRefused
from controlroom.engine.runs.projects.model import Stage
from controlroom.engine.runs.projects.retry_rules import Retry, RetryRefusal
from controlroom.protocol import ErrorCode

COMMANDS = ("dbt seed", "dbt build", "dbt test")


async def retry(shop, run):
    """Retry a run, and dispatch what comes of it."""
    return await shop.floor.run(await retries.retry(shop.engine, shop.floor.ada, shop.floor.workspace, run.id))


async def rerun(shop, job):
    """Run a job again."""
    return await shop.floor.run(await retries.rerun(shop.engine, shop.floor.ada, shop.floor.workspace, job.process))


async def standing(shop: Shop, run):
    """Whether a run can be retried."""
    return (await retries.standings(shop.engine.database, shop.floor.scope, [run.id]))[run.id]


async def test_a_retry_goes_on_with_what_failed(shop):
    """The failed command from its results, then what was skipped, with the overrides of the first."""
    walt = await shop.floor.worker()
    job = await shop.job(*COMMANDS, settings=JobSettings(generates_docs=True))
    first = await shop.start(job, threads=2, schema="mine")
    await shop.work(walt, fails_at=4)
    assert (await shop.known(first)).stage is Stage.FAILED
    found = await standing(shop, first)
    assert isinstance(found, Retry)
    assert [each.line for each in (found.failed, *found.skipped)] == ["dbt build", "dbt test", "dbt docs generate"]

    second = await retry(shop, first)

    assert (second.told.retry_of, second.told.overrides.project.threads) == (first.id, 2)
    [assignment] = await walt.claim()
    plan = await shop.plan(walt, assignment)
    assert [phase.words for phase in plan.phases[3:]] == [
        ("dbt", "retry"),
        ("dbt", "test"),
        ("dbt", "docs", "generate"),
    ]
    assert plan.phases[3].name == "Invoke dbt with `dbt build`"
    assert [file.name for file in plan.retry] == ["manifest.json", "run_results.json"]
    assert (plan.threads, plan.output["schema"]) == (2, "mine")
    known = await shop.known(second)
    assert (known.retry_of, known.work.retry.phase) == (first.id, 4)
    assert await standing(shop, first) is RetryRefusal.NOT_LATEST


async def test_a_retry_that_failed_is_retried(shop):
    """From its own results."""
    walt = await shop.floor.worker()
    job = await shop.job("dbt build")
    first = await shop.start(job)
    await shop.work(walt, fails_at=3)
    second = await retry(shop, first)
    await shop.work(walt, fails_at=3)

    third = await retry(shop, second)

    known = await shop.known(third)
    assert (known.work.retry.run, [each.name for each in known.work.commands]) == (second.id, ["dbt build"])


async def test_the_reasons_are_told(shop):
    """Of a run that goes well, one that is under way, one whose worker was lost without results."""
    walt = await shop.floor.worker()
    job = await shop.job()
    run = await shop.start(job)
    assert await standing(shop, run) is RetryRefusal.NOT_FAILED
    await shop.work(walt)
    assert await standing(shop, run) is RetryRefusal.NOT_FAILED
    lost = await shop.start(job)
    [assignment] = await walt.claim()
    await walt.begin(assignment)
    await shop.finish(walt, assignment, ErrorCode.ENVIRONMENT_FAILED)
    await shop.floor.run(lost)

    assert await standing(shop, lost) is RetryRefusal.NO_RESULTS
    with pytest.raises(RetryRefused) as refused:
        await retry(shop, lost)
    assert refused.value.fields["reason"] == "no_results"


async def test_running_again_retries_what_failed_and_starts_anew_else(shop):
    """A job that has never run, one that went well, one that failed in a command, one that failed before."""
    walt = await shop.floor.worker()
    job = await shop.job()
    first = await rerun(shop, job)
    await shop.work(walt)
    second = await rerun(shop, job)
    assert (await shop.known(second)).retry_of is None
    await shop.work(walt, fails_at=3)
    third = await rerun(shop, job)
    assert (await shop.known(third)).retry_of == second.id
    await shop.work(walt, fails_at=0)

    fourth = await rerun(shop, job)

    assert (await shop.known(fourth)).retry_of is None
    assert first.id != fourth.id


async def test_an_outsider_retries_nothing(shop, cleo, team):
    """They are told that there is no such run, and no such job."""
    job = await shop.job()
    run = await shop.start(job)

    with pytest.raises(RunNotFound):
        await retries.retry(shop.engine, cleo, team.other_workspace, run.id)
    with pytest.raises(JobNotFound):
        await retries.rerun(shop.engine, cleo, team.other_workspace, job.process)


# ---------------------------------------------------------------------------------------------------- deferral
async def deferred(shop, walt):
    """What the run that is to come defers to; it is worked to its end."""
    [assignment] = await walt.claim()
    plan = await shop.plan(walt, assignment)
    await shop.finish(walt, assignment)
    return plan.defer


async def test_a_run_defers_to_the_last_good_one(shop):
    """Of another job, of a target, or of its own; that is shown, and failures and newer runs do not count."""
    walt = await shop.floor.worker()
    job = await shop.job("dbt build")
    good = await shop.start(job)
    await shop.work(walt)
    await shop.floor.run(good)
    await shop.floor.run(await shop.start(job))
    await shop.work(walt, fails_at=3)
    to_job = await shop.job(settings=JobSettings(defer_to_process=job.process))
    to_target = await shop.job(settings=JobSettings(defer_to_target=job.target))

    for other in (to_job, to_target):
        run = await shop.start(other)
        manifest = await deferred(shop, walt)
        assert manifest is not None
        assert manifest.name == "manifest.json"
        assert (await shop.known(run)).defers_to == good.id


async def test_a_job_that_defers_to_itself_begins_with_nothing(shop):
    """Its first run has no other; the second defers to the first."""
    walt = await shop.floor.worker()
    job = await shop.job()
    await shop.engine.database.execute(
        "update job set settings = %(settings)s where process_id = %(job)s",
        settings=JobSettings(defer_to_process=job.process),
        job=job.process,
    )
    first = await shop.start(job)
    await shop.work(walt)
    assert (await shop.known(first)).defers_to is None
    second = await shop.start(job)

    assert await deferred(shop, walt) is not None
    assert (await shop.known(second)).defers_to == first.id
