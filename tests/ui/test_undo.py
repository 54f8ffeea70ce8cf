"""What was done is taken back by a button beside the words that say so, and by nobody else's."""

import re
from html import unescape

from console_walk import read


def undo_of(page):
    """The form that takes back what the page says was done."""
    toasts = page[page.index("data-toasts") :]
    [form] = [each for each in read(toasts)[1] if each.action]
    return form


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
