"""The console of a run in a real browser: followed while it is printed, opened where it failed, searched as a whole."""

import re
import textwrap
from uuid import UUID

import pytest
from playwright.sync_api import expect

from consoles import faults, log_in, opened, watched

SOON = 60_000
_DRAWN = """[...document.querySelectorAll('.log li[id]')].map(row =>
  row.id + [...row.lastElementChild.childNodes]
    .map(each => each.nodeName + (each.className ?? '') + each.textContent).join('|'))"""
_IS_DRAWN = "() => document.querySelector('.log li[id]')?.text !== undefined"
_IS_AT = """place => {
  const box = document.querySelector('.log').getBoundingClientRect(), rows = document.querySelectorAll('.log li[id]')
  const total = document.querySelector('[data-console]').viewer.lines.total
  if (place === 'first') {   // on top of it stand the heads of what has printed nothing, and of its own phase
    const { top } = document.querySelector('.log li').getBoundingClientRect()
    return rows[0].id === 'L1' && Math.abs(top - box.top) < 12
  }
  const row = rows[rows.length - 1]
  return row.id === `L${total}` && Math.abs(row.getBoundingClientRect().bottom - box.bottom) < 12
}"""
LINES = 3000


@pytest.fixture(scope="module")
def run(running, tmp_path_factory):
    """A run that prints while it is looked at, and fails at its end; its number."""
    folder = tmp_path_factory.mktemp("talker")
    (folder / "robot.yaml").write_text("tasks:\n  Talk:\n    shell: python3 talk.py\nartifactsDir: output\n")
    (folder / "talk.py").write_text(
        textwrap.dedent(f"""
        import time
        for number in range({LINES}):
            more = " and on" * (number % 40) * (number > 2000)
            print(f"\\x1b[32mline\\x1b[0m {{number}} of the tale{{more}}", flush=number % 100 == 0)
            if number % 100 == 0:
                time.sleep(0.05)
        raise ValueError("the tale has no end")
        """)
    )
    running.cli("push", folder, "--name", "talker")
    running.cli("process", "create", "Talk", "--step", "talk=talker:Talk")
    process = next(each["id"] for each in running.get("/processes")["data"] if each["name"] == "Talk")
    return running.post(f"/processes/{process}/process-runs", {})["id"]


@pytest.fixture(scope="module")
def page(browser, running):
    """Somebody who is logged in."""
    context = opened(browser, "desktop", "dark")
    opened_page = context.new_page()
    log_in(opened_page, running.url, **running.facts["admin"])
    yield opened_page
    context.close()


def test_a_console_is_followed_to_its_end_without_a_gap(page, running, run):
    """It goes on by itself; no line stands twice, none is left out."""
    complaints = watched(page)
    page.goto(f"{running.url}/w/default/runs/{run}/console")
    until = page.locator("[data-console]")
    for _ in range(600):  # before the worker has taken it there is no console
        if until.count():
            break
        page.wait_for_timeout(100)
        page.reload()
    expect(page.locator(".log li[id]").last).to_contain_text("the tale has no end", timeout=SOON)
    expect(page.locator("footer.pager")).to_contain_text(re.compile(r"3,00\d lines"), timeout=SOON)
    numbers = [int(text) for text in page.locator(".log li > a").all_inner_texts()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    before_the_error = next(each for each in page.locator(".log li > span").all_inner_texts() if "2999" in each)
    assert before_the_error.startswith(f"line {LINES - 1} of the tale")
    assert complaints == []


def test_it_opens_at_the_first_error_and_is_searched_as_a_whole(page, running, run):
    """Whatever is loaded; a line has an address, and levels leave what they are of with what stands around it."""
    page.goto(f"{running.url}/w/default/runs/{run}/console")
    expect(page.locator(".log li.is-now")).to_contain_text("Traceback", timeout=SOON)
    page.locator(".log").hover()
    page.keyboard.press("Control+f")
    page.keyboard.type("LINE 77 of")
    expect(page.locator("[data-found]")).to_have_text("1 of 1", timeout=SOON)
    expect(page.locator(".log li.is-now > a")).to_have_text("78")
    page.locator("[data-level=errors]").click()
    expect(page.locator("footer.pager")).to_contain_text("of them shown", timeout=SOON)
    assert page.locator(".log li[id]").count() < 20
    page.goto(f"{running.url}/w/default/runs/{run}/console#L1201-1203")
    expect(page.locator(".log li.is-chosen")).to_have_count(3, timeout=SOON)
    assert faults(page) == []


def test_it_is_there_before_any_script_and_looks_the_same_afterwards(browser, page, running, run):
    """The first lines come with the page, at their place; the script draws each as the server has."""
    with browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state()) as context:
        still = context.new_page()
        still.goto(f"{running.url}/w/default/runs/{run}/console?from=1")
        seen = still.evaluate(_DRAWN)
        assert len(seen) == 1000
        assert still.locator("[data-phase]").count() >= 1
    page.goto(f"{running.url}/w/default/runs/{run}/console?from=1")
    page.wait_for_function(_IS_DRAWN)  # those of the script
    drawn = page.evaluate(_DRAWN)
    assert drawn == seen[: len(drawn)]


