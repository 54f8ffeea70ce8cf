"""`controlroom workers …`."""

from datetime import UTC, datetime, timedelta

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.client import Client
from controlroom.cli.display import moment, moments
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.verbs import change, delete_named, show_list, show_one, tell

app = App(name="workers")

_HOUR = 60


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the workers and what they are doing."""
    show_list(
        room,
        "/workers",
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("state", lambda row: "resting" if row["trouble"] and row["state"] == "busy" else row["state"]),
            ("slots", lambda row: row["slots"]),
            ("sandbox", lambda row: row["sandbox"]),
            ("seen", lambda row: moment(row["seen_at"])),
            ("trouble", lambda row: row["trouble"]),
        ],
        empty="There is no worker yet: controlroom workers link-token",
    )


@app.command
def show(worker: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a worker, by name or id."""
    with Client(address(room)) as client:
        found = client.get(f"/workers/{find_id(client, 'workers', worker)}")
    show_one(room, found, found | moments(found, "created_at", "seen_at"))


@app.command
def rename(worker: str, name: str, /, *, room: RoomOptions = HERE) -> None:
    """Give a worker another name."""
    change(room, "workers", worker, {"name": name})


@app.command
def delete(
    worker: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete a worker; its credential opens nothing from then on.

    Parameters
    ----------
    worker
        Name or id.
    """
    delete_named(room, "workers", worker, yes=yes)


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
    tell(room, made, "link_token")
