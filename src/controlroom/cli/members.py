"""`controlroom members …`."""

from typing import Any, Literal

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment
from controlroom.cli.errors import CommandFailed
from controlroom.cli.lookup import existing, is_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_list, tell

app = App(name="members")

Role = Literal["owner", "operator", "viewer"]


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the members of the workspace and their roles."""
    show_list(
        room,
        "/members",
        [
            ("id", lambda row: row["id"]),
            ("user", lambda row: row["username"]),
            ("name", lambda row: f"{row['first_name']} {row['last_name']}".strip()),
            ("role", lambda row: row["role"]),
            ("since", lambda row: moment(row["created_at"])),
        ],
    )


@app.command
def add(username: str, role: Role, /, *, room: RoomOptions = HERE) -> None:
    """Give a user of the organization a place in the workspace."""
    with Client(address(room)) as client:
        made = client.post("/members", {"username": username, "role": role})
    tell(room, made)


@app.command(name="role")
def role_(user: str, role: Role, /, *, room: RoomOptions = HERE) -> None:
    """Give a member another role, by user name or id."""
    change_user(room, "members", user, {"role": role})


@app.command
def remove(
    user: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Take a member's place in the workspace; the user stays.

    Parameters
    ----------
    user
        User name or id.
    """
    with Client(address(room)) as client:
        found = find_user(client, "members", user)
        confirmed(f"Take {found['username']!r} out of the workspace?", yes=yes)
        answer = client.delete(f"/members/{found['id']}")
    tell(room, answer)


@app.command
def invite(role: Role, /, *, email: str = "", days: int = 7, room: RoomOptions = HERE) -> None:
    """Make a link by which somebody comes into the workspace, and print it. No mail is sent.

    Parameters
    ----------
    email
        Whose it is, as a note.
    days
        For how long it may be followed.
    """
    with Client(address(room)) as client:
        made = client.post("/invitations", {"role": role, "email": email, "days": days})
    tell(room, made, "url")


@app.command
def invitations(*, room: RoomOptions = HERE) -> None:
    """List the invitations that nobody has followed yet."""
    show_list(
        room,
        "/invitations",
        [
            ("id", lambda row: row["id"]),
            ("for", lambda row: row["email"]),
            ("role", lambda row: row["role"]),
            ("by", lambda row: row["invited_by"]),
            ("until", lambda row: "over" if row["expired"] else moment(row["expires_at"])),
        ],
    )


@app.command
def withdraw(invitation: str, /, *, room: RoomOptions = HERE) -> None:
    """Take an invitation back, by its id: its link leads nowhere any more."""
    with Client(address(room)) as client:
        answer = client.delete(f"/invitations/{invitation}")
    tell(room, answer)


def find_user(client: Client, kind: str, named: str) -> dict[str, Any]:
    """The one of `members` or `users` with this id or user name, whatever its case. Raises CommandFailed."""
    known = list(client.each(f"/{kind}"))
    for each in known:
        if each["id"] == named.lower() if is_id(named) else each["username"].lower() == named.lower():
            return each
    place = "organization" if kind == "users" else "workspace"
    hint = existing(each["username"] for each in known)
    raise CommandFailed(f"there is no {named!r} among the {kind} of this {place}", hint=hint)


def change_user(room: RoomOptions, kind: str, named: str, body: object = None, *, verb: str = "") -> None:
    """Post to the one of `members` or `users` that is named, or to a verb of theirs."""
    with Client(address(room)) as client:
        answer = client.post(f"/{kind}/{find_user(client, kind, named)['id']}{verb}", body)
    tell(room, answer)
