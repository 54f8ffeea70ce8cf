"""Workers and queues in the browser: linked, grouped, at rest, unlinked; and what the pages say of them."""

import re

from console_walk import undo_of
from controlroom.engine.access.model import Role
from controlroom.engine.queues import actions as queues
from controlroom.engine.workers import actions as workers
from controlroom.engine.workers.linking import link
from controlroom.ids import uuid7
from controlroom.protocol import Link
from controlroom.ui.workers import pages_groups


async def linked(browser, room, group="", name="fin-linux-05"):
    """A worker that was linked by the command on the page; the number of the token."""
    page = (await browser.post("/workers/link", status=200, group=group, slots="3")).text
    token = re.search(r"--link-token (crl_\w+)", page)[1]
    number = re.search(r"/workers/link/(\d+)\?part=waiting", page)[1]
    made = await link(room.engine, Link(link_token=token, name=name, slots=3))
    return made, number, page


async def test_a_worker_is_linked_by_the_command_on_the_page(visit, workspace, room):
    """The token stands in that answer alone; the region that waits tells when the worker has come."""
    browser = await visit(workspace)
    assert "fin-linux-05" not in await browser.get("/workers?show=workers")
    answer = await browser.post("/groups/new", name="linux-fin")
    group = answer.headers["location"].rpartition("/")[2]

    made, number, page = await linked(browser, room, group)

    assert f"--url {room.url}" in page
    assert "Waits for the worker" in page
    waiting = await browser.get(f"/workers/link/{number}?part=waiting")
    assert "fin-linux-05" in waiting
    assert "<html" not in waiting
    assert "crl_" not in await browser.get(f"/workers/link/{number}")
    assert "crl_" not in await browser.get(f"/groups/{group}")
    overview = await browser.get("/workers")
    assert f'<a href="{browser.base}/groups/{group}">linux-fin</a>' in overview
    assert "has not come yet" in overview
    assert made.name == "fin-linux-05"


async def test_a_link_token_is_called_otherwise(visit, workspace):
    """And works for another time; Undo has it as it was; who may only look does not change it."""
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    group = (await browser.post("/groups/new", name=f"g-{uuid7()}")).headers["location"].removeprefix(browser.base)
    shown = (await browser.post("/workers/link", status=200, group=group.rpartition("/")[2], slots="1")).text
    here = re.search(r"(/workers/link/\d+)\?part=waiting", shown)[1]
    form = await browser.get(f"{here}/edit")
    assert 'value="from the console"' in form
    await viewer.post(f"{here}/edit", status=403, name="mine", until="")
    assert "Nothing was changed" in (await browser.post(f"{here}/edit", status=422, name="rack", until="soon")).text

    await browser.post(f"{here}/edit", name="rack four", until="")
    undo = undo_of(await browser.get(group))
    page = await browser.get(group)

    assert "rack four" in page
    assert "works without an end" in page
    await browser.post(f"/{undo.action}", **dict(undo.fields))
    assert "from the console" in await browser.get(group)


async def test_a_worker_rests_goes_on_and_is_unlinked(visit, workspace, room):
    """Each verb is a form; the page says who has done it, and what unlinking will lose."""
    browser = await visit(workspace)
    await linked(browser, room, name="fin-linux-01")
    page = await browser.get("/workers?show=workers")
    number = re.search(r"/workers/(\d+)\">fin-linux-01", page)[1]

    await browser.post(f"/workers/{number}/rest")
    page = await browser.get(f"/workers/{number}")
    assert "It rests since" in page
    assert "Rested" in page
    assert "Go on" in page
    await browser.post(f"/workers/{number}/go-on")
    assert "It rests since" not in await browser.get(f"/workers/{number}")
    await browser.post(f"/workers/{number}/edit", name="Größenwahnsinnig-01")
    assert "Größenwahnsinnig-01" in await browser.get(f"/workers/{number}")

    assert "It has nothing in hand" in await browser.get(f"/workers/{number}/unlink?part=dialog")
    await browser.post(f"/workers/{number}/unlink")
    await browser.get(f"/workers/{number}", status=404)


