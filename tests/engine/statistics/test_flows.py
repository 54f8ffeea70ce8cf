"""Queues as an operator sees them: what waits, what comes and goes, and what comes of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.queues import actions as queues
from controlroom.engine.queues.model import ConsumerChange, ConsumerDefinition
from controlroom.engine.runs.model import WithPayloads
from controlroom.engine.statistics import flows
from controlroom.engine.statistics.model import HOUR
from controlroom.engine.statistics.rules import (
    Drained,
    Empties,
    Grows,
    Stands,
    Unattended,
    outlook,
    rate,
)

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
counts = st.integers(0, 10_000)


# ---------------------------------------------------------------------------------------------------- rules
@given(current=counts, before=counts, minutes=st.integers(0, 59))
def test_a_rate_is_that_of_the_last_sixty_minutes(current, before, minutes):
    """The hour that runs counts whole, the one before as far as it lies in the last sixty minutes."""
    by_hour = {NOON: current, NOON - HOUR: before, NOON - 2 * HOUR: 77}

    told = rate(by_hour, NOON + timedelta(minutes=minutes))

    assert abs(told - (current + before * (60 - minutes) / 60)) <= 0.5


@given(waiting=st.integers(1, 10_000), arrived=counts, gone=counts)
def test_an_outlook_says_what_becomes_of_what_waits(waiting, arrived, gone):
    """It grows by what comes more than goes, is empty once what goes more has taken it, or stays as it is."""
    told = outlook(waiting, arrived, gone, is_consumed=True, is_paused=False)

    match told:
        case Grows(by):
            assert by == arrived - gone > 0
        case Empties(within):
            assert abs(within / HOUR * (gone - arrived) - waiting) < 1e-3
        case Stands(moves):
            assert arrived == gone
            assert moves == (gone > 0)
        case _:
            pytest.fail(f"{told}")


@given(arrived=counts, gone=counts)
def test_what_nobody_begins_has_no_outlook(arrived, gone):
    """Nothing that waits is drained, whoever rests; what waits for nobody does not empty, however fast it went."""
    assert outlook(0, arrived, gone, is_consumed=False, is_paused=True) == Drained()
    assert outlook(3, arrived, gone, is_consumed=True, is_paused=True) == Unattended(is_paused=True)
    assert outlook(3, arrived, gone, is_consumed=False, is_paused=False) == Unattended(is_paused=False)


# ---------------------------------------------------------------------------------------------------- what is read
async def test_a_queue_tells_what_waits_and_who_is_there(engine, ada, floor, cleo):
    """A standing queue with its consumer, a step's by its process and step; a queue of nobody else's."""
    process = await floor.process({})
    task = await engine.database.value("select task_id from step where process_id = %(id)s", id=process)
    queue = await queues.create(engine, ada, floor.workspace, name="claims-inbox")
    for _ in range(3):
        await queues.put(engine, ada, floor.workspace, queue.id, Raw(b'{"n": 1}'))
    scope = scope_of(ada, Permission.READ_WORK_ITEMS, floor.workspace)

    [told] = [each for each in await flows.flows(engine.database, scope, limit=50) if each.id == queue.id]
    assert (told.name, told.waiting, told.is_standing, told.consumers) == ("claims-inbox", 3, True, 0)
    assert told.outlook(datetime.now(UTC)) == Unattended(is_paused=False)

    consumer = await queues.add_consumer(engine, ada, floor.workspace, queue.id, ConsumerDefinition(task=task))
    await queues.change_consumer(engine, ada, floor.workspace, queue.id, consumer.id, ConsumerChange(is_paused=True))
    told = await flows.flow_of(engine.database, scope, queue.id)
    assert told is not None
    assert (told.consumers, told.paused_consumers) == (1, 1)
    assert told.outlook(datetime.now(UTC)) == Unattended(is_paused=True)
    assert (await flows.of_queues(engine.database, scope, [queue.id]))[queue.id].waiting == 3

    outside = scope_of(cleo, Permission.READ_WORK_ITEMS)
    assert await flows.flow_of(engine.database, outside, queue.id) is None
    assert await flows.of_queues(engine.database, outside, [queue.id]) == {}
    assert queue.id not in {each.id for each in await flows.flows(engine.database, outside, limit=1000)}


async def test_a_step_s_queue_is_told_by_its_process(engine, floor):
    """Its name is the process's and the step's; what came within the day is told by the hour."""
    process = await floor.process({"max_parallel": 1})
    await floor.start(process, WithPayloads(Raw(b"[1,2]"), 2))
    db = engine.database
    queue = await db.value("select queue_id from step where process_id = %(id)s", id=process)
    await db.execute(
        """
        insert into queue_hour values
            (%(workspace)s, %(queue)s, date_trunc('hour', clock_now(), 'UTC') - interval '9 hours', 1, 1, 1, 1),
            (%(workspace)s, %(queue)s, date_trunc('hour', clock_now(), 'UTC') - interval '1 hour', 5, 9, 60, 55)
        """,
        workspace=floor.workspace,
        queue=queue,
    )

    [told] = [each for each in await flows.flows(db, floor.scope, limit=50) if each.id == queue]

    assert (told.name, told.process_name, told.step_position, told.is_standing) == (
        "Invoices, step 0",
        "Invoices",
        0,
        False,
    )
    now = await db.value("select clock_now()")
    assert told.waiting == 2
    assert told.each_hour(now)[-2:] == [5, 2]
    assert told.arrived(now) >= told.gone(now)
    assert not isinstance(told.outlook(now), Unattended)

    [brief] = [each for each in await flows.flows(db, floor.scope, limit=50, drawn=0) if each.id == queue]
    assert [each.arrived for each in told.hours] == [1, 60]
    assert [each.arrived for each in brief.hours] == [60], "who is not drawn has the hours of the outlook alone"
    assert brief.outlook(now) == told.outlook(now)
