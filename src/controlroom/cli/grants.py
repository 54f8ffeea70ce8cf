"""`controlroom grants …`."""

from typing import Any

from cyclopts import App

from controlroom.cli.calling import Client
from controlroom.cli.display import moment
from controlroom.cli.errors import Misused
from controlroom.cli.governing import governing
from controlroom.cli.lookup import find_id
from controlroom.cli.members import find_user
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_rows, tell

app = App(name="grants")


@app.command(name="list")
def list_(*, organization: bool = False, room: RoomOptions = HERE) -> None:
    """List who has which role.

    Parameters
    ----------
    organization
        In the whole organization, not in the workspace.
    """
    with governing(room) as client:
        rows = list(client.each("/grants", scope=_scope(organization=organization)))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("role", lambda row: row["role"]["name"]),
            ("who", lambda row: f"{row['principal']['type']} {row['principal']['name']}"),
            ("in", lambda row: row["scope"]),
            ("since", lambda row: moment(row["created_at"])),
        ],
        empty="Nobody has a role there.",
    )


@app.command
def give(
    role: str,
    /,
    *,
    user: str | None = None,
    group: str | None = None,
    key: str | None = None,
    holders: str | None = None,
    organization: bool = False,
    room: RoomOptions = HERE,
) -> None:
    """Give a role to a user, a group of users, an API key or all who hold another role, and print the grant's id.

    Parameters
    ----------
    role
        Name or id of the role.
    user
        User name or id.
    group
        Name or id of a group of users.
    key
        Name or id of an API key.
    holders
        Name or id of a role: to all who hold it in the organization.
    organization
        In the whole organization, not in the workspace.
    """
    with governing(room) as client:
        body = {
            "role": {"id": find_id(client, "roles", role)},
            "principal": _principal(client, user=user, group=group, key=key, holders=holders),
            "scope": _scope(organization=organization),
        }
        made = client.post("/grants", body)
    tell(room, made, "id")


@app.command
def revoke(grant: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Take a role back.

    Parameters
    ----------
    grant
        Id of the grant.
    """
    confirmed(f"Take back the grant {grant}?", yes=yes)
    with governing(room) as client:
        answer = client.delete(f"/grants/{grant}")
    tell(room, answer)


def _principal(client: Client, **named: str | None) -> dict[str, Any]:
    match [(kind, name) for kind, name in named.items() if name is not None]:
        case [("user", user)]:
            return {"type": "user", "id": find_user(client, "users", user)["id"]}
        case [("group", group)]:
            return {"type": "group", "id": find_id(client, "user-groups", group)}
        case [("key", key)]:
            return {"type": "credential", "id": find_id(client, "api-keys", key)}
        case [("holders", role)]:
            return {"type": "role", "id": find_id(client, "roles", role)}
        case _:
            raise Misused("to whom? give one of --user, --group, --key and --holders")


def _scope(*, organization: bool) -> str:
    return "organization" if organization else "workspace"