async def test_a_group_is_made_filled_renamed_and_deleted(visit, workspace, room, ada):
    """A name that is taken is said beside the form, with what was typed; workers stay when the group goes."""
    browser = await visit(workspace)
    made, _, _ = await linked(browser, room, name="rack-4")
    number = await room.engine.database.value("select number from worker where id = %(id)s", id=made.worker_id)
    first = (await browser.post("/groups/new", name="fast ones", worker=str(number))).headers["location"]
    group = first.rpartition("/")[2]
    assert "rack-4" in await browser.get(f"/groups/{group}")

    refused = await browser.post("/groups/new", status=422, name="fast ones")
    assert 'value="fast ones"' in refused.text
    await browser.post(f"/groups/{group}/edit", name="faster ones", description="in the cellar", scheme="round_robin")
    page = await browser.get(f"/groups/{group}")
    assert "in the cellar" in page
    assert "the least recently served first" in page
    assert "faster ones" in page
    assert "rack-4" not in page
    await browser.post(f"/groups/{group}/delete")
    await browser.get(f"/groups/{group}", status=404)
    assert "rack-4" in await browser.get("/workers/all")


async def test_of_many_workers_those_of_a_group_are_ticked_and_others_named(visit, workspace, room, monkeypatch):
    """Whom the form did not show, stay; a name of none changes nothing."""
    browser = await visit(workspace)
    for name in ("rack-1", "rack-2", "rack-3"):
        await linked(browser, room, name=name)
    monkeypatch.setattr(pages_groups, "_MOST_WORKERS", 1)
    await browser.post("/groups/new", status=422, name="many", names="rack-1, rack-9")
    group = (await browser.post("/groups/new", name="many", names="rack-1, rack-2")).headers["location"]
    group = group.rpartition("/")[2]
    form = await browser.get(f"/groups/{group}/edit")
    assert "first 1 of 2 workers" in form
    [shown] = re.findall(r'name="shown" value="([^"]+)"', form)
    await browser.post(f"/groups/{group}/edit", name="many", is_part="yes", shown=shown, names="rack-3")
    page = await browser.get(f"/groups/{group}")
    assert [each for each in ("rack-1", "rack-2", "rack-3") if f'">{each}</a>' in page] == ["rack-2", "rack-3"]


async def test_who_may_only_look_sees_no_verbs_and_an_outsider_nothing(visit, workspace, room, ada, cleo):
    """A viewer's page has no button that would be refused; a worker of another workspace is not there."""
    owner, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    await linked(owner, room, name="seen-by-all")
    number = re.search(r"/workers/(\d+)\">seen-by-all", await owner.get("/workers"))[1]

    page = await viewer.get(f"/workers/{number}")
    assert "Unlink" not in page
    assert "Link a worker" not in await viewer.get("/workers")
    assert (await viewer.post(f"/workers/{number}/rest", status=403)).status_code == 403
    await viewer.get("/workers/link", status=403)

    elsewhere = await visit(cleo.workspace)
    await elsewhere.get(f"/workers/{number}", status=404)
    await elsewhere.post(f"/workers/{number}/rest", status=404)
    assert "seen-by-all" not in await elsewhere.get("/workers")


async def test_one_that_fell_silent_says_since_when(visit, workspace, room):
    """Offline without a good-bye is silence, which is red; what it takes up stands in the sum."""
    browser = await visit(workspace)
    made, _, _ = await linked(browser, room, name="win-ledger-03")
    await room.engine.database.execute(
        """
        update worker set session = gen_random_uuid(), state = 'offline', seen_at = clock_now() - interval '1 hour'
         where id = %(id)s
        """,
        id=made.worker_id,
    )

    page = await browser.get("/workers?show=workers")

    assert "silent since" in page
    assert "<b>3</b> offline" in page


