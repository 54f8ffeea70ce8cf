"""What holds for every page: who may open it, its headers, how it fails, and what its templates may contain."""

import re
from pathlib import Path

import pytest

from controlroom.engine.access.model import Permission, Role
from controlroom.ui.app import modules, places_of, routes
from controlroom.ui.assets import Assets
from controlroom.ui.routing import ABOVE
from hypertext import links

UI = Path(__file__).parents[2] / "src/controlroom/ui"
TEMPLATES = sorted(UI.rglob("*.html"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(UI).as_posix())
def test_templates_need_no_exception_of_the_policy(template):
    """No inline style, script or handler, nothing that htmx would evaluate, and no other origin."""
    text = template.read_text()
    for forbidden in (
        r"\sstyle=",
        r"<style",
        r"hx-on",
        r"js:",
        r"\son[a-z]+=\"",
        r"javascript:",
        r"\|\s*safe\b",
        r"hx-trigger=\"[^\"]*\[",
    ):
        assert not re.search(forbidden, text), forbidden
    assert not re.findall(r"<script(?![^>]*\bsrc=)", text)
    assert not re.findall(r"(?:src|href|action)=\"(?:https?:)?//", text)


def test_icons_that_are_named_are_in_the_sprite():
    """By a template, or by an entry of the side bar."""
    known = {
        line.split()[0]
        for line in (UI.parents[2] / "assets/icons.txt").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    }
    named = {name for path in TEMPLATES for name in re.findall(r"ui\.icon\(\"([\w-]+)\"", path.read_text())}
    named = {name for name in named if not name.endswith("-")}  # those are put together
    named |= {place.icon for place in places_of(modules())}
    assert named <= known, named - known


async def test_every_page_below_a_workspace_declares_its_permission(room):
    """A GET without one would show what nobody was asked about."""
    undeclared = [
        path
        for route in routes(room.engine, room.room.origins, Assets()).routes
        for handler in route.route_handlers
        for path in handler.paths
        if "GET" in handler.http_methods and ABOVE not in handler.opt and not handler.opt.get("needs")
    ]
    assert sorted(set(undeclared)) == ["/", "/more"]  # which show nothing but where to go


async def test_every_page_has_the_headers(visit, workspace, stranger):
    """The policy without exceptions, and nothing that another site could frame or keep."""
    browser = await visit(workspace)
    for path, client in (("/ui/patterns", browser.http), (f"{browser.base}/runs", browser.http), ("/w/x", stranger)):
        headers = (await client.get(path, headers={"Accept": "text/html"})).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "private, no-cache"
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_page_that_did_not_change_is_not_sent_again(visit, workspace):
    """By its tag; compressed for who takes that."""
    browser = await visit(workspace)
    path = f"{browser.base}/runs?part=listed"
    first = await browser.http.get(path, headers={"Accept-Encoding": "br"})
    again = await browser.http.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert (first.status_code, again.status_code) == (200, 304)
    assert again.content == b""
    whole = await browser.http.get(f"{browser.base}/runs", headers={"Accept-Encoding": "br"})
    assert whole.headers["content-encoding"] == "br"


async def test_outsiders_do_not_learn_that_a_workspace_is_there(visit, workspace, cleo):
    """By name, number and id alike: there is nothing."""
    browser = await visit(cleo.workspace)
    for named in (str(workspace), "no-such-workspace"):
        answer = await browser.http.get(f"/w/{named}/runs")
        assert answer.status_code == 404
        assert "no such workspace" in answer.text


async def test_numbers_and_ids_of_workspaces_lead_to_the_slug(visit, workspace):
    """With all that stands behind."""
    browser = await visit(workspace)
    answer = await browser.http.get(f"/w/{workspace}/runs?tab=unresolved")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{browser.base}/runs?tab=unresolved")


async def test_the_side_bar_has_what_the_actor_may_open(visit, workspace):
    """An owner's has every place, a viewer's lacks those that need more."""
    owner, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    places = [each for each in places_of(modules()) if not each.is_above and not each.is_for_admins]
    assert {f"{owner.base}{each.path}" for each in places} <= {*links(await owner.get("/more"))}
    hidden = [each for each in places if each.needs in {Permission.READ_AUDIT, Permission.READ_API_KEYS}]
    seen = {*links(await viewer.get("/more"))}
    assert not {f"{viewer.base}{each.path}" for each in hidden} & seen


async def test_a_failure_is_a_page_that_says_what_to_do(visit, workspace):
    """Within the frame, with the reference of the request; a part that is asked again is told so shortly."""
    browser = await visit(workspace)
    page = await browser.get("/runs?sort=nonsense", status=400)
    part = await browser.get("/runs?sort=nonsense&part=listed", status=400, **{"HX-Request": "true"})

    assert "Nothing was changed" in page
    assert "Reference" in page
    assert "<nav" in page
    assert "<nav" not in part


async def test_a_part_that_a_page_does_not_have_is_not_there(visit, workspace):
    """Nor is what somebody makes up."""
    browser = await visit(workspace)
    assert "has no part" in await browser.get("/runs?part=everything", status=404)


async def test_looks_are_remembered_by_the_browser(visit, workspace):
    """Theme, density and zone; what is none is refused."""
    browser = await visit(workspace)
    await browser.post("//me/look", theme="dark", density="compact", zone="Europe/Oslo", to=f"{browser.base}/runs")
    page = await browser.get("/runs")

    assert 'data-theme="dark" data-density="compact"' in page
    assert "Oslo</time>" in page
    await browser.post("//me/look", status=400, theme="pink")
    await browser.post("//me/look", status=400, zone="Nowhere/At all")


async def test_assets_are_kept_for_ever(stranger, visit, workspace):
    """As a page names them, compressed; anything else is not there."""
    browser = await visit(workspace)
    sheet = re.search(r'href="(/static/console\.\w+\.css)"', await browser.get("/more"))[1]
    answer = await stranger.get(sheet, headers={"Accept-Encoding": "br, gzip"})

    assert answer.headers["content-encoding"] == "br"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.text.startswith("@layer")
    for path in ("/static/console.css", "/static/manifest.json", "/static/../app.py", "/static"):
        assert (await stranger.get(path)).status_code == 404


async def test_pages_need_few_statements(visit, workspace, room, monkeypatch):
    """Twelve at most, whoever asks."""
    browser = await visit(workspace)
    counted = []
    run = type(room.engine.database)._run
    monkeypatch.setattr(type(room.engine.database), "_run", lambda self, work: (counted.append(1), run(self, work))[1])
    for place in places_of(modules()):
        counted.clear()
        await browser.get(f"/{place.path}" if place.is_above else place.path)
        assert 2 <= len(counted) <= 12, place
