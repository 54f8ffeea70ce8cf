"""Pages that change by themselves: in a tab, in ten of them, over plain http; and never under the hand of who reads."""

import re
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect, sync_playwright

from browsers import launch
from console_nouns import Forms
from console_pages import EXAMPLES
from consoles import log_in, opened, watched
from controlroom.ui.live.streams import MOST
from rooms import room

SOON = 60_000
ELSEWHERE = "room.test"
"""A name by which a browser gets no locks and no clipboard from a room without TLS, as from another machine."""


@pytest.fixture(scope="module")
def running():
    """A room that answers to that name, too."""
    with room("--slots", "2", CONTROLROOM_ALLOWED_HOSTS=ELSEWHERE) as started:
        yield started


@pytest.fixture(scope="module")
def browser():
    """One that finds it here."""
    with sync_playwright() as playwright:
        started = launch(playwright, f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1")
        yield started
        started.close()


@pytest.fixture(scope="module")
def words(running):
    """A process that counts words."""
    running.cli("push", EXAMPLES / "plain-script", "--name", "words")
    running.cli("process", "create", "Words", "--step", "count=words:Count words")
    running.cli("run", "Words", "--follow")
    return "Words"


@pytest.fixture(scope="module")
def here(browser, running, words):
    """A profile that is logged in."""
    context = opened(browser, "desktop", "light")
    log_in(context.new_page(), running.url, **running.facts["admin"])
    yield context
    context.close()


@pytest.fixture
def tab(here, running):
    """Opens the list of runs in a further tab that is live; all are closed after the test."""
    tabs = []

    def another():
        page = here.new_page()
        tabs.append(page)
        page.goto(f"{running.url}/w/default/runs")
        page.wait_for_selector(".live.on", timeout=SOON)
        return page

    yield another
    for page in tabs:
        page.close()


def test_rows_come_and_change_where_nobody_reads(tab, running, words):
    """A run that starts is there, and its end; the counts of the tabs with it."""
    page = tab()
    complaints = watched(page)
    before = page.locator("tbody tr").count()
    running.cli("run", words, "--follow")
    expect(page.locator("tbody tr")).to_have_count(before + 1, timeout=SOON)
    expect(page.locator("tbody tr").first).to_contain_text("Completed", timeout=SOON)
    expect(page.locator("#summed")).to_have_text(f"{before + 1} runs", timeout=SOON)
    assert complaints == []


def test_nothing_moves_under_the_pointer(tab, running, words):
    """New rows wait behind a button that says how many they are; what is typed and opened meanwhile stays."""
    page = tab()
    rows = page.locator("tbody tr")
    before, first = rows.count(), rows.first.get_attribute("id")
    page.get_by_label("Search runs").fill("not yet sent")
    page.get_by_text("Columns").click()
    rows.first.hover()
    running.cli("run", words, "--follow")
    waiting = page.locator(".waiting button")
    expect(waiting).to_have_text("1 newer run", timeout=SOON)
    assert (rows.count(), rows.first.get_attribute("id")) == (before, first)
    assert page.get_by_label("Search runs").input_value() == "not yet sent"
    assert page.locator("details[open]").count() == 1
    waiting.click()
    expect(rows).to_have_count(before + 1, timeout=SOON)
    expect(waiting).to_have_count(0, timeout=SOON)


def test_the_browsers_tab_says_how_a_run_goes(here, running, words):
    """Its title and its icon, also of a run that ends while nobody looks at the page's text."""
    run = running.post("/processes/" + process_of(running, words) + "/process-runs", {})["id"]
    page = here.new_page()
    page.goto(f"{running.url}/w/default/runs/{run}")
    expect(page).to_have_title(re.compile("^✓ "), timeout=SOON)
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("mark-ok"), timeout=SOON)
    page.close()


def process_of(running, name):
    return next(each["id"] for each in running.get("/processes")["data"] if each["name"] == name)


def test_a_page_says_that_its_thing_is_gone(here, running, words):
    """What was deleted elsewhere is not shown as if it were there; who deletes it here is just led on."""
    running.cli("process", "create", "Short", "--step", "count=words:Count words")
    page, other = here.new_page(), here.new_page()
    for each in (page, other):
        each.goto(f"{running.url}/w/default/processes/{process_of(running, 'Short')}")
        each.wait_for_selector(".live.on", timeout=SOON)
    complaints = watched(other)
    other.locator("main summary[aria-label=More]").click()
    other.locator("main a.danger").click()
    other.locator("dialog").get_by_role("button", name="Delete").click()
    other.wait_for_url("**/processes")
    expect(page.locator(".gone")).to_contain_text("This is not there any more", timeout=SOON)
    page.locator(".gone a").click()
    page.wait_for_url("**/processes")
    assert complaints == []
    page.close()
    other.close()


