"""`controlroom locks …`: names that runs hold until they end."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import Column, moment, show_json, show_table
from controlroom.cli.errors import CommandFailed
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_list, tell

app = App(name="locks")

_Shared = Annotated[bool, Parameter(negative=(), show_default=False)]

_IN_LINE: list[Column] = [
    ("run", lambda row: row["id"]),
    ("no", lambda row: row["run_no"]),
    ("process", lambda row: row["process"]["name"]),
    ("", lambda row: row["how"]),
    ("since", lambda row: moment(row["since"])),
]


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the locks: those that runs hold or wait for, and those whose capacity is set."""
    show_list(
        room,
        "/locks",
        [
            ("lock", lambda row: row["name"]),
            ("of", lambda row: row["of"]),
            ("capacity", lambda row: row["capacity"]),
            ("held", lambda row: row["held"]),
            ("waiting", lambda row: row["waiting"]),
            (
                "held by",
                lambda row: ", ".join(f"{each['process']['name']} #{each['run_no']}" for each in row["holders"]),
            ),
        ],
        empty="No run holds a lock or waits for one.",
    )


@app.command
def show(name: str, /, *, organization: _Shared = False, room: RoomOptions = HERE) -> None:
    """Show who holds a lock and who waits for it, in the order in which they come.

    Parameters
    ----------
    name
        Name of the lock.
    organization
        The organization's lock of this name.
    """
    of = of_whom(organization)
    with Client(address(room)) as client:
        found = next((row for row in client.each("/locks") if row["name"] == name and row["of"] == of), None)
    if found is None:
        raise CommandFailed(f"no run of this {of} holds a lock {name} or waits for it")
    if room.json:
        show_json(found)
        return
    rows = [{**each, "how": how} for how in ("holders", "waiters") for each in found[how]]
    words = {"holders": "holds it", "waiters": "waits"}
    print(f"{name}: {found['held']} of {found['capacity']} held, {found['waiting']} waiting")
    print()
    show_table([{**row, "how": words[row["how"]]} for row in rows], _IN_LINE)


@app.command(name="set")
def set_(name: str, /, *, capacity: int, organization: _Shared = False, room: RoomOptions = HERE) -> None:
    """Set how many runs may hold a lock at once; who holds it keeps it.

    Parameters
    ----------
    name
        Name of the lock.
    capacity
        So many runs; 1 where nothing is set.
    organization
        Make it a lock that all workspaces of the organization share; for its admins.
    """
    with Client(address(room)) as client:
        answer = client.post("/locks", {"name": name, "of": of_whom(organization), "capacity": capacity})
    tell(room, answer)


@app.command
def delete(name: str, /, *, organization: _Shared = False, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete what was set: the workspace's lock has one holder then, the organization's is gone.

    Parameters
    ----------
    name
        Name of the lock.
    organization
        The organization's lock of this name.
    """
    confirmed(f"Delete the lock {name!r}?", yes=yes)
    with Client(address(room)) as client:
        answer = client.delete(client.locate("/locks", name=name, of=of_whom(organization)))
    tell(room, answer)


def of_whom(is_shared: bool) -> Literal["organization", "workspace"]:  # noqa: FBT001 - an option of the command line
    """Whose lock is meant."""
    return "organization" if is_shared else "workspace"


def named(own: Sequence[str], shared: Sequence[str]) -> list[dict[str, Any]]:
    """Locks as a process or a start names them: the workspace's own, and the organization's."""
    return [{"name": name, "of": "workspace"} for name in own] + [
        {"name": name, "of": "organization"} for name in shared
    ]
