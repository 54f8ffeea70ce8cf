"""`controlroom user-groups …`."""

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment
from controlroom.cli.errors import CommandFailed
from controlroom.cli.lookup import find_id
from controlroom.cli.members import find_user
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.verbs import change, delete_named, show_list, tell

app = App(name="user-groups")


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the groups of users of the organization."""
    show_list(
        room,
        "/user-groups",
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("members", lambda row: row["member_count"]),
            ("description", lambda row: row["description"]),
            ("created", lambda row: moment(row["created_at"])),
        ],
    )


@app.command
def show(group: str, /, *, room: RoomOptions = HERE) -> None:
    """List who is in a group, by its name or id."""
    with Client(address(room)) as client:
        path = f"/user-groups/{find_id(client, 'user-groups', group)}/members"
    show_list(
        room,
        path,
        [
            ("id", lambda row: row["id"]),
            ("user", lambda row: row["username"]),
            ("name", lambda row: f"{row['first_name']} {row['last_name']}".strip()),
            ("since", lambda row: moment(row["created_at"])),
        ],
        empty="Nobody is in the group.",
    )


@app.command
def create(name: str, /, *, description: str = "", room: RoomOptions = HERE) -> None:
    """Make a group without members and print its id."""
    with Client(address(room)) as client:
        made = client.post("/user-groups", {"name": name, "description": description})
    tell(room, made, "id")


@app.command
def rename(group: str, name: str, /, *, room: RoomOptions = HERE) -> None:
    """Give a group another name, by name or id."""
    change(room, "user-groups", group, {"name": name})


@app.command
def add(group: str, user: str, /, *, room: RoomOptions = HERE) -> None:
    """Put a user into a group: they have what it is granted from then on.

    Parameters
    ----------
    group
        Name or id of the group.
    user
        User name or id.
    """
    with Client(address(room)) as client:
        path = f"/user-groups/{find_id(client, 'user-groups', group)}/members"
        answer = client.post(path, {"user": {"id": find_user(client, "users", user)["id"]}})
    tell(room, answer)


@app.command(name="set")
def set_(group: str, /, *users: str, room: RoomOptions = HERE) -> None:
    """Have exactly these users in a group, by names or ids; without any, nobody: all of the change, or nothing."""
    with Client(address(room)) as client:
        path = f"/user-groups/{find_id(client, 'user-groups', group)}/members/set"
        answer = client.post(path, {"users": [{"id": find_user(client, "users", each)["id"]} for each in users]})
    tell(room, answer)


@app.command
def remove(group: str, user: str, /, *, room: RoomOptions = HERE) -> None:
    """Take a user out of a group.

    Parameters
    ----------
    group
        Name or id of the group.
    user
        User name or id.
    """
    with Client(address(room)) as client:
        path = f"/user-groups/{find_id(client, 'user-groups', group)}/members"
        found = [each for each in client.each(path) if user.lower() in {each["id"], each["username"].lower()}]
        if not found:
            raise CommandFailed(f"there is no {user!r} in the group {group!r}")
        answer = client.delete(f"{path}/{found[0]['id']}")
    tell(room, answer)


@app.command
def delete(group: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a group and all that it was granted; the users stay.

    Parameters
    ----------
    group
        Name or id.
    """
    delete_named(room, "user-groups", group, yes=yes)
