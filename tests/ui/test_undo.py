"""What was done is taken back by a button beside the words that say so, and by nobody else's."""

import re
from html import unescape

from msgspec import Raw

from console_walk import read, undo_of
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import WithPayloads


async def test_what_was_switched_is_switched_back(visit, workspace, process):
    """The page that says it offers the opposite verb, once, to who did it."""
    ada, other = await visit(workspace), await visit(workspace)
    number = re.search(r"/processes/(\d+)", await ada.get("/processes"))[1]
    await ada.post(f"/processes/{number}/disable")
    other.http.cookies.set("undo", ada.http.cookies.get("undo"), domain="127.0.0.1")
    assert "Undo" not in await other.get(f"/processes/{number}")

    page = await ada.get(f"/processes/{number}")
    form = undo_of(page)
    assert form.action == f"{ada.base}/processes/{number}/enable"
    assert "Undo" not in await ada.get(f"/processes/{number}")
    await ada.post(f"/{form.action}", **dict(form.fields))
    page = await ada.get(f"/processes/{number}")
    assert "can be started" in page
    assert undo_of(page).action.endswith("/disable")


async def test_a_change_of_a_process_is_taken_back(visit, workspace, process):
    """By the version that it was before."""
    ada = await visit(workspace)
    number = re.search(r"/processes/(\d+)", await ada.get("/processes"))[1]
    [form] = [each for each in read(await ada.get(f"/processes/{number}/edit"))[1] if each.action.endswith("/edit")]
    before = unescape(dict(form.fields)["name"])
    await ada.post(f"/processes/{number}/edit", **(dict(form.fields) | {"name": "Otherwise", "do": "save"}))
    page = await ada.get(f"/processes/{number}")
    assert "Otherwise is changed" in page
    await ada.post(f"/{undo_of(page).action}")
    assert f"<h1>{before}</h1>" in await ada.get(f"/processes/{number}")


async def test_a_cookie_of_somebody_s_own_making_offers_nothing(visit, workspace):
    """Nor does it break the page."""
    ada = await visit(workspace)
    for made_up in ("x", "e30.00", "e30.é", "." * 50, '"a.b"'):
        ada.http.cookies.set("undo", made_up.encode("ascii", "ignore").decode(), domain="127.0.0.1")
        assert "Undo" not in await ada.get("/processes")


async def test_ticked_items_that_were_held_are_let_go(visit, workspace, room, ada, process):
    """Those alone that were touched: one that was held before stays so."""
    browser = await visit(workspace)
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, WithPayloads(Raw(b"[1,2,3]"), 3))
    numbers = await room.engine.database.all(
        int, "select number from work_item where run_id = %(run)s order by number", run=run.id
    )
    await browser.post(f"/items/{numbers[0]}/do/hold")
    await browser.get("/items")

    ticks = " ".join(map(str, numbers))
    await browser.post("/items/bulk", operation="hold", tab="all", tick=ticks)
    page = await browser.get("/items?tab=all")
    assert "2 items are held. 1 could not be." in page
    form = undo_of(page)
    await browser.post(f"/{form.action}", **dict(form.fields))
    assert "2 items are let go." in await browser.get("/items?tab=all")
    states = await room.engine.database.all(
        str, "select state from work_item where number = any(%(of)s) order by number", of=numbers
    )
    assert [state == "held" for state in states] == [True, False, False]


async def test_what_was_deleted_is_there_again(visit, workspace, process):
    """A process by the button beside the words; its question says that it can be."""
    ada = await visit(workspace)
    number = re.search(r"/processes/(\d+)", await ada.get("/processes"))[1]
    assert "it can be taken back" in await ada.get(f"/processes/{number}/delete")
    await ada.post(f"/processes/{number}/delete")
    form = undo_of(await ada.get("/processes"))
    await ada.get(f"/processes/{number}", status=404)

    again = await ada.post(f"/{form.action}")

    assert again.headers["location"] == f"{ada.base}/processes/{number}"
    assert "is there again" in await ada.get(f"/processes/{number}")
    await ada.post(f"/{form.action}", status=404)
    await ada.post("/processes/nonsense/restore", status=404)
