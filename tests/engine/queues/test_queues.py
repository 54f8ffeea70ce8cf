"""Standing queues: items wait there until a consumer opens a run for them."""

import asyncio
from datetime import UTC, datetime, time
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from tests.engine.conftest import running_engine
from tests.engine.runs.conftest import Floor, Worker

from controlroom.engine.processes.model import Group, Placement, Workers
from controlroom.engine.queues import actions, store
from controlroom.engine.queues.errors import ConsumerNotFound, QueueInUse, QueueNameTaken, QueueNotFound
from controlroom.engine.queues.model import (
    Consumer,
    ConsumerChange,
    ConsumerDefinition,
    Queue,
    QueueChange,
    Window,
    is_open,
)
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.model import Run, RunState, StartedBy
from controlroom.engine.work_items import actions as work_items
from controlroom.engine.work_items import bulk
from controlroom.engine.work_items.bulk import ItemFilter
from controlroom.engine.work_items.errors import WorkItemStateConflict
from controlroom.engine.work_items.model import ItemState
from controlroom.engine.work_items.operations import Operation
from controlroom.engine.work_items.schemas import PayloadRefused, fault_in, settled
from controlroom.engine.work_items.terms import Terms
from controlroom.engine.workers import actions as worker_actions
from controlroom.engine.workers import whole_groups
from controlroom.engine.workers.errors import WorkerGroupInUse
from controlroom.errors import Invalid, NotFound
from controlroom.ids import TaskId, uuid7
from controlroom.maintenance.consumer import open_runs


async def a_task(floor: Floor) -> TaskId:
    """A task of some package."""
    process = await floor.process({})
    return await floor.engine.database.value("select task_id from step where process_id = %(id)s", id=process)


async def a_queue(floor: Floor, **of) -> Queue:
    return await actions.create(floor.engine, floor.ada, floor.workspace, name=f"orders {uuid7()}", **of)


async def consumer(floor: Floor, queue: Queue, **of) -> Consumer:
    """A consumer of a queue."""
    wanted = ConsumerDefinition(task=of.pop("task", None) or await a_task(floor), **of)
    return await actions.add_consumer(floor.engine, floor.ada, floor.workspace, queue.id, wanted)


async def put(floor: Floor, queue: Queue, *payloads: bytes, **terms):
    """Put items into a queue."""
    return [
        await actions.put(floor.engine, floor.ada, floor.workspace, queue.id, Raw(payload), terms=Terms(**terms))
        for payload in payloads
    ]


async def opened(floor: Floor) -> list[Run]:
    """The runs of the workspace, oldest first."""
    return (await run_store.list_runs(floor.engine.database, floor.scope, limit=100))[::-1]


async def test_a_run_is_opened_for_due_items_when_a_worker_is_free(floor):
    """Without a worker items wait; with one, a run takes them as a batch, and they are worked on."""
    queue = await a_queue(floor)
    made = await consumer(floor, queue, batch=2, priority=5)
    items = await put(floor, queue, b"1", b"2", b"3")
    await open_runs(floor.engine)
    assert await opened(floor) == []

    walt = await floor.worker()
    await open_runs(floor.engine)
    [run] = await opened(floor)
    assert (run.started_by, run.started_by_id, run.priority) == (StartedBy.QUEUE, made.id, 5)
    assert [item.id for item in await floor.items(run)] == [item.id for item in items[:2]]
    assert (await floor.item(items[2].id)).state is ItemState.NEW

    assignment, robot = await walt.take()
    assert len(await floor.drain(robot, assignment.work_item_id)) == 2
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.COMPLETED
    await open_runs(floor.engine)
    assert len(await opened(floor)) == 2


async def test_a_consumer_opens_no_more_runs_than_it_may(floor):
    """`max_runs` bounds the runs under way, whoever is free."""
    queue = await a_queue(floor)
    await consumer(floor, queue, batch=1, max_runs=2)
    await put(floor, queue, *[b"1"] * 5)
    for name in "abcd":
        await floor.worker(name)
    for _ in range(4):
        await open_runs(floor.engine)
    assert len(await opened(floor)) == 2


async def test_items_are_claimed_once_by_any_number_of_servers(floor, engine_dsn, tmp_path):
    """Several servers and consumers at once: every item is in one run."""
    queue = await a_queue(floor)
    for _ in range(3):
        await consumer(floor, queue, batch=2, max_runs=5)
    items = await put(floor, queue, *[b"1"] * 20)
    await floor.worker()
    async with running_engine(engine_dsn, tmp_path, keys=floor.engine.keys) as other:
        await asyncio.gather(*(open_runs(server) for server in (floor.engine, other) * 4))
    taken = [item.id for run in await opened(floor) for item in await floor.items(run)]
    assert len(taken) == len(set(taken))
    assert set(taken) <= {item.id for item in items}


