"""Calls that come while one is at work go together, and each hears of its own."""

import asyncio

import pytest

from controlroom.engine import together
from controlroom.engine.together import MOST, Together
from controlroom.errors import Invalid, Unavailable


class Doubling:
    """Work whose steps the test lets go; what was done alone and together is written down."""

    def __init__(self) -> None:
        self.alone: list[int] = []
        self.together: list[list[int]] = []
        self.gate = asyncio.Event()
        self.failure: Exception | None = None
        self._calls: Together[int, int] = Together()

    async def __call__(self, asked: int, key: str = "") -> int:
        async def alone() -> int:
            self.alone.append(asked)
            await self.gate.wait()
            return 2 * asked

        return await self._calls.done(key, asked, alone=alone, as_one=self._as_one)

    async def _as_one(self, several: list[int]) -> list[int | None]:
        self.together.append(several)
        if self.failure is not None:
            raise self.failure
        return [None if asked < 0 else 2 * asked for asked in several]


async def begun(*calls) -> list[asyncio.Task]:
    """Calls that have come, each as far as it gets."""
    tasks = [asyncio.create_task(call) for call in calls]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_who_comes_first_does_not_wait_and_those_behind_go_together():
    """One alone, then all that have come meanwhile, each with its own answer; then nobody is at work again."""
    doubled = Doubling()
    tasks = await begun(doubled(1))
    tasks += await begun(doubled(2), doubled(3), doubled(4))
    assert (doubled.alone, doubled.together) == ([1], [])

    doubled.gate.set()

    assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
    assert (doubled.alone, doubled.together) == ([1], [[2, 3, 4]])
    assert await doubled(5) == 10
    assert doubled.alone == [1, 5]


async def test_those_who_are_there_already_go_together():
    """Requests that were read in one turn of the loop need one statement."""
    doubled = Doubling()

    assert await asyncio.gather(doubled(1), doubled(2), doubled(3)) == [2, 4, 6]

    assert (doubled.alone, doubled.together) == ([], [[1, 2, 3]])


async def test_one_that_came_by_itself_goes_alone():
    """No other statement is needed for one."""
    doubled = Doubling()
    tasks = await begun(doubled(1))
    tasks += await begun(doubled(2))

    doubled.gate.set()

    assert await asyncio.gather(*tasks) == [2, 4]
    assert (doubled.alone, doubled.together) == ([1, 2], [])


async def test_what_may_not_go_together_does_not_wait_for_each_other():
    """Each key has its own line."""
    doubled = Doubling()
    tasks = await begun(doubled(1, "a"), doubled(2, "b"))
    assert doubled.alone == [1, 2]
    doubled.gate.set()
    await asyncio.gather(*tasks)


async def test_no_more_than_some_go_together():
    """The rest goes behind them."""
    doubled = Doubling()
    tasks = await begun(doubled(0))
    tasks += await begun(*(doubled(number) for number in range(1, MOST + 10)))

    doubled.gate.set()

    assert await asyncio.gather(*tasks) == [2 * number for number in range(MOST + 10)]
    assert [len(each) for each in doubled.together] == [MOST, 9]


async def test_who_got_no_answer_together_does_its_own():
    """A locked row is waited for by its own caller alone."""
    doubled = Doubling()
    tasks = await begun(doubled(1))
    tasks += await begun(doubled(-2), doubled(3))

    doubled.gate.set()

    assert await asyncio.gather(*tasks) == [2, -4, 6]
    assert (doubled.alone, doubled.together) == ([1, -2], [[-2, 3]])


async def test_what_is_refused_for_one_of_them_is_done_by_each_alone():
    """The others do not pay for it."""
    doubled = Doubling()
    doubled.failure = Invalid("not this one", code="REFUSED")
    tasks = await begun(doubled(1))
    tasks += await begun(doubled(2), doubled(3))

    doubled.gate.set()

    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert doubled.alone == [1, 2, 3]


async def test_a_database_that_went_away_is_told_to_all_of_them():
    """Nobody does it a second time by itself: whether it was done the caller finds out as always."""
    doubled = Doubling()
    doubled.failure = Unavailable("gone", code="DATABASE_UNAVAILABLE")
    tasks = await begun(doubled(1))
    tasks += await begun(doubled(2), doubled(3))

    doubled.gate.set()

    first, *others = await asyncio.gather(*tasks, return_exceptions=True)
    assert (first, [type(each) for each in others]) == (2, [Unavailable, Unavailable])
    doubled.failure = None
    assert await doubled(4) == 8


@pytest.mark.parametrize("gone", [0, 1, 2])
async def test_who_goes_away_halts_nobody(gone):
    """At work, next in turn, or waiting: the others are answered."""
    doubled = Doubling()
    tasks = await begun(doubled(1))
    tasks += await begun(doubled(2), doubled(3))

    tasks.pop(gone).cancel()
    doubled.gate.set()

    asked = [each for each in (1, 2, 3) if each != gone + 1]
    assert await asyncio.gather(*tasks) == [2 * each for each in asked]
    assert await doubled(7) == 14


async def test_who_goes_away_in_the_moment_of_its_turn_passes_it_on():
    """Those behind it would wait for ever."""
    doubled = Doubling()
    [first] = await begun(doubled(1))
    [second] = await begun(doubled(2))
    doubled.gate.set()
    while not first.done():
        await asyncio.sleep(0)
    second.cancel()  # its turn may have come: it has not been told of it

    [third] = await begun(doubled(3))

    assert await third == 6
    assert first.result() == 2


async def test_nobody_waits_for_long_for_who_is_stuck(monkeypatch):
    """Work that waits for a lock holds up neither those who came meanwhile nor those who come later."""
    monkeypatch.setattr(together, "PATIENCE", 0.01)
    doubled = Doubling()
    stuck = await begun(doubled(1))

    assert await asyncio.gather(doubled(2), doubled(3)) == [4, 6]
    assert await asyncio.gather(doubled(4), doubled(5)) == [8, 10]

    assert not stuck[0].done()
    doubled.gate.set()
    assert await stuck[0] == 2
    assert await asyncio.gather(doubled(6), doubled(7)) == [12, 14]
    assert (doubled.alone, doubled.together) == ([1], [[2, 3], [4, 5], [6, 7]])


async def test_who_goes_away_as_the_database_does_has_gone(monkeypatch):
    """A cancelled caller ends as cancelled, though the failure has come in the same moment; the others hear of it."""
    doubled = Doubling()
    tasks: list[asyncio.Task] = []

    async def fail(_):
        asyncio.get_running_loop().call_soon(tasks[1].cancel)  # before anybody has heard of the failure
        raise Unavailable("gone", code="DATABASE_UNAVAILABLE")

    monkeypatch.setattr(doubled, "_as_one", fail)
    tasks += await begun(doubled(1))
    tasks += await begun(doubled(2), doubled(3))
    doubled.gate.set()
    await asyncio.wait(tasks)

    assert tasks[1].cancelled()
    assert isinstance(tasks[2].exception(), Unavailable)
