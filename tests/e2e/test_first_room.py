"""The sample robots, run by a real worker through the command line, and the API's own page."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rooms import Room, clean_environment

EXAMPLES = Path(__file__).parents[2] / "examples"


def make(running: Room, robot: str, process: str, *steps: str, options: tuple[str, ...] = ()) -> str:
    """Push a sample robot and make a process of its tasks; the process's id."""
    package = running.cli("push", EXAMPLES / robot, "--name", process).stdout.strip()
    words = [word for step in steps for word in ("--step", f"{step.replace(' ', '-')}={package}:{step}")]
    return running.cli("process", "create", process, *words, *options).stdout.strip()


def test_orders_become_invoices(running, tmp_path):
    """Three steps share the work on orders; the one that nobody can invoice is told apart and settled by hand."""
    make(
        running, "producer-consumer", "Invoices", "produce", "consume", "report",
        options=("--max-parallel", "consume=2", "--after-previous", "report"),
    )  # fmt: skip

    followed = running.cli("run", "Invoices", "--follow", code=1)  # an unresolved run is no success

    assert "produce#1 | order 1001 of Albatross Charters" in followed.stdout
    assert "countries," in followed.stdout
    assert "unresolved" in followed.stderr
    run = running.json("runs", "list", "--process", "Invoices")[0]
    items = running.json("items", "list", "--run", run["id"])
    assert sorted(item["state"] for item in items if item["step"]) == ["done"] * 11 + ["failed"]
    [failed] = [item for item in items if item["state"] == "failed"]
    assert failed["exception"] == {
        "type": "business",
        "code": "NO_CUSTOMER",
        "message": "order 1003 names no customer",
    }
    running.cli("artifacts", "download", run["id"], "-o", tmp_path, "--name", "report.md")
    [report] = tmp_path.glob("report-1/report.md")
    assert "| DE | 102.82 |" in report.read_text()

    running.cli("items", "done", failed["id"])

    running.cli("runs", "follow", run["id"])
    assert running.json("runs", "show", run["id"])["state"] == "completed"


def test_an_input_file_replaces_the_sample_orders(running, tmp_path):
    """A file given on the command line reaches the robot as a file of its work item."""
    make(running, "producer-consumer", "Own orders", "produce")
    orders = tmp_path / "mine.csv"
    orders.write_text("order,customer,country,net\n7,Quark & Co,DE,1.00\n")

    followed = running.cli("run", "Own orders", "--input", "{}", "--file", orders, "--follow")

    assert "order 7 of Quark & Co" in followed.stdout
    assert "Albatross" not in followed.stdout


def test_a_plain_script_is_a_robot(running, tmp_path):
    """A script without any library, in no environment, gets its payload and leaves its artifact."""
    make(running, "plain-script", "Words", "Count words")

    followed = running.cli("run", "Words", "--input", json.dumps({"text": "to be or not to be"}), "--follow")

    assert "   2 to" in followed.stdout
    run = running.json("runs", "list", "--process", "Words")[0]
    running.cli("artifacts", "download", run["id"], "-o", tmp_path)
    [words] = tmp_path.rglob("words.json")
    missing = running.cli("artifacts", "download", run["id"], "-o", tmp_path, "--name", "other.json", code=1)
    assert "the run left no file called 'other.json'" in missing.stderr
    assert json.loads(words.read_text())[:2] == [["to", 2], ["be", 2]]


def test_secrets_and_assets_reach_the_robot(running, tmp_path):
    """A robot reads the vault and keeps an asset, by the vendor's libraries; values stay out of sight."""
    password = tmp_path / "password"
    password.write_text("correct horse battery")
    running.cli("secrets", "set", "shop", "user=ada", f"password=@{password}", "--description", "the shop's")
    make(running, "vault-and-assets", "Visits", "log-in")

    first = running.cli("run", "Visits", "--follow")
    second = running.cli("run", "Visits", "--follow")

    assert "logging in as ada with a password of 21 characters" in first.stdout
    assert "visit number 1" in first.stdout
    assert "visit number 2" in second.stdout
    assert json.loads(running.cli("assets", "get", "visits").stdout) == {"count": 2}
    assert "correct horse" not in running.cli("secrets", "show", "shop").stdout + running.log


@pytest.mark.slow
def test_robot_framework_with_rpa_libraries(running, tmp_path):
    """A Robot Framework robot runs from its folder, with RPA.Robocorp.WorkItems and RPA.Tables, unedited."""
    make(
        running, "web-report", "Visits report", "Split table", "Collect rows",
        options=("--after-previous", "Collect-rows"),
    )  # fmt: skip

    running.cli("run", "Visits report", "--follow", code=1)

    run = running.json("runs", "list", "--process", "Visits report")[0]
    failed = running.json("items", "list", "--run", run["id"], "--state", "failed")
    assert [item["exception"]["code"] for item in failed] == ["UNPOPULAR"]
    running.cli("artifacts", "download", run["id"], "-o", tmp_path, "--name", "report.csv")
    [report] = tmp_path.rglob("report.csv")
    assert [line.split(",")[0] for line in report.read_text().splitlines()] == ["page", "/", "/docs", "/pricing"]


def test_the_api_describes_itself_offline(running, page):
    """The documentation page of the API works in a browser without a word to any other machine."""
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    answer = page.goto(f"{running.url}/api/v1/docs", wait_until="networkidle")

    assert answer.ok
    assert page.get_by_text("process-runs").first.is_visible()
    page.get_by_label("Search").fill("update work item payload")
    assert page.locator("article:visible h3").all_inner_texts() == ["POST\n/work-items/{item_id}/payload"]
    assert page.get_by_text("PUT does the same").locator("visible=true").count() == 1
    assert [url for url in asked if not url.startswith((running.url, "data:", "blob:"))] == []
    assert complaints == []


def test_the_demonstration(tmp_path):
    """`make demo` shows the way from nothing to invoices, and ends cleanly."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / "demo.py", "--once"],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
        env=clean_environment(DEMO=str(tmp_path / "demo")),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "NO_CUSTOMER" in done.stdout
    assert "report.md" in done.stdout
    assert "state       completed" in done.stdout
