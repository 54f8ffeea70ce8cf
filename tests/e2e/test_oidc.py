"""Logging in by a provider of identities that somebody else wrote, in a real browser."""

import socket
import subprocess
import urllib.request
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit

import pytest

from client_programs import environment
from consoles import opened, watched
from rooms import clean_environment, room, until

pytestmark = [pytest.mark.e2e, pytest.mark.network]

PROVIDER = "oidc-provider-mock==0.3.4"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    """The provider, at an address of this machine, which knows some people."""
    programs, port = environment(tmp_path_factory.mktemp("oidc") / "env", PROVIDER), _free_port()
    people = [
        '{"sub": "ingrid", "email": "ingrid@example.com", "email_verified": true, "given_name": "Ingrid"}',
        '{"sub": "impostor", "email": "ingrid@example.com", "email_verified": false}',
        '{"sub": "admin", "email": "admin@example.com", "email_verified": true}',
        '{"sub": "new", "email": "new@example.com", "email_verified": true, "preferred_username": "newcomer"}',
    ]
    words = [programs / "oidc-provider-mock", "--port", port, "--require-nonce"]
    for person in people:
        words += ["--user-claims", person]
    with subprocess.Popen([*map(str, words)], env=clean_environment(), stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        until(lambda: _answers(f"{url}/.well-known/openid-configuration"), "the provider answers")
        yield url
        process.terminate()


@pytest.fixture(scope="module")
def named(issuer):
    """A room whose operator has named the provider."""
    variables = {
        "CONTROLROOM_OIDC_ISSUER": issuer,
        "CONTROLROOM_OIDC_CLIENT_ID": "the-room",
        "CONTROLROOM_OIDC_CLIENT_SECRET": "swordfish",
        "CONTROLROOM_OIDC_NAME": "Halden ID",
        "CONTROLROOM_OUTGOING_ALLOW": "127.0.0.1",
    }
    with room("--no-worker", **variables) as started:
        started.cli("users", "create", "ingrid", "--role", "operator", "--email", "ingrid@example.com")
        yield started


def _come_as(page, url, who):
    page.goto(url)
    page.get_by_role("link", name="Halden ID").click()
    page.get_by_role("button", name=who, exact=True).click()


def test_people_come_by_the_provider(browser, named):
    """Who was made to come this way is let in, and stays in; an address that is not verified opens nothing."""
    context = opened(browser, "desktop", "light")
    page = context.new_page()
    _come_as(page, f"{named.url}/w/default/runs", "impostor")
    page.get_by_text("Nobody here is known as").wait_for()
    _come_as(page, f"{named.url}/w/default/runs", "ingrid")
    page.wait_for_selector("h1:has-text('Runs')")
    assert page.url == f"{named.url}/w/default/runs"
    complaints = watched(page)  # not before: the provider's own page wants a style sheet from elsewhere
    page.reload()
    page.wait_for_selector("h1:has-text('Runs')")
    kept = {each["name"]: each for each in context.cookies()}
    session = next(each for name, each in kept.items() if name.startswith("controlroom-") and "oidc" not in name)
    assert (session["sameSite"], session["httpOnly"]) == ("Strict", True)
    assert not any("oidc" in name for name in kept)
    assert complaints == []
    context.close()


def test_what_comes_back_must_have_been_begun_in_this_browser(browser, named):
    """Neither another one's way back is taken, nor the same one twice, nor one that another provider answers."""
    context, other = opened(browser, "desktop", "light"), opened(browser, "desktop", "light")
    page, backs = context.new_page(), []
    page.on("request", lambda request: backs.append(request.url) if "/callback?" in request.url else None)
    begun = other.request.get(f"{named.url}/login/oidc?to=/w/default/runs", max_redirects=0)
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    back = f"{named.url}/login/oidc/callback"
    for wrong in (
        f"code=c&state={state}x",
        f"code=c&state={state}&iss=https://evil.example",
        f"state={state}",
        "code=c",
    ):
        answer = other.request.get(f"{back}?{wrong}")
        assert (answer.status, "controlroom" in answer.headers.get("set-cookie", "")) == (401, False)
    _come_as(page, f"{named.url}/login?to=//evil.example/w", "ingrid")
    page.wait_for_selector(".frame")
    assert page.url.startswith(f"{named.url}/")
    for somebody in (context, other):  # the cookie of the one is gone, that of the other is of another attempt
        answer = somebody.request.get(backs[-1])
        assert (answer.status, "controlroom" in answer.headers.get("set-cookie", "")) == (401, False)
    context.close()
    other.close()


def test_an_account_with_a_password_is_never_taken_in_silence(browser, named):
    """The password is asked for once; after that the provider alone lets in."""
    named.cli(
        "users",
        "create",
        "dora",
        "--role",
        "viewer",
        "--email",
        "admin@example.com",
        "--password",
        stdin="a password\n",
    )
    for is_first in (True, False):
        context = opened(browser, "phone", "dark")
        page = context.new_page()
        _come_as(page, f"{named.url}/w/default/runs", "admin")
        if is_first:
            page.get_by_text("Is this you?").first.wait_for()
            page.get_by_label("Password").fill("not the password")
            page.get_by_role("button", name="It is me").click()
            page.get_by_text("This is not its password").wait_for()
            page.get_by_label("Password").fill("a password")
            page.get_by_role("button", name="It is me").click()
        page.wait_for_selector("h1:has-text('Runs')")
        context.close()


def test_somebody_new_comes_by_an_invitation(browser, named):
    """Without it the provider's word is not enough."""
    context = opened(browser, "desktop", "light")
    page = context.new_page()
    _come_as(page, f"{named.url}/login", "new")
    page.get_by_text("Nobody here is known as new@example.com").wait_for()
    admin = opened(browser, "desktop", "light")
    inviting = admin.new_page()
    inviting.goto(f"{named.url}/login?to=/w/default/members/invite")
    inviting.get_by_label("User name").fill(named.facts["admin"]["username"])
    inviting.get_by_label("Password").fill(named.facts["admin"]["password"])
    inviting.get_by_role("button", name="Log in", exact=True).click()
    inviting.get_by_role("button", name="Make the link").click()
    link = inviting.locator("#link").inner_text()
    _come_as(page, link, "new")
    page.wait_for_selector(".frame")
    assert "newcomer" in named.cli("users", "list").stdout
    admin.close()
    context.close()
