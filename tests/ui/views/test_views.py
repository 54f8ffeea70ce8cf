"""Saved views in the console: saved from a list, marked there, found by Ctrl K, renamed, shared, deleted."""

import re
from html import unescape

from controlroom.engine.access.model import Role
from controlroom.engine.saved_views.rules import LISTS, LISTS_ABOVE
from controlroom.ids import uuid7
from controlroom.ui.app import modules
from controlroom.ui.lists import ListPage
from controlroom.ui.lists.rules import Declared
from controlroom.ui.views.places import ABOVE, PLACES, said


def menu(page):
    """The views of a list's menu: name, address, whether it is marked."""
    sheet = page.split('class="menu at-start views"')[1].split("</details>")[0]
    found = re.findall(r'<a href="([^"]+)"( aria-current="true")?><span class="grows">([^<]+)</span>', sheet)
    return [(unescape(name), unescape(href), bool(mark)) for href, mark, name in found]


async def number_of(browser, name):
    page = await browser.get("/views")
    return re.search(rf'<tr id="view-(\d+)">(?:(?!</tr>).)*{name}', page, re.DOTALL)[1]


async def test_a_view_is_saved_from_its_list_and_marked_there(visit, workspace):
    """By the form beside the filters, without script; narrowed further it is not marked any more."""
    browser = await visit(workspace)
    page = await browser.get("/runs?since=24h&tab=unresolved&sort=-id&after=")
    hidden = dict(re.findall(r'name="(list|query|to)" value="([^"]*)"', page.split('id="save-view"')[1]))
    fields = {name: unescape(value) for name, value in hidden.items()}
    assert fields["query"] == "tab=unresolved&since=24h"
    answer = await browser.post("/views", name="Bad today", **fields)
    assert answer.headers["location"] == fields["to"]

    page = await browser.get("/runs?since=24h&tab=unresolved")
    assert menu(page) == [("Bad today", f"{browser.base}/runs?tab=unresolved&since=24h", True)]
    assert [mark for _, _, mark in menu(await browser.get("/runs?tab=unresolved"))] == [False]
    assert menu(await browser.get("/items")) == []
    assert "Bad today" in await browser.get("/search?part=results&q=bad%20tod")


async def test_a_name_that_is_taken_may_be_given_another_view(visit, workspace):
    """The form comes again and offers it; nothing is overwritten by itself."""
    browser = await visit(workspace)
    fields = {"list": "runs", "to": f"{browser.base}/runs", "name": "Mine"}
    await browser.post("/views", query="tab=completed", **fields)
    again = await browser.post("/views", 422, query="tab=running", **fields)
    number = re.search(r'name="replaces" value="(\d+)"', again.text)[1]
    assert menu(await browser.get("/runs"))[0][1].endswith("tab=completed")
    await browser.post("/views", query="tab=running", replaces=number, **fields)
    assert menu(await browser.get("/runs"))[0][1].endswith("tab=running")


async def test_views_are_shared_renamed_and_deleted(visit, workspace):
    """What is shared is in everybody's menu; a viewer is not offered to share, and changes nothing of others."""
    ben, vera = await visit(workspace, Role.OPERATOR), await visit(workspace, Role.VIEWER)
    name = f"v{uuid7().hex[-8:]}"
    await ben.post("/views", list="runs", query="trigger=email", name=name)
    number = await number_of(ben, name)
    assert menu(await vera.get("/runs")) == []
    await ben.post(f"/views/{number}", share="yes")
    assert menu(await vera.get("/runs"))[0][0] == name
    assert 'name="shared"' in await ben.get("/runs")
    assert 'name="shared"' not in await vera.get("/runs")
    assert f"/views/{number}/delete" not in await vera.get("/views")
    for path in (f"/views/{number}", f"/views/{number}/delete"):
        assert (await vera.post(path, None, name="x")).status_code == 403
    await ben.post(f"/views/{number}", name=f"{name} now")
    assert menu(await vera.get("/runs"))[0][0] == f"{name} now"
    assert "is no" not in await ben.get(f"/views/{number}/delete")
    await ben.post(f"/views/{number}/delete")
    assert menu(await vera.get("/runs")) == []
    assert "Nothing was changed" in (await ben.post("/views", 422, list="runs", query="x=1", name=" ")).text


async def test_a_list_below_something_has_views_for_all_of_its_kind(visit, ada, workspace, process):
    """Of items of a run: saved at one, there at every one."""
    browser = await visit(workspace)
    start = {"type": "with_payloads", "payloads": [None]}
    runs = [(await ada.post(f"/processes/{process}/process-runs", start))["id"] for _ in range(2)]
    first, second = [
        (await browser.http.get(f"{browser.base}/runs/{each}/items")).headers["location"].removeprefix(browser.base)
        for each in runs
    ]
    await browser.post("/views", list="runs/items", query="tab=failed", name="failed ones")
    assert menu(await browser.get(first))[0][1] == f"{browser.base}{first}?tab=failed"
    assert menu(await browser.get(second))[0][1] == f"{browser.base}{second}?tab=failed"
    assert "failed ones" not in await browser.get("/search?part=results&q=failed%20ones")
    assert "failed ones" in await browser.get("/views")


def test_every_list_may_have_views():
    """Whoever makes a list names it where views are known, with the permission of its page."""
    lists = {id(each): each for module in modules() for each in vars(module).values() if isinstance(each, Declared)}
    keys = {each.kept_as or each.path.strip("/") for each in lists.values()}
    assert len(lists) > 8
    assert keys <= {*LISTS, *LISTS_ABOVE}
    assert (set(PLACES), set(ABOVE)) == (set(LISTS), set(LISTS_ABOVE))
    assert ListPage.__mro__[1] is Declared


def test_what_a_view_shows_is_said_in_a_line():
    """Ids are short."""
    assert said("tab=failed&process=019ac2e4-1111-7111-8111-111111117f31") == "tab failed · process 019ac2e4…7f31"
    assert said("") == "all"
