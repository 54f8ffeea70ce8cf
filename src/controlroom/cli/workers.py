"""`controlroom workers …`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.client import Client
from controlroom.cli.display import moment, show_fields, show_json, show_table
from controlroom.cli.lookup import find, find_id
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.values import confirmed

app = App(name="workers")

_HOUR = 60


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the workers and what they are doing."""
    with Client(address(room)) as client:
        rows = list(client.each("/workers"))
    if room.json:
        show_json(rows)
        return
    show_table(
        rows,
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("state", lambda row: row["state"]),
            ("slots", lambda row: row["slots"]),
            ("sandbox", lambda row: row["sandbox"]),
            ("seen", lambda row: moment(row["seen_at"])),
        ],
        empty="There is no worker yet: controlroom workers link-token",
    )


@app.command
def show(worker: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a worker, by name or id."""
    with Client(address(room)) as client:
        found = client.get(f"/workers/{find_id(client, 'workers', worker)}")
    if room.json:
        show_json(found)
    else:
        times = {name: moment(found[name]) for name in ("created_at", "seen_at") if name in found}
        show_fields({**found, **times})


@app.command
def rename(worker: str, name: str, /, *, room: RoomOptions = HERE) -> None:
    """Give a worker another name."""
    with Client(address(room)) as client:
        answer = client.post(f"/workers/{find_id(client, 'workers', worker)}", {"name": name})
    if room.json:
        show_json(answer)


@app.command
def delete(
    worker: str,
    /,
    *,
    yes: Annotated[bool, Parameter(alias="-y", negative=(), show_default=False)] = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete a worker; its credential opens nothing from then on.

    Parameters
    ----------
    worker
        Name or id.
    yes
        Don't ask.
    """
    with Client(address(room)) as client:
        found = find(client, "workers", worker)
        confirmed(f"Delete the worker {found['name']!r}?", yes=yes)
        answer = client.delete(f"/workers/{found['id']}")
    if room.json:
        show_json(answer)


@app.command(name="link-token")
def link_token(*, minutes: int = _HOUR, room: RoomOptions = HERE) -> None:
    """Make a token by which one worker joins the room, and print it.

    Parameters
    ----------
    minutes
        How long it may be used.
    """
    expires = datetime.now(UTC) + timedelta(minutes=minutes)
    with Client(address(room)) as client:
        made = client.post("/workers/link-tokens", {"expires_at": expires.isoformat()})
    if room.json:
        show_json(made)
    else:
        print(made["link_token"])
