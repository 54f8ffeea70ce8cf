"""One room for all stories that do not need their own, and a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from browsers import launch
from rooms import Room, room


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
