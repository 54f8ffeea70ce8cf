"""Operations on many work items, queues and consumers at the prompt, against a real room."""

import json

import pytest

from rooms import Room


@pytest.fixture(scope="module")
def process(running: Room, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A process of one step, whose task is `robot:Go`."""
    folder = tmp_path_factory.mktemp("robot")
    (folder / "robot.yaml").write_text("tasks:\n  Go:\n    shell: python3 go.py\nartifactsDir: output\n")
    running.cli("push", folder, "--name", "robot")
    running.cli("process", "create", "Invoices", "--step", "read=robot:Go")
    return "Invoices"


@pytest.fixture(scope="module")
def letters(running: Room, process: str) -> str:
    """A queue that stands alone; a worker group `night` is there, and the task `robot:Go`."""
    del process  # its package has the task
    running.cli("queues", "create", "letters")
    running.cli("groups", "create", "night")
    return "letters"


@pytest.fixture
def failed(running: Room, process: str) -> list[str]:
    """Ids of three failed items of a run of their own: it waited for a worker and was stopped."""
    run = running.cli("run", process, "--input", "1", "--input", "2", "--input", "3").stdout.strip()
    running.end(run)
    rows = running.json("items", "list", "--run", run)
    assert [row["state"] for row in rows] == ["failed"] * 3
    return [row["id"] for row in rows]


def run_of(running: Room, item: str) -> str:
    return running.json("items", "show", item)["process_run"]["id"]


def test_an_operation_by_filter_is_previewed_and_asks(running, failed):
    """The preview says how many items would be touched, and changes none; without an answer nothing is done."""
    which = ("--run", run_of(running, failed[0]))
    assert running.json("items", "retry", *which, "--preview") == {"matched": 3, "would_touch": 3}
    assert "3 work items found, 3 would be retried" in running.cli("items", "retry", *which, "--preview").stdout
    assert "Retry 3 work items? Nobody can be asked here" in running.cli("items", "retry", *which, code=2).stderr

    assert {row["state"] for row in running.json("items", "list", *which)} == {"failed"}


def test_items_that_a_filter_finds_are_changed_together(running, failed):
    """Retried, held, let go, failed again and marked as done: each time it is said how many were touched."""
    which = ("--run", run_of(running, failed[0]), "--yes")
    assert running.cli("items", "retry", *which).stdout == "3 work items retried.\n"
    assert running.cli("items", "hold", *which).stdout == "3 work items set aside.\n"
    assert "held" in running.cli("items", "list", "--run", which[1]).stdout
    assert running.json("items", "release", *which)["touched"] == 3
    nothing = running.cli("items", "done", *which).stdout
    assert "3 work items found, 0 would be marked as done. What has failed" in nothing
    running.end(which[1])
    assert running.cli("items", "done", "--step", "read", "--process", "Invoices", "--state", "failed", *which).stdout

    assert {row["state"] for row in running.json("items", "list", "--run", which[1])} == {"done"}
    assert running.json("items", "delete", *which, "--created-before", "2020-01-01")["touched"] == 0
    assert running.json("items", "delete", *which, "--created-after", "2020-01-01")["touched"] == 3
    assert running.json("items", "list", "--run", which[1]) == []


def test_named_items_are_changed_without_a_filter(running, failed):
    """Ids go on working as they did: all of them, and deleting asks."""
    running.cli("items", "done", failed[0])
    running.cli("items", "retry", *failed[1:])
    assert [running.json("items", "show", item)["state"] for item in failed] == ["done", "pending", "pending"]
    assert "Delete 1 work item?" in running.cli("items", "delete", failed[0], code=2).stderr
    running.cli("items", "delete", failed[0], "--yes")
    running.end(run_of(running, failed[1]))


def test_inputs_are_run_again(running, failed):
    """A new run gets copies of what has ended; the items themselves stay as they are."""
    which = ("--process", "Invoices", "--run", run_of(running, failed[0]))
    assert "3 would be run again" in running.cli("items", "rerun", *which, "--preview").stdout
    again = running.cli("items", "rerun", *which, "--yes").stdout.strip()

    assert len(running.json("items", "list", "--run", again)) == 3
    assert {running.json("items", "show", item)["state"] for item in failed} == {"failed"}
    assert running.json("items", "rerun", *which, "--state", "done", "--yes") == {"touched": 0, "process_run": None}
    running.end(again)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["retry"], "which work items?"),
        (["retry", "an-id", "--state", "failed"], "not both"),
        (["retry", "an-id", "--preview"], "--preview"),
        (["retry", "--state", "broken"], "broken"),
        (["retry", "--step", "read", "--yes"], "--process"),
        (["retry", "--created-after", "yesterday", "--yes"], "yesterday"),
        (["rerun", "--state", "failed"], "--process"),
        (["create"], "--queue"),
        (["create", "p", "--input", "1", "--input", "2", "--reference", "A"], "--reference"),
        (["edit", "an-id"], "nothing to change"),
    ],
)
def test_operations_that_make_no_sense_are_misuse(running, words, said):
    """What is missing, or too much, is named, and nothing is done."""
    assert said in running.cli("items", *words, code=2).stderr


def test_an_item_that_waits_is_edited(running, process):
    """Payload, priority, times and reference of a waiting item are changed; `none` takes them away."""
    item = running.cli(
        "items", "create", process, "--input", "1", "--priority", "2", "--due", "2035-01-31", "--reference", "A-1"
    ).stdout.strip()
    twin = running.cli("items", "create", process, "--reference", "A-1", code=1)
    assert "A-1" in twin.stderr

    running.cli("items", "edit", item, "--payload", '{"n": 2}', "--deadline", "2035-02-01T07:30+00:00")
    shown = running.json("items", "edit", item, "--priority", "5", "--reference", "none")
    assert (shown["payload"], shown["priority"], shown["reference"]) == ({"n": 2}, 5, None)
    assert shown["deadline"] == "2035-02-01T07:30:00Z"
    assert running.json("items", "edit", item, "--deadline", "none")["deadline"] is None
    running.cli("items", "delete", item, "--yes")


def test_a_queue_takes_what_fits_its_schema(running, tmp_path):
    """What does not fit the schema from a file is refused with its place; without a schema anything is taken."""
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"type": "object", "properties": {"id": {"type": "integer"}}}))
    running.cli("queues", "create", "orders", "--schema", f"@{schema}")
    assert running.json("queues", "schema", "show", "orders") == json.loads(schema.read_text())
    assert "/id" in running.cli("items", "create", "--queue", "orders", "--input", '{"id": "x"}', code=1).stderr

    running.cli("queues", "schema", "clear", "orders")
    item = running.cli("items", "create", "--queue", "orders", "--input", '{"id": "x"}').stdout.strip()
    assert "no schema" in running.cli("queues", "schema", "show", "orders", code=1).stderr
    assert "(queue)" in running.cli("items", "list", "--state", "new").stdout
    assert "items wait" in running.cli("queues", "delete", "orders", "--yes", code=1).stderr
    running.cli("items", "hold", item)
    assert [each["id"] for each in running.json("items", "list", "--queue", "orders", "--state", "held")] == [item]
    assert running.json("items", "list", "--queue", "orders", "--state", "invalid") == []
    running.cli("items", "release", item)
    running.cli("items", "delete", item, "--yes")
    running.cli("queues", "rename", "orders", "Orders")
    running.cli("queues", "delete", "Orders", "--yes")
    assert "Orders" not in running.cli("queues", "list").stdout


def test_the_queue_of_a_step_is_named_by_process_and_step(running, process):
    """PROCESS:STEP names it wherever a queue is asked for."""
    [queue] = running.json("queues", "list", "--process", process)
    running.cli("queues", "schema", "set", "Invoices:read", '{"type": "object"}')
    assert running.json("queues", "show", "Invoices:read")["schema"] == {"type": "object"}
    assert "schema" in running.cli("run", process, "--input", "1", code=1).stderr
    running.cli("queues", "schema", "clear", queue["id"])
    assert "There are: read" in running.cli("queues", "show", "Invoices:write", code=1).stderr


def test_a_consumer_is_made_changed_paused_and_deleted(running, letters):
    """Its task is named by PACKAGE:TASK and its hours by days; so is it itself."""
    hours = ("--hours", "fri-mon 22:00-06:00", "--hours", "wed 12:00-13:00", "--zone", "Europe/Oslo")
    running.cli("queues", "consumers", "create", letters, "robot:Go", *hours, "--groups", "night", "--batch", "5")

    [made] = running.json("queues", "consumers", "list", letters)
    assert [window["days"] for window in made["windows"]] == [
        ["monday", "friday", "saturday", "sunday"],
        ["wednesday"],
    ]
    assert (made["time_zone"], made["batch"], len(made["placement"]["groups"])) == ("Europe/Oslo", 5, 1)
    assert "mon,fri,sat,sun 22:00-06:00" in running.cli("queues", "show", letters).stdout
    running.cli("queues", "consumers", "pause", letters, "robot:Go")
    edited = running.json("queues", "consumers", "edit", letters, "robot:Go", "--hours", "always", "--anywhere")
    assert (edited["paused"], edited["windows"], edited["placement"]) == (True, [], {})
    assert running.json("queues", "consumers", "resume", letters, "robot:Go")["paused"] is False
    running.cli("queues", "consumers", "delete", letters, made["id"], "--yes")
    assert running.json("queues", "consumers", "list", letters) == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["letters", "robot"], 2, "PACKAGE:TASK"),
        (["letters", "robot:Stop"], 1, "There are: Go"),
        (["letters", "robot:Go", "--hours", "noon"], 2, "DAYS HH:MM-HH:MM"),
        (["letters", "robot:Go", "--hours", "t 12:00-13:00"], 2, "no day"),
        (["letters", "robot:Go", "--workers", "w", "--groups", "night"], 1, "there is no worker called 'w'"),
        (["nowhere", "robot:Go"], 1, "There are: letters"),
    ],
)
def test_consumers_that_make_no_sense_are_refused(running, letters, words, code, said):
    """What is wrong is named, with what there is, and no consumer is made."""
    assert said in running.cli("queues", "consumers", "create", *words, code=code).stderr
    assert running.json("queues", "consumers", "list", letters) == []


def test_a_queue_has_an_item_model(running):
    """Models are made, named by queues and deleted when no queue has them."""
    running.cli("queues", "models", "create", "Bill", "Number", "Amount:number")
    [model] = running.json("queues", "models", "list")
    assert [(each["name"], each["kind"]) for each in model["attributes"]] == [("Number", "text"), ("Amount", "number")]
    running.cli("queues", "create", "modelled", "--model", "Bill", "--retries", "2")
    shown = running.json("queues", "show", "modelled")
    assert (shown["item_model_id"], shown["retry"]["max_attempts"]) == (model["id"], 3)
    assert running.json("queues", "jobs", "modelled") == []
    running.cli("queues", "models", "delete", "Bill", "--yes", code=1)
    running.cli("queues", "delete", "modelled", "--yes")
    running.cli("queues", "models", "delete", "Bill", "--yes")
    assert "kind" not in running.cli("queues", "models", "list").stdout
