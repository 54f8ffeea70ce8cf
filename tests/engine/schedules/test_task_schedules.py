"""Schedules that start a bare task: as whom, in which version, whose they are, and how they stand."""

from datetime import timedelta

import pytest
from msgspec import Raw
from tests.engine.runs.conftest import Floor

from controlroom.dialects.robocorp.messages import GRAMMAR
from controlroom.engine.access.errors import UserNotFound
from controlroom.engine.access.model import Actor
from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, equal
from controlroom.engine.packages.errors import TaskNotFound
from controlroom.engine.processes import actions as processes
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.callbacks import Callback, CallbackEvent
from controlroom.engine.runs.deployments import Anywhere, OnDefault
from controlroom.engine.runs.model import OfProcess
from controlroom.engine.schedules import actions, store
from controlroom.engine.schedules.definitions import (
    Schedule,
    ScheduleChange,
    ScheduleDefinition,
    Standing,
    TaskStart,
)
from controlroom.engine.schedules.errors import ScheduleNotFound
from controlroom.engine.schedules.listings import SCHEDULES, ListedSchedule
from controlroom.engine.schedules.model import GivenPayload, Interval, Once, Policies
from controlroom.engine.workers.defaults import set_default
from controlroom.errors import Forbidden
from controlroom.ids import TaskId, UserId, uuid7
from controlroom.maintenance.scheduler import fire_due

HOUR = Interval(3600)


@pytest.fixture
async def task(floor) -> TaskId:
    """A task of some package."""
    process = await floor.process({})
    await processes.delete(floor.engine, floor.ada, floor.workspace, process)
    return await floor.engine.database.value("select task_id from step where process_id = %(id)s", id=process)


async def planned(floor: Floor, starts, actor: Actor | None = None, **given) -> Schedule:
    """A schedule from now on, each hour."""
    definition = ScheduleDefinition(**{"starts": starts, "name": "Hourly", "rule": HOUR, **given})
    return await actions.create(floor.engine, actor or floor.ada, floor.workspace, definition)


async def seen(floor: Floor, made: Schedule) -> ListedSchedule:
    """The schedule as lists show it."""
    return await store.get_listed(floor.engine.database, floor.scope, made.id)


async def test_a_task_is_started_as_its_users_when_it_is_due(floor, ada, root, task, later):
    """With the input that the schedule gives and the name that it says; whoever is named last, too."""
    callback = Callback(
        url="https://example.com/told",
        grammar=GRAMMAR,
        events=(CallbackEvent.RUN_COMPLETED,),
        headers={"x-mine": "sesame"},
    )
    starts = TaskStart(task=task, users=(ada.id, root.id), where=Anywhere(), name="nightly", callback=callback)
    made = await planned(floor, starts, policies=Policies(inputs=GivenPayload(Raw(b'{"a":1}'))))

    await later(minutes=61)
    await fire_due(floor.engine)

    [run] = await run_store.list_runs(floor.engine.database, floor.scope, limit=9)
    step_runs = await run_store.list_step_runs(floor.engine.database, floor.scope, run.id, limit=9)
    assert {one.run_as for one in step_runs} == {ada.id, root.id}
    assert (run.told.name, run.process_id, run.started_by_id) == ("nightly", made.process_id, made.id)
    payloads = "select distinct payload from work_item where run_id = %(run)s"
    assert await floor.engine.database.all(object, payloads, run=run.id) == [{"a": 1}]
    kept = await floor.engine.database.value("select parameters::text from run where id = %(run)s", run=run.id)
    assert "example.com" in kept
    assert "sesame" not in kept


async def test_who_makes_it_may_name_only_whom_a_start_may(floor, ada, ben, task):
    """Ben names nobody but himself; a task that is not there is not found."""
    with pytest.raises(Forbidden):
        await planned(floor, TaskStart(task=task, users=(ada.id,)), actor=ben)
    with pytest.raises(TaskNotFound):
        await planned(floor, TaskStart(task=TaskId(uuid7()), where=Anywhere()))
    assert (await planned(floor, TaskStart(task=task, where=Anywhere()), actor=ben)).owner_id == ben.id


async def test_a_schedule_goes_over_to_another_owner_and_another_task(floor, ada, ben, cleo, task):
    """Who has no place in the workspace owns nothing there."""
    made = await planned(floor, TaskStart(task=task, where=Anywhere()), description="each hour")
    assert (made.owner_id, made.description) == (ada.id, "each hour")

    for nobody in (cleo.id, UserId(uuid7())):
        with pytest.raises(UserNotFound):
            await actions.update(floor.engine, ada, floor.workspace, made.id, ScheduleChange(owner_id=nobody))
    process = await floor.process({})
    change = ScheduleChange(owner_id=ben.id, starts=OfProcess(process))
    after = await actions.update(floor.engine, ada, floor.workspace, made.id, change)

    assert (after.owner_id, after.start, after.process_id) == (ben.id, None, process)


