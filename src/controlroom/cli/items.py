"""`controlroom items …`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import Row, moment, progress, show_fields, show_json, show_table, size
from controlroom.cli.errors import Misused
from controlroom.cli.files import FileToSend, files_to_send
from controlroom.cli.item_operations import add_operations
from controlroom.cli.lookup import find_id, find_queue
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.values import NONE, changes, instant
from controlroom.cli.values import payload as json_value
from controlroom.cli.verbs import tell

app = App(name="items")

State = Literal["new", "pending", "in_progress", "held", "invalid", "done", "failed"]

_SHOWN = 60


@app.command(name="list")
def list_(
    *,
    process: str | None = None,
    run: str | None = None,
    queue: str | None = None,
    state: State | None = None,
    limit: int | None = None,
    room: RoomOptions = HERE,
) -> None:
    """List work items.

    Parameters
    ----------
    process
        Only those of a process, by name or id.
    run
        Only those of a run, by its id.
    queue
        Only those in a queue, by name or id; PROCESS:STEP for the input queue of a step.
    state
        Only those in a state; `held` by somebody, `invalid` by the queue's schema.
    limit
        At most so many.
    """
    with Client(address(room)) as client:
        process_id = find_id(client, "processes", process) if process else None
        queue_id = find_queue(client, queue)["id"] if queue else None
        rows = list(
            client.each(
                "/work-items",
                at_most=limit,
                process_id=process_id,
                process_run_id=run,
                queue_id=queue_id,
                state=state,
            )
        )
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
    process: str | None = None,
    /,
    *,
    queue: str | None = None,
    input: Annotated[tuple[str, ...], Parameter(alias="-i", negative=(), show_default=False)] = (),  # noqa: A002 - the option's name
    file: Annotated[tuple[Path, ...], Parameter(alias="-f", negative=(), show_default=False)] = (),
    priority: int = 0,
    due: str | None = None,
    deadline: str | None = None,
    reference: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Put work items into the input queue of a process, where they wait for a run, or into a queue; prints their ids.

    Parameters
    ----------
    process
        Name or id of the process.
    queue
        Instead of a process: name or id of a queue that stands alone.
    input
        Payload as JSON or @file; once for each item.
    file
        A file for each of the items.
    priority
        Higher is more urgent.
    due
        They wait until then: 2030-01-31T07:30.
    deadline
        They fail if nobody has begun them by then.
    reference
        A name of yours, unique in the queue; for one item.
    """
    if (process is None) == (queue is None):
        raise Misused("for whom? Name a process, or a queue by --queue")
    if reference is not None and len(input) > 1:
        raise Misused("--reference is for one item: it is unique in its queue")
    terms: dict[str, Any] = {"priority": priority, "reference": reference}
    for name, option, text in (("due_at", "--due", due), ("deadline", "--deadline", deadline)):
        terms[name] = text and instant(text, option=option)
    made = []
    files = files_to_send(file)
    with Client(address(room)) as client:
        where = (
            {"process": {"id": find_id(client, "processes", process)}}
            if process is not None
            else {"queue": {"id": find_id(client, "queues", str(queue))}}
        )
        for content in [json_value(each) for each in input] or [None]:
            item = client.post("/work-items", {**where, **terms, "payload": content})
            add_files(client, item["id"], files)
            made.append(item)
    if room.json:
        show_json(made)
    else:
        print("\n".join(str(item["id"]) for item in made))


@app.command
def edit(
    item: str,
    /,
    *,
    payload: str | None = None,
    priority: int | None = None,
    due: str | None = None,
    deadline: str | None = None,
    reference: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Change a work item that nobody works on.

    Parameters
    ----------
    item
        Its id.
    payload
        The new payload, as JSON or @file.
    priority
        The new priority: higher is more urgent.
    due
        It waits until then: 2030-01-31T07:30; `none` if it shall not wait.
    deadline
        It fails if nobody has begun it by then; `none` for no deadline.
    reference
        The new reference, unique in its queue; `none` for no reference.
    """
    asked = changes(
        "--payload, --priority, --due, --deadline or --reference",
        payload=payload,
        priority=priority,
        due_at=due and _moment_or_none(due, option="--due"),
        deadline=deadline and _moment_or_none(deadline, option="--deadline"),
        reference=reference,
    )
    terms = {name: None if value == NONE else value for name, value in asked.items() if name != "payload"}
    content = {"payload": json_value(payload)} if payload is not None else None
    with Client(address(room)) as client:
        if content is not None:
            client.post(f"/work-items/{item}/payload", content)
        answer = client.post(f"/work-items/{item}", terms) if terms else client.get(f"/work-items/{item}")
    tell(room, answer)


add_operations(app)


def add_files(client: Client, item: str, files: Iterable[FileToSend]) -> None:
    """Upload files into a work item."""
    for file in files:
        with file.path.open("rb") as content:
            answer = client.post(f"/work-items/{item}/files", {"file_name": file.name, "file_size": file.size})
            with progress(file.name, file.size) as told:
                client.upload_form(answer["upload"], content, file.size, file.name, told)


def show_items(rows: Iterable[dict[str, Any]], step_names: dict[str, str]) -> None:
    """The table of work items."""
    show_table(
        list(rows),
        [
            ("id", lambda row: row["id"]),
            ("step", lambda row: _place(row, step_names)),
            ("state", lambda row: "held" if row["held"] else row["state"]),
            ("exception", lambda row: _exception(row["exception"])),
            ("since", lambda row: moment(row["state_updated_at"] or row["created_at"])),
        ],
        empty="There is no such work item.",
    )


def _place(row: Row, step_names: dict[str, str]) -> str:
    if row["step"]:
        return step_names.get(row["step"]["id"], str(row["step"]["id"]))
    # Why: what is of no process waits in a queue that stands alone, and no run has taken it yet
    return "output" if row["process"] else "(queue)"


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


def _moment_or_none(text: str, *, option: str) -> str:
    return text if text == NONE else instant(text, option=option)
