"""`controlroom queues models …`: what the items of a queue are made of, throughout the organization."""

from typing import Final

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import Column, moment
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import find
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_rows, tell

app = App(name="models", help="Models of the items of queues: list, create, delete.")

_KINDS: Final = ("text", "number", "date")
_COLUMNS: list[Column] = [
    ("id", lambda row: row["id"]),
    ("name", lambda row: row["name"]),
    ("attributes", lambda row: ", ".join(f"{each['name']}:{each['kind']}" for each in row["attributes"])),
    ("created", lambda row: moment(row["created_at"])),
]


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the item models of the organization."""
    with Client(address(room)) as client:
        rows = list(client.each("/item-models"))
    show_rows(
        room, rows, _COLUMNS, empty="There is no item model yet: controlroom queues models create NAME ATTRIBUTE:KIND"
    )


@app.command
def create(name: str, /, *attribute: str, room: RoomOptions = HERE) -> None:
    """Make an item model, and print its id. It never changes.

    Parameters
    ----------
    name
        Name of the model.
    attribute
        NAME or NAME:KIND, where the kind is text, number or date; text if none is said.
    """
    body = {"name": name, "attributes": [_attribute(each) for each in attribute]}
    with Client(address(room)) as client:
        made = client.post("/item-models", body)
    tell(room, made, "id")


@app.command
def delete(model: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete an item model that no queue has.

    Parameters
    ----------
    model
        Name or id.
    """
    with Client(address(room)) as client:
        found = find(client, "item-models", model)
        confirmed(f"Delete the item model {found['name']!r}?", yes=yes)
        answer = client.delete(f"/item-models/{found['id']}")
    tell(room, answer)


def _attribute(text: str) -> dict[str, str]:
    name, colon, kind = text.rpartition(":")
    if not colon:
        return {"name": text}
    if kind not in _KINDS:
        raise Misused(f"{kind!r} is none of {', '.join(_KINDS)}")
    return {"name": name, "kind": kind}
