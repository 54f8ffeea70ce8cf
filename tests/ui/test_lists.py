"""The skeleton of lists, by that of runs: what the address asks is what is shown, counted and written as CSV."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest

from controlroom.engine.lists.model import Compare, Operator
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import OneEmptyItem
from controlroom.ids import first_id_at
from controlroom.ui.filters import Since
from controlroom.ui.lists import skeleton, tables
from hypertext import links


@pytest.fixture
async def seven(room, ada, process):
    """The numbers of seven runs, newest first."""
    made = [await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem()) for _ in range(7)]
    return [run.number for run in reversed(made)]


def numbers(page):
    """Which runs a page shows."""
    return [int(each) for each in re.findall(r'<span class="id">#(\d+)</span>', page)]


def named(page, name):
    """Where the link of this name leads."""
    found = re.search(rf'<a class="btn small" href="([^"]+)"[^>]*>(?:<svg(?:(?!</a>).)*?</svg>)?{name}</a>', page)
    return found and found[1].replace("&amp;", "&")


async def test_pages_go_there_and_back(visit, workspace, seven, monkeypatch):
    """Older and newer, each row once, in whichever order; an end has no link."""
    monkeypatch.setattr(skeleton, "LENGTH", 3)
    browser = await visit(workspace)
    for sort, expected in (("", seven), ("sort=created_at", seven[::-1]), ("sort=-process_name", seven)):
        page, seen = await browser.get(f"/runs?{sort}"), []
        assert named(page, "Newer") is None
        for _ in range(4):
            seen.append(numbers(page))
            if (older := named(page, "Older")) is None:
                break
            page = await browser.get(f"/{older}")
        assert [number for each in seen for number in each] == expected
        back = [numbers(page)]
        for _ in range(4):
            if (newer := named(page, "Newer")) is None:
                break
            page = await browser.get(f"/{newer}")
            back.append(numbers(page))
        assert back[-1] == expected[:3]
        assert [number for each in reversed(back) for number in each] == expected


async def test_filters_stand_in_the_address_and_count(visit, workspace, seven, process):
    """Tabs count what they would show under the same filters; a chip leads to the list without it."""
    browser = await visit(workspace)
    page = await browser.get(f"/runs?process={process}&trigger=api&since=24h")
    assert numbers(page) == seven
    assert "7 runs" in page
    assert f"{browser.base}/runs?process={process}&trigger=api" in links(page)
    assert f"{browser.base}/runs?process={process}&trigger=api&since=24h&tab=completed" in links(page)
    nothing = await browser.get("/runs?tab=completed&trigger=email")
    assert "Drop all filters" in nothing
    assert numbers(await browser.get(f"/runs?q=%23{seven[2]}")) == [seven[2]]
    assert numbers(await browser.get("/runs?q=nvoice")) == seven


async def test_counts_of_a_filtered_list_end_sooner_and_say_so(visit, workspace, seven, process, monkeypatch):
    """Rows are looked at for them; a list without filters is counted from its indexes, further."""
    monkeypatch.setattr(skeleton, "COUNTED_OF_FILTERED", 5)
    browser = await visit(workspace)
    filtered = await browser.get("/runs?trigger=api&tab=all")
    assert "more than 5 runs" in filtered
    assert '<span class="figure">5+</span>' in filtered
    assert "7 runs" in await browser.get("/runs?tab=all")


def test_what_was_made_since_a_moment_is_read_from_its_ids_on():
    """A day is left between the clocks of who makes an id and who says when the row was made."""
    [since, at] = Since("since", "Since", "created_at", by_id=True).condition("2026-11-30T08:00").of
    assert since == Compare("created_at", Operator.GE, datetime(2026, 11, 30, 8, tzinfo=UTC))
    assert (at.field, at.operator) == ("id", Operator.GE)
    assert at.value < first_id_at(datetime(2026, 11, 29, 8, 0, 1, tzinfo=UTC))
    assert isinstance(Since("since", "Since", "at").condition("1h"), Compare)


@pytest.mark.parametrize("wrong", ["since=never", "trigger=magic", "sort=payload", "after=x", "after=AAAA", "q=%00"])
async def test_what_cannot_be_asked_is_told(visit, workspace, wrong):
    """As a page, with 400; nothing of it reaches a statement."""
    browser = await visit(workspace)
    assert "Nothing was changed" in await browser.get(f"/runs?{wrong}", status=400)
    if not wrong.startswith("after"):
        assert "Nothing was changed" in await browser.get(f"/runs?as=csv&{wrong}", status=400)


async def test_a_filter_takes_a_name_or_a_number(visit, workspace, seven, process, room):
    """It leads to the address with the id, and keeps the rest; where there are many, a name is typed."""
    number = await room.engine.database.value("select number from process where id = %(id)s", id=process)
    browser = await visit(workspace)
    for named in ("Invoices", f"%23{number}", str(number)):
        answer = await browser.http.get(f"{browser.base}/runs?process={named}&since=24h")
        assert answer.headers["location"] == f"{browser.base}/runs?process={process}&since=24h"
    await browser.get("/runs?process=nobodys", status=400)


async def test_columns_are_chosen_by_the_address(visit, workspace, seven):
    """Some are always there; none of the others is no choice to be undone by leaving it out."""
    browser = await visit(workspace)
    assert ">Priority<" in await browser.get("/runs?columns=priority")
    bare = await browser.get("/runs?columns=none")
    assert ">Duration" not in bare.split("<thead>")[1].split("</thead>")[0]
    assert numbers(bare) == seven


async def test_csv_has_all_that_match(visit, workspace, seven, monkeypatch):
    """Over the pages, in the same order; what a spreadsheet would take for a formula is text."""
    monkeypatch.setattr(skeleton, "BATCH", 2)
    browser = await visit(workspace)
    answer = await browser.http.get(f"{browser.base}/runs?as=csv&trigger=api")
    rows = list(csv.reader(io.StringIO(answer.text)))

    assert answer.headers["content-disposition"] == 'attachment; filename="runs.csv"'
    assert rows[0][0] == "Process"
    assert [row[0] for row in rows[1:]] == ["Invoices"] * 7
    assert tables.line_of(["=1+1", "-2+3", -3, "ok"]) == b"'=1+1,'-2+3,-3,ok\r\n"


async def test_every_list_has_its_csv(visit, ada, workspace, seven, process):
    """It is the skeleton's: also a list that lies below something else, and one that no index serves."""
    await ada.post("/webhooks", {"endpoint": "https://example.com/hook", "enabled_events": ["process_run.completed"]})
    webhook = (await ada.get("/webhooks"))["data"][-1]["id"]
    browser = await visit(workspace)
    hook = (await browser.http.get(f"{browser.base}/webhooks/{webhook}")).headers["location"].removeprefix(browser.base)
    for path, head in (
        (f"/runs/{seven[0]}/items?tab=all", "Reference,Number,State"),
        (hook, "Of what,State,Answer"),
        ("/items?tab=all&q=nowhere", "Reference,Number,State"),
    ):
        page = await browser.get(path)
        [href] = [each for each in links(page) if "as=csv" in each]
        answer = await browser.http.get(href)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.text.startswith(head)
    assert len((await browser.http.get(f"{browser.base}/runs/{seven[0]}/items?as=csv")).text.splitlines()) == 2


async def test_lists_of_others_are_empty(visit, seven, cleo):
    """Who is in another workspace sees none of these runs."""
    browser = await visit(cleo.workspace)
    assert numbers(await browser.get("/runs")) == []
    assert numbers(await browser.get(f"/runs?q=%23{seven[0]}")) == []
