"""The list of work items, one of them, and what is done to them in the browser."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from console_walk import undo_of
from controlroom.engine.access.model import Role
from controlroom.engine.access.scope import Of, Room
from controlroom.engine.access.tokens import read_step_run_token
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import held_items
from controlroom.engine.runs.model import WithPayloads
from controlroom.engine.statistics import failing
from controlroom.engine.work_items import store
from controlroom.engine.work_items.model import ExceptionType, ItemException
from controlroom.maintenance import item_jobs
from hypertext import links


@pytest.fixture
async def failed(room, ada, process, walt):
    """Three items of a run that have failed, two for one reason; the numbers of all, oldest first."""
    array = msgspec.Raw(
        msgspec.json.encode([{"supplier": {"country": c}, "n": n} for n, c in enumerate(["NO", "SE", "NO"])])
    )
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, WithPayloads(array, 3))
    work = await walt.take()
    robot = read_step_run_token(room.engine.keys, work.token)
    whys = [
        ItemException(ExceptionType.BUSINESS, "VAT", "number 17 of 'Statnett' is wrong"),
        ItemException(ExceptionType.BUSINESS, "VAT", "number 18 of 'Telia' is wrong"),
        ItemException(ExceptionType.APPLICATION, "", "boom <script>alert(1)</script>"),
    ]
    for why in whys:
        item = await held_items.reserve(room.engine, robot)
        await held_items.release(room.engine, robot, item, held_items.Failed(why))
    await failing.tell(room.engine, Room(), limit=10_000)
    scope = Of(ada.actor.organization_id, (ada.workspace,))
    items = await store.list_items(room.engine.database, scope, run=run.id, limit=9)
    return [each.number for each in reversed(items)]


async def test_why_items_failed_stands_above_them(visit, workspace, failed):
    """Groups count what the list counts; within one the rows say only what differs."""
    browser = await visit(workspace)

    page = await browser.get("/items")
    groups = [href for href in links(page) if "failure=" in href and "/bulk" not in href]
    assert "2 groups" in page
    assert "number … of … is wrong" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert 'Failed <span class="figure is-bad">3</span>' in page

    chosen = await browser.get(f"/{groups[0]}")
    assert ">17, Statnett<" in chosen
    assert ">18, Telia<" in chosen
    assert 'Failed <span class="figure is-bad">2</span>' in chosen
    assert any("operation=mark_done" in href for href in links(chosen))


async def test_items_are_found_by_what_their_payload_says(visit, workspace, failed):
    """By a path, by a text, by a number; what cannot be read is told, and nothing is counted that was not."""
    browser = await visit(workspace)
    page = await browser.get("/items?payload=$.supplier.country = NO")
    assert [f"item-{number}" in page for number in failed] == [True, False, True]
    assert "2 found" in page
    assert 'class="figure' not in page
    assert f"item-{failed[1]}" in await browser.get("/items?q=TELIA")
    assert f"item-{failed[1]}" in await browser.get(f"/items?q=%23{failed[1]}")
    assert "No work items match" in await browser.get("/items?payload=$.supplier.country = DK")
    await browser.get("/items?payload=..", status=400)
    csv = (await browser.http.get(f"{browser.base}/items?as=csv&payload=$.n > 1")).text.splitlines()
    assert len(csv) == 2


async def test_filters_name_things_by_number(visit, workspace, failed, room, process):
    """And stand in the address by id."""
    browser = await visit(workspace)
    number = await room.engine.database.value("select number from process where id = %(id)s", id=process)
    answer = await browser.http.get(f"{browser.base}/items?process={number}")
    assert answer.headers["location"] == f"{browser.base}/items?process={process}"
    await browser.get("/items?process=nothing-such", status=400)


async def test_an_item_is_shown_beside_the_list_and_as_a_page(visit, workspace, failed, cleo):
    """With its error, payload and attempts; of another workspace there is nothing."""
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    beside, alone = await browser.get(f"/items?item={failed[0]}"), await browser.get(f"/items/{failed[0]}")
    for page in (beside, alone):
        for said in ("number 17 of", "Attempt 1", "country", "business, not retried by itself", "payload.json"):
            assert said in page
    assert msgspec.json.decode(await browser.get(f"/items/{failed[0]}/payload.json"))["n"] == 0
    for path in (
        f"/items/{failed[0]}",
        f"/items/{failed[0]}/edit",
        f"/items/{failed[0]}/payload.json",
        f"/items?item={failed[0]}",
    ):
        await outsider.get(path, status=404)
    await outsider.post(f"/items/{failed[0]}/do/retry", status=404)
    await outsider.post(f"/items/{failed[0]}/edit", status=404, payload="1")


async def test_an_item_leads_to_the_line_that_says_why(visit, workspace, failed, room):
    """Of what its robot printed; where that says nothing, to where it had come."""
    browser = await visit(workspace)
    assert f"/items/{failed[1]}/console" in await browser.get(f"/items/{failed[1]}")
    answer = await browser.http.get(browser.path(f"/items/{failed[1]}/console"))
    assert answer.status_code == 303
    assert "/console?step=" in answer.headers["location"]
    await room.engine.database.execute(
        """
        insert into console_chunk (step_run_id, attempt, first_line, line_count, at, body)
        select step_run_id, 1, 0, 3, clock_now(), %(printed)s::bytea
          from work_item where number = %(number)s
        """,
        number=failed[1],
        printed=b"begin\nnumber 18 of 'Telia' is wrong\nend\n",
    )
    assert (
        (await browser.http.get(browser.path(f"/items/{failed[1]}/console")))
        .headers["location"]
        .endswith("&attempt=1&from=1#L2")
    )


async def test_a_payload_is_edited_and_what_changed_is_shown(visit, workspace, failed):
    """What is no JSON is told and stays in the field; saved, the difference to the last attempt stands in the page."""
    browser = await visit(workspace)
    assert "country" in await browser.get(f"/items/{failed[0]}/edit")
    wrong = await browser.post(f"/items/{failed[0]}/edit", status=422, payload='{"half": ')
    assert "This is no JSON" in wrong.text
    assert "&#34;half&#34;" in wrong.text
    await browser.post(f"/items/{failed[0]}/edit", payload='{"supplier": {"country": "FI"}, "n": 0}')
    page = await browser.get(f"/items/{failed[0]}")
    assert "changed since attempt 1" in page
    assert 'class="gone"' in page
    assert 'class="come"' in page
    await browser.post(f"/items/{failed[0]}/edit", payload="{}", retry="yes")
    assert "Pending" in await browser.get(f"/items/{failed[0]}")


async def test_one_item_is_worked_with(visit, workspace, failed):
    """Retried, held, let go, deleted; what is not fit is refused; a question says what goes."""
    browser = await visit(workspace)
    place = f"/items/{failed[2]}"
    await browser.post(f"{place}/do/retry")
    assert f"Item #{failed[2]} is retried." in await browser.get(place)
    await browser.post(f"{place}/do/hold")
    await browser.post(f"{place}/do/retry", status=409)
    await browser.post(f"{place}/do/release_hold")
    assert "can&#39;t be undone" in await browser.get(f"{place}/do/delete") or "can't be undone" in await browser.get(
        f"{place}/do/delete"
    )
    await browser.post(f"{place}/do/delete")
    await browser.get(place, status=404)
    await browser.get(f"/items/{failed[0]}/do/nonsense", status=404)


async def test_what_is_ticked_is_done_at_once_to_what_it_fits(visit, workspace, failed):
    """The question says how many it finds and how many it can touch."""
    browser = await visit(workspace)
    await browser.post(f"/items/{failed[0]}/do/retry")
    asked = f"/items/bulk?tab=all&operation=retry&tick={failed[0]}&tick={failed[1]}"
    assert "Retry 1 item?" in await browser.get(asked)
    answer = await browser.http.post(
        browser.path("/items/bulk"),
        data={"tab": "all", "operation": "retry", "tick": [str(failed[0]), str(failed[1])]},
        headers={"Origin": str(browser.http.base_url).rstrip("/")},
    )
    assert answer.status_code == 303
    assert "1 item is retried. 1 could not be." in await browser.get("/items")
    await browser.get("/items/bulk?operation=retry", status=400)


async def test_all_that_match_are_done_by_a_job_that_reports(visit, workspace, failed, room, cleo):
    """The same filter as the list's; the job says how far it is, and what came of it."""
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    group = next(href for href in links(await browser.get("/items")) if "operation=mark_done" in href)
    question = await browser.get(f"/{group}")
    assert "Mark as done 2 items?" in question
    query = dict(each.split("=") for each in group.partition("?")[2].split("&"))
    place = (await browser.post("/items/bulk", **query)).headers["location"]
    while "Completed" not in (page := await browser.get(f"/{place}")):
        await item_jobs.work(room.engine)
    assert "2 of 2 marked as done." in page
    assert place.rpartition("/")[2] in await browser.get("/items/jobs")
    await browser.post(f"/{place}/stop")
    assert "It was over before it could be stopped." in await browser.get(f"/{place}")
    await outsider.get(place.removeprefix(browser.base), status=404)
    assert 'Failed <span class="figure is-bad">1</span>' in await browser.get("/items")


