"""A worker is linked as the page says, and the page that waits turns green by itself."""

import shlex
import subprocess
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import expect

from consoles import log_in
from rooms import PROGRAM, clean_environment


def test_the_page_that_waits_tells_that_the_worker_has_come(page, running, tmp_path):
    """The one command that it shows, run as it is; then the worker stands in the list, and rests by a button."""
    log_in(page, running.url, **running.facts["admin"])
    page.goto(f"{running.url}/w/default/workers")
    page.get_by_role("link", name="Link a worker").first.click()
    page.get_by_label("Slots").fill("1")
    page.get_by_role("button", name="Show the command").click()
    command = page.locator("#link-command").inner_text()
    expect(page.get_by_text("Waits for the worker")).to_be_visible()

    words = shlex.split(command.replace("\\\n", " "))
    assert words[:2] == ["controlroom", "worker"]
    assert urlsplit(words[words.index("--url") + 1]).netloc == urlsplit(running.url).netloc
    with (tmp_path / "log").open("wb") as log:
        worker = psutil.Popen(
            [*PROGRAM, *words[1:], "--folder", str(tmp_path / "worker"), "--name", "linked-by-hand"],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env=clean_environment(),
        )
        try:
            expect(page.get_by_text("is connected")).to_be_visible(timeout=60_000)
            page.get_by_role("link", name="linked-by-hand").click()
            page.get_by_role("button", name="Rest").click()
            expect(page.get_by_text("It rests since")).to_be_visible()
            page.get_by_role("button", name="Go on").click()
            expect(page.get_by_role("button", name="Rest")).to_be_visible()
        finally:
            worker.terminate()
            worker.wait(timeout=60)
