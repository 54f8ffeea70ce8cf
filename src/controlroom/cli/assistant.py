"""`controlroom assistant …`."""

from typing import Annotated

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment, seconds
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.verbs import delete_named, show_rows, tell

app = App(name="assistant")
# Why named: they make a machine of this one, with the worker's environments
app.command("controlroom.host.assistant:list_", name="list", help="List the assistants that you may run.")
app.command(
    "controlroom.host.assistant:run",
    name="run",
    help="Run an assistant on this machine, as yourself; exits 0 only if its robot succeeded.",
)

_DEFAULT = 50


@app.command
def create(name: str, task: Annotated[str, Parameter(name="PACKAGE:TASK")], /, *, room: RoomOptions = HERE) -> None:
    """Let people run a task on their own machines, and print the assistant's id.

    Parameters
    ----------
    name
        Name of the assistant.
    task
        PACKAGE:TASK: a task of a package, the latter by id or name.
    """
    package, colon, named = task.partition(":")
    if not colon or not package or not named:
        raise Misused(f"{task!r} is not of the form PACKAGE:TASK")
    with Client(address(room)) as client:
        body = {"name": name, "task": {"name": named, "package_id": find_id(client, "task-packages", package)}}
        made = client.post("/assistants", body)
    tell(room, made, "id")


@app.command
def delete(assistant: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete an assistant; its runs stay in the lists.

    Parameters
    ----------
    assistant
        Name or id.
    """
    delete_named(room, "assistants", assistant, yes=yes)


@app.command
def runs(assistant: str | None = None, /, *, limit: int = _DEFAULT, room: RoomOptions = HERE) -> None:
    """List the runs of assistants, the newest first.

    Parameters
    ----------
    assistant
        Only those of one, by name or id.
    limit
        At most so many.
    """
    with Client(address(room)) as client:
        of = "" if assistant is None else f"/assistants/{find_id(client, 'assistants', assistant)}"
        rows = list(client.each(f"{of}/assistant-runs", at_most=limit))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("assistant", lambda row: row["assistant"]["name"]),
            ("state", lambda row: row["state"]),
            ("error", lambda row: (row["error"] or {}).get("code")),
            ("started", lambda row: moment(row["started_at"])),
            ("took", lambda row: seconds(row["duration"])),
        ],
        empty="No assistant has run yet.",
    )
