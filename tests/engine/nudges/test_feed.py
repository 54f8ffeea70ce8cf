"""Those who watch hear of what happened, each of it once, and of nothing that is not theirs."""

import asyncio

import pytest

from controlroom.engine.access.model import system
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Of, Room, scoped
from controlroom.engine.nudges import store
from controlroom.engine.nudges.feed import Feed
from controlroom.engine.nudges.model import EVERYTHING, Topic
from controlroom.engine.wakes import Topic as Waking
from controlroom.ids import uuid7

PATIENCE = 60
RUN = Topic("run")


@pytest.fixture
async def feed(engine):
    """A reader of the module's engine."""
    feed = Feed(engine.database, engine.wakes, Room())
    yield feed
    await feed.close()


@pytest.fixture
def happens(engine, team):
    """Records something: by default in the team's workspace."""

    async def say(kind, subject=None, *, organization=team.organization, workspace=team.workspace, **belongs):
        place = Of(organization, (workspace,)) if workspace else organization
        async with scoped(engine.database, organization) as tx:
            await record(engine, tx, system(organization), place, kind, subject, **belongs)

    return say


async def test_a_watcher_hears_of_their_topics_alone(feed, team, happens):
    """Of a noun, of one thing and what belongs to it; not of other workspaces, nor of what was not asked for."""
    run, other = uuid7(), uuid7()
    topics = [Topic("webhook"), Topic("run", run)]
    async with feed.subscribe(team.organization, team.workspace, topics, after=None) as heard:
        await happens("webhook.created", organization=team.elsewhere, workspace=team.other_workspace)
        await happens("run.started", run_id=other)
        await happens("asset.created")
        await happens("work_item.done", run_id=run)
        assert await heard.next(PATIENCE) == [f"run-{run}"]
        await happens("webhook.created", workspace=None)  # of the organization: of each of its workspaces
        assert await heard.next(PATIENCE) == ["webhook"]


async def test_nothing_is_missed_because_its_transaction_was_long(engine, feed, team, happens):
    """What is committed late is heard of late, whatever was heard of meanwhile."""
    async with feed.subscribe(team.organization, team.workspace, [RUN, Topic("asset")], after=None) as heard:
        async with scoped(engine.database, team.organization) as tx:
            await tx.value("select pg_current_xact_id()::text")
            await happens("asset.created")
            assert await heard.next(PATIENCE) == ["asset"]
            await record(engine, tx, system(team.organization), Of(team.organization, (team.workspace,)), "run.started")
        assert await heard.next(PATIENCE) == ["run"]


async def test_a_watcher_who_was_away_hears_what_they_missed(feed, team, happens):
    """From the place on that they had heard last, and nothing of before."""
    await happens("asset.created")
    before = await feed.place()
    await happens("run.started")
    topics = [RUN, Topic("asset")]
    async with feed.subscribe(team.organization, team.workspace, topics, after=before) as heard:
        assert await heard.next(PATIENCE) == ["run"]


async def test_who_was_away_too_long_is_told_that_much_has_happened(engine, feed, team, happens, monkeypatch):
    """Also where the place is none of this database's past."""
    before = await feed.place()
    monkeypatch.setattr(store, "MOST_NEWS", 2)
    for _ in range(3):
        await happens("asset.created")
    for place in (before, "1:1:", "999999999999:999999999999:"):
        async with feed.subscribe(team.organization, team.workspace, [RUN], after=place) as heard:
            assert await heard.next(PATIENCE) == [EVERYTHING]


async def test_new_lines_are_heard_of_at_once(engine, feed, team):
    """By whoever watches this console."""
    step_run = uuid7()
    async with feed.subscribe(team.organization, team.workspace, [Topic("console", step_run)], after=None) as heard:
        engine.wakes.wake(Waking.CONSOLE, uuid7())
        engine.wakes.wake(Waking.CONSOLE, step_run)
        assert await heard.next(PATIENCE) == [f"console-{step_run}"]


async def test_one_reader_serves_all_who_begin_at_once(engine, feed, team, happens):
    """However many pages are opened while it rests."""
    places = await asyncio.gather(*(feed.place() for _ in range(8)))
    assert len(set(places)) == 1
