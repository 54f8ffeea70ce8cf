"""What holds for every page and every verb of the console, found by their routes: a further one is walked, too."""

import re
from html import unescape
from urllib.parse import quote, urljoin, urlsplit
from uuid import UUID

import pytest

from console_walk import read, routes, walked
from controlroom.border.asking import NEEDS
from controlroom.border.routing import handlers_of
from controlroom.engine.access.groups import actions as groups
from controlroom.engine.access.model import Role
from controlroom.engine.access.roles.actions import create_role
from controlroom.engine.item_models import actions as item_models
from controlroom.engine.item_models.model import AttributeKind, NewAttribute
from controlroom.engine.queues import actions as queues
from controlroom.engine.queues.model import ConsumerDefinition
from controlroom.ids import QueueId, uuid7
from controlroom.ui.app import modules
from controlroom.ui.rights import Rights
from controlroom.ui.routing import ABOVE

IN_A_WORKSPACE = "/w/{workspace:str}"
OPEN_IN_A_WORKSPACE = {
    "/",
    "/more",
    "/events",
    "/search",
    "/suggested/{key:str}",
    "/views",
    "/views/{number:str}/delete",
}
"""What every member sees; what it shows or tells of, it asks for by itself."""


def below(method):
    """The routes in a workspace."""
    known = routes(method).items()
    return {path.removeprefix(IN_A_WORKSPACE) or "/": each for path, each in known if ABOVE not in each.opt}


def filled(path):
    """A route's address, of things that nobody has."""
    path = re.sub(r"\{\w+:uuid\}", str(uuid7()), path)
    return re.sub(r"\{\w+:\w+\}", "9", path)


STARTS = ("", "/item-models/new", "/lockers", "/repository", "/roles", "/members/groups", "//me", "//admin/users")
"""Where a walk begins: what no page leads everybody to, too."""


async def furnished(room, ada, process):
    """Something of many kinds, so that there are pages with forms."""
    queue = await ada.post("/queues", {"name": "inbox"})
    await ada.post("/work-items", {"process": {"id": str(process)}, "payload": {"n": 1}})
    await ada.post("/worker-groups", {"name": "linux"})
    await ada.post("/webhooks", {"endpoint": "https://example.com/hook", "enabled_events": ["process_run.completed"]})
    await ada.post("/assets", {"name": "prices"})
    name = uuid7().hex
    await groups.create_group(room.engine, room.admin, name=name, description="")
    await item_models.create(room.engine, room.admin, name=name, attributes=[NewAttribute("a", AttributeKind.TEXT)])
    await create_role(room.engine, room.admin, name=name, permissions=["runs.read"], description="")
    of_hers = "select task.id from task join package on package.id = package_id where workspace_id = %(id)s limit 1"
    task = await room.engine.database.value(of_hers, id=ada.workspace)
    definition = ConsumerDefinition(task=task)
    await queues.add_consumer(room.engine, room.admin, ada.workspace, QueueId(UUID(queue["id"])), definition)


def declared(handler):
    needs = handler.opt.get(NEEDS, ())
    return needs if isinstance(needs, tuple) else (needs,)


def test_every_page_of_a_workspace_declares_its_permission():
    """But for the few that every member sees."""
    assert {path for path, page in below("GET").items() if not declared(page)} == OPEN_IN_A_WORKSPACE


def test_every_verb_says_whose_its_form_is():
    """By itself, or by the page of its form: one that says nothing would be drawn for nobody."""
    assert [handler.paths for handler in Rights(handlers_of(modules())).undeclared()] == []


async def test_every_verb_is_refused_to_pages_of_others(stranger):
    """Before anybody is asked who they are: no origin, another one, or a request that a browser says is of another."""
    for path in routes("POST"):
        address = filled(path)
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
            answer = await stranger.post(address, data={"a": "b"}, headers=headers)
            assert (answer.status_code, "of another site" in answer.text) == (403, True), (address, headers)


