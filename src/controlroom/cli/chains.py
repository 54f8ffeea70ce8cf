"""`controlroom chains …`: a process starts another one when its run ends."""

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import Column, moment, moments, show_fields, show_json, show_table
from controlroom.cli.lookup import among, find, find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import changes, confirmed
from controlroom.cli.verbs import show_rows, tell

app = App(name="chains")

End = Literal["completed", "unresolved", "failed", "timed_out", "stopped"]
Empty = Literal["skip", "one_item"]
_Ends = Annotated[tuple[End, ...], Parameter(negative=(), show_default=False)]
_LAST = 10
_DEFAULT = 50

_LINK_COLUMNS: list[Column] = [
    ("run", lambda row: row["process_run"]["id"]),
    ("state", lambda row: row["state"]),
    ("next run", lambda row: (row["next_process_run"] or {}).get("id")),
    ("reason", lambda row: row["reason"]),
    ("decided", lambda row: moment(row["decided_at"])),
]


@app.command(name="list")
def list_(*, process: str | None = None, room: RoomOptions = HERE) -> None:
    """List what starts what.

    Parameters
    ----------
    process
        Only what follows this process, by name or id.
    """
    with Client(address(room)) as client:
        processes = [find(client, "processes", process)] if process else list(client.each("/processes"))
        rows = [
            {**chain, "process": {"id": each["id"], "name": each["name"]}}
            for each in processes
            for chain in client.each(f"/processes/{each['id']}/chains")
        ]
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("process", lambda row: row["process"]["name"]),
            ("after", lambda row: ", ".join(row["after"])),
            ("starts", lambda row: row["next_process"]["name"]),
            ("without outputs", lambda row: row["empty"]),
            ("enabled", lambda row: row["enabled"]),
        ],
        empty="There is no chain yet: controlroom chains create PROCESS NEXT",
    )


@app.command
def show(process: str, chain: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a chain, and what followed of the last runs.

    Parameters
    ----------
    process
        Name or id of the process that comes first.
    chain
        Id of the chain, or name of the process that it starts.
    """
    with Client(address(room)) as client:
        found, path = _find(client, process, chain)
        last = list(client.each(f"{path}/links", at_most=_LAST))
    if room.json:
        show_json({**found, "links": last})
        return
    readable = {"next_process": found["next_process"]["name"], "after": ", ".join(found["after"])}
    show_fields({**found, **moments(found, "created_at"), **readable})
    print()
    show_table(last, _LINK_COLUMNS, empty="No run has ended yet.")


@app.command
def links(process: str, chain: str, /, *, limit: int = _DEFAULT, room: RoomOptions = HERE) -> None:
    """List what followed of the ends of runs, the latest first.

    Parameters
    ----------
    process
        Name or id of the process that comes first.
    chain
        Id of the chain, or name of the process that it starts.
    limit
        At most so many.
    """
    with Client(address(room)) as client:
        _, path = _find(client, process, chain)
        rows = list(client.each(f"{path}/links", at_most=limit))
    show_rows(room, rows, _LINK_COLUMNS, empty="No run has ended yet.")


@app.command
def create(
    process: str,
    next_: Annotated[str, Parameter(name="NEXT")],
    /,
    *,
    after: _Ends = ("completed",),
    empty: Empty = "skip",
    room: RoomOptions = HERE,
) -> None:
    """Start a process whenever a run of another one ends, with what that put out; prints the chain's id.

    Parameters
    ----------
    process
        Name or id of the process that comes first.
    next_
        Name or id of the process that follows.
    after
        How the first run ends: completed (if nothing is said), unresolved (which is failed or timed_out), or stopped;
        may be given several times.
    empty
        What happens if it has put nothing out: skip (nothing is started) or one_item (a run with one empty item).
    """
    with Client(address(room)) as client:
        first = find_id(client, "processes", process)
        body = {"next_process": {"id": find_id(client, "processes", next_)}, "after": list(after), "empty": empty}
        made = client.post(f"/processes/{first}/chains", body)
    tell(room, made, "id")


@app.command
def edit(
    process: str,
    chain: str,
    /,
    *,
    after: _Ends = (),
    empty: Empty | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Change when a chain starts the process that follows.

    Parameters
    ----------
    process
        Name or id of the process that comes first.
    chain
        Id of the chain, or name of the process that it starts.
    after
        All ends that are followed from now on: completed, unresolved (which is failed or timed_out), stopped.
    empty
        What happens without outputs: skip or one_item.
    """
    _change(room, process, chain, changes("--after or --empty", after=list(after) or None, empty=empty))


@app.command
def enable(process: str, chain: str, /, *, room: RoomOptions = HERE) -> None:
    """Follow runs again; those that ended meanwhile are not made up for."""
    _change(room, process, chain, {"enabled": True})


@app.command
def disable(process: str, chain: str, /, *, room: RoomOptions = HERE) -> None:
    """Follow no more runs."""
    _change(room, process, chain, {"enabled": False})


@app.command
def delete(process: str, chain: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a chain; runs that it started go on.

    Parameters
    ----------
    process
        Name or id of the process that comes first.
    chain
        Id of the chain, or name of the process that it starts.
    """
    with Client(address(room)) as client:
        found, path = _find(client, process, chain)
        confirmed(f"Delete the chain to {found['next_process']['name']!r}?", yes=yes)
        answer = client.delete(path)
    tell(room, answer)


def _find(client: Client, process: str, chain: str) -> tuple[dict[str, Any], str]:
    """The chain of a process with this id, or to the process of this name; and its path."""
    chains = f"/processes/{find_id(client, 'processes', process)}/chains"
    found = among(
        client.each(chains),
        chain,
        noun="chain",
        name=lambda each: str(each["next_process"]["name"]),
        place=f"that follows {process!r}",
    )
    return found, f"{chains}/{found['id']}"


def _change(room: RoomOptions, process: str, chain: str, body: dict[str, object]) -> None:
    with Client(address(room)) as client:
        _, path = _find(client, process, chain)
        answer = client.post(path, body)
    tell(room, answer)
