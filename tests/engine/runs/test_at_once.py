"""Claims and releases of many robots at once: one statement for several, and each robot as if it were alone."""

import asyncio
from uuid import UUID

import pytest
from msgspec import Raw
from tests.engine.runs.conftest import payloads

from controlroom.engine.access.errors import AttemptOver
from controlroom.engine.runs import held_items, outputs, robot_items
from controlroom.engine.runs.held_items import Done
from controlroom.engine.runs.robot_items import Brought, NewOutput
from controlroom.engine.work_items.errors import NotHolding
from controlroom.errors import Invalid, NotFound
from controlroom.ids import uuid7

TOGETHER = 6


@pytest.fixture
async def crowd(floor):
    """A run of two steps and many items, and the robots of several step runs that hold one each."""
    process = await floor.process({"max_parallel": TOGETHER}, {"max_parallel": 1})
    workers = [await floor.worker(f"worker {n}") for n in range(TOGETHER)]
    run = await floor.start(process, payloads(*range(40)))
    taken = [await worker.take() for worker in workers]
    return run, taken, workers


async def released(floor, taken):
    """The robots, each with nothing in hand."""
    for assignment, robot in taken:
        await held_items.release(floor.engine, robot, assignment.work_item_id, Done())
    return [robot for _, robot in taken]


async def transactions(floor, items) -> int:
    """In how many transactions the items were written last."""
    return await floor.engine.database.value(
        "select count(distinct xmin::text) from work_item where id = any(%(items)s)", items=items
    )


async def test_claims_at_once_are_one_statement_and_give_each_its_own(floor, crowd):
    """Nobody gets another's, and each holds what it was told."""
    run, taken, _ = crowd
    robots = await released(floor, taken)

    items = await asyncio.gather(*(held_items.reserve(floor.engine, robot) for robot in robots))

    assert len(set(items)) == TOGETHER
    assert await transactions(floor, items) == 1
    assert items == [await held_items.reserve(floor.engine, robot) for robot in robots]
    rows = {item.id: item for item in await floor.items(run)}
    assert [rows[item].step_run_id for item in items] == [robot.step_run_id for robot in robots]
    assert {rows[item].attempt for item in items} == {1}


async def test_releases_at_once_are_one_statement_each_with_what_belongs_to_it(floor, crowd):
    """Payloads, outputs, history and events are those of the item."""
    run, taken, _ = crowd
    drafts = [
        await outputs.output(
            floor.engine, robot, one.work_item_id, Raw(b'{"of": "%s"}' % str(one.work_item_id).encode())
        )
        for one, robot in taken[:3]
    ]

    await asyncio.gather(
        *(
            robot_items.release(floor.engine, robot, one.work_item_id, Done(), Brought(Raw(b'{"saved": %d}' % number)))
            for number, (one, robot) in enumerate(taken)
        )
    )

    items = [one.work_item_id for one, _ in taken]
    assert await transactions(floor, items) == 1
    for number, (item, (_, robot)) in enumerate(zip(items, taken, strict=True)):
        assert (await held_items.payload(floor.engine, robot, item)) == Raw(b'{"saved": %d}' % number)
        assert await told(floor, item) == [robot.step_run_id, robot.step_run_id, run.id, robot.process_id]
    assert [(await floor.item(draft)).state for draft in drafts] == ["pending"] * 3


async def told(floor, item):
    """Whose the one attempt and the one event of an item are."""
    [row] = await floor.engine.database.all(
        list[UUID],
        """
        select array[attempt.step_run_id, event.step_run_id, event.run_id, event.process_id]
          from work_item_attempt as attempt join event using (work_item_id)
         where attempt.work_item_id = %(item)s and outcome = 'done' and kind = 'work_item.done'
        """,
        item=item,
    )
    return row


async def test_a_payload_that_cannot_be_stored_fails_its_own_release_alone(floor, crowd):
    """The others' are done; its item is still in hand."""
    _, taken, _ = crowd
    bad = 3

    async def release(number):
        one, robot = taken[number]
        payload = Raw(b'"\\u0000"' if number == bad else b"1")
        return await robot_items.release(floor.engine, robot, one.work_item_id, Done(), Brought(payload))

    answers = await asyncio.gather(*map(release, range(TOGETHER)), return_exceptions=True)

    assert [isinstance(answer, Invalid) for answer in answers] == [number == bad for number in range(TOGETHER)]
    states = [(await floor.item(one.work_item_id)).state for one, _ in taken]
    assert states == ["in_progress" if number == bad else "done" for number in range(TOGETHER)]


async def test_an_attempt_that_is_over_gets_nothing_and_the_others_theirs(floor, crowd):
    """Each attempt is looked at by itself, by claims and by releases."""
    _, taken, workers = crowd
    over = 2
    await workers[over].finish(taken[over][0])

    async def release_and_reserve(number):
        one, robot = taken[number]
        await held_items.release(floor.engine, robot, one.work_item_id, Done())
        return await held_items.reserve(floor.engine, robot)

    answers = await asyncio.gather(*map(release_and_reserve, range(TOGETHER)), return_exceptions=True)

    assert isinstance(answers.pop(over), AttemptOver)
    assert len(set(answers)) == TOGETHER - 1
    assert not any(isinstance(answer, BaseException) for answer in answers)


