"""`controlroom secrets …`."""

from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.client import Client
from controlroom.cli.display import moment, show_fields, show_json, show_table
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.values import confirmed, secret_values

app = App(name="secrets")


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the secrets; values are never shown."""
    with Client(address(room)) as client:
        rows = list(client.each("/secrets"))
    if room.json:
        show_json(rows)
        return
    show_table(
        rows,
        [
            ("name", lambda row: row["name"]),
            ("description", lambda row: row.get("description")),
            ("changed", lambda row: moment(row.get("updated_at"))),
        ],
        empty="There is no secret yet: controlroom secrets set NAME KEY=VALUE",
    )


@app.command
def show(name: str, /, *, room: RoomOptions = HERE) -> None:
    """Show the keys of a secret; values are never shown."""
    with Client(address(room)) as client:
        found = client.get(_path(name))
    if room.json:
        show_json(found)
    else:
        times = {key: moment(found[key]) for key in ("created_at", "updated_at") if key in found}
        show_fields({**found, **times, "keys": ", ".join(found.get("keys", []))})


@app.command(name="set")
def set_(name: str, /, *values: str, description: str | None = None, room: RoomOptions = HERE) -> None:
    """Make a secret, or replace the values of one.

    Parameters
    ----------
    name
        Name of the secret.
    values
        KEY=VALUE, or KEY=@file so that the value is in no list of processes and no shell's history (@- reads it from
        the standard input).
    description
        What it is for.
    """
    body: dict[str, object] = {"values": secret_values(values)}
    if description is not None:
        body["description"] = description
    with Client(address(room)) as client:
        answer = client.post(_path(name), body)
    if room.json:
        show_json(answer)


@app.command
def delete(
    name: str,
    /,
    *,
    yes: Annotated[bool, Parameter(alias="-y", negative=(), show_default=False)] = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete a secret.

    Parameters
    ----------
    name
        Name of the secret.
    yes
        Don't ask.
    """
    confirmed(f"Delete the secret {name!r}?", yes=yes)
    with Client(address(room)) as client:
        answer = client.delete(_path(name))
    if room.json:
        show_json(answer)


def _path(name: str) -> str:
    return f"/secrets/{quote(name, safe='')}"
