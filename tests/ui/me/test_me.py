"""What somebody does about themselves: name, password, sessions, credentials, how a visit begins."""

import re

import pytest

from controlroom.engine.access import personal_tokens
from controlroom.engine.access.credentials import flush_uses
from controlroom.errors import Unauthenticated
from hypertext import links

OLD = "a long password of a test"
NEW = "another long password"


async def test_a_password_is_changed_by_who_knows_it(visit, workspace):
    """All other sessions end, this browser has a new one; what is wrong is said beside its field."""
    browser = await visit(workspace)
    other = await visit(workspace)
    page = (await browser.post("//me/password", 422, old="wrong", new=NEW, again=NEW)).text
    assert "This is not your password" in page
    assert "typed in two ways" in (await browser.post("//me/password", 422, old=OLD, new=NEW, again="x")).text
    before = dict(browser.http.cookies)
    await browser.post("//me/password", old=OLD, new=NEW, again=NEW)
    assert dict(browser.http.cookies) != before
    assert "Your password is changed" in await browser.get("//me")
    assert await other.get("//me")
    await browser.post("//login", 401, username=browser.username, password=OLD)


async def test_one_is_called_as_one_says(visit, workspace):
    """And the page says so."""
    browser = await visit(workspace)
    await browser.post("//me/name", first_name="Ada", last_name="Lovelace", email="ada@example.com")
    page = await browser.get("//me")
    assert 'value="Lovelace"' in page
    assert 'value="ada@example.com"' in page


async def test_sessions_elsewhere_are_ended_one_by_one(visit, workspace):
    """This browser's own is named, and has no such button."""
    browser = await visit(workspace)
    await browser.post("//login", username=browser.username, password=OLD, to="/")
    page = await browser.get("//me")
    ends = re.findall(r'action="(/me/sessions/[0-9a-f-]+/end)"', page)
    assert len(ends) == 1
    assert page.count("This browser</b>") == 1
    await browser.post(f"/{ends[0]}")
    assert "/me/sessions/" not in await browser.get("//me")
    await browser.post(f"/{ends[0]}", 404)


async def test_credentials_are_made_and_deleted(visit, workspace, room):
    """Their values are shown once, by the page that made them, and stand in no other one."""
    browser = await visit(workspace)
    for kind, pattern in (("pair", r">(\d{12}:[0-9a-f]+)<"), ("token", r">(dbtu_\w+)<")):
        page = (await browser.post("//me/credentials", 200, kind=kind, name=f"my {kind}")).text
        value = re.search(pattern, page)[1]
        shown = await browser.get("//me")
        assert f"my {kind}" in shown
        assert value not in shown
        delete = re.search(rf'href="(/me/credentials/{kind}/[0-9a-f-]+/delete)"', shown)[1]
        question = await browser.get(f"/{delete}?part=dialog")
        assert f"Delete the {kind} my {kind}?" in question
        assert "are refused at once" in question
        await browser.post(f"/{delete}")
        await browser.post(f"/{delete}", 404)
    value = re.search(r">(cru\w{37})<", (await browser.post("//me/credentials", 200, kind="key", name="job")).text)[1]
    shown = await browser.get("//me")
    assert value not in shown
    reveal = re.search(r'href="(/me/keys/[0-9a-f-]+/reveal)"', shown)[1]
    assert "audit log" in await browser.get(f"/{reveal}")
    assert value in (await browser.post(f"/{reveal}", 200)).text
    await (await visit(workspace)).post(f"/{reveal}", 404)
    await browser.post("/" + re.search(r'href="(/me/credentials/key/[^"]+)"', shown)[1])
    await browser.post(f"/{reveal}", 404)
    await browser.post("//me/credentials", 422, kind="pair", name="")
    await browser.post("//me/credentials", 400, kind="other", name="x")
    await flush_uses(room.engine)


async def test_a_token_is_given_another_value(visit, workspace, room):
    """Shown once; the one before is refused from then on, and nobody rotates a token of others."""
    browser, other = await visit(workspace), await visit(workspace)
    first = re.search(r">(dbtu_\w+)<", (await browser.post("//me/credentials", 200, kind="token", name="job")).text)[1]
    rotate = re.search(r'href="(/me/tokens/[0-9a-f-]+/rotate)"', await browser.get("//me"))[1]
    assert "are refused at once" in await browser.get(f"/{rotate}")
    await other.get(f"/{rotate}", 404)
    await other.post(f"/{rotate}", 404)
    assert (await personal_tokens.authenticate(room.engine, first)).id == browser.user

    second = re.search(r">(dbtu_\w+)<", (await browser.post(f"/{rotate}", 200)).text)[1]

    assert second != first
    assert second not in await browser.get("//me")
    assert (await personal_tokens.authenticate(room.engine, second)).id == browser.user
    with pytest.raises(Unauthenticated):
        await personal_tokens.authenticate(room.engine, first)


async def test_a_visit_begins_where_one_wants(visit, workspace):
    """In this browser; a page that there is not is none to begin with."""
    browser = await visit(workspace)
    await browser.post("//me/start", start="runs")
    assert (await browser.http.get("/", headers={"Accept": "text/html"})).headers["location"] == f"{browser.base}/runs"
    await browser.post("//me/start", 400, start="nowhere")
    assert "/me" in links(await browser.get("/runs"))
