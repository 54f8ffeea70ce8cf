"""`controlroom triggers …`: the mail addresses of processes, and what becomes of mail that comes there."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment, moments
from controlroom.cli.lookup import find, find_id, required
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import delete_part, show_one, show_rows, tell

app = App(name="triggers")

_PART = "/email-trigger"


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the processes that have a mail address."""
    with Client(address(room)) as client:
        rows = list(client.each("/email-triggers"))
        names = {} if room.json else {each["id"]: each["name"] for each in client.each("/processes")}
    show_rows(
        room,
        rows,
        [
            ("process", lambda row: names.get(row["process_id"], row["process_id"])),
            ("address", lambda row: row["address"]),
            ("enabled", lambda row: row["enabled"]),
            ("parses", lambda row: row["parse_email"]),
            ("starts", lambda row: row["start_process"]),
            ("created", lambda row: moment(row["created_at"])),
        ],
        empty="No process has a mail address yet: controlroom triggers set PROCESS",
    )


@app.command
def show(process: str, /, *, room: RoomOptions = HERE) -> None:
    """Show the mail address of a process, by name or id of the process. Whoever knows it can start the process."""
    with Client(address(room)) as client:
        found = _trigger(client, process, _path(find_id(client, "processes", process)))
    show_one(room, found, {**found, **moments(found, "created_at")})


@app.command(name="set")
def set_(
    process: str,
    /,
    *,
    parse: Annotated[bool | None, Parameter(show_default=False)] = None,
    start: Annotated[bool | None, Parameter(show_default=False)] = None,
    room: RoomOptions = HERE,
) -> None:
    """Give a process a mail address, or change what becomes of its mail, and print the address.

    Parameters
    ----------
    process
        Name or id of the process.
    parse
        Whether body and attachments become payload and files, as for a new address; else the fields and the raw mail.
    start
        Whether a run starts, as for a new address; else the work item waits in the input queue.
    """
    asked = {"parse_email": parse, "start_process": start}
    body = {name: value for name, value in asked.items() if value is not None}
    with Client(address(room)) as client:
        answer = client.post(_path(find_id(client, "processes", process)), body)
    tell(room, answer, "address")


@app.command
def enable(process: str, /, *, room: RoomOptions = HERE) -> None:
    """Take the mail of a process again."""
    _set_enabled(room, process, is_enabled=True)


@app.command
def disable(process: str, /, *, room: RoomOptions = HERE) -> None:
    """Refuse the mail of a process, and keep its address."""
    _set_enabled(room, process, is_enabled=False)


@app.command
def rotate(process: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Give a process another mail address, and print it; the old one takes no mail any more.

    Parameters
    ----------
    process
        Name or id of the process.
    """
    with Client(address(room)) as client:
        found = find(client, "processes", process)
        confirmed(f"Refuse mail to the present address of {found['name']!r} from now on?", yes=yes)
        answer = client.post(f"{_path(found['id'])}/rotate")
    tell(room, answer, "address")


@app.command
def delete(process: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Take the mail address from a process.

    Parameters
    ----------
    process
        Name or id of the process.
    """
    delete_part(room, "processes", process, _PART, "Take the mail address from {!r}?", yes=yes)


def _set_enabled(room: RoomOptions, process: str, *, is_enabled: bool) -> None:
    with Client(address(room)) as client:
        path = _path(find_id(client, "processes", process))
        _trigger(client, process, path)  # Why: to change the address of a process that has none would make one
        answer = client.post(path, {"enabled": is_enabled})
    tell(room, answer)


def _trigger(client: Client, process: str, path: str) -> dict[str, Any]:
    return required(
        client,
        path,
        missing=f"the process {process!r} has no mail address",
        hint="Give it one: controlroom triggers set PROCESS",
    )


def _path(process_id: str) -> str:
    return f"/processes/{process_id}{_PART}"
