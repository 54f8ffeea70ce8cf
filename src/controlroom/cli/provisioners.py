"""`controlroom provisioners …`: who starts workers on demand."""

import sys
from typing import Any

from cyclopts import App

from controlroom.cli import serving
from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.deliveries import COLUMNS, NONE_YET
from controlroom.cli.display import moment, moments, seconds, show_fields, show_json, show_table
from controlroom.cli.lookup import find, find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.serving import All
from controlroom.cli.values import changes, line
from controlroom.cli.verbs import change, delete_named, show_list, tell

app = App(name="provisioners")

_KIND = "provisioners"
_LAST = 10


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the provisioners; their secrets by `reveal` only."""
    show_list(
        room,
        f"/{_KIND}",
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("endpoint", lambda row: row["endpoint"]),
            ("longest life", lambda row: seconds(row["max_lifetime_seconds"])),
            ("created", lambda row: moment(row["created_at"])),
        ],
        empty="There is no provisioner yet: controlroom provisioners create NAME ENDPOINT",
    )


@app.command
def show(provisioner: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a provisioner and what it was asked last, by name or id; its secret by `reveal` only."""
    with Client(address(room)) as client:
        found = find(client, _KIND, provisioner)
        last = list(client.each(f"/{_KIND}/{found['id']}/deliveries", at_most=_LAST))
    if room.json:
        show_json({**found, "deliveries": last})
        return
    show_fields({**found, **moments(found, "created_at")})
    print()
    show_table(last, COLUMNS, empty=NONE_YET)


@app.command
def create(
    name: str,
    endpoint: str,
    /,
    *,
    secret: str | None = None,
    max_lifetime: int | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Have workers started on demand by whoever listens at an address, and print the provisioner's id.

    A step is placed on it by `process create … --provisioner STEP=NAME`.

    Parameters
    ----------
    name
        Name of the provisioner.
    endpoint
        Address that is asked for workers; one in a private network must be allowed by the room's operator.
    secret
        Signs the requests; @file or @- (standard input) keeps it out of the shell's history. Without, one is made.
    max_lifetime
        How long a worker is to live at most, in seconds; the provisioner is told.
    """
    body: dict[str, Any] = {"name": name, "endpoint": endpoint, "max_lifetime_seconds": max_lifetime}
    if secret is not None:
        body["secret"] = line(secret)
    with Client(address(room)) as client:
        made = client.post(f"/{_KIND}", body)
    tell(room, made, "id")
    if secret is None and not room.json:
        print(f"A secret was made: controlroom provisioners reveal {made['id']}", file=sys.stderr)


@app.command
def edit(
    provisioner: str,
    /,
    *,
    name: str | None = None,
    endpoint: str | None = None,
    secret: str | None = None,
    max_lifetime: int | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Change a provisioner; requests under way go to where it is now.

    Parameters
    ----------
    provisioner
        Name or id.
    name
        The new name.
    endpoint
        The new address.
    secret
        The new secret; @file or @- (standard input) keeps it out of the shell's history.
    max_lifetime
        How long a worker is to live at most, in seconds.
    """
    body = changes(
        "--name, --endpoint, --secret or --max-lifetime",
        name=name,
        endpoint=endpoint,
        secret=None if secret is None else line(secret),
        max_lifetime_seconds=max_lifetime,
    )
    change(room, _KIND, provisioner, body)


@app.command
def reveal(provisioner: str, /, *, room: RoomOptions = HERE) -> None:
    """Show the secret of a provisioner. This is written down in the audit log."""
    with Client(address(room)) as client:
        answer = client.post(f"/{_KIND}/{find_id(client, _KIND, provisioner)}/reveal")
    tell(room, answer, "secret")


@app.command
def serve(provisioner: str, /, *workspaces: str, all_: All = False, room: RoomOptions = HERE) -> None:
    """Say in which workspaces steps may be placed on a provisioner, or tell it.

    Parameters
    ----------
    provisioner
        Name or id.
    workspaces
        Names or ids of workspaces: these alone, from now on. Without any, it is told which.
    all_
        All workspaces, also those that are made later. It takes an admin: see `controlroom login`.
    """
    with Client(address(room)) as client:
        serving.serve(room, client, f"/{_KIND}/{find_id(client, _KIND, provisioner)}", workspaces, all_=all_)


@app.command
def delete(provisioner: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Take a provisioner that no step is placed on out of this workspace; delete it, if it serves no other.

    Workers that it has started are still ended.

    Parameters
    ----------
    provisioner
        Name or id.
    """
    delete_named(room, _KIND, provisioner, yes=yes)
