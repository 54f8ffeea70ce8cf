"""Jobs are made with all that starts them, changed, and deleted."""

import asyncio
from datetime import timedelta

import pytest
from msgspec import Raw
from msgspec.structs import replace
from tests.engine.conftest import new_user

from controlroom.engine.access.model import Role
from controlroom.engine.access.scope import within
from controlroom.engine.chains import store as chains
from controlroom.engine.chains.model import End
from controlroom.engine.job_definitions import actions, store
from controlroom.engine.job_definitions.listings import JOBS
from controlroom.engine.job_definitions.model import Follows, JobDefinition, ListedJob
from controlroom.engine.jobs import store as jobs
from controlroom.engine.jobs.errors import JobInvalid, JobNotFound
from controlroom.engine.jobs.model import AtHours, CustomCron, EveryDay, JobKind, JobSettings, Timetable
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, Compare, Operator, equal
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes import store as process_store
from controlroom.engine.processes.model import ProcessChange, StepCommands
from controlroom.engine.projects import actions as projects
from controlroom.engine.projects.errors import ProjectNotFound
from controlroom.engine.projects.model import ProjectChange
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.model import Result
from controlroom.engine.schedules import actions as schedules
from controlroom.engine.schedules import store as schedule_store
from controlroom.engine.schedules.definitions import ScheduleChange
from controlroom.engine.schedules.errors import RuleInvalid
from controlroom.engine.schedules.model import Cron
from controlroom.engine.targets.errors import TargetNotFound
from controlroom.errors import Forbidden, NotFound
from controlroom.ids import TargetId, uuid7
from controlroom.robots.dbt_commands import CommandRefused

NIGHTLY = Timetable(EveryDay(), AtHours((3,)))


async def make(engine, ada, workspace, target, **of) -> ListedJob:
    """A job that builds."""
    given = {"name": "Nightly", "commands": ("dbt seed", "dbt build -s 'tag:a b'"), **of}
    return await actions.create(engine, ada, workspace, JobDefinition(target=target.id, **given))


async def edit(engine, ada, workspace, job, **change) -> ListedJob:
    """Change a job."""
    return await actions.change(engine, ada, workspace, job.id, lambda before: replace(before, **change))


async def schedules_of(engine, seen, job):
    return await schedule_store.list_schedules(engine.database, seen, process=job.id, limit=10, most_bytes=1000)


async def test_a_job_is_a_process_with_one_step_of_commands(engine, ada, seen, workspace, target, package):
    """The commands are called as they were typed; whoever lists processes lists it, and nothing starts it by itself."""
    settings = JobSettings(threads=8, generates_docs=True, tool_version="1.11")
    made = await make(
        engine,
        ada,
        workspace,
        target,
        description="Every night.",
        timeout=timedelta(hours=1),
        settings=settings,
        asides={"toy": Raw(b'{"a": 1}')},
    )

    [step] = await process_store.list_steps(engine.database, seen, made.id)
    listed = await process_store.list_processes(engine.database, seen, limit=10)
    assert isinstance(step.work, StepCommands)
    assert (step.work.package_id, step.timeout) == (package.id, timedelta(hours=1))
    assert [command.name for command in step.work.commands] == ["dbt seed", "dbt build -s 'tag:a b'"]
    assert step.work.commands[1].words == ("dbt", "build", "-s", "tag:a b")
    assert made.id in [process.id for process in listed]
    assert (made.kind, made.is_scheduled, made.next_due, made.failures) == (JobKind.OTHER, False, None, 0)
    assert (made.target_number, made.settings, made.asides) == (target.number, settings, {"toy": Raw(b'{"a": 1}')})
    assert (await jobs.get(engine.database, seen, made.id)).commands == step.work.commands
    assert await schedules_of(engine, seen, made) == []