async def test_several_are_changed_or_none(floor, ada, ben, task):
    """One that is gone keeps all others as they were; one that is named twice is changed once."""
    made = [await planned(floor, TaskStart(task=task, where=Anywhere())) for _ in range(3)]
    named = [(floor.workspace, one.id) for one in made]
    await actions.delete(floor.engine, ada, floor.workspace, made[2].id)
    change = ScheduleChange(owner_id=ben.id, is_enabled=False)

    with pytest.raises(ScheduleNotFound):
        await actions.update_all(floor.engine, ada, named, change)
    before = [await store.get(floor.engine.database, floor.scope, one.id) for one in made[:2]]
    after = await actions.update_all(floor.engine, ada, [*named[:2], named[0]], change)

    assert [(one.owner_id, one.is_enabled) for one in before] == [(ada.id, True)] * 2
    assert [(one.id, one.owner_id, one.is_enabled) for one in after] == [(one.id, ben.id, False) for one in made[:2]]


async def test_how_it_stands(floor, ada, task, later):
    """A draft until it is put to work, then active; at rest inactive; completed once nothing is to come."""
    made = await planned(floor, TaskStart(task=task, where=Anywhere()), rule=HOUR, is_enabled=False, is_draft=True)
    assert made.standing is Standing.DRAFT

    async def change(**what) -> Schedule:
        return await actions.update(floor.engine, ada, floor.workspace, made.id, ScheduleChange(**what))

    assert (await change(is_enabled=True)).standing is Standing.ACTIVE
    assert (await change(is_enabled=False)).standing is Standing.INACTIVE
    now = await store.now(floor.engine.database)
    soon = Once((now + timedelta(minutes=5)).replace(tzinfo=None))
    assert (await change(rule=soon, zone="UTC", is_enabled=True)).standing is Standing.ACTIVE
    await later(minutes=6)
    await fire_due(floor.engine)
    assert (await seen(floor, made)).standing is Standing.COMPLETED


@pytest.mark.parametrize(
    "gone",
    [
        "update app_user set disabled_at = clock_now() where id = %(user)s",
        "delete from access_grant where user_id = %(user)s",
        "update package set deleted_at = clock_now() where id in (select package_id from task where id = %(task)s)",
    ],
)
async def test_what_names_something_that_is_gone_is_faulty(floor, ada, root, task, gone):
    """A user who may not be run as any more, or the task; it stays in the list, and is found by how it stands."""
    made = await planned(floor, TaskStart(task=task, users=(root.id,), where=Anywhere()))
    assert (await seen(floor, made)).standing is Standing.ACTIVE

    named = {"user": root.id, "task": task}
    await floor.engine.database.execute(gone, **{name: value for name, value in named.items() if name in gone})

    asked = Asked(filter=equal(standing="faulty"), length=10, with_total=True)
    found = await pages.page(floor.engine.database, ListedSchedule, SCHEDULES, within(floor.scope), asked)
    assert [one.id for one in found.rows] == [made.id]
    assert found.total.rows == 1


async def test_a_user_without_a_default_worker_makes_it_faulty(floor, ada, task):
    """Where it is to run nowhere else; with one, it is active."""
    made = await planned(floor, TaskStart(task=task, users=(ada.id,), where=OnDefault()))
    assert (await seen(floor, made)).standing is Standing.FAULTY

    walt = await floor.worker()
    await set_default(floor.engine, ada, ada.id, walt.actor.worker_id)
    assert (await seen(floor, made)).standing is Standing.ACTIVE


async def test_a_list_tells_the_numbers_of_what_a_schedule_names(floor, ada, task):
    """Of the task, its users and its owner; a schedule of a process tells that of the process."""
    of_task = await seen(floor, await planned(floor, TaskStart(task=task, users=(ada.id,), where=Anywhere())))
    process = await floor.process({})
    of_process = await seen(floor, await planned(floor, OfProcess(process)))

    number = "select number from {} where id = %(id)s"
    numbers = {
        table: await floor.engine.database.value(number.format(table), id=id_)
        for table, id_ in (("task", task), ("app_user", ada.id), ("process", process))
    }
    assert (of_task.work_number, of_task.work_name) == (numbers["task"], "Do")
    assert (of_task.user_numbers, of_task.owner_number) == ([numbers["app_user"]], numbers["app_user"])
    assert (of_process.work_number, of_process.package_name) == (numbers["process"], None)
