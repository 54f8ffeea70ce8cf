"""`controlroom schedules …`."""

import sys
from typing import Any

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment, show_fields, show_json, show_table
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import find, find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.schedule_options import SOMETIME, USUAL, Terms, When
from controlroom.cli.verbs import change, delete_named, set_enabled, show_rows, tell

app = App(name="schedules")


@app.command(name="list")
def list_(*, process: str | None = None, room: RoomOptions = HERE) -> None:
    """List schedules with the next time at which each is due.

    Parameters
    ----------
    process
        Only those of this process, by name or id.
    """
    with Client(address(room)) as client:
        if process is None:
            rows = list(client.each("/schedules"))
        else:
            rows = list(client.each("/schedules", process_id=find_id(client, "processes", process)))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("process", lambda row: row["process"]["name"]),
            ("rule", lambda row: _told(row["rule"])),
            ("zone", lambda row: row["time_zone"]),
            ("next", lambda row: moment(row["next_occurrence"]) if row["enabled"] else "disabled"),
        ],
        empty="There is no schedule yet: controlroom schedules create PROCESS --cron '0 7 * * *'",
    )


@app.command
def show(schedule: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a schedule, when it is due next, and what became of the last times, by name or id."""
    with Client(address(room)) as client:
        found = find(client, "schedules", schedule)
        coming = client.get(f"/schedules/{found['id']}/preview")
        past = list(client.each(f"/schedules/{found['id']}/occurrences", at_most=10))
    if room.json:
        show_json({**found, "next": coming["occurrences"], "remarks": coming["remarks"], "past": past})
        return
    shown = {name: value for name, value in found.items() if name not in {"process", "rule", "next_occurrence"}}
    show_fields(
        {
            **shown,
            "process": found["process"]["name"],
            "rule": _told(found["rule"]),
            "next": "\n".join(coming["occurrences"]),
        }
    )
    _remark(coming)
    show_table(
        past,
        [
            ("due", lambda row: moment(row["due"])),
            ("state", lambda row: row["state"]),
            ("run", lambda row: row["process_run"] and row["process_run"]["id"]),
            ("reason", lambda row: row["reason"]),
        ],
    )


@app.command
def create(
    process: str,
    /,
    *,
    name: str | None = None,
    when: When = SOMETIME,
    terms: Terms = USUAL,
    room: RoomOptions = HERE,
) -> None:
    """Start a process by itself from now on, and print the schedule's id.

    Parameters
    ----------
    process
        Name or id of the process.
    name
        Name of the schedule; the process's, if none is given.
    """
    body: dict[str, Any] = {"rule": when.needed(), **terms.body()}
    with Client(address(room)) as client:
        found = find(client, "processes", process)
        body |= {"name": name or found["name"], "process": {"id": found["id"]}}
        made = client.post("/schedules", body)
    tell(room, made, "id")


@app.command
def edit(
    schedule: str,
    /,
    *,
    name: str | None = None,
    when: When = SOMETIME,
    terms: Terms = USUAL,
    room: RoomOptions = HERE,
) -> None:
    """Change a schedule; what is not said stays, and runs under way go on.

    Parameters
    ----------
    schedule
        Name or id.
    name
        The new name.
    """
    body = terms.body()
    body |= {key: value for key, value in (("name", name), ("rule", when.asked())) if value is not None}
    if not body:
        raise Misused("nothing to change: say when, or how runs are started", hint="--help tells the options.")
    change(room, "schedules", schedule, body)


@app.command
def preview(*, when: When = SOMETIME, zone: str = "UTC", room: RoomOptions = HERE) -> None:
    """Print the next ten times of a rule, and what may surprise about it, without making a schedule.

    Parameters
    ----------
    zone
        Time zone of the times, for example Europe/Helsinki.
    """
    body = {"rule": when.needed(), "time_zone": zone}
    with Client(address(room)) as client:
        answer = client.post("/schedules/preview", body)
    if room.json:
        show_json(answer)
    else:
        print("\n".join(answer["occurrences"]))
        _remark(answer)


@app.command
def run(schedule: str, /, *, room: RoomOptions = HERE) -> None:
    """Start now what a schedule starts, with its own input, and print the run's id; its next time stays as it is.

    Parameters
    ----------
    schedule
        Name or id; it may be disabled.
    """
    with Client(address(room)) as client:
        became = client.post(f"/schedules/{find_id(client, 'schedules', schedule)}/run")
    if room.json:
        show_json(became)
    elif became["process_run"] is not None:
        print(became["process_run"]["id"])
    elif became["state"] == "waiting":
        print("It waits in line: a run of the schedule is under way.")
    else:
        print("Nothing was started: no work item waits in the input queue.")


@app.command
def enable(schedule: str, /, *, room: RoomOptions = HERE) -> None:
    """Let a schedule start runs again; what it would have started meanwhile is not made up for."""
    set_enabled(room, "schedules", schedule, is_enabled=True)


@app.command
def disable(schedule: str, /, *, room: RoomOptions = HERE) -> None:
    """Let a schedule start no more runs."""
    set_enabled(room, "schedules", schedule, is_enabled=False)


@app.command
def delete(
    schedule: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete a schedule; runs that it started go on.

    Parameters
    ----------
    schedule
        Name or id.
    """
    delete_named(room, "schedules", schedule, yes=yes)


def _remark(preview: dict[str, Any]) -> None:
    """What a rule does that its author surely did not mean, beside what is asked for."""
    for remark in preview["remarks"]:
        print(f"note: {remark}", file=sys.stderr)


def _told(rule: dict[str, Any]) -> str:
    """A rule in a few words."""
    rest = [f"{value}" if name == "expression" else f"{name} {value}" for name, value in rule.items() if name != "type"]
    return f"{rule['type']}: {', '.join(rest)}"
