"""Logging in and out, and what keeps others from using somebody's session."""

import re

import pytest

from controlroom.engine.access.users.actions import disable_user
from controlroom.ui.asking import own_path

HTML = {"Accept": "text/html"}


async def test_a_page_without_a_session_is_the_form_that_leads_to_it(stranger):
    """With 200 and at the same address, which the form has kept."""
    answer = await stranger.get("/w/finance/runs?tab=unresolved", headers=HTML)

    assert answer.status_code == 200
    assert 'action="/login"' in answer.text
    assert 'value="/w/finance/runs?tab=unresolved"' in answer.text
    assert "ended" not in answer.text


async def test_the_root_is_a_page_for_browsers_and_says_who_answers_to_programs(stranger):
    """By what they accept."""
    assert (await stranger.get("/")).json()["name"] == "Control Room"
    assert "Log in" in (await stranger.get("/", headers=HTML)).text


async def test_logging_in_leads_on_by_a_cookie_that_no_script_sees(stranger, room, visit, workspace):
    """HttpOnly, SameSite=Strict, for this port alone; and it ends by itself."""
    browser = await visit(workspace)
    form = {"username": browser.username, "password": "a long password of a test", "to": "/ui/patterns"}

    answer = await stranger.post("/login", data=form, headers={"Origin": room.url})

    port = room.url.rpartition(":")[2]
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/patterns")
    assert re.fullmatch(
        rf"controlroom-{port}=crs_\w+; Path=/; Max-Age=43200; SameSite=Strict; HttpOnly", answer.headers["set-cookie"]
    )


async def test_who_is_logged_in_is_led_on_by_the_form_and_stays_so(visit, workspace, room):
    """Looking at it ends no session, and neither does a slip of the pen in it."""
    browser = await visit(workspace)
    seen = await browser.http.get("/login?to=/ui/patterns", headers=HTML)
    form = {"username": browser.username, "password": "another"}
    slipped = await browser.http.post("/login", data=form, headers={"Origin": room.url})

    assert (seen.status_code, seen.headers["location"]) == (303, "/ui/patterns")
    assert (slipped.status_code, "set-cookie" in slipped.headers) == (401, False)
    assert (await browser.http.get("/login", headers=HTML)).headers["location"] == "/"


async def test_over_tls_the_cookie_is_bound_to_the_host(stranger, visit, workspace):
    """As a proxy that is trusted says that it was."""
    browser = await visit(workspace)
    form = {"username": browser.username, "password": "a long password of a test"}
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "room.example", "Origin": "https://room.example"}

    answer = await stranger.post("/login", data=form, headers=proxied)

    assert answer.headers["set-cookie"].startswith("__Host-controlroom=")
    assert answer.headers["set-cookie"].endswith("; Secure")


async def test_a_wrong_password_says_no_more_than_that(stranger, room, visit, workspace):
    """The name stays typed, the password does not, and who does not exist is told the same."""
    browser = await visit(workspace)
    for name in (browser.username, "nobody-at-all"):
        answer = await stranger.post(
            "/login", data={"username": name, "password": "wrong-one"}, headers={"Origin": room.url}
        )
        assert answer.status_code == 401
        assert "do not go together" in answer.text
        assert f'value="{name}"' in answer.text
        assert "wrong-one" not in answer.text
        assert "set-cookie" not in answer.headers


async def test_logging_out_ends_the_session(visit, workspace):
    """The cookie is forgotten, and would open nothing any more."""
    browser = await visit(workspace)
    kept = dict(browser.http.cookies)
    left = await browser.post("//logout")

    assert not dict(browser.http.cookies)
    assert left.headers["clear-site-data"] == '"cache"'
    browser.http.cookies.update(kept)
    assert "Your session has ended." in await browser.get("/runs")


async def test_who_is_disabled_is_out_at_once(visit, workspace, room):
    """The next page is the form."""
    browser = await visit(workspace)
    assert "<h1>Runs</h1>" in await browser.get("/runs")
    await disable_user(room.engine, room.admin, browser.user)

    assert "Log in" in await browser.get("/runs")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "OURS", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_what_another_site_posts_does_nothing(visit, workspace, room, headers):
    """Neither a log-in nor a log-out; a page says so."""
    browser = await visit(workspace)
    headers = {name: room.url if value == "OURS" else value for name, value in headers.items()}
    for path in ("/logout", "/login", "/me/look"):
        answer = await browser.http.post(path, data={"username": "x", "password": "y"}, headers=headers)
        assert answer.status_code == 403, path
        assert "another site" in answer.text
    assert "<h1>Runs</h1>" in await browser.get("/runs")


async def test_a_browser_without_origin_says_it_by_sec_fetch_site(visit, workspace):
    """`same-origin` is enough."""
    browser = await visit(workspace)
    answer = await browser.http.post("/logout", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303


async def test_a_link_in_a_mail_opens_itself_once_more(stranger):
    """Its request comes from another site and without the cookie; the second comes from ours."""
    first = await stranger.get("/w/finance/runs", headers={**HTML, "Sec-Fetch-Site": "cross-site"})
    second = await stranger.get("/w/finance/runs", headers={**HTML, "Sec-Fetch-Site": "same-origin"})

    assert 'http-equiv="refresh" content="0"' in first.text
    assert 'action="/login"' in second.text


async def test_apis_take_no_cookie(visit, workspace):
    """A browser lends its session to pages alone."""
    browser = await visit(workspace)
    for path in (
        f"/api/v1/workspaces/{workspace}/process-runs",
        "/v3/users/me",
        "/api/v2/accounts/",
        "/worker/v1/orders",
    ):
        assert (await browser.http.get(path)).status_code in {401, 404}, path


def test_only_own_paths_are_led_to():
    """What a form was given to lead back to may be another site's address."""
    assert own_path("/w/finance/runs?x=1") == "/w/finance/runs?x=1"
    for wrong in ("", "//evil.example", "/\\evil.example", "https://evil.example", "x", "/a\r\nSet-Cookie: a=b", "/é"):
        assert own_path(wrong) == "/"