async def test_queues_stand_beside_the_workers(visit, workspace, room, ada):
    """What waits, since when, and what becomes of it; each number leads to the items."""
    queue = await queues.create(room.engine, ada.actor, workspace, name="claims-inbox")
    await queues.put(room.engine, ada.actor, workspace, queue.id, None)
    await workers.create_group(room.engine, ada.actor, workspace, "empty ones")
    browser = await visit(workspace)

    page = await browser.get("/workers")

    assert f'href="{browser.base}/items?queue={queue.id}&amp;tab=waiting">1</a>' in page
    assert "nobody takes from it" in page
    assert "No worker in this group" in page
    assert "claims-inbox" in await browser.get("/workers?part=queues")
    assert "claims-inbox" not in await browser.get("/workers?show=workers")


async def test_a_group_is_opened_to_people_and_roles(visit, workspace, cleo):
    """Its owners change that, too; who is nobody is said; taken out, it is open to all again."""
    browser, other = await visit(workspace), await visit(workspace)
    viewer, outsider = await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    made = await browser.post("/groups/new", name="pool")
    here = made.headers["location"].removeprefix(browser.base)
    page = await browser.get(here)
    assert "All who start runs" in page
    await browser.post(f"{here}/open-to", user=other.username)
    page = await browser.get(here)
    assert other.username in page
    undo = undo_of(page)
    assert "Nothing was changed" in (await browser.post(f"{here}/open-to", status=422, user="nobody at all")).text
    await viewer.post(f"{here}/open-to", status=403, user=viewer.username)
    await outsider.post(f"{here}/open-to", status=404, user=outsider.username)

    await browser.post(f"/{undo.action}", **dict(undo.fields))
    assert "All who start runs" in await browser.get(here)
    await browser.post(f"{here}/open-to", user=other.username)
    await browser.post(f"{here}/open-to", user=viewer.username)
    await viewer.post(f"{here}/open-to", role="operator")  # who owns it says to whom it is open
    assert "holders of the role" in await viewer.get(here)
    for gone in ({"role": "operator"}, {"user": other.username}, {"user": viewer.username}):
        await browser.post(f"{here}/open-to", gone="1", **gone)
    assert "All who start runs" in await browser.get(here)


async def test_all_workers_are_counted_however_few_are_drawn(visit, workspace, room):
    """A thousand are a thousand on the page, on the overview and of their group, also those of a group made last."""
    browser = await visit(workspace)
    group = (await browser.post("/groups/new", name="late group")).headers["location"].rpartition("/")[2]
    await room.engine.database.execute(
        """
        with made as (
            insert into worker (id, organization_id, name, lookup, slots, state)
            select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, workspace.organization_id,
                   'many-' || lpad(n::text, 4, '0'), decode(lpad(to_hex(n), 64, '0'), 'hex'), 2, 'idle'
              from generate_series(1, 1000) as n, workspace where workspace.id = %(workspace)s
            returning id, name
        ), served as (
            insert into serving (workspace_id, subject_id) select %(workspace)s, id from made
        )
        insert into worker_group_member (worker_group_id, worker_id)
        select worker_group.id, made.id from worker_group, made
         where worker_group.number = %(group)s and made.name > 'many-0990'
        """,
        workspace=workspace,
        group=int(group),
    )
    page = await browser.get("/workers?show=workers")
    assert "<b>1,000</b> workers, <b>2,000</b> slots: <b>0</b> busy, <b>2,000</b> free" in page
    assert "10 workers, 0 of 20 slots busy" in page
    assert "990 workers, 0 of 1,980 slots busy" in page
    assert "All 990 workers" in page
    assert "many-0995" in page
    assert page.count('class="name" href') <= 60
    assert "1,000 idle" in await browser.get("")
    assert "<b>10</b> workers, <b>20</b> slots" in await browser.get(f"/groups/{group}")
