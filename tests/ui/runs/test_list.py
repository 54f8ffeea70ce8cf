"""The list of runs: what a row says."""

import re

from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import OneEmptyItem


async def test_a_row_says_how_a_run_goes(visit, workspace, room, ada, process, walt):
    """Its state in words, its items, and how long it took; its number leads to it."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    browser = await visit(workspace)

    page = await browser.get("/runs")

    assert f'<a href="{browser.base}/runs/{run.number}">Invoices</a>' in page
    assert re.search(r'#s-\w+"/></svg><span>(New|In progress)</span>', page)
    assert "0 of 1" in page
    assert page.count("<tr") == 2


async def test_a_list_of_nothing_says_what_it_is_for(visit, workspace):
    """And one that filters have emptied says which to drop."""
    browser = await visit(workspace)
    assert "A run is one execution of a process" in await browser.get("/runs")
    assert "Drop Started by Schedule" in await browser.get("/runs?trigger=schedule")
