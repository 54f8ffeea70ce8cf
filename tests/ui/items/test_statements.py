"""How many statements a page costs: twelve at most, the frame's among them (DESIGN §12 of the console)."""

import asyncio
from collections import Counter

import msgspec
import pytest

from controlroom.engine.access.scope import Of, Room
from controlroom.engine.access.tokens import read_step_run_token
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import held_items
from controlroom.engine.runs.model import WithPayloads
from controlroom.engine.statistics import failing
from controlroom.engine.work_items import store
from controlroom.engine.work_items.model import ExceptionType, ItemException
from controlroom.postgres.database import Database

MOST = 12


@pytest.fixture
def statements(monkeypatch):
    """Of each task, how many statements it has asked: a request is a task."""
    asked = Counter()

    def counted(name):
        asks = getattr(Database, name)

        async def ask(self, *args, **named):
            asked[asyncio.current_task()] += 1
            return await asks(self, *args, **named)

        monkeypatch.setattr(Database, name, ask)

    for name in ("one", "one_or_none", "all", "value", "execute"):
        counted(name)
    return asked


async def test_no_page_of_items_and_runs_asks_more_than_it_may(visit, workspace, room, ada, process, walt, statements):
    """The list with groups and an item beside it is the dearest."""
    array = msgspec.Raw(msgspec.json.encode([{"n": n} for n in range(3)]))
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, WithPayloads(array, 3))
    robot = read_step_run_token(room.engine.keys, (await walt.take()).token)
    item = await held_items.reserve(room.engine, robot)
    why = ItemException(ExceptionType.BUSINESS, "VAT", "number 17 is wrong")
    await held_items.release(room.engine, robot, item, held_items.Failed(why))
    await failing.tell(room.engine, Room(), limit=10_000)
    scope = Of(ada.actor.organization_id, (ada.workspace,))
    number = (await store.get(room.engine.database, scope, item)).number
    browser = await visit(workspace)
    cost = {}
    for path in (
        f"/items?item={number}",
        "/items?tab=all&payload=$.n > 0",
        f"/items/{number}",
        f"/items/{number}/console",
        "/items/bulk?tab=failed&all=1&operation=retry",
        *(f"/runs/{run.number}{tab}" for tab in ("", "/items", "/artifacts", "/data", "/events", "/console")),
    ):
        statements.clear()
        await browser.http.get(browser.path(path))
        cost[path] = max(statements.values())
    assert {path: count for path, count in cost.items() if count > MOST} == {}
    assert cost[f"/items?item={number}"] > MOST // 2, "what is counted is the request"
