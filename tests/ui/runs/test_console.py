"""The console of a run: pages without script, and what the viewer asks for."""

import json

import pytest

from controlroom.engine.console import actions as console
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import OneEmptyItem
from controlroom.protocol import ErrorCode


@pytest.fixture
async def printed(visit, workspace, room, ada, process, walt):
    """A step run at work that has printed 1,500 lines, with an error among them; where pages have it, and somebody."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    work = await walt.take()
    lines = [f"line \x1b[32m{number}\x1b[0m" for number in range(1500)]
    lines[700] = "ERROR the invoice has no number"
    body = "".join(f"{line}\n" for line in lines).encode()
    await console.append(
        room.engine,
        walt.actor,
        work.step_run_id,
        work.attempt,
        first=0,
        count=1500,
        at=1_700_000_000.5,
        body=body,
        unfinished=b"how many? ",
    )
    browser = await visit(workspace)
    return browser, f"/runs/{run.number}/console", work, walt


async def test_without_script_there_are_pages_of_a_thousand_lines(printed):
    """The last ones of one that runs, with a way to those before; colours and cursors are left out."""
    browser, path, _, _ = printed
    page = await browser.get(path)
    assert ">line 1499<" in page
    assert 'id="L501"' in page
    assert 'id="L500"' not in page
    assert "&amp;from=1" in page
    assert 'id="L1"' in await browser.get(f"{path}?from=1")
    await browser.get(f"{path}?from=x", status=400)


async def test_a_failed_one_opens_at_its_first_error(printed):
    """Which is where somebody begins to read."""
    browser, path, work, walt = printed
    await walt.finish(work, ErrorCode.ROBOT_FAILED)
    page = await browser.get(path)
    assert 'data-error="700"' in page
    assert 'id="L695"' in page
    assert 'id="L1695"' not in page


async def test_lines_are_told_by_number(printed, visit, cleo):
    """As many as are asked for, with the time of their batch and the line that has no end yet."""
    browser, path, work, _ = printed
    of = f"{path}/{work.step_run_id}"
    told = json.loads(await browser.get(f"{of}/lines?from=700&limit=2"))
    assert told == {
        "first": 700,
        "total": 1500,
        "live": True,
        "lines": ["ERROR the invoice has no number", "line \x1b[32m701\x1b[0m"],
        "at": [[0, 1_700_000_000.5]],
        "unfinished": "how many? ",
    }
    assert len(json.loads(await browser.get(f"{of}/lines?from=0&limit=9999"))["lines"]) == 1500
    assert json.loads(await browser.get(f"{of}/lines?from=1500"))["lines"] == []
    outsider = await visit(cleo.workspace)
    for what in ("lines", "find?q=x", "raw"):
        await outsider.get(f"{of}/{what}", status=404)


async def test_the_whole_console_is_sought_by_the_server(printed):
    """A text, a pattern, the levels; what is no pattern is said."""
    browser, path, work, _ = printed
    of = f"{path}/{work.step_run_id}/find"
    assert json.loads(await browser.get(f"{of}?q=INVOICE"))["at"] == [700]
    assert json.loads(await browser.get(f"{of}?q=line%20149%5B0-4%5D%7Cbegins&pattern=1"))["count"] == 5
    assert json.loads(await browser.get(of))["errors"] == {"lines": 1500, "count": 1, "at": [700]}
    await browser.get(f"{of}?q=%5B&pattern=1", status=400)
    await browser.get(f"{of}?q={'x' * 501}", status=400)


async def test_it_is_fetched_whole_and_raw_or_from_line_to_line(printed):
    """As it was printed."""
    browser, path, work, _ = printed
    of = f"{path}/{work.step_run_id}/raw"
    whole = await browser.get(of)
    assert whole.count("\n") == 1500
    assert whole.startswith("line \x1b[32m0\x1b[0m\n")
    assert await browser.get(f"{of}?from=701&to=702") == "ERROR the invoice has no number\nline \x1b[32m701\x1b[0m\n"
