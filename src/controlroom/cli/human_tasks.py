"""`controlroom human-tasks …`: what waits until a person has filled in a form."""

from typing import Any

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment, show_fields, show_json
from controlroom.cli.options import HERE, Many, RoomOptions
from controlroom.cli.values import pair, payload
from controlroom.cli.verbs import show_list, tell

app = App(name="human-tasks")


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List what waits for somebody, oldest first."""
    show_list(
        room,
        "/human-tasks",
        [
            ("id", lambda row: row["id"]),
            ("process", lambda row: row["process"]["name"]),
            ("step", lambda row: row["step"]["name"]),
            ("asks", lambda row: row["form"].get("title")),
            ("since", lambda row: moment(row["created_at"])),
        ],
        empty="Nothing waits for anybody.",
    )


@app.command
def show(task: str, /, *, room: RoomOptions = HERE) -> None:
    """Show what is asked, and what is known already.

    Parameters
    ----------
    task
        Its id.
    """
    with Client(address(room)) as client:
        found = client.get(f"/human-tasks/{task}")
    if room.json:
        show_json(found)
        return
    show_fields(
        {
            "id": found["id"],
            "process": found["process"]["name"],
            "step": found["step"]["name"],
            "waits": "yes" if found["open"] else "no",
            "fields": ", ".join(field["name"] for field in found["form"]["fields"]),
            "buttons": ", ".join(found["form"]["buttons"]),
            "payload": found["payload"],
        }
    )


@app.command
def submit(
    task: str, /, *, field: Many = (), input_: str | None = None, button: str | None = None, room: RoomOptions = HERE
) -> None:
    """Do a task: what is filled in is handed on to the next step.

    Parameters
    ----------
    task
        Its id.
    field
        NAME=TEXT: a field; may be given several times.
    input_
        Fields as JSON or @file, for those that are no text.
    button
        By which of the form's buttons.
    """
    inputs: dict[str, Any] = {} if input_ is None else payload(input_)
    inputs |= dict(pair(each, form="NAME=TEXT") for each in field)
    body = {"inputs": inputs} | ({} if button is None else {"button": button})
    with Client(address(room)) as client:
        tell(room, client.post(f"/human-tasks/{task}/submit", body), "id")
