"""A schedule is fired by hand: with what is its own, by who may, and told of."""

import pytest
from msgspec import Raw, json
from msgspec.structs import replace
from tests.engine.runs.conftest import Floor
from tests.engine.schedules.test_firing import HOUR, became, finish, runs_of, schedule

from controlroom.engine.access.model import Permission
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import ProcessChange
from controlroom.engine.runs.errors import ProcessDisabled
from controlroom.engine.runs.model import RunState, StartedBy
from controlroom.engine.schedules import actions, store
from controlroom.engine.schedules.by_hand import fire_now
from controlroom.engine.schedules.definitions import Schedule, ScheduleChange, ScheduleDefinition, TaskStart
from controlroom.engine.schedules.errors import ScheduleBusy, ScheduleNotFound
from controlroom.engine.schedules.model import GivenPayload, Occurrence, Overlap, WaitingItems
from controlroom.errors import Forbidden, NotFound
from controlroom.ids import UserId
from controlroom.maintenance.scheduler import fire_due


async def fire(floor: Floor, made: Schedule) -> Occurrence:
    """Ada fires it by hand."""
    return await fire_now(floor.engine, floor.ada, floor.workspace, made.id)


async def test_it_starts_what_is_its_own(floor):
    """With its payload, priority and cause; who did it is told, and when it is due next stays."""
    process = await floor.process({})
    made = await schedule(floor, process, priority=7, inputs=GivenPayload(Raw(b'{"month":"May"}')))

    occurrence = await fire(floor, made)

    [run] = await runs_of(floor, process)
    assert (run.id, run.started_by, run.started_by_id) == (occurrence.run_id, StartedBy.SCHEDULE, made.id)
    assert run.priority == 7
    [item] = await floor.items(run)
    assert json.decode((await floor.item(item.id)).payload) == {"month": "May"}
    assert (occurrence.state.value, occurrence.fired_by) == ("started", floor.ada.id)
    assert (await store.get(floor.engine.database, floor.scope, made.id)).next_due == made.next_due
    told = await floor.engine.database.value(
        """
        select concat_ws(' ', actor_id, run_id, data ->> 'state') from event
         where kind = 'schedule.fired' and subject_id = %(schedule)s
        """,
        schedule=made.id,
    )
    assert told == f"{floor.ada.id} {run.id} started"


async def test_one_that_is_disabled_is_fired_too(floor):
    """It stays as it is; one of a disabled process is refused, and nothing is left of it."""
    process = await floor.process({})
    made = await schedule(floor, process)
    await actions.update(floor.engine, floor.ada, floor.workspace, made.id, ScheduleChange(is_enabled=False))

    await fire(floor, made)

    assert await became(floor, made) == ["started"]
    assert (await store.get(floor.engine.database, floor.scope, made.id)).next_due is None
    await processes.update(floor.engine, floor.ada, floor.workspace, process, ProcessChange(is_enabled=False))
    with pytest.raises(ProcessDisabled):
        await fire(floor, made)
    assert await became(floor, made) == ["started"]


async def test_its_rule_for_overlaps_holds(floor):
    """Beside a run of its own it is refused, or waits and stays who fired it; another one starts at once."""
    process = await floor.process({})
    strict, patient, free = [
        await schedule(floor, process, overlap=overlap) for overlap in (Overlap.SKIP, Overlap.QUEUE, Overlap.ALLOW)
    ]
    for each in (strict, patient, free, free):
        await fire(floor, each)
    with pytest.raises(ScheduleBusy):
        await fire(floor, strict)
    assert (await fire(floor, patient)).state.value == "waiting"
    assert await became(floor, strict) == ["started"]
    assert await became(floor, free) == ["started", "started"]

    await finish(floor, process)
    await fire_due(floor.engine)

    last, first = await store.list_occurrences(floor.engine.database, floor.scope, patient.id, limit=9)
    assert [last.state.value, first.state.value] == ["started", "started"]
    assert last.fired_by == first.fired_by == floor.ada.id
    runs = [run.state for run in await runs_of(floor, process)]
    assert (len(runs), runs.count(RunState.COMPLETED)) == (5, 4)


async def test_nothing_starts_where_nothing_waits(floor):
    """One that takes what waits says so."""
    made = await schedule(floor, await floor.process({}), inputs=WaitingItems())

    occurrence = await fire(floor, made)

    assert (occurrence.state.value, occurrence.run_id) == ("nothing_waited", None)


async def test_who_may(floor, ben, cleo):
    """Who may start runs, and for a task as somebody: start them so. To an outsider there is none."""
    process = await floor.process({})
    made = await schedule(floor, process)
    await fire_now(floor.engine, ben, floor.workspace, made.id)
    reader = replace(ben, grants={floor.workspace: frozenset({Permission.WRITE_SCHEDULES, Permission.READ_SCHEDULES})})
    task = await floor.engine.database.value("select task_id from step where process_id = %(id)s", id=process)
    as_ada = ScheduleDefinition(starts=TaskStart(task=task, users=(UserId(floor.ada.id),)), name="As ada", rule=HOUR)
    hers = await actions.create(floor.engine, floor.ada, floor.workspace, as_ada)
    for who, what, refused in ((cleo, made, NotFound), (reader, made, Forbidden), (ben, hers, Forbidden)):
        with pytest.raises(refused):
            await fire_now(floor.engine, who, floor.workspace, what.id)
    assert await became(floor, made) == ["started"]
    assert await became(floor, hers) == []
    await actions.delete(floor.engine, floor.ada, floor.workspace, made.id)
    with pytest.raises(ScheduleNotFound):
        await fire(floor, made)
