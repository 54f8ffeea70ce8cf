"""`controlroom workers …`."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cyclopts import App

from controlroom.cli import serving
from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment, moments
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.serving import All, Serves
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
            ("state", _state),
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
    show_one(room, found, found | moments(found, "created_at", "seen_at", "rests_since"))


@app.command
def rename(worker: str, name: str, /, *, room: RoomOptions = HERE) -> None:
    """Give a worker another name."""
    change(room, "workers", worker, {"name": name})


@app.command
def rest(worker: str, /, *, room: RoomOptions = HERE) -> None:
    """Have a worker take nothing more, by name or id: what it runs goes on to its end."""
    _steer(worker, "rest", room)


@app.command(name="go-on")
def go_on(worker: str, /, *, room: RoomOptions = HERE) -> None:
    """Let a worker that rests take work again, by name or id."""
    _steer(worker, "go-on", room)


@app.command
def serve(worker: str, /, *workspaces: str, all_: All = False, room: RoomOptions = HERE) -> None:
    """Say which workspaces a worker serves, or tell it. What it runs for others is lost.

    Parameters
    ----------
    worker
        Name or id.
    workspaces
        Names or ids of workspaces: these alone, from now on. Without any, it is told which.
    all_
        All workspaces, also those that are made later. It takes an admin: see `controlroom login`.
    """
    with Client(address(room)) as client:
        serving.serve(room, client, f"/workers/{find_id(client, 'workers', worker)}", workspaces, all_=all_)


@app.command
def delete(
    worker: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Let a worker serve this workspace no more; delete it, if it serves no other.

    Parameters
    ----------
    worker
        Name or id.
    """
    delete_named(room, "workers", worker, yes=yes)


@app.command(name="link-token")
def link_token(*, minutes: int = _HOUR, serves: Serves = (), all_: All = False, room: RoomOptions = HERE) -> None:
    """Make a token by which one worker joins the room, and print it. It serves this workspace, unless others are named.

    Parameters
    ----------
    minutes
        How long it may be used.
    serves
        Name or id of a workspace that the worker serves; may be given several times.
    all_
        It serves all workspaces, also those that are made later. It takes an admin: see `controlroom login`.
    """
    expires = datetime.now(UTC) + timedelta(minutes=minutes)
    with Client(address(room)) as client:
        body = {"expires_at": expires.isoformat()} | serving.wanted(client, serves, all_=all_)
        made = client.post("/workers/link-tokens", body)
    tell(room, made, "link_token")


def _state(worker: Mapping[str, Any]) -> str:
    is_resting = worker["state"] == "busy" and (worker["trouble"] or worker["rests_since"])
    return "resting" if is_resting else str(worker["state"])


def _steer(worker: str, verb: str, room: RoomOptions) -> None:
    with Client(address(room)) as client:
        answer = client.post(f"/workers/{find_id(client, 'workers', worker)}/{verb}")
    tell(room, answer)
