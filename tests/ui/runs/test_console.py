"""The console of a run: pages without script, and what the viewer asks for."""

import json
from typing import Any

import pytest

from controlroom.app import asgi
from controlroom.engine.console import actions as console
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import reports
from controlroom.engine.runs.model import OneEmptyItem
from controlroom.protocol import ErrorCode, PhaseKind, PhaseReport, PhaseReports, PhaseState


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
    """The last ones of one that runs, with a way to those before; colours are classes, cursors are left out."""
    browser, path, _, _ = printed
    page = await browser.get(path)
    assert '<span>line <span class="ansi-2">1499</span></span>' in page
    assert 'id="L1201"' in page
    assert 'id="L1200"' not in page
    assert "&amp;from=201" in page
    page = await browser.get(f"{path}?from=201")
    assert 'id="L201"' in page
    assert 'id="L1200"' in page
    assert 'id="L1201"' not in page
    assert "&amp;from=1201" in page
    await browser.get(f"{path}?from=x", status=400)


async def test_a_failed_one_opens_at_its_first_error(printed):
    """Which is where somebody begins to read; one that went well at its beginning."""
    browser, path, work, walt = printed
    await walt.finish(work, ErrorCode.ROBOT_FAILED)
    page = await browser.get(path)
    assert 'data-error="700"' in page
    assert 'data-first="692"' in page
    assert '<li id="L701" class="is-error is-now">' in page
    assert 'id="L692"' not in page


async def test_its_phases_stand_above_it(printed, room):
    """Each with its state and a way to its first line; asked for alone when the run has changed."""
    browser, path, work, walt = printed
    task = PhaseReport(
        position=0,
        kind=PhaseKind.TASK,
        name="Count <words>",
        state=PhaseState.IN_PROGRESS,
        started_at=1.0,
        first_line=1240,
    )
    await reports.report_phases(room.engine, walt.actor, work.step_run_id, work.attempt, PhaseReports((task,)))
    page = await browser.get(path)
    assert 'data-phase="1240"' in page
    assert "Count &lt;words&gt;" in page
    head = page.split('<li id="L1240"')[1].split('<li id="L1241"')[0]
    assert head.count('<li class="phase">') == 1
    assert "Count &lt;words&gt;" in head
    part = await browser.get(f"{path}?part=phases")
    assert part.startswith('<div class="phases" id="phases"')
    assert 'id="L1241"' not in part


async def test_a_console_that_has_not_begun_waits_for_it(visit, workspace, room, ada, process, walt):
    """The page says so and asks again when its run changes; when a worker has it, the console follows that attempt."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    browser = await visit(workspace)
    for address in (f"/runs/{run.number}/console", f"/runs/{run.number}/console?part=console"):
        page = await browser.get(address)
        assert f'<div id="console" data-live="run-{run.id}">' in page
        assert "Awaits a worker" in page
    await browser.get(f"/runs/{run.number}/console?part=phases")
    await walt.take()
    page = await browser.get(f"/runs/{run.number}/console?part=console")
    assert '<div id="console">' in page
    assert 'data-attempt="1"' in page
    assert "data-running" in page


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


async def test_what_nobody_waits_for_is_not_sought_to_the_end(printed, room):
    """A caller who goes has it ended, also where it would take seconds; others find as before."""
    browser, path, work, walt = printed
    line = b"a" * 60 + b"\n"
    await console.append(
        room.engine, walt.actor, work.step_run_id, work.attempt, first=1500, count=1, at=1_700_000_001.0, body=line
    )
    asked = browser.http.build_request("GET", f"{browser.path(path)}/{work.step_run_id}/find?q=(a%2B)%2Bb&pattern=1")
    told: list[dict[str, Any]] = []
    heard = iter([{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(heard)

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "http_version": "1.1",
        "path": asked.url.path,
        "raw_path": asked.url.raw_path.partition(b"?")[0],
        "root_path": "",
        "query_string": asked.url.query,
        "headers": [(name.lower(), value) for name, value in asked.headers.raw if name.lower() in {b"host", b"cookie"}],
        "client": ("127.0.0.1", 1),
        "server": (asked.url.host, asked.url.port),
        "state": {},
    }
    await asgi(room.room)(scope, receive, send)
    assert b"interrupted" in b"".join(message.get("body", b"") for message in told)
    assert json.loads(await browser.get(f"{path}/{work.step_run_id}/find?q=INVOICE"))["at"] == [700]


async def test_it_is_fetched_whole_and_raw_or_from_line_to_line(printed):
    """As it was printed."""
    browser, path, work, _ = printed
    of = f"{path}/{work.step_run_id}/raw"
    whole = await browser.get(of)
    assert whole.count("\n") == 1500
    assert whole.startswith("line \x1b[32m0\x1b[0m\n")
    assert await browser.get(f"{of}?from=701&to=702") == "ERROR the invoice has no number\nline \x1b[32m701\x1b[0m\n"
