"""`controlroom groups …`."""

from datetime import UTC, datetime, timedelta

from cyclopts import App

from controlroom.cli import group_tokens, serving
from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import show_fields, show_json, show_table
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.serving import All
from controlroom.cli.verbs import change, delete_named, show_rows, tell

app = App(name="groups")
app.command(group_tokens.app)

_GROUPS = "worker-groups"


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the worker groups."""
    with Client(address(room)) as client:
        rows = list(client.each(f"/{_GROUPS}"))
    show_rows(
        room,
        rows,
        [("id", lambda row: row["id"]), ("name", lambda row: row["name"])],
        empty="There is no worker group yet: controlroom groups create NAME",
    )


@app.command
def show(group: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a worker group and its workers, by name or id."""
    with Client(address(room)) as client:
        found = client.get(f"/{_GROUPS}/{find_id(client, _GROUPS, group)}")
        workers = list(client.each(f"/{_GROUPS}/{found['id']}/workers"))
    if room.json:
        show_json({**found, "workers": workers})
        return
    show_fields(found)
    print()
    show_table(
        workers,
        [("worker", lambda row: row["id"]), ("name", lambda row: row["name"]), ("state", lambda row: row["state"])],
        empty="No worker is in it yet: controlroom groups add GROUP WORKER",
    )


@app.command
def create(name: str, /, *, room: RoomOptions = HERE) -> None:
    """Make a worker group, and print its id."""
    with Client(address(room)) as client:
        made = client.post(f"/{_GROUPS}", {"name": name})
    tell(room, made, "id")


@app.command
def rename(group: str, name: str, /, *, room: RoomOptions = HERE) -> None:
    """Give a worker group another name."""
    change(room, _GROUPS, group, {"name": name})


@app.command
def add(group: str, worker: str, /, *, room: RoomOptions = HERE) -> None:
    """Put a worker into a group."""
    with Client(address(room)) as client:
        body = {"worker": {"id": find_id(client, "workers", worker)}}
        answer = client.post(f"/{_GROUPS}/{find_id(client, _GROUPS, group)}/workers", body)
    tell(room, answer)


@app.command
def remove(group: str, worker: str, /, *, room: RoomOptions = HERE) -> None:
    """Take a worker out of a group."""
    with Client(address(room)) as client:
        member = find_id(client, "workers", worker)
        answer = client.delete(f"/{_GROUPS}/{find_id(client, _GROUPS, group)}/workers/{member}")
    tell(room, answer)


@app.command(name="set")
def set_(group: str, /, *workers: str, room: RoomOptions = HERE) -> None:
    """Have exactly these workers in a group, by names or ids; without any, nobody: all of the change, or nothing."""
    with Client(address(room)) as client:
        body = {"workers": [{"id": find_id(client, "workers", each)} for each in workers]}
        answer = client.post(f"/{_GROUPS}/{find_id(client, _GROUPS, group)}/workers/set", body)
    tell(room, answer)


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
    tell(room, made, "link_token")


@app.command
def serve(group: str, /, *workspaces: str, all_: All = False, room: RoomOptions = HERE) -> None:
    """Say in which workspaces steps may be placed on a group, or tell it.

    Parameters
    ----------
    group
        Name or id.
    workspaces
        Names or ids of workspaces: these alone, from now on. Without any, it is told which.
    all_
        All workspaces, also those that are made later. It takes an admin: see `controlroom login`.
    """
    with Client(address(room)) as client:
        serving.serve(room, client, f"/{_GROUPS}/{find_id(client, _GROUPS, group)}", workspaces, all_=all_)


@app.command
def delete(
    group: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Take a worker group out of this workspace; delete it, if it serves no other. Its workers stay.

    Parameters
    ----------
    group
        Name or id.
    """
    delete_named(room, _GROUPS, group, yes=yes)
