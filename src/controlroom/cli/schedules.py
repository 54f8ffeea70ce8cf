"""`controlroom schedules …`."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.client import Client
from controlroom.cli.display import moment, show_fields, show_json, show_table
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import find, find_id
from controlroom.cli.options import HERE, Many, RoomOptions, Yes
from controlroom.cli.values import payload
from controlroom.cli.verbs import delete_named, set_enabled, show_rows, tell

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
        next_ = client.get(f"/schedules/{found['id']}/preview")["occurrences"]
        past = list(client.each(f"/schedules/{found['id']}/occurrences", at_most=10))
    if room.json:
        show_json({**found, "next": next_, "past": past})
        return
    shown = {name: value for name, value in found.items() if name not in {"process", "rule", "next_occurrence"}}
    show_fields({**shown, "process": found["process"]["name"], "rule": _told(found["rule"]), "next": "\n".join(next_)})
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
    cron: str | None = None,
    every: int | None = None,
    daily: Many = (),
    once: str | None = None,
    rrule: str | None = None,
    start: str | None = None,
    rule: str | None = None,
    zone: str = "UTC",
    overlap: str = "allow",
    missed: str = "skip",
    input_: Annotated[str | None, Parameter(name="--input")] = None,
    waiting: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    room: RoomOptions = HERE,
) -> None:
    """Start a process by itself from now on, and print the schedule's id.

    Parameters
    ----------
    process
        Name or id of the process.
    name
        Name of the schedule; the process's, if none is given.
    cron
        When, as cron's five fields.
    every
        When, as seconds from one to the next.
    daily
        When, as a time of each day (07:30); may be given several times.
    once
        When, as one time (2030-01-31T07:30).
    rrule
        When, as a recurrence rule (RFC 5545), counted from --start.
    start
        Local time from which a recurrence rule is counted.
    rule
        When, as the API writes it, in JSON: for weeks and months.
    zone
        Time zone of all these times, for example Europe/Helsinki.
    overlap
        What happens while its last run goes on: allow, skip or queue.
    missed
        What happens after the room was down: skip or run_once.
    input_
        Payload of the work item that each run starts with, as JSON or @file.
    waiting
        Each run takes what waits in the input queue.
    """
    asked = _rule(cron, every, daily, once, rrule, start, rule)
    if input_ is not None and waiting:
        raise Misused("give --input or --waiting, not both")
    body: dict[str, Any] = {"rule": asked, "time_zone": zone, "overlap": overlap, "missed": missed}
    if input_ is not None:
        body["input"] = {"type": "payload", "payload": payload(input_)}
    if waiting:
        body["input"] = {"type": "waiting_items"}
    with Client(address(room)) as client:
        found = find(client, "processes", process)
        body |= {"name": name or found["name"], "process": {"id": found["id"]}}
        made = client.post("/schedules", body)
    tell(room, made, "id")


@app.command
def preview(
    *,
    cron: str | None = None,
    every: int | None = None,
    daily: Many = (),
    once: str | None = None,
    rrule: str | None = None,
    start: str | None = None,
    rule: str | None = None,
    zone: str = "UTC",
    room: RoomOptions = HERE,
) -> None:
    """Print the next ten times of a rule, without making a schedule. The options are those of `create`."""
    asked = _rule(cron, every, daily, once, rrule, start, rule)
    with Client(address(room)) as client:
        answer = client.post("/schedules/preview", {"rule": asked, "time_zone": zone})
    if room.json:
        show_json(answer)
    else:
        print("\n".join(answer["occurrences"]))


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
    yes
        Don't ask.
    """
    delete_named(room, "schedules", schedule, yes=yes)


def _rule(
    cron: str | None,
    every: int | None,
    daily: tuple[str, ...],
    once: str | None,
    rrule: str | None,
    start: str | None,
    rule: str | None,
) -> Any:
    """The one rule that the options name. Raises Misused."""
    given: list[Any] = []
    if cron is not None:
        given.append({"type": "cron", "expression": cron})
    if every is not None:
        given.append({"type": "interval", "seconds": every})
    if daily:
        given.append({"type": "daily", "times": list(daily)})
    if once is not None:
        given.append({"type": "once", "at": once if once.count(":") > 1 else f"{once}:00"})
    if rrule is not None:
        if start is None:
            raise Misused("--rrule needs --start, the local time from which it is counted")
        given.append({"type": "rrule", "rule": rrule, "start": start if start.count(":") > 1 else f"{start}:00"})
    if rule is not None:
        given.append(payload(rule))
    if len(given) != 1:
        raise Misused("say when, in one way: --cron, --every, --daily, --once, --rrule or --rule")
    return given[0]


def _told(rule: dict[str, Any]) -> str:
    """A rule in a few words."""
    rest = [f"{value}" if name == "expression" else f"{name} {value}" for name, value in rule.items() if name != "type"]
    return f"{rule['type']}: {', '.join(rest)}"
