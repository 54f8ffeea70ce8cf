"""`controlroom groups …`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.client import Client
from controlroom.cli.display import show_json, show_table
from controlroom.cli.lookup import find, find_id
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.values import confirmed

app = App(name="groups")

_GROUPS = "worker-groups"


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the worker groups."""
    with Client(address(room)) as client:
        rows = list(client.each(f"/{_GROUPS}"))
    if room.json:
        show_json(rows)
        return
    show_table(
        rows,
        [("id", lambda row: row["id"]), ("name", lambda row: row["name"])],
        empty="There is no worker group yet: controlroom groups create NAME",
    )


@app.command
def show(group: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a worker group, by name or id."""
    with Client(address(room)) as client:
        found = client.get(f"/{_GROUPS}/{find_id(client, _GROUPS, group)}")
    if room.json:
        show_json(found)
    else:
        show_table([found], [("id", lambda row: row["id"]), ("name", lambda row: row["name"])])


@app.command
def create(name: str, /, *, room: RoomOptions = HERE) -> None:
    """Make a worker group, and print its id."""
    with Client(address(room)) as client:
        made = client.post(f"/{_GROUPS}", {"name": name})
    if room.json:
        show_json(made)
    else:
        print(made["id"])


@app.command
def rename(group: str, name: str, /, *, room: RoomOptions = HERE) -> None:
    """Give a worker group another name."""
    with Client(address(room)) as client:
        answer = client.post(f"/{_GROUPS}/{find_id(client, _GROUPS, group)}", {"name": name})
    if room.json:
        show_json(answer)


@app.command
def add(group: str, worker: str, /, *, room: RoomOptions = HERE) -> None:
    """Put a worker into a group."""
    with Client(address(room)) as client:
        body = {"worker": {"id": find_id(client, "workers", worker)}}
        answer = client.post(f"/{_GROUPS}/{find_id(client, _GROUPS, group)}/workers", body)
    if room.json:
        show_json(answer)


@app.command
def remove(group: str, worker: str, /, *, room: RoomOptions = HERE) -> None:
    """Take a worker out of a group."""
    with Client(address(room)) as client:
        member = find_id(client, "workers", worker)
        answer = client.delete(f"/{_GROUPS}/{find_id(client, _GROUPS, group)}/workers/{member}")
    if room.json:
        show_json(answer)


@app.command(name="link-token")
def link_token(
    group: str, /, *, name: str = "command line", minutes: int | None = None, room: RoomOptions = HERE
) -> None:
    """Make a token by which any number of workers join the room and this group, and print it.

    Parameters
    ----------
    group
        Name or id.
    name
        What the token is called in lists.
    minutes
        How long it may be used; without end if not given.
    """
    expires = None if minutes is None else (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    with Client(address(room)) as client:
        path = f"/{_GROUPS}/{find_id(client, _GROUPS, group)}/link-tokens"
        made = client.post(path, {"name": name, "expires_at": expires})
    if room.json:
        show_json(made)
    else:
        print(made["link_token"])


@app.command
def delete(
    group: str,
    /,
    *,
    yes: Annotated[bool, Parameter(alias="-y", negative=(), show_default=False)] = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete a worker group; its workers stay.

    Parameters
    ----------
    group
        Name or id.
    yes
        Don't ask.
    """
    with Client(address(room)) as client:
        found = find(client, _GROUPS, group)
        confirmed(f"Delete the worker group {found['name']!r}?", yes=yes)
        answer = client.delete(f"/{_GROUPS}/{found['id']}")
    if room.json:
        show_json(answer)
