"""What a worker is told of an attempt, what it brings, and what its end makes of that."""

import json
from datetime import timedelta

import pytest
from msgspec import json as msgjson
from tests.engine.runs.conftest import expire_leases

from controlroom.engine.connections import files as database_files
from controlroom.engine.connections import logins
from controlroom.engine.connections.errors import DatabaseTooLarge
from controlroom.engine.connections.model import ConnectionKind, LoginDefinition
from controlroom.engine.jobs.model import JobKind, JobSettings
from controlroom.engine.runs import databases, reports
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.errors import Superseded
from controlroom.engine.runs.model import Overrides, Result
from controlroom.engine.runs.projects import files
from controlroom.engine.runs.projects.limits import LONGEST_SECONDS
from controlroom.engine.runs.projects.model import Stage
from controlroom.engine.variables import actions as variables
from controlroom.engine.variables.model import Where
from controlroom.errors import Conflict, NotFound
from controlroom.project_plans import Purpose, WorkerFolder
from controlroom.protocol import (
    Ability,
    Assignments,
    DatabaseFile,
    ErrorCode,
    Finish,
    PhaseKind,
    PhaseReport,
    PhaseState,
    ProjectCommands,
    StepRunError,
)


async def content(*parts: bytes):
    for part in parts:
        yield part


async def bring(shop, worker, assignment, data: bytes) -> None:
    of = assignment.step_run_id, assignment.attempt
    await databases.bring(shop.engine, worker.actor, *of, content(data), size=len(data))


async def current(shop, connection) -> bytes | None:
    """What the next run begins with."""
    found = await database_files.current(shop.engine.database, shop.floor.organization, connection)
    return None if found is None else b"".join([part async for part in shop.engine.objects.stream(found.hash)])


# ---------------------------------------------------------------------------------------------------- the claim
async def test_only_workers_that_run_projects_are_given_them(shop):
    """Others pass them by, and the claim tells nothing but commands and the limit of a day."""
    old = await shop.floor.worker("old", abilities=(Ability.COMMANDS,))
    walt = await shop.floor.worker()
    await shop.start(await shop.job())

    assert await old.claim() == []
    [assignment] = await walt.claim()

    assert isinstance(assignment.work, ProjectCommands)
    assert assignment.timeout_seconds == LONGEST_SECONDS


async def test_a_job_without_commands_is_given_to_a_worker(shop):
    """Its runs bring them, and the plan tells them; what is claimed, the worker can read."""
    walt = await shop.floor.worker()
    job = await shop.job()
    await shop.engine.database.execute(
        "update step set commands = '[]' where process_id = %(process)s", process=job.process
    )
    await shop.start(job, steps=("dbt parse",))

    [assignment] = await walt.claim()

    sent = msgjson.encode(Assignments((assignment,)))
    assert msgjson.decode(sent, type=Assignments).assignments[0].work == ProjectCommands(())
    plan = await shop.plan(walt, assignment)
    assert [phase.words for phase in plan.phases if phase.purpose is Purpose.OWN] == [("dbt", "parse")]


async def test_a_plan_tells_all_that_the_claim_does_not(shop):
    """Phases, output with its password, variables by scope, what is to be masked, and the facts of the run."""
    ada, place = shop.floor.ada, shop.floor.workspace
    walt = await shop.floor.worker()
    postgres = await shop.connection()
    login = await logins.create(
        shop.engine,
        ada,
        place,
        LoginDefinition(kind=ConnectionKind.POSTGRES, username="dbt", password="hunter22", schema_name="dev"),
    )
    target = await shop.target(postgres, login_id=login.id)
    job = await shop.job(target=target, connection=postgres, settings=JobSettings(threads=6), kind=JobKind.CI)
    for name, value, where in (
        ("DBT_A", "workspace", Where()),
        ("DBT_A", "target", Where(target_id=target)),
        ("DBT_ENV_SECRET_B", "s3cr3t!", Where(process_id=job.process)),
    ):
        await variables.create(shop.engine, ada, place, name=name, value=value, where=where)
    run = await shop.start(job, github_pull_request_id=7, schema_prefix="x", git_sha="abcd")
    [assignment] = await walt.claim()

    plan = await shop.plan(walt, assignment)

    number = plan.facts.job
    assert plan.output["password"] == "hunter22"
    assert (plan.output["schema"], plan.output["threads"]) == (f"x_pr_{number}_7", 6)
    assert plan.variables == {"DBT_A": "target", "DBT_ENV_SECRET_B": "s3cr3t!"}
    assert set(plan.secrets) >= {"hunter22", "s3cr3t!"}
    assert (plan.tool.adapter, plan.threads, plan.database) == ("postgres", 6, None)
    facts = plan.facts
    assert (facts.run, facts.is_ci, facts.pull_request, facts.sha) == (run.number, True, 7, "abcd")
    assert (facts.reason_category, facts.target_kind) == ("github_pull_request", "deployment")
    told = msgjson.encode(assignment) + json.dumps(await _rows(shop)).encode()
    assert b"hunter22" not in told
    assert b"s3cr3t!" not in told


