"""`controlroom shared-secrets …`: secrets of the organization."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moments
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import find, find_id
from controlroom.cli.members import find_user
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import line
from controlroom.cli.verbs import delete_named, show_list, show_one, tell

app = App(name="shared-secrets")

_Names = Annotated[list[str] | None, Parameter(negative=())]


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the secrets of the organization that you may know of; values are not shown."""
    show_list(
        room,
        "/shared-secrets",
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("owner", lambda row: row["owner"]["name"]),
            ("locker", lambda row: (row["locker"] or {}).get("name")),
            ("attributes", lambda row: ", ".join(each["name"] for each in row["attributes"])),
            ("complete", lambda row: row["completed"]),
        ],
        empty="There is no secret that you may know of: controlroom shared-secrets create NAME --attribute KEY",
    )


@app.command
def show(secret: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a secret by its name or id, and the values that may be shown: nothing that is masked."""
    with Client(address(room)) as client:
        found = find(client, "shared-secrets", secret)
        values = client.get(f"/shared-secrets/{found['id']}/values")
    readable = found | moments(found, "created_at", "updated_at")
    readable |= {"owner": found["owner"]["name"], "locker": (found["locker"] or {}).get("name")}
    given = {each["attribute"]["name"]: each["value"] or "***" for each in values}
    readable["attributes"] = ", ".join(f"{each['name']}={given.get(each['name'], '')}" for each in found["attributes"])
    show_one(room, found | {"values": values}, readable)


@app.command
def create(
    name: str,
    /,
    *,
    attribute: _Names = None,
    masked: _Names = None,
    user_provided: _Names = None,
    description: str = "",
    owner: str | None = None,
    locker: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Make a secret without values and print its id.

    Parameters
    ----------
    name
        Name of the secret: robots ask for it by this.
    attribute
        Name of an attribute; may be given several times, as the next two.
    masked
        Likewise, of one whose value is not shown.
    user_provided
        Likewise, of one that is masked and of which each user has a value of their own.
    description
        What it is for.
    owner
        User name or id of who shall own it; you, if you have logged in.
    locker
        Name or id of the locker that shares it.
    """
    attributes: list[dict[str, Any]] = [{"name": each} for each in attribute or ()]
    attributes += [{"name": each, "masked": True, "password": True} for each in masked or ()]
    attributes += [{"name": each, "masked": True, "user_provided": True} for each in user_provided or ()]
    body: dict[str, Any] = {"name": name, "description": description, "attributes": attributes}
    with Client(address(room)) as client:
        if owner is not None:
            body["owner"] = {"id": find_user(client, "users", owner)["id"]}
        if locker is not None:
            body["locker"] = {"id": find_id(client, "lockers", locker)}
        made = client.post("/shared-secrets", body)
    tell(room, made, "id")


@app.command(name="set")
def set_(secret: str, /, *values: str, room: RoomOptions = HERE) -> None:
    """Give attributes values, or other ones: everybody's by the owner, your own where each user has one.

    Parameters
    ----------
    secret
        Name or id of the secret.
    values
        KEY=VALUE, or KEY=@file so that the value is in no list of processes and no shell's history (@- reads it from
        the standard input).
    """
    given = dict(_pair(value) for value in values)
    if not given:
        raise Misused("which values? Give KEY=VALUE or KEY=@file")
    with Client(address(room)) as client:
        path = f"/shared-secrets/{find_id(client, 'shared-secrets', secret)}/values"
        answers = client.post(path, {"values": given, "replace": True})
    tell(room, answers)


@app.command
def give(secret: str, user: str, /, *, room: RoomOptions = HERE) -> None:
    """Let another user own a secret.

    Parameters
    ----------
    secret
        Name or id of the secret.
    user
        User name or id.
    """
    with Client(address(room)) as client:
        path = f"/shared-secrets/{find_id(client, 'shared-secrets', secret)}/owner"
        answer = client.post(path, {"user": {"id": find_user(client, "users", user)["id"]}})
    tell(room, answer)


@app.command
def delete(secret: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a secret with all its values.

    Parameters
    ----------
    secret
        Name or id.
    """
    delete_named(room, "shared-secrets", secret, yes=yes)


def _pair(argument: str) -> tuple[str, str]:
    name, equals, value = argument.partition("=")
    if not equals or not name:
        raise Misused(f"{argument!r} is not of the form KEY=VALUE")
    return name, line(value)
