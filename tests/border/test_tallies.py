"""What robots have called is told together."""

import asyncio
from uuid import uuid4

import pytest

from controlroom.border.tallies import Tallies


@pytest.fixture
def lines(monkeypatch):
    """What is logged of robots."""
    found = []

    class Log:
        def info(self, _event, **fields):
            found.append(fields)

    monkeypatch.setattr("controlroom.border.tallies.log", Log())
    return found


async def test_each_robot_has_a_line_with_all_of_its_calls(lines):
    """How many calls of which kind, what they took together, and the slowest: one line for each, and none twice."""
    tallies, first, second = Tallies(), uuid4(), uuid4()
    for step_run, route, seconds in (
        (first, "/a", 0.5),
        (first, "/a", 0.25),
        (first, "/b", 1.0),
        (second, "/a", 0.125),
    ):
        tallies.count(step_run, client="127.0.0.1", method="GET", route=route, seconds=seconds)

    tallies.tell()
    tallies.tell()

    told = {line["who"]: line for line in lines}
    assert len(lines) == len(told) == 2
    assert told[f"step_run:{first}"]["routes"] == {"GET /a": 2, "GET /b": 1}
    assert (told[f"step_run:{first}"]["ms"], told[f"step_run:{first}"]["slowest_ms"]) == (1750, 1000)
    assert told[f"step_run:{second}"]["requests"] == 1


async def test_a_count_is_told_by_itself(lines):
    """Without anybody asking, soon after its first call; the next call begins another."""
    tallies, robot = Tallies(), uuid4()
    for number in (1, 2):
        tallies.count(robot, client="", method="GET", route="/a", seconds=0)
        async with asyncio.timeout(60):
            while len(lines) < number:
                await asyncio.sleep(0.01)

    assert [line["requests"] for line in lines] == [1, 1]
