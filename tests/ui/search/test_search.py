"""The search of a workspace: what is found at once, and what of the past has a text."""

import msgspec
import pytest
from msgspec import Raw

from controlroom.engine.access.model import Role
from controlroom.engine.assets import actions as assets
from controlroom.engine.console import actions as console
from controlroom.engine.console import searching
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import OneEmptyItem, WithPayloads
from controlroom.engine.search import seeking
from controlroom.protocol import ErrorCode
from hypertext import links


@pytest.fixture
async def failed(visit, workspace, room, ada, process, walt):
    """A run whose robot has failed after it printed something; somebody in a browser."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    work = await walt.take()
    body = b"ready\nthe invoice of ACME has no number\n"
    await console.append(
        room.engine, walt.actor, work.step_run_id, work.attempt, first=0, count=2, at=1_700_000_000.0, body=body
    )
    await walt.finish(work, ErrorCode.ROBOT_FAILED)
    return await visit(workspace), run, work


async def test_things_are_found_by_name_number_id_and_failure(failed, ada, process):
    """Each leads to its page; a text without a match says what was sought."""
    browser, run, _ = failed
    by_name = links(await browser.get("/search?q=voice"))
    assert any(href.startswith(f"{browser.base}/processes/") for href in by_name)
    for named in (str(run.number), f"%23{run.number}", str(run.id)):
        assert f"{browser.base}/runs/{run.number}" in links(await browser.get(f"/search?q={named}&part=results"))
    by_failure = links(await browser.get("/search?q=IT%20BROKE&part=results"))
    assert any(href.startswith(f"{browser.base}/runs/{run.number}/console?step=") for href in by_failure)
    assert "Nothing has this" in await browser.get("/search?q=nothing%20of%20it%25_")
    assert await browser.get("/search?q=&part=results") != ""
    await browser.get(f"/search?q={'x' * 201}", status=400)
    await browser.get("/search?q=x&in=elsewhere", status=400)


async def test_nobody_finds_what_they_may_not_read(visit, workspace, room, failed, cleo):
    """Not of another workspace, nor a noun that is closed to them."""
    _, run, _ = failed
    outsider = await visit(cleo.workspace)
    for named in ("voice", str(run.number), str(run.id), "it broke"):
        assert "/runs/" not in await outsider.get(f"/search?q={named}&part=results")
    for within in ("payloads", "consoles"):
        assert "/runs/" not in await outsider.get(f"/search?q=ACME&in={within}&part=found")
    viewer = await visit(workspace, Role.VIEWER)
    assert "Invoices" in await viewer.get("/search?q=voice")
    answer = await viewer.http.get("/search?q=voice")
    assert answer.headers["location"].endswith("/search?q=voice")


async def test_consoles_of_a_period_are_looked_through(failed):
    """Newest first, with the line that has it and a link to that line."""
    browser, run, _ = failed
    found = await browser.get("/search?q=invoice%20OF&in=consoles&since=1d&part=found")
    assert "line 2: the invoice of ACME has no number" in found
    assert any(href.endswith("#L2") and f"/runs/{run.number}/console" in href for href in links(found))
    assert "Looked at" in found
    assert "/runs/" not in await browser.get("/search?q=no%20such%20line&in=consoles&part=found")


async def test_consoles_are_looked_through_slice_by_slice_to_their_end(failed, room, ada, process, walt, monkeypatch):
    """However few a look is at: each leads to the next, all of them together find all, and the last says so."""
    browser, run, _ = failed
    numbers = [run.number]
    for number in range(4):
        run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
        work = await walt.take()
        if number % 2:  # others have printed nothing
            numbers.append(run.number)
            await console.append(
                room.engine,
                walt.actor,
                work.step_run_id,
                work.attempt,
                first=0,
                count=1,
                at=1_700_000_000.0,
                body=b"ACME\n",
            )
        await walt.finish(work)
    monkeypatch.setattr(seeking, "_CONSOLES", 2)
    at_once = await browser.get("/search?q=acme&in=consoles&since=1d")
    assert "Looked at 5 step runs" in at_once
    assert "That was all." in at_once
    monkeypatch.setattr(seeking, "_SECONDS", 0.0)  # each look is over once it has begun
    path, found, said = "/search?q=acme&in=consoles&since=1d", list[str](), list[str]()
    while path:
        page = await browser.get(path)
        hrefs = links(page)
        found += [href.split("/runs/")[1].split("/")[0] for href in hrefs if "/console?step=" in href]
        path = next((href.removeprefix(browser.base) for href in hrefs if "before=" in href), "")
        said.append(page)
    assert found == [str(number) for number in reversed(numbers)]
    assert "That was all." in said[-1]
    assert len(said) > 2


async def test_of_consoles_too_long_only_the_beginning_is_looked_at_and_that_is_told(failed, monkeypatch):
    """Until the line is found: then it is found."""
    browser, _, _ = failed
    monkeypatch.setattr(searching, "MOST_BYTES", 3)
    page = await browser.get("/search?q=nothing%20of%20it&in=consoles&since=1d")
    assert "Of 1 very long console only the first" in page
    assert "very long" not in await browser.get("/search?q=ready&in=consoles&since=1d")


async def test_payloads_of_a_period_are_looked_through_by_and_by(visit, workspace, room, ada, process, monkeypatch):
    """Each look is at a few items, and leads to the next; those together are all."""
    payloads = [{"supplier": {"country": "NO" if number % 2 else "SE"}, "n": number} for number in range(5)]
    items = WithPayloads(Raw(msgspec.json.encode(payloads)), len(payloads))
    await runs.start(room.engine, ada.actor, ada.workspace, process, items)
    browser = await visit(workspace)
    monkeypatch.setattr(seeking, "_PAYLOADS", 2)
    assert "Looked at 5 work items" in await browser.get("/search?q=%22no%22&in=payloads&since=1d")
    monkeypatch.setattr(seeking, "_PAYLOAD_SECONDS", 0)
    path, found, looks = "/search?q=%22no%22&in=payloads&since=1d", 0, 0
    while path:
        page = await browser.get(path)
        hrefs = links(page)
        found += sum(f"{browser.base}/items/" in href for href in hrefs)
        path = next((href.removeprefix(browser.base) for href in hrefs if "before=" in href), "")
        looks += 1
    assert (found, looks) == (2, 3)


async def test_what_is_sought_is_a_text_and_no_pattern(room, ada, workspace):
    """Signs of `like` stand for themselves."""
    await assets.create(room.engine, ada.actor, workspace, "50%_off")
    assert [each.name for each in await seeking.seek(room.engine, ada.actor, workspace, "%_")] == ["50%_off"]
    assert await seeking.seek(room.engine, ada.actor, workspace, "%%") == []