async def test_paused_or_out_of_hours_nothing_is_opened(floor):
    """A paused consumer and one whose windows are closed leave items where they are."""
    queue = await a_queue(floor)
    paused = await consumer(floor, queue, is_paused=True)
    await put(floor, queue, b"1")
    await floor.worker()
    await open_runs(floor.engine)
    assert await opened(floor) == []

    now: datetime = await floor.engine.database.value("select clock_now()")
    another_day = Window(((now.weekday() + 3) % 7,), time(0), time(23, 59))

    async def change(**fields):
        change = ConsumerChange(**fields)
        await actions.change_consumer(floor.engine, floor.ada, floor.workspace, queue.id, paused.id, change)

    await change(is_paused=False, windows=(another_day,))
    await open_runs(floor.engine)
    assert await opened(floor) == []
    await change(windows=())
    await open_runs(floor.engine)
    assert len(await opened(floor)) == 1


async def test_a_consumers_placement_is_that_of_its_runs(floor):
    """Only the workers that the consumer names get its step runs, and only their being free counts."""
    wanda: Worker = await floor.worker("wanda")
    walt = await floor.worker("walt")
    queue = await a_queue(floor)
    await consumer(floor, queue, placement=Placement((Workers((wanda.actor.worker_id,)),)), max_runs=2, batch=1)
    await put(floor, queue, b"1", b"2")
    await open_runs(floor.engine)
    assert await walt.claim() == []
    assert len(await wanda.claim()) == 1
    await open_runs(floor.engine)  # wanda has her hands full, and walt does not count
    assert len(await opened(floor)) == 1


async def test_the_users_of_a_consumer_take_turns(floor, ada, root):
    """With one worker, too, where whoever was first is free again whenever there is something to do."""
    walt = await floor.worker("walt")
    queue = await a_queue(floor)
    await consumer(floor, queue, batch=1, max_runs=2, run_as=(root.id, ada.id))
    await put(floor, queue, b"1", b"2", b"3")

    users = []
    for _ in range(3):
        await open_runs(floor.engine)
        assignment, robot = await walt.take()
        select = "select run_as from step_run where id = %(id)s"
        users.append(await floor.engine.database.value(select, id=assignment.step_run_id))
        await floor.drain(robot, assignment.work_item_id)
        await walt.finish(assignment)
        await floor.run(assignment.run_id)

    assert users == [root.id, ada.id, root.id]


async def test_a_queue_has_a_schema_and_a_name_of_its_own(floor, ada):
    """Payloads that do not fit are refused; names are unique while their queue is there."""
    queue = await a_queue(floor, schema=Raw(b'{"type": "integer"}'))
    with pytest.raises(PayloadRefused):
        await put(floor, queue, b'"one"')
    await put(floor, queue, b"1")
    with pytest.raises(QueueNameTaken):
        await actions.create(floor.engine, ada, floor.workspace, name=queue.name)
    with pytest.raises(Invalid):
        await a_queue(floor, schema=Raw(b'{"type": 5}'))
    await actions.update(floor.engine, ada, floor.workspace, queue.id, QueueChange(schema=None))
    await put(floor, queue, b'"one"')


async def test_a_queue_with_items_stays_and_outsiders_see_none(floor, ada, cleo):
    """Only an empty queue is deleted, with its consumers; outsiders find nothing."""
    queue = await a_queue(floor)
    await consumer(floor, queue)
    [item] = await put(floor, queue, b"1")
    [theirs] = cleo.grants
    with pytest.raises(QueueInUse):
        await actions.delete(floor.engine, ada, floor.workspace, queue.id)
    with pytest.raises(NotFound):
        await actions.put(floor.engine, cleo, floor.workspace, queue.id, None)
    with pytest.raises(QueueNotFound):
        await actions.put(floor.engine, cleo, theirs, queue.id, None)

    await work_items.change(floor.engine, ada, floor.workspace, Operation.DELETE, [item.id])
    await actions.delete(floor.engine, ada, floor.workspace, queue.id)
    with pytest.raises(QueueNotFound):
        await put(floor, queue, b"2")


async def test_what_is_held_in_a_standing_queue_is_taken_by_no_consumer(floor):
    """It waits apart until it is let go, due when it was; its queue stays meanwhile; nothing else of it is changed."""
    queue = await a_queue(floor)
    await consumer(floor, queue, max_runs=3, batch=5)
    for name in "ab":
        await floor.worker(name)
    due = datetime(2026, 1, 1, tzinfo=UTC)
    first, second = await put(floor, queue, b"1", b"2", due=due)

    async def change(operation, *items):
        await work_items.change(floor.engine, floor.ada, floor.workspace, operation, [item.id for item in items])

    await change(Operation.HOLD, first)
    await open_runs(floor.engine)
    [run] = await opened(floor)
    assert [item.id for item in await floor.items(run)] == [second.id]
    with pytest.raises(QueueInUse):
        await actions.delete(floor.engine, floor.ada, floor.workspace, queue.id)

    await change(Operation.RELEASE_HOLD, first)
    let_go = await floor.item(first.id)
    assert (let_go.state, let_go.due) == (ItemState.NEW, due)
    await open_runs(floor.engine)
    [again] = [each for each in await opened(floor) if each.id != run.id]
    assert [item.id for item in await floor.items(again)] == [first.id]


