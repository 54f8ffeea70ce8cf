"""Which workspaces a worker, a worker group, a link token or a provisioner serves, as commands say and show it."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from controlroom.cli.calling import Client
from controlroom.cli.display import show_json, show_table
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import among
from controlroom.cli.options import RoomOptions

All = Annotated[bool, Parameter(name="--all", negative=(), show_default=False)]
"""Whether all workspaces are served, also those that are made later."""
Serves = Annotated[tuple[str, ...], Parameter(name="--serves", negative=(), show_default=False)]
"""Workspaces that are served, by name or id."""


def wanted(client: Client, workspaces: Sequence[str], *, all_: bool) -> dict[str, Any]:
    """What is asked for, as the room takes it; empty if nothing is. Raises Misused for both."""
    if all_ and workspaces:
        raise Misused("name workspaces, or all of them by --all")
    if all_:
        return {"serves_all": True}
    if not workspaces:
        return {}
    known = list(client.each(client.locate("").partition("/api/v1/")[0] + "/api/v1/workspaces"))
    found = [among(known, each, noun="workspace", place="of those that you see") for each in workspaces]
    return {"workspaces": [each["id"] for each in found]}


def serve(room: RoomOptions, client: Client, path: str, workspaces: Sequence[str], *, all_: bool) -> None:
    """Say what the thing at a path serves; with nothing asked for, tell it."""
    body = wanted(client, workspaces, all_=all_)
    show(room, client.post(f"{path}/serving", body) if body else client.get(f"{path}/serving"))


def show(room: RoomOptions, answer: dict[str, Any]) -> None:
    """Print what something serves."""
    if room.json:
        show_json(answer)
        return
    if answer["serves_all"]:
        print("It serves all workspaces, also those that are made later. Of them you see:")
    show_table(answer["workspaces"], [("id", lambda row: row["id"]), ("workspace", lambda row: row["name"])])
