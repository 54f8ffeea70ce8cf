"""What was deleted is had again as it was, by who might make it."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from tests.engine.runs.conftest import Floor

from controlroom.engine.access.model import Permission
from controlroom.engine.chains import actions as chains
from controlroom.engine.chains.model import ChainDefinition, End
from controlroom.engine.packages import actions as packages
from controlroom.engine.packages.errors import TaskNotFound
from controlroom.engine.packages.store import get_task
from controlroom.engine.processes import actions as processes
from controlroom.engine.queues import actions as queues
from controlroom.engine.queues import store as queue_store
from controlroom.engine.queues.model import ConsumerDefinition
from controlroom.engine.runs.model import OfProcess
from controlroom.engine.schedules import actions as schedules
from controlroom.engine.schedules import store as schedule_store
from controlroom.engine.schedules.definitions import ScheduleDefinition
from controlroom.engine.schedules.model import Interval, Once
from controlroom.engine.webhooks import actions as webhooks
from controlroom.engine.webhooks.model import WebhookDefinition, WebhookEvent
from controlroom.errors import Forbidden, NotFound
from controlroom.ids import TaskId


@pytest.fixture
def floor(engine, ada, team) -> Floor:
    """The shop floor of ada's workspace."""
    return Floor(engine, ada, team.workspace, team.organization)


async def test_a_schedule_is_due_from_now_on(floor, later, ben, cleo):
    """Not for what was due while it was gone; one that is there is not restored, and one of the past is due no more."""
    process = await floor.process({})
    asked = (floor.engine, floor.ada, floor.workspace)
    hourly = ScheduleDefinition(starts=OfProcess(process), name="Hourly", rule=Interval(3600))
    once = Once(datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=30))
    made = await schedules.create(*asked, hourly)
    single = await schedules.create(*asked, replace(hourly, name="Once", rule=once))
    with pytest.raises(NotFound):
        await schedules.restore(*asked, made.id)
    for each in (made, single):
        await schedules.delete(*asked, each.id)
    await later(minutes=90)
    reader = replace(ben, grants={floor.workspace: frozenset({Permission.WRITE_SCHEDULES})})
    for who, refused in ((cleo, NotFound), (reader, Forbidden)):
        with pytest.raises(refused):
            await schedules.restore(floor.engine, who, floor.workspace, made.id)

    after = await schedules.restore(*asked, made.id)
    gone_by = await schedules.restore(*asked, single.id)

    now = await schedule_store.now(floor.engine.database)
    assert after.next_due is not None
    assert now < after.next_due <= now + timedelta(hours=1)
    assert (after.number, after.is_enabled, after.rule) == (made.number, True, made.rule)
    assert (gone_by.is_enabled, gone_by.next_due) == (True, None)


async def test_a_process_comes_back_with_what_belongs_to_it(floor, cleo):
    """Its chains follow, as they did; a chain that was taken away alone comes back alone."""
    first, second = await floor.process({}), await floor.process({})
    asked = (floor.engine, floor.ada, floor.workspace)
    made = await chains.create(*asked, first, ChainDefinition(next_process=second, ends=(End.STOPPED,)))
    await chains.delete(*asked, first, made.id)
    assert await chains.restore(*asked, first, made.id) == made

    await processes.delete(*asked, first)
    with pytest.raises(NotFound):
        await processes.restore(floor.engine, cleo, floor.workspace, first)
    with pytest.raises(NotFound):
        await chains.restore(*asked, first, made.id)
    assert (await processes.restore(*asked, first)).id == first
    await chains.delete(*asked, first, made.id)
    assert await chains.restore(*asked, first, made.id) == made


async def test_a_webhook_is_told_again(floor, cleo):
    """Of what happens from then on."""
    asked = (floor.engine, floor.ada, floor.workspace)
    wanted = WebhookDefinition(
        endpoint="https://example.com/hook", grammar="robocorp", events=(WebhookEvent.RUN_COMPLETED,)
    )
    made, _ = await webhooks.create(*asked, wanted)
    await webhooks.delete(*asked, made.id)
    with pytest.raises(NotFound):
        await webhooks.restore(floor.engine, cleo, floor.workspace, made.id)
    assert (await webhooks.restore(*asked, made.id)).endpoint == made.endpoint


async def test_a_consumer_works_again(floor, cleo):
    """Paused, if it was; not one whose queue is gone, or whose task, and not for who may not start runs."""
    asked = (floor.engine, floor.ada, floor.workspace)
    queue = await queues.create(*asked, name="orders")
    process = await floor.process({})
    task = TaskId(await floor.engine.database.value("select task_id from step where process_id = %(id)s", id=process))
    made = await queues.add_consumer(*asked, queue.id, ConsumerDefinition(task=task, is_paused=True))
    with pytest.raises(NotFound):
        await queues.restore_consumer(*asked, queue.id, made.id)
    await queues.remove_consumer(*asked, queue.id, made.id)
    governor = replace(floor.ada, grants={floor.workspace: frozenset({Permission.GOVERN_QUEUES})})
    for who, refused in ((cleo, NotFound), (governor, Forbidden)):
        with pytest.raises(refused):
            await queues.restore_consumer(floor.engine, who, floor.workspace, queue.id, made.id)
    other = await queues.create(*asked, name="other orders")
    with pytest.raises(NotFound):
        await queues.restore_consumer(*asked, other.id, made.id)

    assert await queues.restore_consumer(*asked, queue.id, made.id) == made

    await queues.remove_consumer(*asked, queue.id, made.id)
    await processes.delete(*asked, process)
    await packages.delete(*asked, (await get_task(floor.engine.database, floor.scope, task)).package_id)
    with pytest.raises(TaskNotFound):
        await queues.restore_consumer(*asked, queue.id, made.id)
    assert not (await queue_store.get(floor.engine.database, floor.scope, queue.id)).has_consumers
