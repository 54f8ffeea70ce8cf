"""Outputs that are asked for again after a lost answer: given once more, and never instead of another one."""

import asyncio

import msgspec
import pytest
from msgspec import Raw

from controlroom.engine.runs import held_items, repeated_outputs
from engine.conftest import running_engine

SAME, OTHER = Raw(b'{"total": 1}'), Raw(b'{"total": 2}')


@pytest.fixture
async def asking(floor):
    """A robot with its item in hand, on a server that has been there for long: asks for an output by `ask`."""
    await floor.start(await floor.process({}, {}))
    assignment, robot = await (await floor.worker()).take()
    floor.engine.answers._started -= 60
    return Asking(floor, robot, assignment.work_item_id)


class Asking:
    def __init__(self, floor, robot, parent):
        self.floor, self.robot, self.parent = floor, robot, parent

    async def ask(self, payload=SAME, *, was_told=True, engine=None):
        turn = await repeated_outputs.output_once(engine or self.floor.engine, self.robot, self.parent, payload)
        turn.end(was_told=was_told)
        return turn.item


async def test_an_output_whose_answer_was_lost_is_given_again(asking):
    """As often as it is lost; the next equal one is another."""
    first = await asking.ask(was_told=False)

    assert await asking.ask(was_told=False) == first
    assert await asking.ask() == first
    assert await asking.ask() != first


async def test_ten_equal_outputs_are_ten(asking):
    """One after the other, and all at once."""
    one_by_one = [await asking.ask() for _ in range(10)]
    at_once = await asyncio.gather(*(asking.ask() for _ in range(10)))

    assert len({*one_by_one, *at_once}) == 20


async def test_a_repetition_waits_until_the_first_answer_is_lost(asking):
    """The client hangs up and asks again while the first request is still at work."""
    first = await repeated_outputs.output_once(asking.floor.engine, asking.robot, asking.parent, SAME)
    again = asyncio.create_task(asking.ask())
    await asyncio.sleep(0)

    assert not again.done()
    first.end(was_told=False)

    assert await again == first.item


async def test_only_the_last_one_is_given_again(asking):
    """Whoever has gone on to another output has no use for the one before."""
    first = await asking.ask(was_told=False)
    await asking.ask(OTHER)

    assert await asking.ask() != first


async def test_another_body_or_parent_is_another_output(asking):
    """Only the same request is a repetition."""
    first = await asking.ask(was_told=False)

    assert await asking.ask(OTHER) != first
    assert await asking.ask(Raw(b'{"total": 1.0}'), was_told=False) != first


@pytest.mark.parametrize("use", ["file", "payload", "release"])
async def test_what_was_used_is_not_given_again(asking, use):
    """A robot that wrote to its output, or gave its item back and saw the output taken, has heard of it."""
    engine, robot = asking.floor.engine, asking.robot
    first = await asking.ask(was_told=False)
    if use == "file":
        await engine.database.execute(
            """
            insert into work_item_file (id, work_item_id, name, size, hash)
            values (gen_random_uuid(), %(id)s, 'a', 1, '')
            """,
            id=first,
        )
    elif use == "payload":
        await held_items.set_payload(engine, robot, first, OTHER)
    else:
        await held_items.release(engine, robot, asking.parent, held_items.Done())
        await engine.database.execute("update work_item set attempt = 1 where id = %(id)s", id=first)

    assert await asking.ask() != first


async def test_it_is_not_given_again_after_half_a_minute(asking, later):
    """Nobody repeats a request as late as that."""
    first = await asking.ask(was_told=False)
    await later(seconds=31)

    assert await asking.ask() != first


async def test_the_last_output_of_a_killed_server_is_given_again_once(asking, engine_dsn, tmp_path):
    """Whether its answer went out nobody knows; the equal ones after it are new."""
    before = [await asking.ask() for _ in range(3)]
    async with running_engine(engine_dsn, tmp_path / "objects", keys=asking.floor.engine.keys) as restarted:
        after = [await asking.ask(engine=restarted) for _ in range(3)]

    assert after[0] == before[-1]
    assert len({*before, *after}) == 5


async def test_an_old_server_gives_nothing_of_others_again(asking, engine_dsn, tmp_path):
    """What another server has made while this one was there was answered by that."""
    async with running_engine(engine_dsn, tmp_path / "objects", keys=asking.floor.engine.keys) as beside:
        beside.answers._started -= 10
        first = await asking.ask()

        assert await asking.ask(engine=beside) != first


async def test_nothing_is_kept_of_attempts_that_lost_no_answer(asking):
    """And what is kept of the others goes after half a minute."""
    answers, key = asking.floor.engine.answers, (asking.robot.step_run_id, asking.robot.attempt)
    await asking.ask()
    assert key not in answers._attempts
    await asking.ask(was_told=False)
    lost = answers._attempts[key].lost
    answers._attempts[key].lost = msgspec.structs.replace(lost, at=lost.at - 31)

    answers.turn(asking.parent, 1, asking.parent, SAME)

    assert key not in answers._attempts
