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


def test_a_schedule_is_run_by_hand(running):
    """The run's id is printed; where nothing waits, that is said; a process that cannot be started says why."""
    name = running.post("/processes", {"name": "By hand"})["name"]
    running.json("schedules", "create", name, "--cron", "0 7 * * *", "--waiting")
    assert "has no steps yet" in running.cli("schedules", "run", name, code=1).stderr
    running.cli("schedules", "delete", name, "--yes")


def test_a_rule_is_previewed_and_named_in_one_way(running):
    """The preview prints ten times; no rule, or two, is a misuse; a wrong one is told."""
    told = running.cli("schedules", "preview", "--cron", "0 7 * * *", "--zone", "Europe/Oslo").stdout.split()
    assert len(told) == 10
    assert all("T07:00:00" in line for line in told)
    for options in ((), ("--cron", "* * * * *", "--every", "60")):
        running.cli("schedules", "preview", *options, code=2)
    assert "cron" in running.cli("schedules", "preview", "--cron", "x", code=1).stderr
    assert "API" in running.cli("schedules", "preview", "--cron", "@reboot", code=1).stderr
    assert "'yesterday' is no time" in running.cli("schedules", "preview", "--once", "yesterday", code=2).stderr
    assert running.cli("schedules", "preview", "--once", "2099-01-31T07:30").stdout == "2099-01-31T07:30:00Z\n"
    assert "note: */90" in running.cli("schedules", "preview", "--cron", "*/90 * * * *").stderr


def test_what_cannot_be_read_back_is_said_before_it_is_sent(running):
    """The ends of the calendar, numbers and nests: one sentence, no traceback, whatever the command."""
    name = running.post("/processes", {"name": "Extremes"})["name"]
    for never in ("9999-12-31T23:59", "0001-01-01T00:00"):
        once = running.cli("schedules", "preview", "--once", never, "--zone", "Pacific/Honolulu", code=2)
        ends = running.cli("schedules", "create", name, "--cron", "0 9 * * *", "--ends", never, code=2)
        rrule = running.cli("schedules", "preview", "--rrule", "FREQ=DAILY", "--start", never, code=2)
        due = running.cli("items", "create", name, "--input", "1", "--due", never, code=2)
        for refused in (once, ends, rrule, due):
            assert "is not between the years" in refused.stderr
            assert "Traceback" not in refused.stderr
    for payload in ("9" * 5000, "1e400", "[" * 300 + "]" * 300, "[" * 50_000, "NaN"):
        for command in (("run", name, "--input"), ("schedules", "create", name, "--cron", "0 9 * * *", "--input")):
            refused = running.cli(*command, payload, code=2)
            assert "is no JSON" in refused.stderr
            assert "Traceback" not in refused.stderr


def test_a_schedule_is_edited(running):
    """What is said changes and the rest stays; `never` takes an end or a limit away."""
    name = running.post("/processes", {"name": "Reports"})["name"]
    first = ("--cron", "0 7 * * *", "--zone", "Europe/Oslo", "--ends", "2040-01-01", "--input", '{"n": 1}')
    made = running.json("schedules", "create", name, *first, "--cancel-after", "600", "--priority", "4")
    assert (made["ends_at"], made["cancel_after_seconds"]) == ("2039-12-31T23:00:00Z", 600)

    late = ("--overlap", "queue", "--skip-after", "90", "--cancel-after", "never", "--grace", "60")
    edited = running.json("schedules", "edit", name, "--daily", "08:00", "--ends", "never", "--usual", *late)
    assert edited["rule"] == {"type": "daily", "times": ["08:00"], "every": 1}
    assert (edited["overlap"], edited["skip_after_seconds"], edited["cancel_after_seconds"]) == ("queue", 90, None)
    assert (edited["ends_at"], edited["grace_seconds"], edited["input"]) == (None, 60, {"type": "default"})
    assert (edited["priority"], edited["time_zone"], edited["name"]) == (4, "Europe/Oslo", name)
    for options in ((), ("--input", "1", "--waiting"), ("--skip-after", "soon"), ("--ends", "soon"), ("--rrule", "X")):
        running.cli("schedules", "edit", name, *options, code=2)
    running.cli("schedules", "delete", name, "--yes")
