"""The console in a real browser: every page in light and wide, dark and narrow, with axe; and without script."""

import pytest

from console_pages import PAGES, fill
from consoles import address, faults, is_too_wide, log_in, opened, watched


@pytest.fixture(scope="module")
def facts(running):
    """A room with something in it."""
    return fill(running)


def _slow(screen: str):
    return pytest.param(screen, marks=pytest.mark.slow)


@pytest.fixture(scope="module", params=["desktop-light", "phone-dark", _slow("desktop-dark"), _slow("phone-light")])
def at_work(request, browser, running):
    """Somebody who is logged in, on a screen."""
    width, theme = request.param.split("-")
    context = opened(browser, width, theme)
    page = context.new_page()
    log_in(page, running.url, **running.facts["admin"])
    yield page
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_fit_for_everybody(at_work, running, facts, name):
    """Axe finds nothing, nothing stands out at the side, and the page complains about nothing."""
    complaints = watched(at_work)
    at_work.goto(running.url + address(PAGES[name], **facts))

    assert at_work.locator(".frame").count() == 1, "nobody is logged in any more"
    assert faults(at_work) == []
    assert not is_too_wide(at_work)
    assert [each for each in complaints if name != "failure"] == []


_DEAD = """() => [...document.querySelectorAll('button[type=button]')].filter(each =>
  each.checkVisibility() && !each.popoverTargetElement && !each.hasAttribute('commandfor'))
  .map(each => each.outerHTML)"""
"""Buttons that can be pressed, and do nothing where there is no script."""


@pytest.fixture(scope="module")
def without_script(browser, running):
    """Somebody whose browser runs no scripts."""
    context = opened(browser, "desktop", "light", java_script_enabled=False)
    page = context.new_page()
    log_in(page, running.url, **running.facts["admin"])
    yield page
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_read_without_script(without_script, running, facts, name):
    """There is no button that does nothing, and nothing stands out at the side."""
    without_script.goto(running.url + address(PAGES[name], **facts))

    assert without_script.locator(".frame").count() == 1
    assert without_script.evaluate(_DEAD) == []
    assert not is_too_wide(without_script)


@pytest.mark.parametrize(("width", "theme"), [("desktop", "light"), ("phone", "dark")])
def test_the_log_in_form_is_fit_for_everybody(browser, running, width, theme):
    """As every other page; and who is logged in is led on by it, and stays so."""
    context = opened(browser, width, theme)
    page = context.new_page()
    complaints = watched(page)
    page.goto(f"{running.url}/login")
    assert (faults(page), is_too_wide(page), complaints) == ([], False, [])
    log_in(page, running.url, **running.facts["admin"])
    page.goto(f"{running.url}/login?to=/ui/patterns")
    assert page.url.endswith("/ui/patterns")
    assert page.locator(".frame").count() == 1
    context.close()


def test_a_page_is_whole_without_script(browser, running, facts):
    """Log in, look, filter, change the theme, log out: all of it is links and forms."""
    context = opened(browser, "desktop", "light", java_script_enabled=False)
    page = context.new_page()
    log_in(page, running.url, **running.facts["admin"])
    page.goto(running.url + address("/runs", **facts))
    assert page.locator("tbody tr").count() >= 3
    page.get_by_label("Search runs").fill("nothing of this name")
    page.keyboard.press("Enter")
    page.get_by_text("No runs match").wait_for()
    page.locator(".who").click()
    page.get_by_role("button", name="Dark").click()
    page.wait_for_selector("html[data-theme=dark]")
    page.locator(".who").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Password").wait_for()
    context.close()


def test_a_link_from_another_site_opens_the_page(browser, running, facts):
    """The cookie is not sent with its first request; the page opens itself once more, and is there."""
    context = opened(browser, "desktop", "light")
    page = context.new_page()
    log_in(page, running.url, **running.facts["admin"])
    elsewhere = running.url.replace("127.0.0.1", "localhost")
    page.goto(f"{elsewhere}/login")
    page.evaluate(
        "to => { const a = document.createElement('a'); a.href = to; document.body.append(a); a.click() }",
        running.url + address("/runs", **facts),
    )
    page.wait_for_selector("h1:has-text('Runs')")
    context.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_back_shows_nothing_after_a_log_out(browser, running, facts, name):
    """Neither what the browser has kept in its cache nor the page that it has put aside."""
    context = opened(browser, "desktop", "light")
    page, url = context.new_page(), running.url.replace("127.0.0.1", name)
    log_in(page, url, **running.facts["admin"])
    page.goto(url + address("/runs", **facts))
    page.goto(url + address("/secrets/erp", **facts))
    page.locator(".who").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Password").wait_for()
    for _ in range(2):
        page.go_back(wait_until="commit")
        page.get_by_label("Password").wait_for()
        assert page.locator(".frame").count() == 0
    context.close()