async def test_a_scheduled_job_is_due_by_its_timetable(engine, ada, seen, workspace, target):
    """Its schedule is made with it and goes along: the times, the name, and whether it rests."""
    made = await make(engine, ada, workspace, target, settings=JobSettings(is_scheduled=True, timetable=NIGHTLY))
    assert (made.kind, made.is_scheduled, made.rule) == (JobKind.SCHEDULED, True, Cron("0 3 * * *"))
    assert (made.next_due.hour, made.next_due.minute) == (3, 0)
    [schedule] = await schedules_of(engine, seen, made)
    assert (schedule.zone, schedule.name, schedule.next_due) == ("UTC", "Nightly", made.next_due)

    later = replace(made.settings, timetable=Timetable(CustomCron("30 4 L * *")))
    changed = await edit(engine, ada, workspace, made, name="Monthly", settings=later)
    assert (changed.next_due.hour, changed.next_due.minute) == (4, 30)
    rests = await edit(engine, ada, workspace, made, settings=replace(later, is_scheduled=False))
    assert (rests.is_scheduled, rests.next_due, rests.settings.timetable) == (False, None, later.timetable)
    assert [each.id for each in await schedules_of(engine, seen, made)] == [schedule.id]

    again = await edit(engine, ada, workspace, made, settings=later)
    assert again.next_due == changed.next_due
    assert (await schedules_of(engine, seen, made))[0].name == "Monthly"


async def test_a_job_that_is_not_enabled_rests(engine, ada, workspace, target):
    """Nothing starts it by itself, and it is known what would."""
    made = await make(engine, ada, workspace, target, settings=JobSettings(is_scheduled=True, timetable=NIGHTLY))

    rests = await edit(engine, ada, workspace, made, is_enabled=False)
    assert (rests.is_enabled, rests.is_scheduled, rests.next_due) == (False, True, None)

    again = await edit(engine, ada, workspace, made, is_enabled=True)
    assert (again.is_enabled, again.is_scheduled, again.next_due) == (True, True, made.next_due)


async def test_what_others_do_to_its_schedule_is_told(engine, ada, seen, workspace, target):
    """Who pauses, changes or deletes the schedule where schedules are listed, has done it to the job."""
    made = await make(engine, ada, workspace, target, settings=JobSettings(is_scheduled=True, timetable=NIGHTLY))
    [schedule] = await schedules_of(engine, seen, made)

    await schedules.update(engine, ada, workspace, schedule.id, ScheduleChange(rule=Cron("0 5 * * *")))
    changed = await store.get(engine.database, seen, made.id)
    assert changed.definition.settings.timetable == Timetable(CustomCron("0 5 * * *"))
    await schedules.update(engine, ada, workspace, schedule.id, ScheduleChange(is_enabled=False))
    assert not (await store.get(engine.database, seen, made.id)).is_scheduled
    await schedules.delete(engine, ada, workspace, schedule.id)
    assert not (await store.get(engine.database, seen, made.id)).is_scheduled

    again = await edit(engine, ada, workspace, made, settings=made.settings)
    assert again.next_due == made.next_due


async def test_a_job_follows_another_one(engine, ada, seen, workspace, target):
    """By a chain, which is another one when it follows otherwise, and gone when it follows none."""
    first = await make(engine, ada, workspace, target, name="First")
    follows = Follows(process=first.id, workspace=workspace, ends=(End.COMPLETED, End.STOPPED))
    made = await make(engine, ada, workspace, target, name="Second", follows=follows)
    assert (made.follows, made.follows_number) == (follows, first.number)
    [chain] = await chains.list_chains(engine.database, seen, first.id, limit=10)
    assert (chain.next_process_id, set(chain.ends)) == (made.id, {End.COMPLETED, End.STOPPED})

    changed = await edit(engine, ada, workspace, made, follows=replace(follows, ends=(End.FAILED,)))
    assert changed.follows.ends == (End.FAILED,)
    assert len(await chains.list_chains(engine.database, seen, first.id, limit=10)) == 1
    rests = await edit(engine, ada, workspace, made, is_enabled=False)
    [chain] = await chains.list_chains(engine.database, seen, first.id, limit=10)
    assert (rests.follows.ends, chain.is_enabled) == ((End.FAILED,), False)
    none = await edit(engine, ada, workspace, made, follows=None)
    assert none.follows is None
    assert await chains.list_chains(engine.database, seen, first.id, limit=10) == []


