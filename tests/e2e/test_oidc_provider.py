"""Logging in by npm's `oidc-provider`: discovery, PKCE, claims of its userinfo, `iss` on the way back.

Its packages are fetched into a folder of their own; where npm has no index, the stories are skipped.
"""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from consoles import opened, watched
from rooms import clean_environment, room, until

pytestmark = [pytest.mark.network, pytest.mark.slow]

FOLDER = Path(__file__).with_name("provider")
BUILD = Path(__file__).parents[2] / "assets" / "build.py"
PEOPLE = {
    "ingrid": {"email": "ingrid@example.com", "email_verified": True, "given_name": "Ingrid", "family_name": "Ås"},
    "impostor": {"email": "ingrid@example.com", "email_verified": False},
    "olav": {"email": "olav@example.com", "email_verified": True},
    "nobody": {"email": "nobody@example.com", "email_verified": True},
}


class Issuer:
    """The provider, as a process that can be stopped and started, and whose people and clock can be changed."""

    def __init__(self, node: str, folder: Path, redirect: str) -> None:
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._words = [node, str(folder / "provider.mjs")]
        self._people = folder / "people.json"
        port = self.url.rpartition(":")[2]
        self._variables = clean_environment(PORT=port, REDIRECT=redirect, PEOPLE=str(self._people))
        self.process: subprocess.Popen[bytes] | None = None
        self.tell(PEOPLE)

    def tell(self, people: dict[str, Any], clock_is_ahead: int = 0) -> None:
        """Whom it knows, and by how many seconds its clock is wrong."""
        written = self._people.with_suffix(".new")
        written.write_text(json.dumps({"people": people, "clock_is_ahead": clock_is_ahead}))
        written.replace(self._people)

    def start(self) -> None:
        """Until it answers."""
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(self._words, env=self._variables, stdout=quiet, stderr=quiet)
        until(lambda: _answers(f"{self.url}/.well-known/openid-configuration"), "the provider answers")

    def stop(self) -> None:
        """Until it is gone."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _npm() -> list[str] | None:
    """As the assets are built: the machine's, or that of the wheel."""
    spec = importlib.util.spec_from_file_location("assets_build", BUILD)
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    return build._npm()


@pytest.fixture(scope="module")
def place():
    """Where the room will be: the provider must be told before."""
    return _free_port()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory, place):
    """The provider, installed from the lock file beside this one."""
    npm = _npm()
    if npm is None:
        pytest.skip("there is no npm")
    folder = tmp_path_factory.mktemp("provider") / "of-identities"
    shutil.copytree(FOLDER, folder)
    programs = Path(npm[0]).resolve().parent if len(npm) > 1 else Path(shutil.which("node")).parent
    variables = clean_environment(PATH=f"{programs}{os.pathsep}{os.environ['PATH']}")
    words = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm has no index with oidc-provider here: {done.stderr[-300:]}")
    provider = Issuer(str(programs / "node"), folder, f"http://127.0.0.1:{place}/login/oidc/callback")
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def named(issuer, place):
    """A room whose operator has named the provider."""
    variables = {
        "CONTROLROOM_OIDC_ISSUER": issuer.url,
        "CONTROLROOM_OIDC_CLIENT_ID": "the-room",
        "CONTROLROOM_OIDC_CLIENT_SECRET": "swordfish:&=%",
        "CONTROLROOM_OIDC_NAME": "Halden ID",
        "CONTROLROOM_OUTGOING_ALLOW": "127.0.0.1",
    }
    with room("--no-worker", "--port", str(place), **variables) as started:
        for name in ("ingrid", "olav"):
            started.cli("users", "create", name, "--role", "operator", "--email", f"{name}@example.com")
        yield started


@pytest.fixture
def profile(browser):
    """A fresh profile of the browser."""
    context = opened(browser, "desktop", "light")
    yield context
    context.close()


def _come_as(page, url, who):
    page.goto(url)
    page.get_by_role("link", name="Halden ID").click()
    page.locator("[name=login]").fill(who)
    page.locator("[name=password]").fill("whatever")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def test_who_has_come_by_the_provider_stays_known_by_the_subject(named, profile, issuer):
    """Linked once by a verified address; afterwards the address may change, there or here, and the way is the same."""
    page = profile.new_page()
    _come_as(page, f"{named.url}/w/default/runs?tab=failed", "ingrid")
    page.wait_for_selector("h1:has-text('Runs')")
    assert page.url == f"{named.url}/w/default/runs?tab=failed"
    complaints = watched(page)
    page.locator(".who").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Password").wait_for()
    page.goto(f"{named.url}/w/default/runs")
    assert page.get_by_label("Password").count() == 1, "who has left the room is not in it by the provider's cookie"
    issuer.tell({**PEOPLE, "ingrid": {"email": "ingrid@elsewhere.example", "email_verified": False}})
    page.get_by_role("link", name="Halden ID").click()  # the provider still knows them, and asks nothing
    page.wait_for_selector("h1:has-text('Runs')")
    assert complaints == []
    issuer.tell(PEOPLE)


def test_an_address_alone_opens_nothing(named, profile):
    """One that is not verified, and one that nobody here has."""
    page = profile.new_page()
    _come_as(page, f"{named.url}/w/default/runs", "impostor")
    page.get_by_text("Nobody here is known as").wait_for()
    assert page.locator(".frame").count() == 0


def test_who_is_disabled_comes_in_by_no_way(named, profile):
    """And is told no more than that; enabled again they come as before."""
    named.cli("users", "disable", "olav", "--yes")
    page = profile.new_page()
    _come_as(page, f"{named.url}/w/default/runs", "olav")
    page.wait_for_url("**/login/oidc/callback?*")
    assert page.locator(".frame").count() == 0
    named.cli("users", "enable", "olav")
    page.goto(f"{named.url}/w/default/runs")
    page.get_by_role("link", name="Halden ID").click()
    page.wait_for_selector("h1:has-text('Runs')")


@pytest.mark.parametrize(("seconds", "is_in"), [(60, True), (-60, True), (600, False)])
def test_a_clock_that_is_off_a_little_is_forgiven(named, profile, issuer, seconds, is_in):
    """A minute is; ten minutes are not."""
    issuer.tell(PEOPLE, clock_is_ahead=seconds)
    page = profile.new_page()
    _come_as(page, f"{named.url}/w/default/runs", "ingrid")
    if is_in:
        page.wait_for_selector("h1:has-text('Runs')")
    else:
        page.get_by_text("The log-in did not succeed").wait_for()
    issuer.tell(PEOPLE)


def test_a_provider_that_is_away_is_said_on_the_form(named, profile, issuer):
    """Whoever has a password logs in by it meanwhile; nobody sees a broken page."""
    page = profile.new_page()
    page.goto(f"{named.url}/w/default/runs")
    begun = profile.request.get(f"{named.url}/login/oidc?to=/w/default/runs", max_redirects=0)
    state = begun.headers["location"].partition("state=")[2].partition("&")[0]
    issuer.stop()
    try:
        page.goto(f"{named.url}/login/oidc/callback?code=any&state={state}")
        page.get_by_label("Password").wait_for()
        assert page.locator(".frame").count() == 0
        assert named.url in page.url
    finally:
        issuer.start()
