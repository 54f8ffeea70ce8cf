"""`controlroom webhooks …`."""

import sys
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.deliveries import COLUMNS, NONE_YET, Wait, outcome, tell_outcome
from controlroom.cli.display import moments, show_fields, show_json, show_table
from controlroom.cli.lookup import among, find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import changes, confirmed, line
from controlroom.cli.verbs import show_rows, tell

app = App(name="webhooks")

Event = Literal[
    "process_run.started",
    "process_run.completed",
    "process_run.unresolved",
    "process_run.reopened",
    "step_run.started",
    "step_run.completed",
    "step_run.failed",
    "step_run.paused",
    "step_run.resumed",
]
_Events = Annotated[tuple[Event, ...], Parameter(alias="-e", negative=(), show_default=False)]
_LAST = 10


@app.command(name="list")
def list_(*, process: str | None = None, room: RoomOptions = HERE) -> None:
    """List the webhooks; their secrets by `reveal` only.

    Parameters
    ----------
    process
        Only those of a process, by name or id.
    """
    with Client(address(room)) as client:
        process_id = find_id(client, "processes", process) if process else None
        rows = list(client.each("/webhooks", process_id=process_id))
        has_process = not room.json and any(row["process"] for row in rows)
        names = {each["id"]: each["name"] for each in client.each("/processes")} if has_process else {}
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("process", lambda row: names.get(row["process"]["id"]) if row["process"] else "(all)"),
            ("events", lambda row: ", ".join(row["enabled_events"])),
            ("endpoint", lambda row: row["endpoint"]),
            ("enabled", lambda row: row["disabled_reason"] or row["enabled"]),
        ],
        empty="There is no webhook yet: controlroom webhooks create URL --event process_run.completed",
    )


@app.command
def show(webhook: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a webhook and what it was sent last, by name or id; its secret by `reveal` only."""
    with Client(address(room)) as client:
        found = _find(client, webhook)
        last = list(client.each(f"/webhooks/{found['id']}/deliveries", at_most=_LAST))
    if room.json:
        show_json({**found, "deliveries": last})
        return
    process = (found["process"] or {}).get("id", "(all)")
    events = "\n".join(found["enabled_events"])
    show_fields({**found, **moments(found, "created_at"), "process": process, "enabled_events": events})
    print()
    show_table(last, COLUMNS, empty=NONE_YET)


@app.command
def create(
    endpoint: str,
    /,
    *,
    event: _Events,
    process: str | None = None,
    name: str = "",
    secret: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Tell a receiver what happens to runs from now on, and print the webhook's id.

    Parameters
    ----------
    endpoint
        Address to which messages are posted.
    event
        What it is told of; may be given several times.
    process
        Only of this process, by name or id; without, of every process of the workspace.
    name
        What to call it.
    secret
        Signs the messages; @file or @- (standard input) keeps it out of the shell's history. Without, one is made.
    """
    body: dict[str, Any] = {"endpoint": endpoint, "enabled_events": list(event), "name": name}
    if secret is not None:
        body["secret"] = line(secret)
    with Client(address(room)) as client:
        if process is not None:
            body["process"] = {"id": find_id(client, "processes", process)}
        made = client.post("/webhooks", body)
    tell(room, made, "id")
    if secret is None and not room.json:
        print(f"A secret was made: controlroom webhooks reveal {made['id']}", file=sys.stderr)


@app.command
def edit(
    webhook: str,
    /,
    *,
    endpoint: str | None = None,
    event: _Events = (),
    name: str | None = None,
    secret: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Change a webhook; what is still to be delivered follows it.

    Parameters
    ----------
    webhook
        Name or id.
    endpoint
        The new address.
    event
        All that it is told of from now on.
    name
        The new name.
    secret
        The new secret; @file or @- (standard input) keeps it out of the shell's history.
    """
    body = changes(
        "--endpoint, --event, --name or --secret",
        endpoint=endpoint,
        enabled_events=list(event) or None,
        name=name,
        secret=None if secret is None else line(secret),
    )
    _change(room, webhook, body)


@app.command
def enable(webhook: str, /, *, room: RoomOptions = HERE) -> None:
    """Tell a webhook again; of what happened meanwhile it is not told."""
    _change(room, webhook, {"enabled": True})


@app.command
def disable(webhook: str, /, *, room: RoomOptions = HERE) -> None:
    """Tell a webhook no more; what is still to be delivered is given up."""
    _change(room, webhook, {"enabled": False})


@app.command
def reveal(webhook: str, /, *, room: RoomOptions = HERE) -> None:
    """Show the secret of a webhook. This is written down in the audit log."""
    with Client(address(room)) as client:
        found = client.get(f"/webhooks/{_find(client, webhook)['id']}")
    tell(room, found, "secret")


@app.command(name="test")
def send_test(webhook: str, /, *, wait: Wait = True, room: RoomOptions = HERE) -> int:
    """Send a webhook a test message; succeeds only if the receiver takes it.

    Parameters
    ----------
    webhook
        Name or id.
    wait
        Wait for what the receiver answers.
    """
    with Client(address(room)) as client:
        started = client.post(f"/webhooks/{_find(client, webhook)['id']}/test")["delivery"]["id"]
        sent = outcome(client, started, attempts=0) if wait else client.get(f"/deliveries/{started}")
    return tell_outcome(room, sent, is_waited=wait)


@app.command
def delete(webhook: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a webhook; what is still to be delivered is given up.

    Parameters
    ----------
    webhook
        Name or id.
    """
    with Client(address(room)) as client:
        found = _find(client, webhook)
        confirmed(f"Delete the webhook {found['name'] or found['id']!r} to {found['endpoint']}?", yes=yes)
        answer = client.delete(f"/webhooks/{found['id']}")
    tell(room, answer)


def _find(client: Client, named: str) -> dict[str, Any]:
    """The one webhook of this id or name, as lists tell it. Why not by its own address: that shows the secret."""
    return among(client.each("/webhooks"), named, noun="webhook")


def _change(room: RoomOptions, named: str, body: dict[str, object]) -> None:
    with Client(address(room)) as client:
        answer = client.post(f"/webhooks/{_find(client, named)['id']}", body)
    tell(room, answer)