async def test_much_is_deleted_by_who_types_how_much(visit, workspace, room, ada, process):
    """From some hundred items on; another number does nothing."""
    array = msgspec.Raw(msgspec.json.encode([None] * 101))
    await runs.start(room.engine, ada.actor, ada.workspace, process, WithPayloads(array, 101))
    browser = await visit(workspace)
    asked = {"tab": "waiting", "all": "1", "operation": "delete"}
    page = await browser.get("/items/bulk?" + "&".join(f"{key}={value}" for key, value in asked.items()))
    assert "Type 101 to confirm" in page
    wrong = await browser.post("/items/bulk", status=422, **asked, expected="101", typed="11")
    assert "Nothing was done." in wrong.text
    await browser.post("/items/bulk", **asked, expected="101", typed="101")


async def test_a_new_item_waits_in_the_queue_of_its_process(visit, workspace, process):
    """What is wrong with it is told beside its field."""
    browser = await visit(workspace)
    assert "Choose a process" in (await browser.post("/items/new", status=422, payload="{}", process="")).text
    made = await browser.post("/items/new", payload='{"n": 1}', process=str(process), reference="INV-1", priority="5")
    page = await browser.get(f"/{made.headers['location']}")
    assert "INV-1" in page
    assert "waits for a run" in page


