"""A worker is lost while somebody reads what it printed: the next attempt appears beside it, by itself."""

import re

import pytest
from playwright.sync_api import expect

from consoles import faults, log_in, opened, watched
from rooms import room
from worker_by_hand import WorkerByHand

SOON = 60_000


@pytest.fixture(scope="module")
def running():
    """A room whose only worker is played by the test."""
    with room("--no-worker") as started:
        yield started


@pytest.fixture
def run(running, tmp_path):
    """A run that waits for a worker; its number."""
    (tmp_path / "robot.yaml").write_text("tasks:\n  Talk:\n    shell: python3 talk.py\nartifactsDir: output\n")
    running.cli("push", tmp_path, "--name", "talker")
    running.cli("process", "create", "Talk", "--step", "talk=talker:Talk")
    process = next(each["id"] for each in running.get("/processes")["data"] if each["name"] == "Talk")
    return running.post(f"/processes/{process}/process-runs", {})["id"]


def test_the_next_attempt_appears_by_itself(browser, running, run):
    """Its tab; what is read stays, and the heads of the phases stand between its lines, also without script."""
    worker = WorkerByHand(running.url, running.cli("workers", "link-token").stdout.strip())
    lost = worker.claim()
    environment = {"position": 0, "kind": "environment", "name": "Environment", "state": "succeeded", "first_line": 0}
    getting = {"position": 1, "kind": "command", "name": "Get ready", "state": "in_progress", "first_line": 3}
    worker.phases(lost, {**environment, "last_line": 2}, {**getting, "is_preparation": True})
    worker.prints(lost, 0, *(f"package {number}" for number in range(3)), *(f"word {number}" for number in range(60)))
    context = opened(browser, "desktop", "light")
    page = context.new_page()
    complaints = watched(page)
    log_in(page, running.url, **running.facts["admin"])
    _read_from_the_beginning(page, f"{running.url}/w/default/runs/{run}/console")
    heads = page.locator(".log li.phase")
    expect(heads).to_have_count(2)
    rows = page.locator(".log li").evaluate_all("all => all.slice(0, 6).map(row => row.className || row.id)")
    assert rows == ["phase", "L1", "L2", "L3", "phase", "L4"]
    expect(page.locator(".log-phase")).to_be_hidden()
    page.locator(".log").focus()
    page.keyboard.press("End")
    expect(page.locator(".log-phase")).to_contain_text("Get ready")
    page.keyboard.press("Home")
    expect(page.locator("nav.attempts")).to_have_count(0)

    worker.restart()  # what it held is lost, before any robot had begun
    found = worker.claim()
    assert (found["step_run_id"], found["attempt"]) == (lost["step_run_id"], 2)
    worker.prints(found, 0, "again from the beginning")

    tabs = page.locator("nav.attempts a")
    expect(tabs).to_have_count(2, timeout=SOON)
    expect(page.locator("nav.attempts [aria-current]")).to_have_text("Attempt 1")
    expect(page.locator("#L4")).to_contain_text("word 0")
    assert faults(page) == []
    tabs.last.click()
    expect(page.locator(".log li[id]").first).to_contain_text("again from the beginning", timeout=SOON)
    worker.prints(found, 1, "and on")
    expect(page.locator(".log li[id]").last).to_contain_text("and on", timeout=SOON)
    assert complaints == []
    with browser.new_context(java_script_enabled=False, storage_state=context.storage_state()) as still:
        plain = still.new_page()
        plain.goto(f"{running.url}/w/default/runs/{run}/console?attempt=1&from=1")
        expect(plain.locator(".log li.phase")).to_have_count(2)
        expect(plain.locator("nav.attempts a")).to_have_count(2)
    context.close()
    worker.leave()


def _read_from_the_beginning(page, url):
    """Open a console that is printed, and go to its beginning before the script comes, which stays there."""
    late = []
    page.route(re.compile(r"/log[^/]*\.js"), lambda route: late.append(route))  # noqa: PLW0108 - it gets a mark
    page.goto(url, wait_until="commit")
    expect(page.locator(".log li[id]").last).to_contain_text("word 59")
    page.locator(".log").evaluate("box => { box.scrollTop = -box.scrollHeight }")
    late.pop().continue_()
    page.unroute_all()
    follow = page.locator("[data-follow]")
    expect(follow).to_be_visible()
    expect(follow).to_have_attribute("aria-pressed", "false")
