"""The line that has no end yet is shown to who reads at the end, on every server, and is never stored."""

import asyncio

import pytest
from tests.engine.conftest import running_engine

from controlroom.engine.console.errors import BatchInvalid, ConsoleGap, Overtaken
from controlroom.engine.console.model import BEGINNING, Position
from controlroom.engine.console.unfinished import after
from controlroom.engine.wakes import Topic


def shown(console, last: Position, engine=None) -> str | None:
    """What a reader whose last line is this one sees of the unfinished one."""
    line = after(engine or console.engine, console.step_run, last)
    return line and line.text


async def test_it_follows_the_last_line(console):
    """It is told with the lines before it, or alone; who has not read so far, or further, does not see it."""
    await console.send(0, 1, b"one\n", unfinished=b"10%")
    assert [shown(console, at) for at in (BEGINNING, Position(1, 0), Position(1, 1))] == [None, "10%", None]

    await console.send(1, 0, b"", unfinished=b"20%")
    assert shown(console, Position(1, 0)) == "20%"
    assert await console.texts() == ["one"]


async def test_it_ends_with_its_line(console):
    """Once the line is stored, nothing stands behind it."""
    await console.send(0, 0, b"", unfinished=b"Name? ")
    assert shown(console, BEGINNING) == "Name? "

    await console.append(0, "Name? Ada")

    assert [shown(console, at) for at in (BEGINNING, Position(1, 0))] == [None, None]


async def test_it_wakes_who_watches(console):
    """Whoever waits for the console looks again when it changes."""
    with console.engine.wakes.watch(Topic.CONSOLE, console.step_run) as watch:
        await console.send(0, 0, b"", unfinished=b"10%")
        assert await watch.wait(60)


async def test_another_attempt_begins_anew(console):
    """The unfinished first line of the next attempt is seen by who has read the one before to its end."""
    await console.append(0, "one")
    anew = await console.next_attempt()
    await anew.send(0, 0, b"", unfinished=b"again")

    assert shown(anew, Position(1, 0)) == "again"
    with pytest.raises(Overtaken):
        await console.send(1, 0, b"", unfinished=b"late")


async def test_other_servers_show_it_too(console, engine_dsn, tmp_path):
    """A reader sees it through whichever server it asks."""
    async with running_engine(engine_dsn, tmp_path / "other", keys=console.engine.keys) as other:
        await console.send(0, 0, b"", unfinished="50 % 🙂: a:b".encode())
        async with asyncio.timeout(60):
            while shown(console, BEGINNING, other) is None:
                with other.wakes.watch(Topic.CONSOLE, console.step_run) as watch:
                    await watch.wait(0.05)
        assert shown(console, BEGINNING, other) == "50 % 🙂: a:b"


@pytest.mark.parametrize("unfinished", [b"", b"a\n", b"\xff", b"x" * 4097])
async def test_what_is_no_unfinished_line_is_refused(console, unfinished):
    """None at all without lines, one with an end, one that is no text, or one that is too long changes nothing."""
    with pytest.raises(BatchInvalid):
        await console.send(0, 0, b"", unfinished=unfinished)
    assert shown(console, BEGINNING) is None


async def test_it_leaves_no_gap(console):
    """One told behind lines that the server lacks is refused, and says which line comes next."""
    with pytest.raises(ConsoleGap):
        await console.send(3, 0, b"", unfinished=b"x")
    assert shown(console, BEGINNING) is None
