"""`controlroom schedules` against a real room."""


def test_schedules_are_made_shown_and_deleted(running):
    """A schedule is made by one option, listed by name, shown with its next times, disabled and deleted."""
    name = running.post("/processes", {"name": "Invoices"})["name"]
    made = running.json("schedules", "create", name, "--name", "Mornings", "--daily", "07:30", "--zone", "Europe/Oslo")
    assert made["rule"] == {"type": "daily", "times": ["07:30"], "every": 1}

    assert "Mornings" in running.cli("schedules", "list", "--process", name).stdout
    assert len(running.json("schedules", "show", "Mornings")["next"]) == 10
    running.cli("schedules", "disable", "Mornings")
    assert running.json("schedules", "show", "Mornings")["enabled"] is False
    running.cli("schedules", "delete", "Mornings", "--yes")
    assert running.json("schedules", "list") == []


def test_a_rule_is_previewed_and_named_in_one_way(running):
    """The preview prints ten times; no rule, or two, is a misuse; a wrong one is told."""
    told = running.cli("schedules", "preview", "--cron", "0 7 * * *", "--zone", "Europe/Oslo").stdout.split()
    assert len(told) == 10
    assert all("T07:00:00" in line for line in told)
    for options in ((), ("--cron", "* * * * *", "--every", "60")):
        running.cli("schedules", "preview", *options, code=2)
    assert "cron" in running.cli("schedules", "preview", "--cron", "x", code=1).stderr
