"""Starts with a key are repeated without making another run."""

import asyncio
from contextlib import suppress

import pytest

from controlroom.engine.access.model import Actor
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import ProcessChange
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import Overrides, WithItems, WithWaiting
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.runs.repeated_starts import KeyReused
from controlroom.engine.work_items import actions as work_items
from controlroom.errors import Invalid, NotFound
from engine.runs.conftest import payloads


async def _runs(floor, process) -> int:
    return await floor.engine.database.value("select count(*) from run where process_id = %(p)s", p=process)


async def test_a_start_that_is_repeated_is_answered_with_the_first_run(floor):
    """Also when the process can start no more; of another process the key makes another run."""
    process, other = await floor.process({}), await floor.process({})

    first = await floor.start(process, payloads({"order": 7}), idempotency_key="order-7", name="March")
    await processes.update(floor.engine, floor.ada, floor.workspace, process, ProcessChange(is_enabled=False))
    again = await floor.start(process, payloads({"order": 7}), idempotency_key="order-7", name="March")
    elsewhere = await floor.start(other, payloads({"order": 7}), idempotency_key="order-7", name="March")

    assert again.id == first.id != elsewhere.id
    assert await floor.states(first) == ["pending"]


async def test_a_key_that_asks_for_something_else_is_refused(floor):
    """Another payload, another kind of input or another parameter is not the first start again."""
    process = await floor.process({})
    first = await floor.start(process, payloads(1), idempotency_key="k")

    for inputs, given in (
        (payloads(2), {}),
        (payloads(1, 1), {}),
        (None, {}),
        (payloads(1), {"cause": "by hand"}),
        (payloads(1), {"overrides": Overrides(variables={"A": "b"})}),
    ):
        with pytest.raises(KeyReused) as refused:
            await floor.start(process, inputs, idempotency_key="k", **given)
        assert refused.value.fields["run_id"] == str(first.id)
    assert await _runs(floor, process) == 1


async def test_starts_with_one_key_at_once_make_one_run(floor):
    """All are answered with it, and its items are there once."""
    process = await floor.process({})

    started = await asyncio.gather(*(floor.start(process, payloads(1, 2), idempotency_key="k") for _ in range(8)))

    assert len({run.id for run in started}) == 1
    assert await floor.states(started[0]) == ["pending", "pending"]


async def test_items_that_a_lost_start_took_are_no_hindrance(floor, workspace_item):
    """The start that named them is answered again, though they wait no more."""
    process, item = workspace_item

    first = await floor.start(process, WithItems((item,)), idempotency_key="k")
    again = await floor.start(process, WithItems((item,)), idempotency_key="k")

    assert again.id == first.id


async def test_a_start_that_made_no_run_leaves_no_key(floor):
    """Nothing waited, or something was wrong: the key is free for the start that makes one."""
    process = await floor.process({})
    asked = RunParameters(idempotency_key="k")

    assert await runs.start(floor.engine, floor.ada, floor.workspace, process, WithWaiting(), asked) is None
    with suppress(Invalid):
        await floor.start(process, payloads(), idempotency_key="k")

    assert (await floor.start(process, payloads(1), idempotency_key="k")).process_id == process


async def test_a_deleted_run_takes_its_key_along(floor):
    """The key is kept as long as the run."""
    process = await floor.process({})
    first = await floor.start(process, idempotency_key="k")
    await floor.engine.database.execute("delete from step_run where run_id = %(run)s", run=first.id)
    await floor.engine.database.execute("delete from run where id = %(run)s", run=first.id)

    assert (await floor.start(process, payloads(1), idempotency_key="k")).id != first.id


async def test_a_key_opens_nothing_to_an_outsider(floor, cleo: Actor):
    """Who may not see the process is not told of the run."""
    process = await floor.process({})
    await floor.start(process, payloads(1), idempotency_key="k")

    asked = RunParameters(idempotency_key="k")

    with pytest.raises(NotFound):
        await runs.start(floor.engine, cleo, floor.workspace, process, payloads(1), asked)


@pytest.mark.parametrize("key", ["", "with space", "ä", "x" * 256, "line\n"])
async def test_what_is_no_key_is_refused(floor, key):
    """A key is 1 to 255 visible characters that any header can carry."""
    with pytest.raises(Invalid):
        await floor.start(await floor.process({}), idempotency_key=key)


@pytest.fixture
async def workspace_item(floor):
    """A process, and an item that waits in its queue."""
    process = await floor.process({})
    item = await work_items.create(floor.engine, floor.ada, floor.workspace, process, None)
    return process, item.id
