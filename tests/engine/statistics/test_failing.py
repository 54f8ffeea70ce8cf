"""Why the items that are failed now did."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.engine.runs.conftest import Floor, payloads

from controlroom.engine.access.scope import Room
from controlroom.engine.lists.model import EVERYTHING, Inside, equal
from controlroom.engine.runs import held_items
from controlroom.engine.statistics import failing
from controlroom.engine.statistics.model import Period
from controlroom.engine.statistics.store import failure_groups
from controlroom.engine.work_items import actions, store
from controlroom.engine.work_items.model import ExceptionType, ItemException
from controlroom.engine.work_items.operations import Operation
from controlroom.maintenance import statistician


@pytest.fixture
def floor(engine, ada, team) -> Floor:
    """The shop floor of ada's workspace."""
    return Floor(engine, ada, team.workspace, team.organization)


async def failed_for(floor, *why: ItemException):
    """A process whose items have failed so, one by one."""
    process = await floor.process({})
    await floor.start(process, payloads(*({"n": n} for n in range(len(why)))))
    worker = await floor.worker()
    _, robot = await worker.take()
    for each in why:
        item = await held_items.reserve(floor.engine, robot)
        await held_items.release(floor.engine, robot, item, held_items.Failed(each))
    return process


BUSINESS = ExceptionType.BUSINESS


async def test_failed_items_stand_in_groups_that_count_what_the_list_counts(floor):
    """Messages that differ in numbers are one; what was retried is in none, and may fail for another reason."""
    process = await failed_for(
        floor,
        ItemException(BUSINESS, "VAT", "number 17 is wrong"),
        ItemException(BUSINESS, "VAT", "number 18 is wrong"),
        ItemException(ExceptionType.APPLICATION, "", "boom"),
    )
    db = floor.engine.database

    [untold] = await failing.failed_groups(db, floor.scope, EVERYTHING, lately(), limit=9)
    assert (untold.fingerprint, untold.count) == (None, 3)
    while await failing.tell(floor.engine, Room(), limit=2):
        pass
    groups = await failing.failed_groups(db, floor.scope, equal(process_id=process), lately(), limit=9)

    assert [(each.count, each.code, each.pattern) for each in groups] == [
        (2, "VAT", "number <number> is wrong"),
        (1, "", "boom"),
    ]
    [narrow] = await failing.failed_groups(db, floor.scope, Inside("payload", "$.n = 1"), lately(), limit=9)
    assert (narrow.fingerprint, narrow.count) == (groups[0].fingerprint, 1)
    items = await store.list_items(db, floor.scope, process=process, limit=9)
    await actions.change(floor.engine, floor.ada, floor.workspace, Operation.RETRY, [items[-1].id])
    assert [each.count for each in await failing.failed_groups(db, floor.scope, EVERYTHING, lately(), limit=9)] == [
        1,
        1,
    ]


async def test_their_groups_are_those_of_the_figures(floor, engine):
    """So that a group's hours are found by its fingerprint."""
    await failed_for(floor, ItemException(BUSINESS, "VAT", "number 17 is wrong"))
    await failing.tell(engine, Room(), limit=99)
    while await statistician.keep_up(engine) or not (await told(floor)).hours:
        pass
    group = await told(floor)
    [known] = await failure_groups(engine.database, floor.scope, lately(), limit=9)
    assert known.fingerprint == group.fingerprint
    assert [each.count for each in group.hours] == [1]


async def told(floor):
    [group] = await failing.failed_groups(floor.engine.database, floor.scope, EVERYTHING, lately(), limit=9)
    return group


def lately():
    now = datetime.now(UTC)
    return Period(now - timedelta(hours=24), now + timedelta(hours=1))
