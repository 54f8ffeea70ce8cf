"""One room for all stories that do not need their own, a real browser, and somebody who works in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from browsers import launch
from console_hand import Hand
from consoles import log_in, opened
from rooms import Room, room

expect.set_options(timeout=60_000)  # a machine that does other things, too, is no failure of ours


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever stands in this folder is a test of whole rooms."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="module")
def running() -> Iterator[Room]:
    """A room of its own for each file of stories."""
    with room("--slots", "2") as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window; while it is there, no test may have an event loop of its own."""
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Any]:
    """A page of a fresh profile. What the page complains about, and what it wants from elsewhere, is written down."""
    context = browser.new_context()
    opened = context.new_page()
    yield opened
    context.close()


@pytest.fixture(scope="session")
def common() -> Iterator[Room]:
    """One room for the stories that keep to a workspace of their own, whatever file they are in."""
    with room("--slots", "2", CONTROLROOM_OUTGOING_ALLOW="127.0.0.1") as started:
        yield started


@pytest.fixture(scope="module", params=["script", pytest.param("no script", marks=pytest.mark.slow)])
def how(request: pytest.FixtureRequest) -> str:
    """What the browser is: one that runs scripts, and one that does not."""
    return str(request.param)


@pytest.fixture(scope="module")
def there(common: Room, request: pytest.FixtureRequest, how: str) -> Room:
    """A workspace for the stories of a file."""
    return common.beside(f"{request.module.__name__.rpartition('_')[2]} {how}")


@pytest.fixture(scope="module")
def somebody(browser: Browser, there: Room, how: str) -> Iterator[Hand]:
    """Who has logged in to it; patient, for the machine may have other work."""
    context = opened(browser, "desktop", "light", java_script_enabled=how != "no script")
    context.set_default_timeout(120_000)
    page = context.new_page()
    log_in(page, there.url, **there.facts["admin"])
    page.goto(f"{there.url}/w/{there.facts['workspace_id']}")
    yield Hand(page, there.url, page.url.removeprefix(there.url).rstrip("/"))
    context.close()


@pytest.fixture
def hand(somebody: Hand) -> Hand:
    """The same, whom nobody has told yet of what is wrong."""
    somebody.complaints.clear()
    return somebody
