"""The real browser of the tests."""

import os
import shutil

from playwright.sync_api import Browser, Playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def launch(playwright: Playwright, *words: str) -> Browser:
    """The system's Chromium, without a window."""
    assert CHROMIUM, "no Chromium: apt-get install chromium, or name one by CHROMIUM"
    # Why without its sandbox: root may not use it, and all that it shows is our own
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *words])
