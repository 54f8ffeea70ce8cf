"""`controlroom process secret …`: the secret that opens a process to the oldest, process-scoped API."""

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moments
from controlroom.cli.lookup import find, find_id, required
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import delete_part, show_one, tell

app = App(name="secret", help="The secret of a process, for callers of the oldest API: show, create, reveal, delete.")

_PART = "/secret"


@app.command
def show(process: str, /, *, room: RoomOptions = HERE) -> None:
    """Show since when a process has a secret; the value by `reveal` only.

    Parameters
    ----------
    process
        Name or id of the process.
    """
    with Client(address(room)) as client:
        found = required(
            client,
            _path(find_id(client, "processes", process)),
            missing=f"the process {process!r} has no secret",
            hint="Give it one: controlroom process secret create PROCESS",
        )
    show_one(room, found, {**found, **moments(found, "created_at")})


@app.command
def create(process: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Give a process a secret in place of the one it may have, and print it.

    It opens the process to calls of the oldest API, which name a process and its secret and take no API key.

    Parameters
    ----------
    process
        Name or id of the process.
    """
    with Client(address(room)) as client:
        found = find(client, "processes", process)
        if client.get_or_none(_path(found["id"])) is not None:
            confirmed(f"Refuse the present secret of {found['name']!r} from now on?", yes=yes)
        made = client.post(_path(found["id"]))
    tell(room, made, "secret")


@app.command
def reveal(process: str, /, *, room: RoomOptions = HERE) -> None:
    """Show the secret of a process again. This is written down in the audit log.

    Parameters
    ----------
    process
        Name or id of the process.
    """
    with Client(address(room)) as client:
        answer = client.post(f"{_path(find_id(client, 'processes', process))}/reveal")
    tell(room, answer, "secret")


@app.command
def delete(process: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Refuse the secret of a process from now on.

    Parameters
    ----------
    process
        Name or id of the process.
    """
    delete_part(room, "processes", process, _PART, "Refuse the secret of {!r} from now on?", yes=yes)


def _path(process_id: str) -> str:
    return f"/processes/{process_id}{_PART}"