async def _rows(shop) -> list[str]:
    """All that is stored of runs and events, as text."""
    return [
        *(await shop.engine.database.all(str, "select to_jsonb(run)::text from run")),
        *(await shop.engine.database.all(str, "select to_jsonb(project_run)::text from project_run")),
        *(await shop.engine.database.all(str, "select to_jsonb(event)::text from event")),
    ]


async def test_a_plan_is_for_who_has_the_attempt(shop):
    """Not for another worker, another attempt, or one that has ended."""
    walt, wanda = await shop.floor.worker(), await shop.floor.worker("wanda")
    await shop.start(await shop.job())
    [assignment] = await walt.claim()
    step_run, attempt = assignment.step_run_id, assignment.attempt

    for worker, number in ((wanda, attempt), (walt, attempt + 1)):
        with pytest.raises(Superseded):
            await shop.plan(worker, type("A", (), {"step_run_id": step_run, "attempt": number}))
    await shop.finish(walt, assignment)
    with pytest.raises(Superseded):
        await shop.plan(walt, assignment)


async def test_a_plan_says_why_there_is_no_output(shop):
    """A target without a log-in; one that was led to another file under the queued run, whose lock nobody holds."""
    walt = await shop.floor.worker()
    await shop.start(await shop.job(connection=await shop.connection()))
    [assignment] = await walt.claim()
    plan = await shop.plan(walt, assignment)
    assert "log-in" in plan.trouble
    assert plan.output == {}
    await shop.finish(walt, assignment)

    job = await shop.job()
    await shop.floor.run(await shop.start(job))
    await shop.engine.database.execute(
        "update target set connection_id = %(other)s where id = %(target)s",
        other=await shop.connection(ConnectionKind.DUCKDB),
        target=job.target,
    )
    [assignment] = await walt.claim()
    assert "another database" in (await shop.plan(walt, assignment)).trouble


# ---------------------------------------------------------------------------------------------------- the database
async def test_what_a_run_brings_is_what_the_next_begins_with(shop):
    """From the commit that ends it, also when it failed; what was brought last counts."""
    walt = await shop.floor.worker()
    job = await shop.job()
    await shop.start(job)
    [first] = await walt.claim()
    database = (await shop.plan(walt, first)).database
    assert isinstance(database, DatabaseFile)
    assert (database.hash, database.size, database.name) == (None, 0, "database.duckdb")
    await bring(shop, walt, first, b"one")
    await bring(shop, walt, first, b"two")
    assert await current(shop, job.connection) is None
    await shop.finish(walt, first)
    assert await current(shop, job.connection) == b"two"

    await shop.start(job)
    [second] = await walt.claim()
    database = (await shop.plan(walt, second)).database
    of = second.step_run_id, second.attempt
    assert await databases.size_of(shop.engine, walt.actor, *of, database.hash) == database.size == 3
    await bring(shop, walt, second, b"three")
    await shop.finish(walt, second, ErrorCode.ROBOT_FAILED)
    assert await current(shop, job.connection) == b"three"


async def test_what_a_lost_attempt_has_brought_is_forgotten(shop):
    """The next one begins with the version before; the lost worker brings nothing any more."""
    walt = await shop.floor.worker()
    job = await shop.job()
    await shop.start(job)
    [assignment] = await walt.claim()
    await bring(shop, walt, assignment, b"half")
    await walt.begin(assignment)

    await expire_leases(shop.floor)

    with pytest.raises(Superseded):
        await bring(shop, walt, assignment, b"late")
    assert await current(shop, job.connection) is None


async def test_no_more_is_brought_than_is_kept(shop, engine):
    """A database above the limit is refused before it is read; a run that writes none brings none."""
    walt = await shop.floor.worker()
    await shop.start(await shop.job())
    [assignment] = await walt.claim()
    of = assignment.step_run_id, assignment.attempt
    with pytest.raises(DatabaseTooLarge):
        await databases.bring(engine, walt.actor, *of, content(), size=engine.limits.database_bytes + 1)
    await shop.finish(walt, assignment)

    await shop.start(await shop.job(connection=await shop.connection()))
    [assignment] = await walt.claim()
    with pytest.raises(Conflict):
        await bring(shop, walt, assignment, b"x")