async def test_a_deleted_job_is_started_by_nothing(engine, ada, seen, workspace, target):
    """Schedule and chain go with it; it stays in the list of what was."""
    first = await make(engine, ada, workspace, target, name="First")
    follows = Follows(process=first.id, workspace=workspace, ends=(End.COMPLETED,))
    made = await make(engine, ada, workspace, target, settings=JobSettings(is_scheduled=True), follows=follows)

    gone = await actions.delete(engine, ada, workspace, made.id)

    assert gone.deleted_at is not None
    assert await schedules_of(engine, seen, made) == []
    assert await chains.list_chains(engine.database, seen, first.id, limit=10) == []
    with pytest.raises(JobNotFound):
        await store.get(engine.database, seen, made.id)
    with pytest.raises(JobNotFound):
        await actions.delete(engine, ada, workspace, made.id)
    assert (await store.get(engine.database, seen, made.id, is_there=False)).name == "Nightly"


async def test_a_deleted_jobs_runs_are_stopped(engine, ada, seen, workspace, target):
    """Nobody wants them any more; they stay readable."""
    made = await make(engine, ada, workspace, target)
    await engine.database.execute(
        """
        insert into run (id, workspace_id, process_id, state, started_by)
        values (%(id)s, %(workspace)s, %(process)s, 'in_progress', 'api')
        """,
        id=uuid7(),
        workspace=workspace,
        process=made.id,
    )

    await actions.delete(engine, ada, workspace, made.id)

    [run] = await run_store.list_runs(engine.database, seen, process=made.id, limit=10)
    assert run.result is Result.STOPPED


async def test_commands_wait_for_the_files_of_their_project(engine, ada, seen, workspace, target, package):
    """A job can be made before its project has files; when it has, or others, its commands are run in those."""
    await projects.change(engine, ada, workspace, ProjectChange(package_id=None))
    made = await make(engine, ada, workspace, target)
    [step] = await process_store.list_steps(engine.database, seen, made.id)
    assert (step.work, [command.name for command in made.commands]) == (None, ["dbt seed", "dbt build -s 'tag:a b'"])

    await projects.change(engine, ada, workspace, ProjectChange(package_id=package.id))
    [step] = await process_store.list_steps(engine.database, seen, made.id)
    assert (step.work.package_id, step.work.commands) == (package.id, made.commands)
    assert (await store.get(engine.database, seen, made.id)).settings.waiting == ()

    await projects.change(engine, ada, workspace, ProjectChange(package_id=None))
    assert (await store.get(engine.database, seen, made.id)).commands == made.commands


async def test_a_job_may_have_no_commands(engine, ada, seen, workspace, target):
    """Its runs bring them."""
    made = await make(engine, ada, workspace, target, commands=())

    [step] = await process_store.list_steps(engine.database, seen, made.id)
    assert step.work.commands == made.commands == ()


@pytest.mark.parametrize(
    ("wrong", "failure"),
    [
        ({"commands": ("rm -rf /",)}, CommandRefused),
        ({"commands": ("dbt run --profiles-dir /",)}, CommandRefused),
        ({"commands": ("dbt run",) * 101}, JobInvalid),
        ({"commands": ("dbt run -s " + "x" * 4000,)}, JobInvalid),
        ({"settings": JobSettings(threads=0)}, JobInvalid),
        ({"settings": JobSettings(timetable=Timetable(hours=AtHours(())))}, JobInvalid),
        ({"settings": JobSettings(timetable=Timetable(CustomCron("61 * * * *")))}, RuleInvalid),
        ({"settings": JobSettings(is_scheduled=True, timetable=Timetable(CustomCron("0 0 31 2 *")))}, RuleInvalid),
        ({"timeout": timedelta(0)}, JobInvalid),
        ({"settings": JobSettings(defer_to_process=uuid7())}, NotFound),
        ({"settings": JobSettings(defer_to_target=TargetId(uuid7()))}, TargetNotFound),
    ],
)
async def test_nothing_is_left_of_a_job_that_cannot_be(engine, ada, seen, workspace, target, wrong, failure):
    """Neither a job nor a process, nor what would start it; and one that is there stays as it was."""
    made = await make(engine, ada, workspace, target)

    with pytest.raises(failure):
        await make(engine, ada, workspace, target, **{"name": "Wrong", **wrong})
    with pytest.raises(failure):
        await edit(engine, ada, workspace, made, **{"name": "Wrong", **wrong})

    assert [each.name for each in await process_store.list_processes(engine.database, seen, limit=10)] == ["Nightly"]
    assert await store.get(engine.database, seen, made.id) == made


