"""The stream: it nudges, beats, and ends when who reads it may not any more."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from controlroom.engine.access.model import Role
from controlroom.engine.access.users import actions as users
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import OneEmptyItem
from controlroom.ui.live import streams
from controlroom.ui.live.stream import BEAT_EVERY, LOOK_EVERY


class Heard:
    """The events of a stream, one after the other."""

    def __init__(self, answer) -> None:
        self.answer = answer
        self.lines = answer.aiter_lines()

    async def next(self, *kinds: str) -> dict[str, str]:
        """The next event of these kinds; of any, if none is named. Raises StopAsyncIteration at the end."""
        event: dict[str, str] = {}
        while True:
            line = await anext(self.lines)
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif not kinds or event["event"] in kinds:
                return event
            else:
                event = {}


@asynccontextmanager
async def watching(browser, topics, **headers):
    """A stream of these topics, after its first beat."""
    async with asyncio.timeout(120):
        async with browser.http.stream("GET", f"{browser.base}/events?topics={topics}", headers=headers) as answer:
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            heard = Heard(answer)
            first = await heard.next()
            assert (first["event"], first["retry"]) == ("beat", "1000")
            heard.first = first["id"]
            yield heard


async def test_a_run_that_starts_is_heard_of(visit, workspace, room, ada, process):
    """As a topic and nothing else; with the place from which another stream goes on."""
    browser = await visit(workspace)
    async with watching(browser, "run,work_item") as heard:
        run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
        nudge = await heard.next("nudge")
        assert set(nudge["data"].split(",")) <= {"run", "work_item"}
    async with watching(browser, f"run-{run.id}", **{"Last-Event-ID": heard.first}) as again:
        assert (await again.next("nudge"))["data"] == f"run-{run.id}"


async def test_who_may_hear_nothing_of_it_hears_nothing(visit, workspace, cleo):
    """Topics that somebody may not read are left out; where none is left there is no stream."""
    viewer = await visit(workspace, Role.VIEWER)
    assert await viewer.get("/events?topics=api_key,console-x,nonsense", status=204) == ""
    assert await viewer.get("/events", status=204) == ""
    outsider = await visit(cleo.workspace)
    assert (await outsider.http.get(f"{viewer.base}/events?topics=run")).status_code == 404


async def test_a_console_of_another_workspace_is_not_heard_of(visit, workspace, room, ada, process, walt, cleo):
    """Its step run is looked up in the workspace of the address."""
    await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    topic = f"console-{(await walt.take()).step_run_id}"
    outsider = await visit(cleo.workspace)
    await outsider.get(f"/events?topics={topic}", status=204)
    async with watching(await visit(workspace), topic):
        pass


@pytest.mark.parametrize("ending", ["disabled", "logged out", "sent away"])
async def test_a_stream_ends_with_the_right_to_it(visit, workspace, room, ending):
    """When its user is disabled, its session over, or its user no member any more: it says so, and ends."""
    assert LOOK_EVERY < 5 > BEAT_EVERY
    browser = await visit(workspace)
    async with watching(browser, "run") as heard:
        match ending:
            case "disabled":
                await users.disable_user(room.engine, room.admin, browser.user)
            case "logged out":
                await browser.post("//logout")
            case "sent away":
                await visit(workspace)  # another owner, without whom nobody could go
                await users.remove_member(room.engine, room.admin, workspace, browser.user)
        assert (await heard.next("over", "nudge"))["event"] == "over"
        with pytest.raises(StopAsyncIteration):
            await heard.next()


async def test_somebody_who_is_not_logged_in_has_no_stream(visit, workspace):
    """A script is told so by the status; a browser's own stream finds no stream there."""
    browser = await visit(workspace)
    browser.http.cookies.clear()
    await browser.get("/events?topics=run", status=401, **{"HX-Request": "true"})


async def test_a_page_says_up_to_where_it_has_heard(visit, workspace):
    """So that nothing falls between the page and its stream; and parts are asked for together."""
    browser = await visit(workspace)
    page = await browser.get("/runs")
    place = page.partition('data-heard="')[2].partition('"')[0]
    assert place.count(":") == 2
    parts = await browser.get("/runs?part=counted,listed")
    assert parts.index('id="counted"') < parts.index('id="listed"')
    assert "<html" not in parts
    await browser.get("/runs?part=listed,nonsense", status=404)


async def test_nobody_has_more_streams_than_a_user_may(visit, workspace, monkeypatch):
    """Who asks for one more is told so, and why; others are not concerned, and one that ends makes room."""
    monkeypatch.setattr(streams, "MOST", 2)
    browser, other = await visit(workspace), await visit(workspace)
    async with AsyncExitStack() as open_ones:
        await open_ones.enter_async_context(watching(browser, "run"))
        async with watching(browser, "asset"):
            async with browser.http.stream("GET", browser.path("/events?topics=run")) as answer:
                told = await Heard(answer).next()
            assert (told["event"], told["data"], told["retry"]) == ("full", "2", "60000")
            await open_ones.enter_async_context(watching(other, "run"))
        async with asyncio.timeout(60):
            while True:  # the server hears that a reader has gone a little later
                async with browser.http.stream("GET", browser.path("/events?topics=run")) as answer:
                    if (await Heard(answer).next())["event"] == "beat":
                        break
