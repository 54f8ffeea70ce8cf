"""The console's pages in a real browser: from a robot's `print` to the screen, and consoles of many lines.

The robot prints the time with each line; the page says when it saw the line. Both clocks are the machine's. Frames are
counted while the wheel turns over a million lines; memory is the page's heap afterwards. When lines are on the screen
is told by the page: after the frame that follows their coming.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.figures import Figure

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import sync_playwright

from browsers import launch
from consoles import log_in, opened
from rooms import Room, room

LINES = 120
_TALKER = """
import sys, time
if sys.argv[1] == "drip":
    time.sleep(3)
    for number in range({lines}):
        print(f"tick {{number}} {{time.time()}}", flush=True)
        time.sleep(0.15)
elif sys.argv[1] == "flood":
    time.sleep(3)
    for number in range(50):
        began = time.time()
        sys.stdout.write("".join(f"flood {{number * 500 + each}}\\n" for each in range(500)))
        sys.stdout.flush()
        time.sleep(max(0, 0.1 - (time.time() - began)))
else:
    for number in range(int(sys.argv[1])):
        sys.stdout.write(f"\\x1b[34mline\\x1b[0m {{number}} reserve \\x1b[32mdone\\x1b[0m INV-{{number:07d}}\\n")
"""
_SEEN = """() => {
  window.seen = {}
  const look = node => {
    const found = /tick (\\d+) ([\\d.]+)/.exec(node.textContent)
    if (found && !(found[1] in seen)) seen[found[1]] = Date.now() - found[2] * 1000
  }
  const watch = new MutationObserver(all => all.forEach(each => each.addedNodes.forEach(look)))
  watch.observe(document.querySelector(".log"), { childList: true, subtree: true })
}"""
_PAINTED = """new MutationObserver((all, watch) => {
  if (!document.querySelector(".log li > span:not(:empty)")) return
  watch.disconnect()
  requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now() }))
}).observe(document, { childList: true, subtree: true })"""
_FRAMES = """async () => {
  const { viewer } = document.querySelector("[data-console]"), times = []
  await new Promise(done => {
    let before = performance.now(), count = 0
    const step = now => {
      times.push(now - before)
      before = now
      viewer.goTo(viewer.top + 400)
      ++count < 240 ? requestAnimationFrame(step) : done()
    }
    requestAnimationFrame(step)
  })
  return times.slice(5).sort((one, other) => one - other)
}"""


_WIRE = """() => {
  const [page] = performance.getEntriesByType("navigation")
  const all = [page, ...performance.getEntriesByType("resource").filter(each => !each.name.includes("/events"))]
  return all.reduce((sum, each) => sum + each.transferSize, 0) / 1000
}"""
_PAINT = """async () => {
  const told = kind => new Promise(done => {
    const found = []
    new PerformanceObserver(list => found.push(...list.getEntries())).observe({ type: kind, buffered: true })
    setTimeout(() => done(found), 300)
  })
  const largest = (await told("largest-contentful-paint")).at(-1)?.startTime ?? 0
  const shift = (await told("layout-shift")).reduce((sum, each) => sum + each.value, 0)
  return [performance.getEntriesByName("first-contentful-paint")[0].startTime, largest, shift]
}"""


def main() -> Iterator[Figure]:
    """First paint and bytes; print to screen; 100,000 and a million lines; a flood that is followed."""
    with room("--slots", "2") as running, sync_playwright() as playwright:
        started = _started(running)
        browser = launch(playwright)
        page = opened(browser, "desktop", "light").new_page()
        log_in(page, running.url, **running.facts["admin"])
        yield from _first_paint(browser, page, running)
        yield _print_to_screen(page, running, started("drip"))
        yield from _followed(page, running, started("flood"))
        for lines in (100_000, 1_000_000):
            yield from _opened(page, running, _ended(running, started(str(lines))), lines)
        browser.close()


def _first_paint(browser: Any, known: Any, running: Room) -> Iterator[Figure]:
    """The overview by a browser that has nothing of the room yet, and the list of runs behind it."""
    kept, wires, following, paints = known.context.storage_state(), [], [], []
    for _ in range(5):
        context = opened(browser, "desktop", "light", storage_state=kept)
        page = context.new_page()
        page.goto(f"{running.url}/w/default", wait_until="load")
        page.wait_for_timeout(500)
        wires.append(page.evaluate(_WIRE))
        paints.append(page.evaluate(_PAINT))
        page.goto(f"{running.url}/w/default/runs", wait_until="load")
        page.wait_for_timeout(500)
        following.append(page.evaluate(_WIRE))
        context.close()
    yield Figure(
        "the overview by a new browser: on the wire; the list of runs after it",
        f"{median(wires):.0f} KB; {median(following):.0f} KB",
        "≤ 150 KB; ≤ 25 KB",
    )
    first, largest, shift = (median(each) for each in zip(*paints, strict=True))
    yield Figure(
        "likewise: first paint, largest paint, what moves afterwards",
        f"{first:.0f} ms, {largest:.0f} ms, {shift:.3f}",
        "largest ≤ 300 ms, 0",
    )


def _started(running: Room) -> Any:
    folder = Path(tempfile.mkdtemp(prefix="controlroom-bench-"))
    kinds = ("drip", "flood", "100000", "1000000")
    tasks = "".join(f"  {kind}:\n    shell: python3 talk.py {kind}\n" for kind in kinds)
    (folder / "robot.yaml").write_text(f"tasks:\n{tasks}artifactsDir: output\n")
    (folder / "talk.py").write_text(_TALKER.format(lines=LINES))
    running.cli("push", folder, "--name", "talker")
    for kind in kinds:
        running.cli("process", "create", f"talk {kind}", "--step", f"talk=talker:{kind}")
    processes = {each["name"]: each["id"] for each in running.get("/processes")["data"]}
    return lambda kind: running.post(f"/processes/{processes[f'talk {kind}']}/process-runs", {})["id"]


def _ended(running: Room, run: str) -> str:
    while running.get(f"/process-runs/{run}")["state"] not in {"completed", "unresolved"}:
        time.sleep(0.5)
    return run


def _console(page: Any, running: Room, run: str) -> None:
    page.goto(f"{running.url}/w/default/runs/{run}/console")
    while not page.locator(".log").count():
        time.sleep(0.1)
        page.reload()


def _print_to_screen(page: Any, running: Room, run: str) -> Figure:
    _console(page, running, run)
    page.evaluate(_SEEN)
    _ended(running, run)
    page.wait_for_timeout(1500)
    took = sorted(page.evaluate("() => Object.values(window.seen)"))
    return Figure(
        "a robot's print → the line on the screen of who follows (p50 / p99)",
        f"{median(took):.0f} / {took[int(len(took) * 0.99)]:.0f} ms of {len(took)} lines",
        "≤ 150 ms / ≤ 1 s",
    )


def _followed(page: Any, running: Room, run: str) -> Iterator[Figure]:
    _console(page, running, run)
    _ended(running, run)
    page.wait_for_timeout(2500)
    numbers = [int(each) for each in page.locator(".log li > a").all_inner_texts()]
    total = page.evaluate("() => document.querySelector('[data-console]').viewer.lines.total")
    is_whole = total == 25_000 and numbers == list(range(numbers[0], 25_001))
    yield Figure(
        "5,000 lines a second, followed: lines at the end, none missing or twice", str(total), "25,000", str(is_whole)
    )


def _opened(page: Any, running: Room, run: str, lines: int) -> Iterator[Figure]:
    took = []
    page.add_init_script(_PAINTED)
    for _ in range(5):
        page.goto(f"{running.url}/w/default/runs")
        page.goto(f"{running.url}/w/default/runs/{run}/console")
        page.wait_for_function("() => window.painted")
        took.append(page.evaluate("() => window.painted"))
    yield Figure(
        f"console of {lines:,} lines: asked for → lines on the screen", f"{median(took):.0f} ms", "≤ 200 ms", ""
    )
    frames = page.evaluate(_FRAMES)
    heap = page.evaluate("() => performance.memory.usedJSHeapSize") / 1e6
    yield Figure(
        "likewise, scrolled by the wheel: a frame (p50 / p99), heap afterwards",
        f"{frames[len(frames) // 2]:.0f} / {frames[int(len(frames) * 0.99)]:.0f} ms, {heap:.0f} MB",
        "60 frames a second, ≤ 60 MB",
    )
