"""What people do with processes, runs, work items, queues and schedules: each verb once, through the browser."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from console_hand import Hand, walks
from console_pages import EXAMPLES
from rooms import Room, until

pytestmark = pytest.mark.timeout(900)
SOON = 60_000


@pytest.fixture(scope="module")
def words(there: Room) -> str:
    """A process that counts words, and one of a group in which nobody is; the number of the first."""
    there.cli("push", EXAMPLES / "plain-script", "--name", "words")
    there.cli("process", "create", "Words", "--step", "count=words:Count words")
    number = str(there.get("/processes")["data"][0]["id"])
    there.post("/worker-groups", {"name": f"nobody of {number}"})
    there.cli(
        *("process", "create", "Night", "--step", "count=words:Count words"),
        "--place",
        f"count=group:nobody of {number}",
    )
    return number


def night_of(there: Room) -> str:
    """The id of the other one."""
    return next(str(each["id"]) for each in there.get("/processes")["data"] if each["name"] == "Night")


@walks("/processes")
def test_a_process(hand: Hand, there: Room, words: str) -> None:
    """Made, changed, taken back, switched off and on, started, given mail and what follows, deleted and had again."""
    hand.open("/processes")
    made = hand.do("/processes/new", name="Invoices", **{"step-0-work": "words: Count words"})
    hand.do(f"/processes/{made}/edit", name="Invoices of the Buchhaltung", press="Save")
    hand.titled("Invoices of the Buchhaltung")
    hand.undo()
    hand.titled("Invoices")
    hand.do(f"/processes/{made}/edit", name="Bills", press="Save")
    hand.open(f"/processes/{made}/changes")
    hand.do(f"/processes/{made}/changes/*/take-back")
    hand.open(f"/processes/{made}")
    hand.titled("Invoices")
    hand.do(f"/processes/{made}/disable")
    hand.do(f"/processes/{made}/enable")
    hand.do(f"/processes/{made}/start", press="Start")
    hand.open(f"/processes/{made}/triggers")
    hand.do(f"/processes/{made}/mail")
    hand.do(f"/processes/{made}/mail/rotate")
    hand.do(f"/processes/{made}/mail/delete")
    hand.link("a secret of its own")
    hand.do(f"/processes/{made}/secret")
    hand.says("This is its secret.")
    hand.do(f"/processes/{made}/secret/reveal")
    hand.do(f"/processes/{made}/secret/off")
    hand.says("It has none.")
    hand.open(f"/processes/{made}/triggers")
    hand.do(f"/processes/{made}/chains", next="Words", even_if_empty=True)
    hand.do(f"/processes/{made}/chains/*/edit", is_enabled=False)
    hand.says("with one empty item · off")
    hand.do(f"/processes/{made}/chains/*/delete")
    hand.lacks("starts when a run is")
    hand.undo()
    hand.says("starts when a run is")
    hand.open(f"/processes/{made}")
    hand.do(f"/processes/{made}/delete")
    hand.undo()
    hand.titled("Invoices")
    hand.do(f"/processes/{made}/delete")
    hand.lacks("Invoices")


@walks("/schedules")
def test_a_schedule(hand: Hand, words: str) -> None:
    """Made with a look at what it will do, changed, fired by hand, paused, resumed, deleted and had again."""
    hand.open("/schedules")
    hand.do(
        "/schedules/new",
        press="Look",
        name="Mornings",
        process="Words",
        kind="cron",
        cron="0 6 * * 1-5",
        zone="Europe/Oslo",
    )
    hand.says("06:00")
    made = hand.do("/schedules/new", press="Make the schedule")
    hand.says("Mornings")
    hand.do(f"/schedules/{made}/edit", name="Early", press="Save")
    hand.says("Early")
    hand.do(f"/schedules/{made}/pause")
    hand.undo()
    hand.do(f"/schedules/{made}/fire")
    hand.open(f"/schedules/{made}")
    hand.do(f"/schedules/{made}/delete")
    hand.lacks("Early")
    hand.undo()
    hand.says("Early")


@walks("/runs", but={"/w/{workspace:str}/runs/{number:str}/retry"})
def test_a_run(hand: Hand, there: Room, words: str, tmp_path: Path) -> None:
    """Started with payloads, stopped, run again with the same and with other inputs, and deleted; a step run pauses."""
    (tmp_path / "robot.yaml").write_text("tasks:\n  Sleep:\n    shell: sleep 900\nartifactsDir: output\n")
    there.cli("push", tmp_path, "--name", "sleeper")
    there.cli("process", "create", "Sleep", "--step", "sleep=sleeper:Sleep")
    sleep = next(each["id"] for each in there.get("/processes")["data"] if each["name"] == "Sleep")
    asleep = there.post(f"/processes/{sleep}/process-runs", {})["id"]
    night = hand.number("/processes", night_of(there))
    run = hand.do(f"/processes/{night}/start", payloads='[{"text": "a b a"}]')
    hand.do(f"/runs/{run}/stop", how="terminate", rest="failed", press="Stop")
    expect(hand.page.locator("h1")).to_contain_text("Night", timeout=SOON)
    again = hand.do(f"/runs/{run}/again")
    assert again != run
    hand.open(f"/runs/{run}/again")
    other = hand.do(f"/runs/{run}/again/with", payloads='[{"text": "c"}, {"text": "d"}]')
    hand.open(f"/runs/{other}/data")
    for each in (again, other):
        hand.open(f"/runs/{each}")
        hand.do(f"/runs/{each}/stop", how="terminate", rest="done", press="Stop")
    started = f"/process-runs?process_id={night_of(there)}"
    ends = {"completed", "unresolved"}
    until(lambda: {each["state"] for each in there.get(started)["data"]} <= ends, "they have stopped")
    hand.open(f"/runs/{other}")
    hand.do(f"/runs/{other}/delete")
    hand.lacks(f"#{other}")

    def begun() -> list[Any]:
        return there.get(f"/step-runs?process_run_id={asleep}&state=in_progress")["data"]

    until(begun, "a worker has begun it")
    step_run = begun()[0]["id"]
    asleep = hand.number("/runs", asleep)
    hand.open(f"/runs/{asleep}/steps/{step_run}")
    hand.do(f"/runs/{asleep}/steps/*/pause")
    hand.do(f"/runs/{asleep}/steps/*/resume")
    hand.do(f"/runs/{asleep}/steps/*/stop")


@walks("/queues", "/item-models")
def test_a_queue(hand: Hand, there: Room, words: str) -> None:
    """Changed, filled by hand and by a table, opened to one, worked off by what pauses, deleted; a model of items."""
    hand.open("/item-models")
    model = hand.do("/item-models/new", name=f"Invoice {words}", attribute="amount", kind="number")
    hand.open("/queues")
    queue = hand.do("/queues/new", name="claims", description="Of the Buchhaltung")
    hand.do(f"/queues/{queue}/edit", name="claims-inbox")
    hand.titled("claims-inbox")
    hand.do(f"/queues/{queue}/put", payload='{"n": 1}')
    hand.open(f"/queues/{queue}")
    hand.do(f"/queues/{queue}/grants", to="viewer", of="role", right="add", press="Let them")
    hand.says("holders of the role may put items in")
    hand.undo()
    hand.lacks("holders of the role")
    rows = {"name": "claims.csv", "mimeType": "text/csv", "buffer": b"n\n2\n3\n"}
    hand.open(f"/queues/{queue}/tables")
    hand.do(f"/queues/{queue}/tables/load", table=rows)
    hand.do(f"/queues/{queue}/tables/export")
    hand.open(f"/queues/{queue}")
    leads = hand.page.locator('main a[href*="/queues/archives?queue="]').get_attribute("href")
    hand.open(leads.removeprefix(hand.base))
    hand.do("/queues/archives/export", name="Move of the claims", items=True)
    download = hand.page.get_by_role("link", name="Move of the claims")
    until(lambda: hand.open("/queues/archives") or download.count(), "the archive is made")
    with hand.page.expect_download() as loaded:
        download.click()
    archive = {"name": "claims.zip", "mimeType": "application/zip", "buffer": loaded.value.path().read_bytes()}
    hand.do("/queues/archives/import", archive=archive, existing="skip")
    hand.open(f"/queues/{queue}")
    hand.do(f"/queues/{queue}/consumers/new", task="words: Count words", is_paused=True)
    hand.do(f"/queues/{queue}/consumers/*/go-on")
    hand.do(f"/queues/{queue}/consumers/*/pause")
    hand.do(f"/queues/{queue}/consumers/*/edit", batch="7")
    hand.says("7")
    hand.do(f"/queues/{queue}/consumers/*/delete")
    hand.says("Nobody takes from it")
    hand.undo()
    hand.open(f"/queues/{queue}")
    hand.says("words: Count words")
    hand.do(f"/queues/{queue}/consumers/*/delete")
    hand.do(f"/queues/{queue}/delete", with_items=True)
    hand.lacks("claims-inbox")
    hand.open(f"/item-models/{model}")
    hand.do(f"/item-models/{model}/delete")


@walks("/items", but={"/w/{workspace:str}/items/jobs/{number:str}/stop"})  # a job may be quicker than a hand
def test_items_one_by_one_and_all_that_match(hand: Hand, there: Room, words: str) -> None:
    """One is put in, edited, moved in its line, held; ticked ones and all that match are asked for, done by a job."""
    night = night_of(there)
    hand.open("/items")
    item = hand.do("/items/new", process="Night", payload='{"text": "a"}', reference="R-1")
    hand.open(f"/items/{item}")
    hand.do(f"/items/{item}/edit", payload='{"text": "a b"}', press="Save")
    hand.do(f"/items/{item}/terms", priority="7")
    hand.undo()
    started = {"type": "with_payloads", "payloads": [{"n": n} for n in range(900)]}
    run = there.post(f"/processes/{night}/process-runs", started)["id"]
    pending = f"/work-items?process_id={night}&state=pending&limit=1000"
    until(lambda: len(there.get(pending)["data"]) >= 900, "they are pending")
    hand.open(f"/items?tab=waiting&run={run}")
    hand.page.locator("tbody .tick-cell input").first.check()
    with hand.page.expect_navigation():
        hand.page.locator(".bulk").get_by_role("button", name="Hold").click()
    hand.do("/items/bulk", press="Hold 1")
    hand.says("1 item is held.")
    hand.undo()
    hand.says("1 item is let go.")
    with hand.page.expect_navigation():
        hand.page.locator("tbody td.name a").first.click()
    hand.do("/items/*/do/hold")
    hand.undo()

    hand.open(f"/items?tab=all&run={run}")
    hand.page.locator("[data-tick-all]").click()
    hand.link("all 900 work items that match")
    hand.link("Hold")
    hand.says("Can be")
    hand.do("/items/bulk", press="Hold 900")
    ended(hand, "900 of 900 held.")
    hand.open(f"/items/bulk?tab=all&run={run}&all=1&operation=delete")
    hand.do("/items/bulk", typed="900")
    ended(hand, "900 of 900 deleted.")


def ended(hand, words):
    """The page of a job of items says so at its end: by itself, or to who looks again."""

    def says_so():
        if not hand.has_script and hand.page.get_by_role("link", name="Look again").count():
            hand.link("Look again")
        return hand.page.get_by_text(words).count()

    until(says_so, words)


@walks("/tasks")
def test_a_task_of_a_person(hand: Hand, there: Room) -> None:
    """A step asks somebody; its form is filled in, and the run goes on."""
    asked = {
        "title": "Approve the journey",
        "fields": [{"name": "amount", "kind": "number", "required": True}],
        "buttons": ["Approve", "Reject"],
    }
    process = there.post("/processes", {"name": "Travel", "steps": [{"name": "Approve", "form": asked}]})["id"]
    there.post(f"/processes/{process}/process-runs", {})
    until(lambda: there.get("/work-items?state=held")["data"], "somebody is asked")
    hand.open("/tasks")
    hand.link("Approve the journey")
    hand.do("/tasks/*", f0="8.5", press="Approve")
    hand.open("/tasks")
    hand.says("Nothing waits for anybody")


@walks("/trigger-mappings")
def test_a_trigger_mapping(hand: Hand, words: str) -> None:
    """Given, renamed, taken away; taking it away is taken back."""
    hand.open("/trigger-mappings")
    made = hand.do("/trigger-mappings/new", task="words: Count words", users="admin", label="production")
    hand.open(f"/trigger-mappings/{made}")
    hand.do(f"/trigger-mappings/{made}/edit", label="staging")
    hand.says("staging")
    hand.undo()
    hand.says("production")
    hand.do(f"/trigger-mappings/{made}/delete")
    hand.undo()
    hand.says("production")
    hand.open("/trigger-mappings")
    hand.says("production")


@walks("/allocations")
def test_a_ready_task(hand: Hand, words: str) -> None:
    """Kept ready, more of it, and let go."""
    hand.open("/allocations")
    made = hand.do("/allocations/new", task="words: Count words", most="2", run_as="admin")
    hand.open(f"/allocations/{made}")
    hand.do(f"/allocations/{made}/edit", most="3")
    hand.says("3")
    hand.undo()
    hand.do(f"/allocations/{made}/delete")
    hand.undo()


@walks("/locks")
def test_locks_and_slots(hand: Hand, there: Room, words: str) -> None:
    """Declared, widened, forgotten and had again; who holds one is shown; slots are set and put back."""
    hand.open("/locks")
    hand.do("/locks/new", name="mailbox", of="workspace", capacity="1")
    hand.titled("mailbox")
    hand.do("/locks/workspace/edit", capacity="3")
    hand.says("3 runs may hold it at once")
    hand.undo()
    hand.says("1 run may hold it at once")
    hand.do("/locks/workspace/forget")
    hand.lacks("mailbox")
    hand.undo()
    hand.titled("mailbox")
    hand.open("/locks")
    hand.do("/locks/slots", capacity="4")
    hand.says("of 4")
    hand.undo()
    hand.says("as many as its workers can run")


@walks("/views", "//admin/views")
def test_a_view_of_a_list(hand: Hand, words: str) -> None:
    """What is shown is saved by a name, shared, renamed, opened again and deleted; lists above workspaces, too."""
    for path, places in (("/runs?tab=all&since=7d", "/views"), ("//admin/users?tab=all", "//admin/views")):
        hand.open(path)
        hand.do(places, name="Last week")
        hand.says("Last week")
        hand.open(places)
        hand.do(f"{places}/*", press="Share")
        hand.do(f"{places}/*", press="Rename", name="This week")
        hand.says("This week")
        hand.do(f"{places}/*/delete")
        hand.lacks("This week")


def test_one_of_very_many_is_typed(hand: Hand, there: Room, tmp_path: Path) -> None:
    """More tasks than one chooses among: the server suggests by what is typed; a name of two is refused."""
    for package, names in (("many", [f"Task {number:03}" for number in range(1, 202)]), ("other", ["Task 007"])):
        folder = tmp_path / package
        folder.mkdir()
        tasks = "".join(f"  {name}:\n    shell: 'true'\n" for name in names)
        (folder / "robot.yaml").write_text(f"tasks:\n{tasks}artifactsDir: output\n")
        there.cli("push", folder, "--name", package)
    hand.open("/assistants/new")
    field = hand.page.get_by_label("Task")
    if hand.has_script:
        field.press_sequentially("Task 19")
        said = hand.page.locator("#of-task option")
        expect(said).to_have_count(10, timeout=SOON)
        assert all("Task 19" in (each.get_attribute("value") or "") for each in said.all())
    hand.do("/assistants/new", name="Ask one of many", task="Task 007", refused="Task 007")
    assert field.input_value() == "Task 007"
    hand.do("/assistants/new", task="many: Task 190")
    hand.titled("Ask one of many")
    hand.says("Task 190")