def test_who_leaves_gives_up_what_is_half_answered(tab):
    """Without a complaint: the rest of an answer that has begun is of no use to a page whose form is on its way."""
    page = tab()
    complaints = watched(page)
    page.evaluate("""() => new Promise(begun => {
      const real = window.fetch
      window.fetch = (address, options = {}) => {
        if (!String(address).includes("part=")) return real(address, options)
        begun()
        const gone = new DOMException("gone", "AbortError")
        return Promise.resolve(new Response(new ReadableStream({ start(body) {
          body.enqueue(new TextEncoder().encode("<div>"))
          options.signal.addEventListener("abort", () => { window.name = "given up"; body.error(gone) })
        } })))
      }
      wantParts(["*"])
    })""")
    page.get_by_label("Search runs").press("Enter")
    page.wait_for_url("**/runs?*")
    assert page.evaluate("window.name") == "given up"
    assert complaints == []


def test_one_stream_too_many_is_said(browser, running, words):
    """Somebody has many browsers: the next page says that it does not stay live, and does once others are closed."""
    context = opened(browser, "desktop", "light")
    page = context.new_page()
    log_in(page, running.url, **running.facts["admin"])
    page.goto("about:blank")
    elsewhere = Forms(running).http
    with ExitStack() as others:
        for _ in range(MOST):
            answer = others.enter_context(elsewhere.stream("GET", "/w/default/events?topics=run"))
            assert answer.status_code == 200
        page.goto(f"{running.url}/w/default/runs")
        expect(page.locator(".full")).to_contain_text(f"You have {MOST} others open elsewhere", timeout=SOON)
        expect(page.locator(".live.on")).to_have_count(0)
        assert page.locator("tbody tr").count() > 0
    for _ in range(60):  # the server learns by its next word that the others have gone
        page.locator(".full a").click()
        page.wait_for_selector(".full, .live.on", timeout=SOON)
        if page.locator(".full").count() == 0:
            break
    expect(page.locator(".live.on")).to_have_count(1, timeout=SOON)
    context.close()


def test_ten_tabs_share_one_stream(tab, here, running, words):
    """All of them hear of a run by it, and a further page opens at once: a browser has six connections to a host."""
    streams = []
    here.on("request", lambda request: streams.append(request) if "/events?" in request.url else None)
    here.on("requestfailed", lambda request: request in streams and streams.remove(request))
    pages = [tab() for _ in range(10)]
    before = pages[0].locator("tbody tr").count()
    running.cli("run", words, "--follow")
    for page in pages:
        expect(page.locator("tbody tr")).to_have_count(before + 1, timeout=SOON)
    assert len(streams) <= 2, "the one of the tab that leads, and one that it is just closing"


def test_over_plain_http_the_others_go_on_when_the_tab_that_leads_is_closed(browser, running, words):
    """There is no lock to hold there: tabs hear of each other. Ids are copied without a clipboard, too."""
    url = running.url.replace("127.0.0.1", ELSEWHERE)
    context = opened(browser, "desktop", "light")
    log_in(context.new_page(), url, **running.facts["admin"])
    context.pages[0].close()
    leads = []
    context.on("request", lambda request: leads.append(request.frame.page) if "/events?" in request.url else None)
    pages = [context.new_page() for _ in range(4)]
    for page in pages:
        page.goto(f"{url}/w/default/runs")
        page.wait_for_selector(".live.on", timeout=SOON)
    assert not pages[0].evaluate("isSecureContext")
    before = pages[0].locator("tbody tr").count()
    pages.remove(leads[-1])
    leads[-1].close()
    running.cli("run", words, "--follow")
    for page in pages:
        expect(page.locator("tbody tr")).to_have_count(before + 1, timeout=SOON)
        expect(page.locator(".live.on")).to_have_count(1, timeout=SOON)
    pages[0].goto(url + pages[0].locator("tbody tr a").first.get_attribute("href"))
    pages[0].locator("main [data-copy]").first.click()
    expect(pages[0].locator(".toast", has_text=re.compile("Copied|Selected"))).to_be_visible(timeout=SOON)
    context.close()


def test_a_session_that_is_over_is_said_in_place(browser, running, words):
    """What is typed stays; who has logged in again elsewhere goes on."""
    context = opened(browser, "desktop", "light")
    log_in(context.new_page(), running.url, **running.facts["admin"])
    page = context.new_page()
    page.goto(f"{running.url}/w/default/runs")
    page.wait_for_selector(".live.on", timeout=SOON)
    page.get_by_label("Search runs").fill("not yet sent")
    other = context.new_page()
    other.goto(f"{running.url}/w/default/runs")
    other.locator(".who").click()
    other.get_by_role("button", name="Log out").click()
    page.get_by_text("Your session has ended").wait_for(timeout=SOON)
    assert page.get_by_label("Search runs").input_value() == "not yet sent"
    expect(page.locator(".live")).to_contain_text("Not live since", timeout=SOON)
    context.close()
