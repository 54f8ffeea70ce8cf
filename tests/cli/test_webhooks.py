"""Webhooks, notifications and what was sent, at the prompt, against a real room and a real receiver."""

import asyncio
from collections.abc import Iterator

import pytest

from receivers import receiving
from rooms import Room, room


@pytest.fixture(scope="module")
def running() -> Iterator[Room]:
    """A room that may send to this machine."""
    with room("--no-worker", CONTROLROOM_OUTGOING_ALLOW="127.0.0.1") as started:
        yield started


@pytest.fixture(scope="module")
def process(running: Room) -> str:
    """The name of a process."""
    return running.post("/processes", {"name": "Invoices", "steps": []})["name"]


async def test_a_test_tells_whether_the_receiver_takes_it(running):
    """It succeeds with the receiver's answer; or fails with what went wrong, and can be sent again."""
    answers = [500, 200, 200]
    async with receiving(reply=lambda _: answers.pop(0)) as receiver:
        running.cli("webhooks", "create", receiver.url, "--event", "process_run.completed", "--name", "ops")
        failed = await asyncio.to_thread(running.cli, "webhooks", "test", "ops", code=1)
        passed = await asyncio.to_thread(running.cli, "webhooks", "test", "ops")
        [*_, delivered] = running.json("deliveries", "list", "--webhook", "ops", "--state", "delivered")
        again = await asyncio.to_thread(running.cli, "deliveries", "redeliver", delivered["id"])
        got = await receiver.wait(3)

    assert "The receiver answered 500." in failed.stdout
    assert "delivered" in passed.stdout
    assert "noted" in again.stdout
    assert got[1].json == got[2].json
    assert running.json("deliveries", "show", delivered["id"])["payload"] == got[1].json
    running.cli("webhooks", "delete", "ops", "--yes")


def test_a_webhook_is_made_changed_and_deleted(running, process, tmp_path):
    """Its secret comes from a file and is shown by `reveal` alone, which is written down."""
    (tmp_path / "secret").write_text("a secret word\n")
    made = running.json(
        "webhooks", "create", "https://hooks.example.com/a", "-e", "process_run.started", "-e", "step_run.failed",
        "--process", process, "--name", "pager", "--secret", f"@{tmp_path / 'secret'}",
    )  # fmt: skip
    assert made["enabled_events"] == ["process_run.started", "step_run.failed"]
    listed = running.cli("webhooks", "list", "--process", process).stdout
    shown = running.cli("webhooks", "show", "pager").stdout
    assert process in listed
    assert "a secret word" not in listed + shown
    assert running.json("audit", "--event", "webhook.revealed") == []
    assert running.cli("webhooks", "reveal", "pager").stdout == "a secret word\n"
    assert len(running.json("audit", "--event", "webhook.revealed")) == 1

    running.cli("webhooks", "edit", "pager", "--name", "siren", "--event", "process_run.unresolved")
    running.cli("webhooks", "disable", made["id"])
    shown = running.json("webhooks", "show", "siren")
    assert (shown["enabled"], shown["enabled_events"]) == (False, ["process_run.unresolved"])
    running.cli("webhooks", "enable", "siren")
    assert "--yes" in running.cli("webhooks", "delete", "siren", code=2).stderr
    running.cli("webhooks", "delete", "siren", "--yes")
    assert running.json("webhooks", "list") == []


def test_a_secret_that_was_made_is_not_printed(running):
    """Only how to see it is said, beside the id."""
    made = running.cli("webhooks", "create", "https://hooks.example.com/b", "-e", "process_run.completed")
    assert f"webhooks reveal {made.stdout.strip()}" in made.stderr
    assert running.cli("webhooks", "reveal", made.stdout.strip()).stdout.startswith("whsec_")
    running.cli("webhooks", "delete", made.stdout.strip(), "--yes")


async def test_a_chat_is_told_and_its_address_never_shown(running, process, tmp_path):
    """A notification sends what a run's end is, and no command prints where to."""
    async with receiving() as receiver:
        (tmp_path / "chat").write_text(receiver.url + "\n")
        made = running.cli("notifications", "create", process, "--chat", f"@{tmp_path / 'chat'}").stdout.strip()
        shown = running.cli("notifications", "show", made).stdout + running.cli("notifications", "list").stdout
    assert "/hook" not in shown
    assert "chat" in shown
    running.cli("notifications", "disable", made)
    assert running.json("notifications", "show", made)["enabled"] is False
    running.cli("notifications", "enable", made)
    running.cli("notifications", "delete", made, "--yes")


def test_people_are_told_by_mail(running, process):
    """Recipients and ends are as they were asked for, and changed whole."""
    made = running.json("notifications", "create", process, "--mail", "a@example.com", "--mail", "b@example.com")
    assert (made["recipients"], made["enabled_events"]) == (
        ["a@example.com", "b@example.com"],
        ["process_run.unresolved"],
    )
    running.cli("notifications", "edit", made["id"], "--mail", "c@example.com", "--on", "completed")
    told = running.cli("notifications", "list", "--process", process).stdout
    assert all(word in told for word in (process, "c@example.com", "completed"))
    assert "keeps its kind" in running.cli("notifications", "edit", made["id"], "--chat", "https://x.io", code=1).stderr
    assert running.json("deliveries", "list", "--notification", made["id"]) == []
    running.cli("notifications", "delete", made["id"], "--yes")
    assert running.json("notifications", "list") == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["webhooks", "create", "https://a.example"], 2, "--event"),
        (["webhooks", "create", "https://a.example", "-e", "never"], 2, "process_run.reopened"),
        (["webhooks", "create", "ftp://a.example", "-e", "step_run.failed"], 1, "https://"),
        (["webhooks", "test", "nobody"], 1, "nobody"),
        (["webhooks", "edit", "nobody"], 2, "nothing to change"),
        (["notifications", "create", "Invoices"], 2, "--mail"),
        (["notifications", "create", "Invoices", "--mail", "a@b.io", "--chat", "https://x.io"], 2, "in one way"),
        (["notifications", "show", "Invoices"], 2, "notifications list"),
        (["deliveries", "list"], 2, "--webhook"),
        (["deliveries", "list", "--run", "Invoices"], 2, "no id"),
        (["deliveries", "redeliver", "00000000-0000-7000-8000-000000000000"], 1, "no delivery"),
    ],
)
def test_what_makes_no_sense_is_told(running, process, words, code, said):
    """Misuse and failure say what is wrong."""
    del process
    assert said in running.cli(*words, code=code).stderr