async def test_only_a_project_has_jobs(engine, ada, workspace):
    """Any other workspace has processes alone."""
    with pytest.raises(ProjectNotFound):
        await actions.create(engine, ada, workspace, JobDefinition(name="Nightly", target=TargetId(uuid7())))


async def test_jobs_are_kept_by_who_may(engine, team, ada, cleo, workspace, target):
    """Who may only look changes none; an outsider finds none."""
    made = await make(engine, ada, workspace, target)
    ben = await new_user(engine, "ben", team.organization, workspace, Role.VIEWER)

    with pytest.raises(Forbidden):
        await make(engine, ben, workspace, target)
    with pytest.raises(Forbidden):
        await edit(engine, ben, workspace, made, name="Ben's")
    with pytest.raises(NotFound):
        await edit(engine, cleo, workspace, made, name="Cleo's")
    with pytest.raises(NotFound):
        await actions.delete(engine, cleo, workspace, made.id)


async def test_changes_at_once_are_made_one_after_the_other(engine, ada, seen, workspace, target):
    """Each sees what the one before it has made."""
    made = await make(engine, ada, workspace, target)

    def longer(before: JobDefinition) -> JobDefinition:
        return replace(before, description=before.description + "x")

    await asyncio.gather(*(actions.change(engine, ada, workspace, made.id, longer) for _ in range(5)))

    assert (await store.get(engine.database, seen, made.id)).description == "xxxxx"


async def test_failures_are_counted_since_the_last_success(engine, ada, seen, workspace, target):
    """Stopped runs are none, and those before a success do not count any more."""
    made = await make(engine, ada, workspace, target)
    for result in ("failed", "succeeded", "failed", "stopped", "lost"):
        await engine.database.execute(
            """
            insert into run (id, workspace_id, process_id, state, started_by, result, started_at, ended_at)
            values (%(id)s, %(workspace)s, %(process)s, %(state)s, 'api', %(result)s, clock_now(), clock_now())
            """,
            id=uuid7(),
            workspace=workspace,
            process=made.id,
            state="completed" if result == "succeeded" else "unresolved",
            result=result,
        )

    found = await store.get(engine.database, seen, made.id)

    assert (found.failures, found.has_succeeded) == (2, True)


async def test_jobs_are_listed(engine, ada, seen, strange, workspace, target):
    """By what starts them, what they are for and whether they are there; an outsider sees none."""
    plain = await make(engine, ada, workspace, target, name="Plain")
    timed = await make(engine, ada, workspace, target, name="Timed", settings=JobSettings(is_scheduled=True))
    ci = await make(engine, ada, workspace, target, name="Ci", settings=JobSettings(on_pull_request=True))
    gone = await make(engine, ada, workspace, target, name="Gone")
    await actions.delete(engine, ada, workspace, gone.id)

    async def found(**of):
        rows = await pages.rows(engine.database, ListedJob, JOBS, within(seen), Asked(filter=equal(**of), length=10))
        return [row.name for row in rows]

    assert await found() == ["Plain", "Timed", "Ci", "Gone"]
    assert await found(is_there=True, is_scheduled=True) == ["Timed"]
    assert await found(kind="ci") == ["Ci"]
    assert await found(number=plain.number) == ["Plain"]
    assert await found(target_number=target.number, name="Timed") == ["Timed"]
    assert (timed.kind, ci.kind, plain.kind) == (JobKind.SCHEDULED, JobKind.CI, JobKind.OTHER)
    asked = Asked(filter=Compare("id", Operator.EQ, plain.id), length=10)
    assert await pages.rows(engine.database, ListedJob, JOBS, within(strange), asked) == []


async def test_who_disables_the_process_has_disabled_the_job(engine, ada, seen, workspace, target):
    """They are one thing."""
    made = await make(engine, ada, workspace, target)

    await processes.update(engine, ada, workspace, made.id, ProcessChange(is_enabled=False))

    assert not (await store.get(engine.database, seen, made.id)).is_enabled
