"""`controlroom secrets …`."""

from urllib.parse import quote

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment, moments
from controlroom.cli.errors import Misused
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import secret_values
from controlroom.cli.verbs import delete_at, show_list, show_one, tell

app = App(name="secrets")


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the secrets; values are never shown."""
    show_list(
        room,
        "/secrets",
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
    times = moments(found, "created_at", "updated_at")
    show_one(room, found, found | times | {"keys": ", ".join(found.get("keys", []))})


@app.command(name="set")
def set_(name: str, /, *values: str, description: str | None = None, room: RoomOptions = HERE) -> None:
    """Make a secret, or replace all values of one.

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
    if not values:  # they would replace those that the secret has by none
        raise Misused("which values? Give KEY=VALUE or KEY=@file, all that the secret shall have")
    body: dict[str, object] = {"values": secret_values(values)}
    if description is not None:
        body["description"] = description
    with Client(address(room)) as client:
        answer = client.post(_path(name), body)
    tell(room, answer)


@app.command
def delete(
    name: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete a secret.

    Parameters
    ----------
    name
        Name of the secret.
    """
    delete_at(room, _path(name), f"Delete the secret {name!r}?", yes=yes)


def _path(name: str) -> str:
    return f"/secrets/{quote(name, safe='')}"