async def test_who_only_looks_sees_no_verb(visit, workspace, failed):
    """And the engine refuses it."""
    viewer = await visit(workspace, Role.VIEWER)
    page = await viewer.get(f"/items?item={failed[0]}")
    assert "/bulk" not in page
    assert "/do/" not in page
    await viewer.post(f"/items/{failed[0]}/do/retry", status=403)
    await viewer.post("/items/bulk", status=403, operation="retry", tab="failed", all="1")


async def test_all_rows_of_a_page_are_ticked_by_a_link(visit, workspace, failed):
    """Without script; of this page, whatever its filters; and none of them by the same link."""
    browser = await visit(workspace)
    page = await browser.get("/items?code=VAT")
    assert page.count('type="checkbox" name="tick"') == 2
    assert " checked" not in page.split("<tbody>")[1].split("</tbody>")[0]
    [href] = [each for each in links(page) if "ticked=page" in each]
    ticked = await browser.get(f"/{href}")
    assert ticked.split("<tbody>")[1].split("</tbody>")[0].count(" checked") == 2
    assert links(ticked).count(f"{browser.base}/items?code=VAT") >= 1
    assert " checked" not in await browser.get(f"/{href}&part=listed")


async def test_when_an_item_is_worked_on_is_said(visit, workspace, room, ada, process, cleo):
    """By the reader's clock; it takes itself back, and what nobody touched stays to the second."""
    made = await ada.post("/work-items", {"process": {"id": str(process)}, "payload": {"n": 1}})
    item = await store.get(room.engine.database, ada.seen, made["id"])
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    here = f"/items/{item.number}"
    assert f"{here}/terms" in await browser.get(here)
    assert f"{here}/terms" not in await viewer.get(here)
    wanted = {"reference": "INV-7", "priority": "5", "due": "2099-01-31T07:30", "deadline": "2099-02-01T00:00:30"}
    await viewer.post(f"{here}/terms", status=403, **wanted)
    await outsider.post(f"{here}/terms", status=404, **wanted)
    for wrong, said in (
        ({"priority": "high"}, "whole number"),
        ({"due": "tomorrow"}, "A day and a time"),
        ({"deadline": "2098-01-01T00:00"}, "before the due time"),
    ):
        refused = await browser.post(f"{here}/terms", status=422, **(wanted | wrong))
        assert said in refused.text
        assert 'value="INV-7"' in refused.text

    await browser.post("//me/look", zone="Europe/Oslo", to="/me")
    await browser.post(f"{here}/terms", **wanted)

    after = await store.get(room.engine.database, ada.seen, item.id)
    assert (after.reference, after.priority) == ("INV-7", 5)
    assert after.due == datetime(2099, 1, 31, 6, 30, tzinfo=UTC)
    form = undo_of(await browser.get(here))
    await browser.post(f"/{form.action}", **dict(form.fields))
    back = await store.get(room.engine.database, ada.seen, item.id)
    assert (back.reference, back.priority, back.deadline) == (None, 0, None)
    assert back.due <= datetime.now(UTC) + timedelta(seconds=60)