async def test_items_of_a_standing_queue_are_declared_done_by_hand(floor):
    """Whether they wait or are held; by a filter, too, which finds no output of a run."""
    queue = await a_queue(floor)
    waiting, held, later = await put(floor, queue, b"1", b"2", b"3")
    change = partial(work_items.change, floor.engine, floor.ada, floor.workspace)
    await change(Operation.HOLD, [held.id])
    await change(Operation.COMPLETE, [waiting.id, held.id])
    assert [(await floor.item(each.id)).state for each in (waiting, held)] == [ItemState.DONE] * 2
    with pytest.raises(WorkItemStateConflict):
        await change(Operation.HOLD, [held.id])

    asked = (floor.engine, floor.ada, floor.workspace)
    [set_aside] = await bulk.apply(*asked, Operation.HOLD, ItemFilter(queue=queue.id))
    assert await bulk.apply(*asked, Operation.RELEASE_HOLD, ItemFilter(queue=queue.id)) == [set_aside]
    assert await bulk.apply(*asked, Operation.COMPLETE, ItemFilter(queue=queue.id)) == [set_aside]
    assert (await floor.item(later.id)).state is ItemState.DONE


async def test_a_group_that_a_consumer_is_placed_on_stays(floor):
    """Its items would wait for nobody, and say nothing of it; without the consumer the group goes."""
    queue = await a_queue(floor)
    group = await worker_actions.create_group(floor.engine, floor.ada, floor.workspace, f"night {uuid7()}")
    made = await consumer(floor, queue, placement=Placement((Group(group.id),)))

    with pytest.raises(WorkerGroupInUse) as refused:
        await worker_actions.delete_group(floor.engine, floor.ada, floor.workspace, group.id)
    assert refused.value.fields["queues"] == [queue.name]
    with pytest.raises(WorkerGroupInUse):
        await whole_groups.delete(floor.engine, floor.ada, group.id)

    await actions.remove_consumer(floor.engine, floor.ada, floor.workspace, queue.id, made.id)
    await worker_actions.delete_group(floor.engine, floor.ada, floor.workspace, group.id)


async def test_a_consumer_is_found_by_who_sees_its_workspace(floor, strange):
    """By another's scope there is neither queue nor consumer, whoever knows their ids."""
    queue = await a_queue(floor)
    made = await consumer(floor, queue)
    database = floor.engine.database

    assert await store.get_consumer(database, floor.scope, queue.id, made.id) == made
    assert await store.list_consumers(database, floor.scope, queue.id, limit=10) == [made]
    with pytest.raises(QueueNotFound):
        await store.get(database, strange, queue.id)
    with pytest.raises(ConsumerNotFound):
        await store.get_consumer(database, strange, queue.id, made.id)
    assert await store.list_consumers(database, strange, queue.id, limit=10) == []
    assert queue not in await store.list_queues(database, strange, limit=10, most_bytes=1000)


async def test_a_schema_is_asked_within_what_the_caller_sees(floor, strange):
    """A payload is compared with the schema of a queue that its caller sees, and with no other's."""
    queue = await a_queue(floor, schema=Raw(b'{"type": "integer"}'))
    database, payload = floor.engine.database, Raw(b'"one"')

    async def fault(scope):
        return await settled(floor.engine, lambda: fault_in(database, scope, queue.id, payload))

    assert await fault(floor.scope) is not None
    assert await fault(strange) is None


async def test_the_queue_of_a_step_is_no_standing_one(floor, ada):
    """A step's queue may have a schema, but neither consumers nor items put into it directly."""
    process = await floor.process({})
    queue = await floor.engine.database.value("select queue_id from step where process_id = %(id)s", id=process)
    changed = await actions.update(floor.engine, ada, floor.workspace, queue, QueueChange(schema=Raw(b"{}")))
    assert (changed.is_standing, bytes(changed.schema)) == (False, b"{}")
    with pytest.raises(QueueInUse):
        await consumer(floor, changed)
    with pytest.raises(QueueNotFound):
        await put(floor, changed, b"1")
    with pytest.raises(QueueInUse):
        await actions.delete(floor.engine, ada, floor.workspace, queue)


@given(st.datetimes(), st.times(), st.times(), st.integers(0, 6))
def test_windows_past_midnight_belong_to_the_day_on_which_they_begin(local, begins, ends, day):
    """A window and its complement on all days: exactly one of the two is open."""
    week = tuple(range(7))
    if begins != ends:
        assert is_open((Window(week, begins, ends),), local) != is_open((Window(week, ends, begins),), local)
    if is_open((Window((day,), begins, ends),), local):
        assert (local.weekday() - day) % 7 in (0, 1)