def test_long_lines_wrap_and_every_one_is_reached(page, running, run):
    """The last line's end is at the end, the first at the beginning, and a line that is asked for is in sight."""
    page.goto(f"{running.url}/w/default/runs/{run}/console?from=1")
    page.wait_for_function(_IS_DRAWN)
    page.set_viewport_size({"width": 420, "height": 800})
    page.locator("[data-wrap]").click()
    page.locator(".log").focus()
    for key, place in (("End", "last"), ("Home", "first"), ("End", "last")):
        page.keyboard.press(key)
        page.wait_for_function(_IS_AT, arg=place)
    page.evaluate("location.hash = 'L1500'")
    page.wait_for_function("""() => {
        const box = document.querySelector('.log').getBoundingClientRect()
        const row = document.getElementById('L1500')?.getBoundingClientRect()
        return row && row.top >= box.top - 1 && row.bottom <= box.bottom + 1
    }""")
    numbers = [int(text) for text in page.locator(".log li > a").all_inner_texts()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    page.set_viewport_size({"width": 1440, "height": 900})


def test_the_phase_of_the_line_on_top_is_marked(page, running, run):
    """And leads to its first line."""
    page.goto(f"{running.url}/w/default/runs/{run}/console")
    mark = page.locator("[data-phase][aria-current]")
    expect(mark).to_have_count(1, timeout=SOON)
    expect(mark).to_contain_text("Talk")
    first = int(mark.get_attribute("data-phase"))
    mark.click()
    expect(page.locator(f"#L{first + 1}")).to_be_in_viewport(timeout=SOON)
    expect(mark).to_contain_text("Talk")


def test_everything_is_reached_by_keys(page, running, run):
    """The palette finds a run by its number, `g r` leads to the runs, `?` tells the others."""
    page.goto(f"{running.url}/w/default/runs")
    page.keyboard.press("Control+k")
    page.keyboard.type(str(run))
    expect(page.locator(".palette [role=option] b").first).to_be_visible(timeout=SOON)
    assert faults(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("?")
    page.get_by_role("heading", name="Keys").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("j")
    expect(page.locator("tbody tr a:focus")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/runs/\d+$"))
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url(re.compile("/runs$"))


def test_a_search_through_past_consoles_goes_on_by_itself_until_it_is_stopped(page, running, run):
    """Look after look; stopped, the look under way is given up at once, and a link goes on from there."""
    while running.get(f"/process-runs/{run}")["state"] not in {"completed", "unresolved"}:
        page.wait_for_timeout(200)
    looks, given_up = [], []

    def look(route):
        if "before=" in route.request.url:
            looks.append(route.request.url)
            if len(looks) > 2:
                return  # one that takes long
        answer = route.fetch()
        further = (
            f'<a class="btn small" href="{route.request.url}&before={UUID(int=0)}" data-further>Look further back</a>'
        )
        body = answer.text().replace('<span class="faint">That was all.</span>', further)
        route.fulfill(response=answer, body=body)

    page.on("requestfailed", lambda request: given_up.append(request.url) if "/search?" in request.url else None)
    page.route("**/search?*", look)
    page.goto(f"{running.url}/w/default/search?q=7+of+the+tale&in=consoles&since=1d")
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_visible(timeout=SOON)
    while len(looks) < 3:
        page.wait_for_timeout(50)
    expect(page.locator("#results li").first).to_contain_text("line 8: line 7 of the tale")
    stop.click()
    expect(page.locator("a[data-further]")).to_have_attribute("href", looks[-1], timeout=SOON)
    assert given_up == looks[-1:]
    page.unroute("**/search?*")