@pytest.mark.matrix
async def test_a_reader_does_nothing_with_the_forms_of_others(room, visit, ada, process, workspace):
    """Whatever the owner's pages have them post is refused to a viewer, and nothing of it is recorded."""
    await furnished(room, ada, process)
    owner, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    opened, forms = await walked(owner)
    assert [address for address, answer in opened.items() if answer.status_code >= 400] == []
    posted = [form for of in forms.values() for form in of.values() if form.action.startswith(owner.base)]
    assert len(posted) > 30

    for form in posted:
        for fields in ({name: value or "x" for name, value in form.fields}, {}):
            answer = await viewer.post(f"/{form.action}", status=None, **fields)
            assert 400 <= answer.status_code < 500, (form, answer.text)

    assert await room.engine.database.value("select count(*) from event where actor_id = %(id)s", id=viewer.user) == 0


@pytest.mark.matrix
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_a_form_is_shown_to_those_who_may_post_it(room, visit, ada, process, workspace, role):
    """No link of a page leads to what is refused, and no form of any page that opens is refused for who posts it."""
    await furnished(room, ada, process)
    owner, browser = await visit(workspace), await visit(workspace, role)
    of_owner, _ = await walked(owner, starts=STARTS)
    seen, forms = await walked(browser, starts=STARTS)
    asked = {browser.path(each) for each in STARTS}
    assert [address for address, answer in seen.items() if answer.status_code >= 400 and address not in asked] == []
    for address in of_owner.keys() - seen.keys():  # also what nobody has linked to for them
        answer = await browser.http.get(address, headers={"Accept": "text/html"})
        assert answer.status_code in {200, 303, 403, 404}, address
        for form in read(answer.text)[1]:
            action = urlsplit(urljoin(address, unescape(form.action))).path
            forms.setdefault(action, {})[action] = form
    posted = {action: form for of in forms.values() for action, form in of.items() if action != "/logout"}
    assert {"/me/look", "/me/name"} < posted.keys()

    for action, form in posted.items():
        answer = await browser.post(f"/{action}", status=None, **dict(form.fields))
        assert answer.status_code not in {403, 404}, (action, answer.text)


async def test_addresses_lead_on_whatever_stands_in_them(visit, workspace, ada):
    """To the number of what is named, in its own place; a line's end makes no header."""
    browser = await visit(workspace)
    for name in ("assets", "w", "änd %41"):
        await ada.post("/assets", {"name": name})
        answer = await browser.http.get(f"{browser.base}/assets/{quote(name, safe='')}?x=%0d%0a")
        assert answer.status_code == 303
        number = answer.headers["location"].removeprefix(f"{browser.base}/assets/").partition("?")[0]
        assert number.isdecimal()
        assert name in unescape(await browser.get(f"/assets/{number}"))
    answer = await browser.http.get(f"/w/{workspace}/assets/a%0d%0ab:%20c")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{browser.base}/assets/a%0D%0Ab:%20c")


@pytest.mark.matrix
async def test_an_outsider_finds_nothing(visit, workspace, cleo):
    """No page and no verb of a workspace is there for who has no place in it, and its things are not in another one."""
    insider, outsider = await visit(workspace), await visit(cleo.workspace)
    origin = {"Origin": str(outsider.http.base_url).rstrip("/")}
    for method in ("GET", "POST"):
        for path in below(method):
            address = insider.base + filled(path).rstrip("/")
            answer = await outsider.http.request(method, address, headers=origin)
            assert answer.status_code == 404, (method, address)


@pytest.mark.matrix
async def test_what_stands_above_the_workspaces_is_for_those_who_govern(visit, workspace):
    """A viewer opens nothing of the organization, and does nothing to it."""
    viewer = await visit(workspace, Role.VIEWER)
    origin = {"Origin": str(viewer.http.base_url).rstrip("/")}
    own = {("GET", "/admin/workspaces")}  # those in which they have a place
    for method in ("GET", "POST"):
        for path in routes(method):
            if path.startswith("/admin/") and (method, path) not in own:
                answer = await viewer.http.request(method, filled(path), headers=origin)
                assert answer.status_code in {403, 404}, (method, path)
