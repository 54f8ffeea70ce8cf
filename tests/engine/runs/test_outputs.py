"""Law 5: outputs belong to an attempt, and are published with its release (DESIGN §4)."""

import pytest
from msgspec import Raw
from tests.engine.runs.conftest import expire_leases, payloads

from controlroom.engine.runs import held_items, outputs
from controlroom.engine.runs.held_items import Done
from controlroom.engine.runs.model import (
    RunState,
)
from controlroom.engine.work_items import store as work_items
from controlroom.engine.work_items.errors import WorkItemStateConflict
from controlroom.engine.work_items.rules import RetryPolicy


async def test_outputs_are_drafts_until_the_parent_is_released(floor):
    """The next step sees an output when its parent is done or failed, not before; the last step's are the run's."""
    process = await floor.process({}, {})
    walt, wanda = await floor.worker("walt"), await floor.worker("wanda")
    run = await floor.start(process, payloads(1))
    first, robot = await walt.take()
    output = await outputs.output(floor.engine, robot, first.work_item_id, Raw(b'{"n": 1}'))
    await floor.run(run)
    assert await wanda.claim() == []

    await held_items.set_payload(floor.engine, robot, output, Raw(b'{"n": 2}'))
    await held_items.release(floor.engine, robot, first.work_item_id, Done())
    await held_items.set_payload(floor.engine, robot, output, Raw(b'{"n": 3}'))
    await floor.run(run)
    second, next_robot = await wanda.take()
    assert second.work_item_id == output
    assert bytes(await held_items.payload(floor.engine, next_robot, output)) == b'{"n": 3}'
    with pytest.raises(WorkItemStateConflict):
        await held_items.set_payload(floor.engine, robot, output, Raw(b"4"))

    await outputs.output(floor.engine, next_robot, output, Raw(b'"final"'))
    await wanda.finish(second)
    await walt.finish(first)
    assert (await floor.run(run)).state is RunState.COMPLETED
    [final] = await work_items.list_outputs(floor.engine.database, floor.scope, run.id, limit=10, most_bytes=1000)
    assert bytes(final.payload) == b'"final"'
    assert await floor.states(run) == ["done", "done"]


async def test_a_report_after_the_last_release_is_published_at_once(floor):
    """A robot may gather all items, release them, and put out one report with the last item as its parent."""
    process = await floor.process({}, {})
    walt, wanda = await floor.worker("walt"), await floor.worker("wanda")
    run = await floor.start(process, payloads(1, 2))
    first, robot = await walt.take()
    last = (await floor.drain(robot, first.work_item_id))[-1]

    report = await outputs.output(floor.engine, robot, last, Raw(b'"all"'))

    await floor.run(run)
    assert (await wanda.take())[0].work_item_id == report


async def test_outputs_of_a_lost_attempt_are_discarded(floor):
    """When the platform loses an attempt, what it put out for the item in hand never appears."""
    process = await floor.process({"retry": RetryPolicy(max_attempts=2)}, {})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1))
    assignment, robot = await walt.take()
    await walt.begin(assignment)
    await outputs.output(floor.engine, robot, assignment.work_item_id, Raw(b"1"))

    await expire_leases(floor)
    await floor.run(run)

    again, robot = await walt.take()
    assert again.work_item_id == assignment.work_item_id
    await outputs.output(floor.engine, robot, again.work_item_id, Raw(b"2"))
    await walt.finish(again)
    await floor.run(run)
    assert [bytes(i.payload or b"") for i in await all_items(floor, run)] == [b"1", b"2"]


async def all_items(floor, run):
    """The items of a run with their payloads."""
    return [await floor.item(item.id) for item in await floor.items(run)]
