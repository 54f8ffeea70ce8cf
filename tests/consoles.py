"""The console in a real browser: logged in, in a theme and a width, and looked at by axe."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

AXE = Path(__file__).parents[1] / "assets/node_modules/axe-core/axe.min.js"
WIDTHS = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def opened(browser: Browser, width: str, theme: str, **options: Any) -> BrowserContext:
    """A fresh profile. A phone has touch, and draws at 1.5 times the size."""
    phone = {"device_scale_factor": 1.5, "has_touch": True, "is_mobile": True} if width == "phone" else {}
    return browser.new_context(
        viewport=WIDTHS[width],
        color_scheme=theme,
        timezone_id="Europe/Oslo",
        reduced_motion="reduce",
        **phone,
        **options,
    )


def log_in(page: Page, url: str, username: str, password: str) -> None:
    """Log in by the form, and end on the first page."""
    page.goto(f"{url}/")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector(".frame")


def watched(page: Page) -> list[str]:
    """What the page complains about from now on: scripts, the policy, what it wants from elsewhere."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    return complaints


def faults(page: Page) -> list[str]:
    """What axe finds that is serious, each with where it stands."""
    # Why so and not by a tag: the page's policy allows no script that is not ours
    page.evaluate(AXE.read_text())
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical", "moderate"}
        for node in one["nodes"]
    ]


def is_too_wide(page: Page) -> bool:
    """Whether something of the page stands out at its side."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"))


def address(path: str, workspace: str = "default", **named: str) -> str:
    """The address of a page as `console_pages` has it: below the workspace, or whole where two slashes begin it."""
    path = path.format(**named)
    return path[1:] if path.startswith("//") else f"/w/{workspace}{path}"
