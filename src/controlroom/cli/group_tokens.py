"""`controlroom groups tokens …`: tokens by which any number of workers join a group."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cyclopts import App

from controlroom.cli import serving
from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import among, find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.serving import All
from controlroom.cli.values import NONE, confirmed, number
from controlroom.cli.verbs import show_rows, tell

app = App(name="tokens", help="Tokens by which workers join a group: list, edit, reveal, serve, delete.")


@app.command(name="list")
def list_(group: str, /, *, room: RoomOptions = HERE) -> None:
    """List the tokens of a group, by its name or id; values by `reveal` only."""
    with Client(address(room)) as client:
        rows = list(client.each(_path(client, group)))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("expires", lambda row: moment(row["expires_at"]) or "never"),
        ],
        empty="The group has no token yet: controlroom groups link-token GROUP",
    )


@app.command
def edit(
    group: str,
    token: str,
    /,
    *,
    name: str | None = None,
    minutes: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Change what a token is called, or how long it may be used.

    Parameters
    ----------
    group
        Name or id of the group.
    token
        Name or id of the token.
    name
        The new name.
    minutes
        How long it may be used from now on; `none` for without end.
    """
    if name is None and minutes is None:
        raise Misused("nothing to change: give --name or --minutes")
    with Client(address(room)) as client:
        found, path = _find(client, group, token)
        body = {"name": name or found["name"], "expires_at": found["expires_at"]}
        if minutes is not None:
            body["expires_at"] = None if minutes == NONE else _from_now(number(minutes, option="--minutes", least=1))
        answer = client.post(path, body)
    tell(room, answer)


@app.command
def reveal(group: str, token: str, /, *, room: RoomOptions = HERE) -> None:
    """Show the value of a token again. This is written down in the audit log.

    Parameters
    ----------
    group
        Name or id of the group.
    token
        Name or id of the token.
    """
    with Client(address(room)) as client:
        answer = client.post(f"{_find(client, group, token)[1]}/reveal")
    tell(room, answer, "link_token")


@app.command
def serve(group: str, token: str, /, *workspaces: str, all_: All = False, room: RoomOptions = HERE) -> None:
    """Say which workspaces the workers will serve that come with a token from now on, or tell it.

    Parameters
    ----------
    group
        Name or id of the group.
    token
        Name or id of the token.
    workspaces
        Names or ids of workspaces: these alone. Without any, it is told which.
    all_
        All workspaces, also those that are made later. It takes an admin: see `controlroom login`.
    """
    with Client(address(room)) as client:
        serving.serve(room, client, _find(client, group, token)[1], workspaces, all_=all_)


@app.command
def delete(group: str, token: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a token: nobody joins by it any more; workers that it has brought stay.

    Parameters
    ----------
    group
        Name or id of the group.
    token
        Name or id of the token.
    """
    with Client(address(room)) as client:
        found, path = _find(client, group, token)
        confirmed(f"Delete the token {found['name']!r}?", yes=yes)
        answer = client.delete(path)
    tell(room, answer)


def _path(client: Client, group: str) -> str:
    return f"/worker-groups/{find_id(client, 'worker-groups', group)}/link-tokens"


def _find(client: Client, group: str, token: str) -> tuple[dict[str, Any], str]:
    """The token of a group with this id or name; and its path."""
    tokens = _path(client, group)
    found = among(client.each(tokens), token, noun="token", place=f"of the group {group!r}")
    return found, f"{tokens}/{found['id']}"


def _from_now(minutes: int) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
