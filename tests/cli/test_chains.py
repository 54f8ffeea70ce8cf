"""Chains and retention at the prompt, against a real room."""

import pytest


@pytest.fixture(scope="module")
def processes(running) -> tuple[str, str]:
    """The names of two processes."""
    return tuple(running.post("/processes", {"name": name, "steps": []})["name"] for name in ("Invoices", "Archive"))


def test_a_chain_is_named_by_what_it_starts(running, processes):
    """A chain is made, listed, shown, changed, switched off and deleted by the names of both processes."""
    first, next_ = processes
    made = running.json("chains", "create", first, next_, "--after", "unresolved", "--empty", "one_item")
    assert (made["after"], made["empty"]) == (["unresolved"], "one_item")
    listed = running.cli("chains", "list").stdout
    assert all(word in listed for word in (*processes, "unresolved", "one_item"))
    assert [row["process"]["name"] for row in running.json("chains", "list", "--process", first)] == [first]
    assert running.json("chains", "list", "--process", next_) == []

    running.cli("chains", "edit", first, next_, "--after", "completed", "--after", "unresolved")
    running.cli("chains", "disable", first, made["id"])
    shown = running.json("chains", "show", first, next_)
    assert (shown["after"], shown["enabled"], shown["links"]) == (["completed", "unresolved"], False, [])
    running.cli("chains", "enable", first, next_)
    assert running.json("chains", "links", first, next_) == []
    assert "There are: Archive" in running.cli("chains", "show", first, first, code=1).stderr
    assert "nothing to change" in running.cli("chains", "edit", first, next_, code=2).stderr
    assert "never" in running.cli("chains", "create", first, next_, "--after", "never", code=2).stderr
    assert "--yes" in running.cli("chains", "delete", first, next_, code=2).stderr
    running.cli("chains", "delete", first, next_, "--yes")
    assert running.json("chains", "list") == []


def test_keeping_longer_asks_nothing_and_keeping_shorter_does(running):
    """What would delete something asks first; `forever` and `default` are answers, too."""
    before = running.json("retention", "show")["days"]
    running.cli("retention", "set", "--runs", str(before["process_runs"] + 1), "--console", "forever")
    shorter = running.cli("retention", "set", "--console", "7", code=2).stderr
    assert "console output (forever → 7 days)" in shorter
    kept = running.cli("retention", "show").stdout
    assert "forever" in kept
    assert "this workspace" in kept

    assert "as the room does" in running.cli("retention", "set", "--runs", "default", code=2).stderr
    running.cli("retention", "set", "--runs", "default", "--console", "default", "--yes")
    assert running.json("retention", "show")["days"] == before


@pytest.mark.parametrize("days", ["0", "-1", "soon"])
def test_days_are_whole_numbers(running, days):
    """Anything else is a misuse that names the other answers."""
    assert "forever" in running.cli("retention", "set", "--artifacts", days, code=2).stderr
    assert "nothing to change" in running.cli("retention", "set", code=2).stderr
