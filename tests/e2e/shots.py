"""`make shots`: pictures of every page, light and dark, of a room with something in it."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from browsers import launch
from rooms import Room, room

EXAMPLES = Path(__file__).parents[2] / "examples"
PAGES = {"api": "/api/v1/docs", "worker-api": "/worker/v1/docs"}
SIZE = {"width": 1280, "height": 800}


def main(folder: Path) -> None:
    """Take the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with room() as running, sync_playwright() as playwright:
        fill(running)
        browser = launch(playwright)
        for scheme in ("light", "dark"):
            page = browser.new_context(color_scheme=scheme, viewport=SIZE).new_page()
            for name, path in PAGES.items():
                page.goto(running.url + path, wait_until="networkidle")
                page.screenshot(path=folder / f"{name}-{scheme}.png")
                print(folder / f"{name}-{scheme}.png")
        browser.close()


def fill(running: Room) -> None:
    """Something to look at: a robot, a process, a run."""
    running.cli("push", EXAMPLES / "plain-script", "--name", "words")
    running.cli("process", "create", "Words", "--step", "count=words:Count words")
    running.cli("run", "Words", "--follow")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".shots"))
