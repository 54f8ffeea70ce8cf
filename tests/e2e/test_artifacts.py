"""What a robot left is shown where it reaches nothing: a hostile page of ours tries, in the frame and opened alone."""

import re

import pytest

from console_items import ROBOT
from console_items import fill as fill_items
from consoles import address, log_in, opened


@pytest.fixture(scope="module")
def left(running):
    """The address of the hostile page among the artifacts of a run."""
    fill_items(running)
    process = next(each for each in running.get("/processes")["data"] if each["name"] == "Supplier invoices")
    run = running.get(f"/process-runs?process_id={process['id']}")["data"][0]
    return address(f"/runs/{run['id']}/artifacts")


@pytest.fixture
def page(browser, running):
    """Somebody who is logged in."""
    context = opened(browser, "desktop", "light")
    page = context.new_page()
    log_in(page, running.url, **running.facts["admin"])
    yield page
    context.close()


def hostile(page, running, left):
    """Open the list, and choose the hostile page."""
    assert (ROBOT / "hostile.html").exists()
    page.goto(running.url + left)
    page.get_by_role("link", name="attack.html", exact=True).first.click()
    page.wait_for_url(re.compile("show="))


def test_in_its_frame_it_runs_and_reaches_nothing(page, running, left):
    """No cookie, no storage, no page round it, no address of ours, no other window; the session goes on."""
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.url.removeprefix(running.url))))
    hostile(page, running, left)
    frame = page.frame_locator("iframe.framed")
    frame.locator("body[data-ran=yes]").wait_for()
    page.wait_for_load_state("networkidle")

    assert frame.locator("#reached li").all_inner_texts() == []
    assert not [each for each in asked if each[0] == "POST" or each[1].startswith("/api/")]
    assert "/artifacts" in page.url
    assert len(page.context.pages) == 1
    assert "stolen" not in {each["name"] for each in page.context.cookies()}
    page.goto(running.url + left)
    assert page.locator(".frame").count() == 1, "nobody is logged in any more"


def test_opened_alone_it_reaches_nothing_either(page, running, left):
    """At an address of its own, in a place of its own; the session goes on."""
    hostile(page, running, left)
    page.goto(running.url + page.get_by_role("link", name="Open alone").get_attribute("href"))
    page.locator("body[data-ran=yes]").wait_for()
    page.wait_for_load_state("networkidle")

    assert "/objects/" in page.url
    assert page.locator("#reached li").all_inner_texts() == []
    assert page.evaluate("origin") == "null"
    page.goto(running.url + left)
    assert page.locator(".frame").count() == 1, "nobody is logged in any more"


def test_a_log_that_lives_by_its_script_is_shown(page, running, left):
    """It is the first that is shown, and its script runs."""
    page.goto(running.url + left)
    page.frame_locator("iframe.framed").get_by_text("24 invoices, written by a script").wait_for()
