"""`controlroom items …`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.client import Client
from controlroom.cli.display import moment, progress, show_fields, show_json, show_table, size
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.values import confirmed, payload

app = App(name="items")

_SHOWN = 60
_Yes = Annotated[bool, Parameter(alias="-y", negative=(), show_default=False)]


@app.command(name="list")
def list_(
    *,
    process: str | None = None,
    run: str | None = None,
    state: str | None = None,
    limit: int | None = None,
    room: RoomOptions = HERE,
) -> None:
    """List work items.

    Parameters
    ----------
    process
        Only those of a process, by name or id.
    run
        Only those of a run.
    state
        Only those in a state: new, pending, in_progress, done, failed.
    limit
        At most so many.
    """
    with Client(address(room)) as client:
        process_id = find_id(client, "processes", process) if process else None
        rows = list(client.each("/work-items", at_most=limit, process_id=process_id, process_run_id=run, state=state))
        names = _step_names(client, rows)
    if room.json:
        show_json(rows)
    else:
        show_items(rows, names)


@app.command
def show(item: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a work item with payload and files."""
    with Client(address(room)) as client:
        found = client.get(f"/work-items/{item}")
    if room.json:
        show_json(found)
        return
    files = found.pop("files", [])
    show_fields({**found, **{key: moment(found[key]) for key in ("created_at", "state_updated_at")}})
    if files:
        print()
        show_table(files, [("file", lambda row: row["name"]), ("size", lambda row: size(row["size"]))])


@app.command
def create(
    process: str,
    /,
    *,
    input: Annotated[tuple[str, ...], Parameter(alias="-i", negative=(), show_default=False)] = (),  # noqa: A002 - the option's name
    file: Annotated[tuple[Path, ...], Parameter(alias="-f", negative=(), show_default=False)] = (),
    room: RoomOptions = HERE,
) -> None:
    """Put work items into the input queue of a process, where they wait for a run; prints their ids.

    Parameters
    ----------
    process
        Name or id of the process.
    input
        Payload as JSON or @file; once for each item.
    file
        A file for each of the items.
    """
    made = []
    with Client(address(room)) as client:
        process_id = find_id(client, "processes", process)
        for content in [payload(each) for each in input] or [None]:
            item = client.post("/work-items", {"process": {"id": process_id}, "payload": content})
            add_files(client, item["id"], file)
            made.append(item)
    if room.json:
        show_json(made)
    else:
        print("\n".join(str(item["id"]) for item in made))


@app.command
def retry(*items: str, room: RoomOptions = HERE) -> None:
    """Put failed work items back into their queues."""
    _batch(room, "retry", items)


@app.command
def done(*items: str, room: RoomOptions = HERE) -> None:
    """Mark failed work items as done."""
    _batch(room, "mark_as_done", items)


@app.command
def delete(*items: str, yes: _Yes = False, room: RoomOptions = HERE) -> None:
    """Delete work items.

    Parameters
    ----------
    items
        Their ids.
    yes
        Don't ask.
    """
    confirmed(f"Delete {len(items)} work item{'s' if len(items) != 1 else ''}?", yes=yes)
    _batch(room, "delete", items)


def add_files(client: Client, item: str, files: Iterable[Path]) -> None:
    """Upload files into a work item."""
    for path in files:
        with path.open("rb") as content:
            length = path.stat().st_size
            answer = client.post(f"/work-items/{item}/files", {"file_name": path.name, "file_size": length})
            with progress(path.name, length) as told:
                client.upload_form(answer["upload"], content, length, path.name, told)


def show_items(rows: Iterable[dict[str, Any]], step_names: dict[str, str]) -> None:
    """The table of work items."""
    show_table(
        list(rows),
        [
            ("id", lambda row: row["id"]),
            ("step", lambda row: step_names.get(row["step"]["id"], row["step"]["id"]) if row["step"] else "output"),
            ("state", lambda row: row["state"]),
            ("exception", lambda row: _exception(row["exception"])),
            ("since", lambda row: moment(row["state_updated_at"] or row["created_at"])),
        ],
        empty="There is no such work item.",
    )


def _exception(exception: dict[str, str] | None) -> str:
    if exception is None:
        return ""
    told = " ".join(part for part in (exception["type"], exception["code"]) if part)
    message = exception["message"].splitlines()[0] if exception["message"] else ""
    return f"{told}: {message[:_SHOWN]}" if message else told


def _step_names(client: Client, rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Names of the steps in which the items are: a process is asked for once."""
    processes = {row["process"]["id"] for row in rows if row["process"] and row["step"]}
    names = {}
    for process in processes:
        for step in client.get(f"/processes/{process}").get("steps", []):
            names[step["id"]] = step["name"]
    return names


def _batch(room: RoomOptions, operation: str, items: tuple[str, ...]) -> None:
    with Client(address(room)) as client:
        answer = client.post("/work-items/batch", {"batch_operation": operation, "work_item_ids": list(items)})
    if room.json:
        show_json(answer)
