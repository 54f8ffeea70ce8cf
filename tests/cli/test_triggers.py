"""`controlroom triggers` and `controlroom process secret`: ways to start a process that are no call of the API."""

import pytest

PROCESS = "Invoices"


@pytest.fixture(autouse=True)
def process(running):
    """A process, without tasks; gone after the test."""
    made = running.post("/processes", {"name": PROCESS})
    yield made["id"]
    running.cli("process", "delete", made["id"], "--yes")


def test_a_process_gets_a_mail_address(running, process):
    """It is printed, listed under the name of its process, and stays when what becomes of mail is changed."""
    address = running.cli("triggers", "set", PROCESS).stdout.strip()
    assert address.startswith("process.")
    [listed] = running.json("triggers", "list")
    assert (listed["process_id"], listed["address"], listed["parse_email"]) == (process, address, True)
    assert all(word in running.cli("triggers", "list").stdout for word in (PROCESS, address))

    changed = running.json("triggers", "set", PROCESS, "--no-parse", "--no-start")

    assert (changed["address"], changed["parse_email"], changed["start_process"]) == (address, False, False)
    assert running.json("triggers", "set", process, "--start")["parse_email"] is False


def test_an_address_is_switched_off_rotated_and_taken_away(running):
    """Who has no address is not given one by switching it on; the old address is another one."""
    assert "triggers set" in running.cli("triggers", "enable", PROCESS, code=1).stderr
    assert running.cli("triggers", "list").stdout == ""
    first = running.cli("triggers", "set", PROCESS).stdout.strip()

    running.cli("triggers", "disable", PROCESS)
    assert running.json("triggers", "show", PROCESS)["enabled"] is False
    running.cli("triggers", "enable", PROCESS)
    assert "enabled" in running.cli("triggers", "show", PROCESS).stdout
    assert "--yes" in running.cli("triggers", "rotate", PROCESS, code=2).stderr
    assert running.cli("triggers", "rotate", PROCESS, "--yes").stdout.strip() not in {"", first}

    running.cli("triggers", "delete", PROCESS, "--yes")
    assert running.json("triggers", "list") == []


def test_a_process_has_a_secret_of_its_own(running):
    """It is printed when made, shown again by `reveal` alone, and replaced only if that is meant."""
    assert "secret" in running.cli("process", "secret", "show", PROCESS, code=1).stderr
    secret = running.cli("process", "secret", "create", PROCESS).stdout.strip()

    assert secret
    assert secret not in running.cli("process", "secret", "show", PROCESS).stdout
    assert running.cli("process", "secret", "reveal", PROCESS).stdout.strip() == secret
    assert "--yes" in running.cli("process", "secret", "create", PROCESS, code=2).stderr
    assert running.cli("process", "secret", "create", PROCESS, "--yes").stdout.strip() not in {"", secret}
    running.cli("process", "secret", "delete", PROCESS, "--yes")
    running.cli("process", "secret", "reveal", PROCESS, code=1)
