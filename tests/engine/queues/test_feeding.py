"""Items come into standing queues, and queues come to the workspace of their consumer's task."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from tests.engine.queues.test_item_models import WANTED
from tests.engine.queues.test_queues import a_task, opened
from tests.engine.runs.conftest import Floor

from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import Of, Room, scoped, within
from controlroom.engine.item_models import actions as item_models
from controlroom.engine.item_models.errors import AttributeMissing
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, Direction, Sort, equal
from controlroom.engine.queues import actions, feeding, items, moving, rights, store
from controlroom.engine.queues.errors import (
    DuplicateItem,
    QueueChanged,
    QueueElsewhere,
    QueueInUse,
    QueueIsDraft,
    QueueNotFound,
)
from controlroom.engine.queues.items import ItemChange
from controlroom.engine.queues.listings import CONSUMERS, QUEUE_ITEMS, QUEUES
from controlroom.engine.queues.model import (
    ConsumerDefinition,
    ItemStanding,
    ListedConsumer,
    ListedQueue,
    OrderedBy,
    Queue,
    QueueChange,
    QueueItem,
    QueueSettings,
    QueueStatus,
)
from controlroom.engine.queues.rights import Holder, Right
from controlroom.engine.runs.dispatch import dispatch
from controlroom.engine.work_items.errors import WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.errors import Forbidden
from controlroom.ids import uuid7
from controlroom.maintenance.consumer import open_runs
from controlroom.protocol import ErrorCode

WAITS_FOR_A_LOCK = """
    select exists (select from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock' and query like %(of)s)
"""


async def a_model(floor: Floor):
    return await item_models.create(floor.engine, floor.ada, name=f"{uuid7()}", attributes=WANTED)


async def a_queue(floor: Floor, **settings) -> Queue:
    """A queue whose items have a name, an amount and a due date."""
    model = await a_model(floor)
    wanted = QueueSettings(item_model=model.id, **{"shown": ("amount", "name")} | settings)
    return await actions.create(floor.engine, floor.ada, floor.workspace, name=f"{uuid7()}", settings=wanted)


def row(amount: object, name: str = "a", due: object = None) -> dict[str, Raw]:
    values = {"name": name, "amount": amount, "due": due}
    return {key: Raw(msgspec.json.encode(value)) for key, value in values.items()}


async def reached(floor: Floor, queue: Queue, right: Right = Right.OWN, actor=None) -> rights.Reached:
    return await rights.reach(floor.engine.database, actor or floor.ada, str(queue.number), right)


async def put(floor: Floor, queue: Queue, *rows, actor=None):
    at = await reached(floor, queue, Right.ADD, actor)
    return await feeding.put_all(floor.engine, at.actor, feeding.places_of(at.actor, at.scope), at.queue, rows)


async def listed(floor: Floor, queue: Queue, *sort: Sort) -> list[QueueItem]:
    found = await rights.visible(floor.engine.database, floor.ada)
    asked = Asked(filter=equal(queue_id=queue.id), sort=sort or (Sort("id"),), length=100)
    return await pages.rows(floor.engine.database, QueueItem, QUEUE_ITEMS, within(found.places), asked)


async def consumer(floor: Floor, queue: Queue, **of):
    wanted = ConsumerDefinition(task=await a_task(floor), batch=1, **of)
    at = await reached(floor, queue)
    return await actions.add_consumer(floor.engine, at.actor, at.workspace, queue.id, wanted, task_in=floor.workspace)


async def test_items_are_shown_by_what_the_queue_shows(floor):
    """Their columns are served from the payload, sorted by, and of no payload beside."""
    queue = await a_queue(floor)
    await put(floor, queue, row("20", "x"), row(3, "y"), row(None, "z"))
    found = await listed(floor, queue, Sort("col2", Direction.DESCENDING))
    assert [(each.col1, each.col2, each.col3, each.payload) for each in found] == [
        (None, "z", None, None),
        ("3", "y", None, None),
        ("20", "x", None, None),
    ]
    assert {each.standing for each in found} == {ItemStanding.NEW}
    assert {each.created_by_number for each in found} != {None}
    read = await items.get(floor.engine.database, floor.scope, queue.id, found[2].id)
    assert msgspec.json.decode(read.payload) == {"name": "x", "amount": 20, "due": None}
    assert read.hash == found[2].hash != found[1].hash


async def test_what_the_model_refuses_is_mended_in_the_queue(floor):
    """An unfit item is there as refused, with its fault; mended, it is new. What lacks an attribute is not put in."""
    queue = await a_queue(floor)
    [bad, _] = await put(floor, queue, row("many"), row(1))
    assert [(each.standing, each.fault) for each in await listed(floor, queue)] == [
        (ItemStanding.INVALID, "amount is no number"),
        (ItemStanding.NEW, None),
    ]
    with pytest.raises(AttributeMissing):
        await put(floor, queue, row(1), {"name": Raw(b'"a"')})
    at = await reached(floor, queue)
    with pytest.raises(WorkItemStateConflict):
        await items.change(floor.engine, at, bad, ItemChange(standing=ItemStanding.NEW))
    mended = await items.change(floor.engine, at, bad, ItemChange(standing=ItemStanding.NEW, payload=row(7)))
    assert (mended.standing, mended.col1, mended.fault) == (ItemStanding.NEW, "7", None)


async def test_a_queue_may_refuse_duplicates(floor):
    """What it has already it refuses, all or nothing, whoever puts it in; what is deleted may come again."""
    queue = await a_queue(floor, refuses_duplicates=True)
    [first] = await put(floor, queue, row(1))
    with pytest.raises(DuplicateItem):
        await put(floor, queue, row(2), row("1"))
    again = Raw(b'{"name": "a", "amount": 1, "due": null}')
    with pytest.raises(DuplicateItem):
        await actions.put(floor.engine, floor.ada, floor.workspace, queue.id, again)
    assert len(await listed(floor, queue)) == 1
    at = await reached(floor, queue)
    await items.delete_all(floor.engine, at, [first])
    await put(floor, queue, row(1))

    taking = QueueChange(settings=replace(actions.settings_of(queue), refuses_duplicates=False))
    await actions.update(floor.engine, floor.ada, floor.workspace, queue.id, taking)
    await put(floor, queue, row(1))
    back = QueueChange(settings=actions.settings_of(queue))
    with pytest.raises(DuplicateItem):
        await actions.update(floor.engine, floor.ada, floor.workspace, queue.id, back)


async def test_a_queue_says_how_it_stands(floor):
    """A draft takes no items; it is in use while it has a consumer; who changes an older one is refused."""
    draft = await actions.create(
        floor.engine, floor.ada, floor.workspace, name=f"{uuid7()}", settings=QueueSettings(is_draft=True)
    )
    assert draft.status is QueueStatus.DRAFT
    with pytest.raises(QueueIsDraft):
        await put(floor, draft, row(1))
    model = await a_model(floor)
    ready = QueueChange(settings=QueueSettings(item_model=model.id, description="bills"), revision=draft.revision)
    queue = await actions.update(floor.engine, floor.ada, floor.workspace, draft.id, ready)
    assert (queue.status, queue.revision) == (QueueStatus.NOT_IN_USE, draft.revision + 1)
    with pytest.raises(QueueChanged):
        await actions.update(floor.engine, floor.ada, floor.workspace, draft.id, ready)
    await put(floor, queue, row(1))
    other = QueueChange(settings=QueueSettings(item_model=(await a_model(floor)).id))
    with pytest.raises(QueueInUse):
        await actions.update(floor.engine, floor.ada, floor.workspace, queue.id, other)
    made = await consumer(floor, queue, name="Pay")
    [shown] = await pages.rows(
        floor.engine.database,
        ListedQueue,
        QUEUES,
        within(floor.scope),
        Asked(filter=equal(number=queue.number), length=5),
    )
    assert (shown.status, shown.item_model_number) == (QueueStatus.IN_USE, model.number)
    assert [each.standing for each in await listed(floor, queue)] == [ItemStanding.READY]
    with pytest.raises(QueueInUse):
        await actions.delete(floor.engine, floor.ada, floor.workspace, queue.id, with_items=True)
    free = await reached(floor, await actions.create(floor.engine, floor.ada, floor.workspace, name=f"free {uuid7()}"))
    with pytest.raises(QueueInUse):  # all of them or none, in whichever order they are named and made
        await actions.delete_all(floor.engine, [free, await reached(floor, queue)])
    await actions.remove_consumer(floor.engine, floor.ada, floor.workspace, queue.id, made.id)
    later = await actions.create(floor.engine, floor.ada, floor.workspace, name=f"free {uuid7()}")
    await actions.delete_all(floor.engine, [free, await reached(floor, later)])
    await actions.delete(floor.engine, floor.ada, floor.workspace, queue.id, with_items=True)
    with pytest.raises(QueueNotFound):
        await reached(floor, queue)


async def test_items_are_set_aside_and_let_go_by_hand(floor):
    """Standing, result and comment are set in one commit, by the version that somebody has seen."""
    queue = await a_queue(floor)
    first, second = await put(floor, queue, row(1), row(2))
    at = await reached(floor, queue)
    held = await items.change(
        floor.engine, at, first, ItemChange(standing=ItemStanding.HELD, result="?", comment="ask", version=0)
    )
    assert (held.standing, held.result, held.comment, held.version > 0) == (ItemStanding.HELD, "?", "ask", True)
    with pytest.raises(QueueChanged):
        await items.change(floor.engine, at, first, ItemChange(standing=ItemStanding.DONE, version=0))
    await items.change_all(floor.engine, at, [first, second], ItemStanding.READY)
    assert {each.standing for each in await listed(floor, queue)} == {ItemStanding.NEW}
    later = datetime.now(UTC) + timedelta(hours=1)
    await items.change_all(floor.engine, at, [first], ItemStanding.NEW, due=later)
    await items.change_all(floor.engine, at, [second], ItemStanding.DONE)
    assert [(each.standing, each.deferred_until) for each in await listed(floor, queue)] == [
        (ItemStanding.NEW, later),
        (ItemStanding.DONE, None),
    ]
    with pytest.raises(WorkItemStateConflict):  # of all or of none
        await items.change_all(floor.engine, at, [first, second], ItemStanding.HELD)
    with pytest.raises(WorkItemNotFound):
        await items.change(floor.engine, at, (await put(floor, await a_queue(floor), row(1)))[0], ItemChange())


async def test_the_retry_policy_of_the_queue_goes_before_the_steps(floor):
    """An item of it is tried as often as the queue says, in the run that has it."""
    queue = await a_queue(floor, retry=RetryPolicy(max_attempts=2))
    await consumer(floor, queue, name="Pay")
    await put(floor, queue, row(1))
    walt = await floor.worker()
    await open_runs(floor.engine)
    for expected, retries in ((ItemStanding.PENDING, 0), (ItemStanding.FAILED, 1)):
        assignment, _ = await walt.take()
        [item] = await listed(floor, queue)
        version = item.version
        assert (item.standing, item.worker_number is not None) == (ItemStanding.IN_PROGRESS, True)
        await walt.finish(assignment, ErrorCode.ROBOT_FAILED)
        [item] = await listed(floor, queue)
        assert (item.standing, item.retries, item.version > version) == (expected, retries, True)
        await (await floor.worker("wanda")).restart()
        [run] = await opened(floor)
        await dispatch(floor.engine, Room(), run.id)
    asked = Asked(filter=equal(queue_id=queue.id), length=5)
    [shown] = await pages.rows(floor.engine.database, ListedConsumer, CONSUMERS, within(floor.scope), asked)
    assert (shown.name, shown.runs_ended, shown.is_paused) == ("Pay", 1, False)


async def test_items_are_taken_by_what_the_queue_says(floor):
    """The largest amount first, then by name; numbers count as numbers."""
    queue = await a_queue(floor, ordering=(OrderedBy("amount", is_descending=True), OrderedBy("name")))
    await put(floor, queue, row(9, "b"), row("10", "z"), row(9, "a"))
    await consumer(floor, queue)
    walt = await floor.worker()
    seen = []
    for _ in range(3):
        await open_runs(floor.engine)
        assignment, _ = await walt.take()
        [now] = [each for each in await listed(floor, queue) if each.standing is ItemStanding.IN_PROGRESS]
        seen.append((now.col1, now.col2))
        await walt.finish(assignment)
        [*_, run] = await opened(floor)
        await dispatch(floor.engine, Room(), run.id)
    assert seen == [("10", "z"), ("9", "a"), ("9", "b")]


async def test_grants_on_a_queue_let_strangers_to_it(floor, ben):
    """Consumers see, participants add, owners change it; who has none of it finds no queue."""
    queue = await a_queue(floor)
    ben = replace(ben, grants={})
    db = floor.engine.database
    with pytest.raises(QueueNotFound):
        await reached(floor, queue, Right.SEE, ben)
    for held, beyond in ((Right.SEE, Right.ADD), (Right.ADD, Right.MANAGE), (Right.OWN, None)):
        async with scoped(db, floor.scope) as tx:
            await rights.give(tx, queue.id, Holder(user=ben.id), [held], by=None)
        at = await reached(floor, queue, held, ben)
        assert at.actor.may(Permission.READ_WORK_ITEMS, floor.workspace)
        if beyond is not None:
            with pytest.raises(Forbidden):
                await reached(floor, queue, beyond, ben)
    await put(floor, queue, row(1), actor=ben)
    seen = await rights.visible(db, ben)
    asked = Asked(filter=seen.filter("id", "workspace_id"), length=10)
    assert [each.id for each in await pages.rows(db, ListedQueue, QUEUES, within(seen.places), asked)] == [queue.id]
    async with scoped(db, floor.scope) as tx:
        assert await rights.take(tx, queue.id, Holder(user=ben.id), list(Right))
        assert not await rights.take(tx, queue.id, Holder(user=ben.id), list(Right))
    with pytest.raises(QueueNotFound):
        await reached(floor, queue, Right.SEE, ben)


async def test_who_has_waited_for_a_queue_that_was_moved_finds_it_there(floors):
    """Whoever puts items in waits until the queue has arrived, and then puts them in where it is."""
    here, there = await floors(2)
    queue = await a_queue(here)
    both = replace(here.ada, grants=here.ada.grants | there.ada.grants)
    places = Of(here.organization, (here.workspace, there.workspace))
    async with scoped(here.engine.database, here.scope) as tx:
        locked = await store.get(tx, here.scope, queue.id, for_update=True)
        await moving.move(here.engine, tx, both, here.scope, locked, there.workspace)
        puts = asyncio.create_task(feeding.put_all(here.engine, both, places, queue.id, [row(1)]))
        while not await here.engine.database.value(WAITS_FOR_A_LOCK, of="%for key share%"):
            await asyncio.sleep(0.01)  # nobody tells when a statement waits
    [made] = await puts
    assert await here.engine.database.value("select workspace_id from work_item where id = %(i)s", i=made) == (
        there.workspace
    )


async def test_the_first_consumer_takes_the_queue_to_its_task(floors):
    """Items go with it, and what is put in meanwhile is there; a later one from elsewhere is refused."""
    here, there = await floors(2)
    queue = await a_queue(here)
    await put(here, queue, row(0))
    both = replace(here.ada, grants=here.ada.grants | there.ada.grants)

    async def feed(number: int) -> None:
        at = await rights.reach(here.engine.database, both, str(queue.number), Right.ADD)
        places = feeding.places_of(both, at.scope)
        await feeding.put_all(here.engine, both, places, at.queue, [row(number)])

    async def attach() -> None:
        at = await rights.reach(here.engine.database, both, str(queue.number), Right.MANAGE)
        wanted = ConsumerDefinition(task=await a_task(there), batch=1)
        await actions.add_consumer(here.engine, at.actor, at.workspace, queue.id, wanted, task_in=there.workspace)

    await asyncio.gather(*(feed(number) for number in range(1, 11)), attach(), *(feed(n) for n in range(11, 21)))
    places = await here.engine.database.all(
        object, "select workspace_id from work_item where queue_id = %(queue)s", queue=queue.id
    )
    assert places == [there.workspace] * 21
    with pytest.raises(QueueNotFound):
        await store.get(here.engine.database, here.scope, queue.id)
    at = await rights.reach(here.engine.database, both, str(queue.number), Right.MANAGE)
    wanted = ConsumerDefinition(task=await a_task(here))
    with pytest.raises(QueueElsewhere):
        await actions.add_consumer(here.engine, at.actor, at.workspace, queue.id, wanted, task_in=here.workspace)
    assert at.scope == Of(here.organization, (there.workspace,))
