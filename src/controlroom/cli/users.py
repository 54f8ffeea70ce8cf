"""`controlroom users …`: people, and the pairs of credentials with which rcc and editors sign."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment, moments
from controlroom.cli.governing import governing
from controlroom.cli.login import asked_password
from controlroom.cli.lookup import find_id
from controlroom.cli.members import Role, change_user, find_user
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.user_credentials import credentials, keys
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_one, show_rows, tell

app = App(name="users")
app.command(credentials)
app.command(keys)


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the users whom you may see."""
    with governing(room) as client:
        rows = list(client.each("/users"))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("user", lambda row: row["username"]),
            ("name", lambda row: f"{row['first_name']} {row['last_name']}".strip()),
            ("mail", lambda row: row["email"]),
            ("admin", lambda row: row["is_admin"]),
            ("disabled", lambda row: moment(row["disabled_at"])),
        ],
    )


@app.command
def show(user: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a user, by user name or id: with their roles, by themselves and by groups, and the words of other APIs."""
    with governing(room) as client:
        found = find_user(client, "users", user)
        held = client.get(f"/users/{found['id']}/holding")
        here = found | {"roles": [_role(each) for each in held["roles"]]}
    here |= {name: held[name] for name in ("groups", "words", "runs_robots")}
    told = ", ".join(f"{each['role']} ({each['in']}{_through(each)})" for each in here["roles"])
    lists = {name: ", ".join(held[name]) for name in ("groups", "words")}
    show_one(room, here, here | moments(found, "created_at", "disabled_at") | {"roles": told} | lists)


def _role(held: dict[str, Any]) -> dict[str, Any]:
    """A role with where it is held: in the `workspace` that is spoken of, in another one, or the `organization`."""
    place = "workspace" if held["is_here"] else held["workspace"] or "organization"
    return {"role": held["role"], "in": place, "through": held["group"]}


def _through(role: dict[str, Any]) -> str:
    return f", by {role['through']}" if role["through"] else ""


@app.command
def create(
    username: str,
    /,
    *,
    role: Role | None = None,
    holds: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    runs_robots: Annotated[bool | None, Parameter(show_default=False)] = None,
    password: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    room: RoomOptions = HERE,
) -> None:
    """Make a user with a role in the workspace, or with roles in the organization, and print the id.

    Parameters
    ----------
    username
        With which they log in.
    role
        What they may do in the workspace.
    holds
        Name or id of a role that they hold in the whole organization; may be given several times.
    runs_robots
        Robots may run as them, in the whole organization.
    password
        Ask for a password, or read it as one line from standard input; without, they cannot log in by one.
    first_name
        First name.
    last_name
        Last name.
    email
        Mail address.
    """
    body: dict[str, Any] = {
        "username": username,
        "password": asked_password() if password else None,
        "first_name": first_name,
        "last_name": last_name,
        "email": email,
    }
    body |= {"role": role} if role else {}
    with governing(room) as client:
        if holds or runs_robots is not None or not role:
            body |= {"roles": [{"id": find_id(client, "roles", name)} for name in holds], "runs_robots": runs_robots}
        made = client.post("/users", body)
    tell(room, made, "id")


@app.command(name="password")
def set_password(user: str, /, *, room: RoomOptions = HERE) -> None:
    """Give a user a new password: typed, or one line of standard input. It ends their sessions."""
    password = asked_password("New password: ")
    change_user(room, "users", user, {"password": password}, verb="/password")


@app.command
def disable(
    user: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Let a user in no more, anywhere.

    Parameters
    ----------
    user
        User name or id.
    """
    with Client(address(room)) as client:
        found = find_user(client, "users", user)
        confirmed(f"Let {found['username']!r} in no more?", yes=yes)
        answer = client.post(f"/users/{found['id']}/disable")
    tell(room, answer)


@app.command
def enable(user: str, /, *, room: RoomOptions = HERE) -> None:
    """Let a disabled user in again."""
    change_user(room, "users", user, verb="/enable")


@app.command
def delete(user: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a user of the organization, with their keys and sessions; what they did stays written.

    Parameters
    ----------
    user
        User name or id.
    """
    with governing(room) as client:
        found = find_user(client, "users", user)
        confirmed(f"Delete the user {found['username']!r}?", yes=yes)
        answer = client.delete(f"/users/{found['id']}")
    tell(room, answer)


@app.command(name="api-key")
def api_key(
    user: str,
    /,
    *,
    name: str = "API key",
    days: Annotated[int | None, Parameter(show_default=False)] = None,
    room: RoomOptions = HERE,
) -> None:
    """Make a key by which a program logs in as a user, and print it: 40 characters.

    On the machine of a room that was started by `up`, this and what else governs users and roles is done as its first
    admin, until they change their password.

    Parameters
    ----------
    user
        User name or id.
    name
        What the key is for.
    days
        So long it is good [as the room is set: a year].
    """
    with governing(room) as client:
        found = find_user(client, "users", user)
        made = client.post(f"/users/{found['id']}/keys", {"name": name, "days": days})
    tell(room, {**made, "username": found["username"], "api_key": made["value"]}, "value")


@app.command(name="default-worker")
def default_worker(user: str, worker: str | None = None, /, *, room: RoomOptions = HERE) -> None:
    """Let robots run on a worker when they run as a user and nothing else is named.

    Parameters
    ----------
    user
        User name or id.
    worker
        Name or id of the worker; without one the user has none any more.
    """
    with Client(address(room)) as client:
        named = None if worker is None else find_id(client, "workers", worker)
        found = find_user(client, "users", user)
        tell(room, client.post(f"/users/{found['id']}/default-worker", {"worker_id": named}))
