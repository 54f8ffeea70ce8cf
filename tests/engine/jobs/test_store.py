"""What a run finds of its job."""

from datetime import timedelta

import pytest
from msgspec import Raw

from controlroom.engine.jobs import store
from controlroom.engine.jobs.errors import JobNotFound
from controlroom.engine.jobs.model import CustomCron, JobKind, JobSettings, Timetable
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import NamedTask, PackageCommands, ProcessDefinition, StepDefinition
from controlroom.ids import uuid7
from controlroom.protocol import Command

BUILD = Command(name="dbt build", words=("dbt", "build"))


async def a_process(engine, ada, workspace, work):
    step = StepDefinition(name="commands", work=work, timeout=timedelta(minutes=5))
    return await processes.create(engine, ada, workspace, ProcessDefinition(name="Nightly", steps=(step,)))


async def test_a_job_is_found_by_its_process(engine, ada, seen, strange, workspace, package):
    """With its commands and settings as they were written; an outsider finds none, and no other process is one."""
    process = await a_process(engine, ada, workspace, PackageCommands("robots", (BUILD,)))
    plain = await a_process(engine, ada, workspace, NamedTask("robots", "Produce"))
    settings = JobSettings(threads=8, defer_to_process=process.id, timetable=Timetable(CustomCron("0 3 L * *")))
    target = uuid7()
    await engine.database.execute(
        """
        insert into job (process_id, workspace_id, target_id, kind, settings, asides)
        values (%(process)s, %(place)s, %(target)s, 'ci', %(settings)s, '{"toy": {"a": 1}}')
        """,
        process=process.id,
        place=workspace,
        target=target,
        settings=settings,
    )

    found = await store.get(engine.database, seen, process.id)

    assert (found.id, found.number, found.name) == (process.id, process.number, "Nightly")
    assert (found.kind, found.target_id, found.settings) == (JobKind.CI, target, settings)
    assert (found.commands, found.timeout) == ((BUILD,), timedelta(minutes=5))
    assert found.asides == {"toy": Raw(b'{"a": 1}')}
    assert await store.find(engine.database, seen, plain.id) is None
    assert await store.find(engine.database, strange, process.id) is None
    with pytest.raises(JobNotFound):
        await store.get(engine.database, strange, process.id)