async def test_a_file_of_another_project_is_not_given(shop, floors):
    """A hash that names something elsewhere names nothing here."""
    walt = await shop.floor.worker()
    await shop.start(await shop.job())
    [assignment] = await walt.claim()
    blob = await shop.engine.objects.put_bytes(b"somebody's")

    with pytest.raises(NotFound):
        await files.size_of(shop.engine, walt.actor, assignment.step_run_id, assignment.attempt, blob.hash)


async def test_a_file_on_workers_is_worked_where_it_is(shop):
    """The run is placed on the worker that has the folder; one run at a time, too."""
    walt, wanda = await shop.floor.worker(), await shop.floor.worker("wanda")
    file = await shop.connection(
        ConnectionKind.DUCKDB, storage="worker", folder="/data/", path="dw.duckdb", worker_id=wanda.actor.worker_id
    )
    await shop.start(await shop.job(connection=file))

    assert await walt.claim() == []
    [assignment] = await wanda.claim()

    assert (await shop.plan(wanda, assignment)).database == WorkerFolder("/data/dw.duckdb")


# ---------------------------------------------------------------------------------------------------- ends
async def test_a_run_begins_with_its_first_own_command(shop):
    """Clone, profile and packages only prepare: who loses a worker there gets another, and nothing is said to run."""
    walt = await shop.floor.worker()
    run = await shop.start(await shop.job())
    [assignment] = await walt.claim()
    phases = (await shop.plan(walt, assignment)).phases
    for position in range(3):
        kind, name = phases[position].kind, phases[position].name
        is_preparation = phases[position].purpose is Purpose.DEPS
        await shop.report(
            walt,
            assignment,
            PhaseReport(
                position=position, kind=kind, name=name, state=PhaseState.IN_PROGRESS, is_preparation=is_preparation
            ),
        )
    assert (await shop.known(run)).stage is Stage.STARTING

    await expire_leases(shop.floor)
    [again] = await walt.claim()
    assert (again.run_id, again.attempt) == (run.id, assignment.attempt + 1)
    await shop.report(
        walt,
        again,
        PhaseReport(position=3, kind=PhaseKind.COMMAND, name=phases[3].name, state=PhaseState.IN_PROGRESS),
    )
    assert (await shop.known(run)).stage is Stage.RUNNING

    await expire_leases(shop.floor)
    assert (await shop.known(run)).stage is Stage.FAILED
    assert (await shop.floor.run(run)).result is Result.LOST
    step_run = await run_store.get_step_run(shop.engine.database, shop.floor.scope, again.step_run_id)
    assert step_run.error_code is ErrorCode.WORKER_LOST


@pytest.mark.parametrize("seconds", [None, 300])
async def test_a_run_that_takes_too_long_is_cancelled_with_the_limit(shop, seconds):
    """Its own, or the day that any run may take at most."""
    walt = await shop.floor.worker()
    limit = Overrides() if seconds is None else Overrides(timeout=timedelta(seconds=seconds))
    run = await shop.floor.run(await shop.floor.start((await shop.job()).process, overrides=limit))
    [assignment] = await walt.claim()
    assert assignment.timeout_seconds == (seconds or LONGEST_SECONDS)

    finish = Finish(exit_code=None, error=StepRunError(ErrorCode.TIMEOUT, "too long"))
    await reports.finish(shop.engine, walt.actor, assignment.step_run_id, assignment.attempt, finish)

    assert (await shop.known(run)).stage is Stage.CANCELLED
    assert (await shop.floor.run(run)).result is Result.TIMED_OUT
    step_run = await run_store.get_step_run(shop.engine.database, shop.floor.scope, assignment.step_run_id)
    assert f"{seconds or LONGEST_SECONDS:,} seconds" in step_run.error_message


async def test_a_run_tells_what_it_has_left(shop):
    """Documents and sources, once it has ended."""
    walt = await shop.floor.worker()
    run = await shop.start(await shop.job())
    [assignment] = await walt.claim()
    await shop.leave(walt, assignment, 4, catalog_json=b"{}")
    await shop.leave(walt, assignment, 3, sources_json=b"{}")
    assert not (await shop.known(run)).has_docs
    await shop.finish(walt, assignment)

    known = await shop.known(run)
    assert (known.has_docs, known.has_sources, known.stage) == (True, True, Stage.SUCCEEDED)
