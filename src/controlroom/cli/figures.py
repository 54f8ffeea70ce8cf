"""`controlroom figures …`: what ended and how long it took, why things fail, what waits; and making figures anew."""

from typing import Any, Final, Literal
from urllib.parse import urlencode

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import Column, moment
from controlroom.cli.lookup import find
from controlroom.cli.members import find_user
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.verbs import show_rows, tell

app = App(name="figures")

Key = Literal["hour", "day", "process", "step", "task", "worker", "user", "result", "cause", "workspace"]
Noun = Literal["run", "step_run", "work_item"]

_NAMES: Final = {
    "process": "process_name",
    "step": "step_name",
    "task": "task_name",
    "worker": "worker_name",
    "user": "user_name",
    "result": "result",
    "cause": "cause",
    "workspace": "workspace_id",
}


@app.command
def show(
    *by: Key,
    noun: Noun = "step_run",
    process: str | None = None,
    since: str | None = None,
    until: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Count what ended in the last day, or another period, told apart by result if nothing else is said.

    Parameters
    ----------
    by
        What they are told apart by; several in their order.
    noun
        What is counted.
    process
        Only of this process: name or id.
    since
        From this time on (2030-01-31T07:30:00Z).
    until
        Before this time.
    """
    keys = by or ("result",)
    with Client(address(room)) as client:
        of = None if process is None else find(client, "processes", process)["id"]
        asked = [("noun", noun), *(("by", key) for key in keys), ("since", since), ("until", until), ("process_id", of)]
        query = urlencode([(name, value) for name, value in asked if value is not None])
        rows = client.get(f"/figures?{query}")["figures"]
    columns: list[Column] = [_column(key) for key in keys]
    columns += [
        ("count", lambda row: row["count"]),
        ("seconds", lambda row: round(row["milliseconds"] / 1000, 1)),
        ("longest", lambda row: round(row["longest"] / 1000, 1)),
    ]
    show_rows(room, rows, columns, empty="Nothing has ended in that time.")


def _column(key: str) -> Column:
    if key in {"hour", "day"}:
        return (key, lambda row: moment(row["hour"]))
    return (key, lambda row: row.get(_NAMES.get(key, key)))


@app.command
def failures(
    *, process: str | None = None, since: str | None = None, until: str | None = None, room: RoomOptions = HERE
) -> None:
    """List why things failed in the last day, or another period: one line for each kind of failure.

    Parameters
    ----------
    process
        Only of this process: name or id.
    since
        From this time on (2030-01-31T07:30:00Z).
    until
        Before this time.
    """
    with Client(address(room)) as client:
        of = None if process is None else find(client, "processes", process)["id"]
        asked: dict[str, Any] = {"since": since, "until": until, "process_id": of}
        rows = client.get("/failure-groups", **asked)["groups"]
    show_rows(
        room,
        rows,
        [
            ("last", lambda row: moment(row["last_at"])),
            ("times", lambda row: row["recent"]),
            ("process", lambda row: row["process_name"]),
            ("what", lambda row: row["noun"]),
            ("code", lambda row: row["code"]),
            ("message", lambda row: row["pattern"]),
        ],
        empty="Nothing has failed in that time.",
    )


@app.command
def queues(*, room: RoomOptions = HERE) -> None:
    """List the queues in which something waits, the deepest first."""
    with Client(address(room)) as client:
        rows = client.get("/queue-depths")["queues"]
    show_rows(
        room,
        rows,
        [
            ("queue", lambda row: row["queue_id"]),
            ("name", lambda row: row["name"]),
            ("waiting", lambda row: row["waiting"]),
            ("oldest", lambda row: moment(row["oldest_at"])),
        ],
        empty="Nothing waits.",
    )


@app.command
def credentials(
    *, user: str | None = None, since: str | None = None, until: str | None = None, room: RoomOptions = HERE
) -> None:
    """List which credentials were used for which permissions, by the day; of the last 30 days if no other is said.

    Parameters
    ----------
    user
        Only those of this user: name or id.
    since
        From this day on (2030-01-31).
    until
        Until this day.
    """
    with Client(address(room)) as client:
        of = None if user is None else find_user(client, "users", user)["id"]
        rows = client.get("/uses/credentials", user_id=of, since=since, until=until)["uses"]
    show_rows(
        room,
        rows,
        [
            ("day", lambda row: row["day"]),
            ("kind", lambda row: row["kind"]),
            ("name", lambda row: row["name"]),
            ("permission", lambda row: row["permission"]),
            ("times", lambda row: row["count"]),
            ("last", lambda row: moment(row["last_at"])),
        ],
        empty="No credential was used in that time.",
    )


@app.command
def rebuild(*, room: RoomOptions = HERE) -> None:
    """Have all figures made anew of what is kept; the old ones are read meanwhile."""
    with Client(address(room)) as client:
        answer = client.post("/figures/rebuild")
    tell(room, answer)
