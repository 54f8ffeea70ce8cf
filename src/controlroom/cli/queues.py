"""`controlroom queues …`: queues that stand alone, the input queues of steps, and the schemas of both."""

import sys
from typing import Any

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.consumers import CONSUMER_COLUMNS
from controlroom.cli.consumers import app as consumers
from controlroom.cli.display import Column, moment, moments, show_fields, show_json, show_table
from controlroom.cli.errors import CommandFailed
from controlroom.cli.item_models import app as models
from controlroom.cli.lookup import find, find_queue
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.queue_archives import add_archives
from controlroom.cli.values import confirmed, payload
from controlroom.cli.verbs import show_rows, tell

app = App(name="queues")
schemas = App(name="schema", help="The JSON schema that the payloads of a queue must fit: show, set, clear.")
app.command(schemas)
app.command(consumers)
app.command(models)
add_archives(app)


@app.command(name="list")
def list_(*, process: str | None = None, room: RoomOptions = HERE) -> None:
    """List the queues that stand alone; with --process, the input queues of its steps.

    Parameters
    ----------
    process
        Name or id of a process.
    """
    columns: list[Column] = [
        ("id", lambda row: row["id"]),
        ("name", lambda row: row["name"]),
        ("schema", lambda row: row["schema"] is not None),
        ("created", lambda row: moment(row["created_at"])),
    ]
    with Client(address(room)) as client:
        if process is None:
            rows = list(client.each("/queues"))
        else:
            found = client.get(f"/processes/{find(client, 'processes', process)['id']}")
            rows = [client.get(f"/queues/{step['queue']['id']}") for step in found["steps"]]
    show_rows(room, rows, columns, empty="There is no queue that stands alone yet: controlroom queues create NAME")


@app.command
def show(queue: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a queue and who works on it.

    Parameters
    ----------
    queue
        Name or id; PROCESS:STEP for the input queue of a step.
    """
    with Client(address(room)) as client:
        found = find_queue(client, queue)
        working = list(client.each(f"/queues/{found['id']}/consumers"))
    if room.json:
        show_json({**found, "consumers": working})
        return
    show_fields({**found, **moments(found, "created_at")})
    if found["standing"]:
        print()
        show_table(
            working,
            CONSUMER_COLUMNS,
            empty="Nobody works on it yet: controlroom queues consumers create QUEUE PACKAGE:TASK",
        )


@app.command
def create(
    name: str,
    /,
    *,
    schema: str | None = None,
    model: str | None = None,
    retries: int = 0,
    room: RoomOptions = HERE,
) -> None:
    """Make a queue that stands alone, and print its id.

    Parameters
    ----------
    name
        Name of the queue.
    schema
        JSON schema that payloads must fit, as JSON or @file.
    model
        Name or id of the item model, whose schema it is then.
    retries
        How often an item that failed is tried again; 0: as the step says.
    """
    body: dict[str, Any] = {"name": name}
    if schema is not None:
        body["schema"] = payload(schema)
    if retries:
        body["retry"] = {"max_attempts": retries + 1}
    with Client(address(room)) as client:
        if model is not None:
            body["item_model"] = {"id": find(client, "item-models", model)["id"]}
        made = client.post("/queues", body)
    tell(room, made, "id")


@app.command
def jobs(queue: str, /, *, room: RoomOptions = HERE) -> None:
    """List the tables that were, or are, put into a queue, and the exports of its items.

    Parameters
    ----------
    queue
        Name or id.
    """
    columns: list[Column] = [
        ("id", lambda row: row["id"]),
        ("kind", lambda row: row["kind"]),
        ("state", lambda row: row["state"]),
        ("file", lambda row: row["name"]),
        ("rows", lambda row: row["rows_read"]),
        ("put in", lambda row: row["rows_put"]),
        ("refused", lambda row: row["rows_refused"]),
        ("error", lambda row: row["error"]),
    ]
    with Client(address(room)) as client:
        rows = list(client.each(f"/queues/{find_queue(client, queue)['id']}/jobs"))
    show_rows(room, rows, columns, empty="No table was put into it yet.")


@app.command
def rename(queue: str, name: str, /, *, room: RoomOptions = HERE) -> None:
    """Give a queue that stands alone another name."""
    _change(room, queue, {"name": name})


@app.command
def delete(queue: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a queue in which nothing waits, with its consumers.

    Parameters
    ----------
    queue
        Name or id.
    """
    with Client(address(room)) as client:
        found = find_queue(client, queue)
        working = [each for each in client.each(f"/queues/{found['id']}/consumers") if not each["paused"]]
        if working:
            tasks = ", ".join(each["task"]["name"] for each in working)
            print(f"What works on {found['name']!r} now goes with it: {tasks}.", file=sys.stderr)
        confirmed(f"Delete the queue {found['name']!r}?", yes=yes)
        answer = client.delete(f"/queues/{found['id']}")
    tell(room, answer)


@schemas.command(name="show")
def show_schema(queue: str, /, *, room: RoomOptions = HERE) -> None:
    """Print the JSON schema of a queue.

    Parameters
    ----------
    queue
        Name or id; PROCESS:STEP for the input queue of a step.
    """
    with Client(address(room)) as client:
        found = find_queue(client, queue)
    if found["schema"] is None and not room.json:
        raise CommandFailed("the queue has no schema", hint=f"controlroom queues schema set {queue!r} @FILE")
    show_json(found["schema"])


@schemas.command(name="set")
def set_schema(queue: str, document: str, /, *, room: RoomOptions = HERE) -> None:
    """Refuse payloads that do not fit a JSON schema, from now on; what waits already is not looked at.

    Parameters
    ----------
    queue
        Name or id; PROCESS:STEP for the input queue of a step.
    document
        The schema, as JSON or @file.
    """
    _change(room, queue, {"schema": payload(document)})


@schemas.command(name="clear")
def clear_schema(queue: str, /, *, room: RoomOptions = HERE) -> None:
    """Take any payload again.

    Parameters
    ----------
    queue
        Name or id; PROCESS:STEP for the input queue of a step.
    """
    _change(room, queue, {"schema": None})


def _change(room: RoomOptions, queue: str, body: dict[str, object]) -> None:
    with Client(address(room)) as client:
        answer = client.post(f"/queues/{find_queue(client, queue)['id']}", body)
    tell(room, answer)
