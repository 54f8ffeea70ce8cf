"""How often pages ask the database: a bound for each, however much there is."""

import sys

import pytest

from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import OfProcess, OneEmptyItem
from controlroom.engine.schedules import actions as schedules
from controlroom.engine.schedules.definitions import ScheduleDefinition
from controlroom.engine.schedules.model import Cron
from controlroom.postgres import database

MOST = 12


def is_of_a_page() -> bool:
    """Whether a page waits for the statement that is made now."""
    frame = sys._getframe()
    while frame is not None and "/controlroom/ui/" not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None


@pytest.fixture
def asked(monkeypatch):
    """The statements of pages that are asked for from now on; not those of what the room does beside them."""
    told: list[str] = []
    fetched = database._fetched

    async def counting(connection, statement, into, arguments):
        if is_of_a_page():
            told.append(str(statement))
        return await fetched(connection, statement, into, arguments)

    monkeypatch.setattr(database, "_fetched", counting)
    return told


async def counts(browser, path, asked) -> int:
    """How often a page asks."""
    asked.clear()
    await browser.get(path)
    return len(asked)


async def test_no_page_asks_more_than_a_dozen_times(visit, workspace, room, ada, process, walt, asked):
    """The overview, the list and page of processes, the list and calendar of schedules."""
    await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    rule = ScheduleDefinition(starts=OfProcess(process), name="daily", rule=Cron("30 7 * * *"))
    await schedules.create(room.engine, ada.actor, ada.workspace, rule)
    browser = await visit(workspace)
    number = await room.engine.database.value("select number from process where id = %(id)s", id=process)
    paths = ("", "/processes", f"/processes/{number}", "/schedules", "/schedules/calendar")
    counted = {path: await counts(browser, path, asked) for path in paths}

    assert {path: count for path, count in counted.items() if not 0 < count <= MOST} == {}
