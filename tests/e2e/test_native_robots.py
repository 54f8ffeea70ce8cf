"""Robots of our own library in a whole room: built by the worker from their name, worked, and watched."""

import json
import os
from pathlib import Path

from playwright.sync_api import expect

from consoles import faults, log_in, opened
from native_robots import EXAMPLE, copy_to

SOON = 60_000
SLOW = """
import time
from controlroom_robot import asset, items, progress
for item in items():
    with item:
        done = 0
        while done < 4:
            done = int(asset("done").text())
            progress(done, 4, f"page <{done}>")
            time.sleep(0.2)
"""


def test_the_robot_of_the_guide_works_in_a_room(running, tmp_path):
    """Pushed as it is shown, with the secret and the asset that it asks for."""
    robot = tmp_path / "robot"
    robot.mkdir()
    files = copy_to(robot)
    running.cli("secrets", "set", "shop", "user=ada", "password=correct horse")
    running.cli("assets", "set", "prices.json", "--file", robot / "devdata/assets/prices.json")
    package = running.cli("push", robot, "--name", "guide").stdout.strip()
    running.cli("process", "create", "Guide", "--step", f"invoice={package}:Invoice")

    orders = [each["payload"] for each in json.loads(files["devdata/items.json"])]
    followed = running.cli("run", "Guide", *(f"--input={json.dumps(each)}" for each in orders), "--follow", code=1)

    assert "INFO working as ada" in followed.stdout
    run = running.json("runs", "list", "--process", "Guide")[0]
    items = running.json("items", "list", "--run", run["id"])
    [failed] = [item for item in items if item["state"] == "failed"]
    assert failed["exception"] == {"type": "business", "code": "NO_PRICE", "message": "no price of stone"}
    [made] = running.json("runs", "outputs", run["id"])
    assert made["payload"] == json.loads(files["outputs"])[0]["payload"]
    assert [file["name"] for file in made["files"]] == ["invoice.txt"]
    [step_run] = running.json("runs", "show", run["id"])["step_runs"]
    assert (step_run["progress"]["done"], step_run["progress"]["message"]) == (2, "stone")


def test_the_example_robot_works_in_a_room(running):
    """Its two steps, the second on what the first has put out."""
    running.cli("assets", "set", "rates.json", "--file", EXAMPLE / "devdata/assets/rates.json")
    package = running.cli("push", EXAMPLE, "--name", "native").stdout.strip()
    steps = [word for step in ("split", "invoice") for word in ("--step", f"{step}={package}:{step}")]
    running.cli("process", "create", "Native", *steps)
    orders = json.loads((EXAMPLE / "devdata/items.json").read_text("utf-8"))[0]["payload"]

    followed = running.cli("run", "Native", "--input", json.dumps(orders), "--follow", code=1)

    assert "INFO order 1: 11.90" in followed.stdout
    run = running.json("runs", "list", "--process", "Native")[0]
    items = running.json("items", "list", "--run", run["id"])
    assert sorted(item["state"] for item in items if item["step"]) == ["done", "done", "failed"]


def test_the_page_of_a_run_shows_a_bar_that_moves(running, browser, tmp_path):
    """Each word of a robot is seen on a page that is open already, and the bar goes when the robot has ended."""
    robot = tmp_path / "slow"
    robot.mkdir()
    copy_to(robot)
    (robot / "robot.py").write_text(SLOW)
    package = running.cli("push", robot, "--name", "slow").stdout.strip()
    running.cli("process", "create", "Slow", "--step", f"read={package}:Invoice")
    running.cli("assets", "set", "done", "1")
    running.cli("run", "Slow")
    run = running.json("runs", "list", "--process", "Slow")[0]
    context = opened(browser, "desktop", "light")
    context.set_default_timeout(SOON)
    page = context.new_page()
    log_in(page, running.url, **running.facts["admin"])

    page.goto(f"{running.url}/w/default/runs/{run['id']}")
    bar = page.locator("#at_work")
    expect(bar).to_contain_text("1 of 4, 25.0 %", timeout=3 * SOON)  # its environment is built meanwhile
    expect(bar).to_contain_text("page <1>")
    running.cli("assets", "set", "done", "3")
    expect(bar).to_contain_text("3 of 4, 75.0 %", timeout=SOON)
    assert faults(page) == []
    if shots := os.environ.get("SHOTS"):
        page.screenshot(path=str(Path(shots) / "progress.png"))
    running.cli("assets", "set", "done", "4")
    expect(bar).to_be_hidden(timeout=SOON)
    [step_run] = running.json("runs", "show", run["id"])["step_runs"]
    assert step_run["progress"]["done"] == 4
    page.reload()
    page.locator(".timeline a.id").first.click()
    expect(page.locator("#step_run")).to_contain_text("4 of 4, 100 %", timeout=SOON)
    if shots:
        page.screenshot(path=str(Path(shots) / "step-run.png"))
    context.close()