async def test_nobody_waits_for_anothers_lock(floor, crowd):
    """A step run that somebody has locked is waited for by its own robot alone."""
    _, taken, _ = crowd
    robots = await released(floor, taken)
    locked = robots[3]
    async with floor.engine.database.transaction() as tx:
        await tx.execute("select from step_run where id = %(id)s for update", id=locked.step_run_id)
        asking = [asyncio.create_task(held_items.reserve(floor.engine, robot)) for robot in robots]
        alone = asking[3]
        done, _ = await asyncio.wait([each for each in asking if each is not alone], timeout=30)
        assert len(done) == TOGETHER - 1
        assert not alone.done()

    assert len({await each for each in asking}) == TOGETHER


async def test_what_one_of_them_has_had_goes_to_the_others_only(floor, crowd):
    """Never twice to the same step run, also when it asks among others."""
    run, taken, _ = crowd
    robots = await released(floor, taken)
    had = robots[1]
    await floor.engine.database.execute(
        "update work_item set tried_by = array[%(had)s::uuid] where run_id = %(run)s and state = 'pending'",
        had=had.step_run_id,
        run=run.id,
    )

    items = await asyncio.gather(*(held_items.reserve(floor.engine, robot) for robot in robots))

    assert items[1] is None
    assert len({item for item in items if item is not None}) == TOGETHER - 1


async def test_a_robot_does_not_release_anothers_item_by_going_along(floor, crowd):
    """Who holds it is looked at for each."""
    _, taken, _ = crowd
    wrong = [(taken[(n + 1) % TOGETHER][0] if n >= 3 else taken[n][0], taken[n][1]) for n in range(TOGETHER)]

    answers = await asyncio.gather(
        *(held_items.release(floor.engine, robot, one.work_item_id, Done()) for one, robot in wrong),
        held_items.release(floor.engine, taken[0][1], uuid7(), Done()),
        return_exceptions=True,
    )

    assert [answer is None for answer in answers] == [True] * 3 + [False] * 4
    states = [(await floor.item(one.work_item_id)).state for one, _ in taken]
    assert states == ["done"] * 3 + ["in_progress"] * 3


async def test_payloads_saved_at_once_are_one_statement_each_of_its_own_item(floor, crowd):
    """What cannot be stored, or is not its robot's to write, fails by itself."""
    _, taken, _ = crowd
    items = [one.work_item_id for one, _ in taken]

    async def save(number):
        payload = Raw(b'"\\u0000"' if number == TOGETHER - 1 else b'{"saved": %d}' % number)
        await held_items.set_payload(floor.engine, taken[number][1], items[number], payload)

    await asyncio.gather(*map(save, range(TOGETHER - 1)))
    assert await transactions(floor, items[:-1]) == 1
    answers = await asyncio.gather(*map(save, range(TOGETHER)), return_exceptions=True)

    assert [isinstance(answer, Invalid) for answer in answers] == [number == TOGETHER - 1 for number in range(TOGETHER)]
    for number, (_, robot) in enumerate(taken[:-1]):
        assert await held_items.payload(floor.engine, robot, items[number]) == Raw(b'{"saved": %d}' % number)
    other = await asyncio.gather(
        *(held_items.set_payload(floor.engine, robot, items[0], Raw(b"1")) for _, robot in taken),
        return_exceptions=True,
    )
    assert [isinstance(answer, NotFound) for answer in other] == [False] + [True] * (TOGETHER - 1)


async def test_outputs_put_out_at_once_are_one_statement_each_of_its_own_parent(floor, crowd):
    """Drafts of their parents, once by their keys, published with them; who holds nothing puts nothing out."""
    _, taken, _ = crowd

    async def put_out(number, key="one"):
        one, robot = taken[number]
        return await robot_items.output(
            floor.engine, robot, one.work_item_id, NewOutput(key, Raw(b'{"by": %d}' % number))
        )

    made = await asyncio.gather(*map(put_out, range(TOGETHER)))

    assert len(set(made)) == TOGETHER
    assert await transactions(floor, made) == 1
    assert await asyncio.gather(*map(put_out, range(TOGETHER))) == made
    for number, (output, (one, robot)) in enumerate(zip(made, taken, strict=True)):
        item = await floor.item(output)
        assert (item.state, item.parent_id) == ("draft", one.work_item_id)
        assert await held_items.payload(floor.engine, robot, output) == Raw(b'{"by": %d}' % number)
    answers = await asyncio.gather(
        *(robot_items.output(floor.engine, robot, taken[0][0].work_item_id, NewOutput("two")) for _, robot in taken),
        return_exceptions=True,
    )
    assert [isinstance(answer, NotHolding) for answer in answers] == [False] + [True] * (TOGETHER - 1)
    await released(floor, taken)
    assert {(await floor.item(output)).state for output in made} == {"pending"}


async def test_payloads_read_at_once_are_each_ones_own(floor, crowd):
    """Of items that the robot has held or made; of another's it is not told that there is one."""
    _, taken, _ = crowd
    items = [one.work_item_id for one, _ in taken]

    async def read(number, item):
        return await held_items.payload(floor.engine, taken[number][1], item)

    alone = [await read(number, item) for number, item in enumerate(items)]
    assert await asyncio.gather(*(read(number, item) for number, item in enumerate(items))) == alone
    assert len({bytes(each) for each in alone}) == TOGETHER
    others = await asyncio.gather(*(read(number, items[0]) for number in range(TOGETHER)), return_exceptions=True)
    assert others[0] == alone[0]
    assert [isinstance(each, NotFound) for each in others[1:]] == [True] * (TOGETHER - 1)
