"""`make shots`: pictures of every page, wide and narrow, light and dark, of a room with something in it."""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from browsers import launch
from console_pages import PAGES, fill
from consoles import WIDTHS, address, log_in, opened
from rooms import room


def taken(page: Page, file: Path) -> None:
    """A picture of the whole page, into a file that is named."""
    page.screenshot(path=file, full_page=True)
    print(file)


def main(folder: Path, wanted: list[str]) -> None:
    """Take the pictures; of some pages, if they are named."""
    folder.mkdir(parents=True, exist_ok=True)
    with room("--slots", "2") as running, sync_playwright() as playwright:
        facts = fill(running)
        browser = launch(playwright)
        for width in WIDTHS:
            for theme in ("light", "dark"):
                page = opened(browser, width, theme).new_page()
                page.goto(f"{running.url}/login")
                taken(page, folder / f"log-in-{width}-{theme}.png")
                log_in(page, running.url, **running.facts["admin"])
                for name, path in PAGES.items():
                    if not wanted or name in wanted:
                        page.goto(running.url + address(path, **facts))
                        page.wait_for_timeout(250)  # what is asked after the page is there
                        taken(page, folder / f"{name}-{width}-{theme}.png")
                page.context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".shots"), sys.argv[2:])
