"""`controlroom run`."""

import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import show_json
from controlroom.cli.errors import FAILED, CommandFailed, Misused
from controlroom.cli.files import FileToSend, files_to_send
from controlroom.cli.following import follow
from controlroom.cli.items import add_files
from controlroom.cli.lookup import find_id, find_task
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.run_options import AS_USUAL, RunOptions, parameters_of
from controlroom.cli.values import payload


def run(
    process: str | None = None,
    /,
    *,
    task: str | None = None,
    input: Annotated[tuple[str, ...], Parameter(alias="-i", negative=(), show_default=False)] = (),  # noqa: A002 - the option's name
    file: Annotated[tuple[Path, ...], Parameter(alias="-f", negative=(), show_default=False)] = (),
    waiting: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    follow_run: Annotated[bool, Parameter(name=("--follow",), negative=())] = False,
    wait: float | None = None,
    parameters: RunOptions = AS_USUAL,
    room: RoomOptions = HERE,
) -> int:
    """Start a process, or a bare task, and print the run's id.

    With --follow the console of its step runs is shown while they run, and the command succeeds only if the run
    completes.

    Parameters
    ----------
    process
        Name or id of the process.
    task
        Instead of a process: PACKAGE:TASK, which needs none.
    input
        Payload of an input work item, as JSON or @file; once for each item.
    file
        A file for the input work item; may be given several times.
    waiting
        Work on the items that wait in the process's input queue.
    follow_run
        Show the console until the run ends.
    wait
        Wait up to so many seconds for the end of the run, and print what it put out as one JSON object.
    """
    if waiting and (input or file):
        raise Misused("--waiting takes the items that wait already: --input and --file make new ones")
    if file and len(input) > 1:
        raise Misused("--file goes with one item, but there are several --input")
    if wait is not None and follow_run:
        raise Misused("--wait prints what the run puts out, --follow its console: one of them")
    payloads = [payload(each) for each in input]
    files = files_to_send(file)
    with Client(address(room), timeout=_PATIENCE_SECONDS + (wait or 0)) as client:
        asked = parameters_of(client, parameters)
        kind, id_ = _what(client, process, task)
        body = asked | _inputs(client, {kind: {"id": id_}}, payloads, files, waiting)
        if wait is not None:
            return _tell_called(client.post(f"/{_PLURAL[kind]}/{id_}/calls", body | {"wait_seconds": wait}), room)
        started = client.post(f"/{_PLURAL[kind]}/{id_}/process-runs", body or None)
        if not started["started"]:
            raise CommandFailed(NOTHING_WAITS)
        if not follow_run:
            show_json(started) if room.json else print(started["id"])
            return 0
        return follow(client, started["id"], as_json=room.json)


def _tell_called(called: dict[str, Any], room: RoomOptions) -> int:
    """Print what a call brought; the exit code is 0 only if the run completed."""
    if called.get("started") is False:
        raise CommandFailed(NOTHING_WAITS)
    if room.json:
        show_json(called)
    elif not called["ended"]:
        raise CommandFailed(f"run {called['id']} goes on", hint=f"To see it: controlroom runs follow {called['id']}")
    elif called["exception"] is not None:
        exception = called["exception"]
        why = ": ".join(part for part in (exception["code"], exception["message"]) if part)
        raise CommandFailed(f"run {called['id']} is {called['state']} ({why})")
    else:
        print(json.dumps(called["outputs"], ensure_ascii=False))
    return 0 if called["state"] == "completed" else FAILED


def _what(client: Client, process: str | None, task: str | None) -> tuple[str, str]:
    """What is started, by its kind and id."""
    if process is not None and task is None:
        return "process", find_id(client, "processes", process)
    if task is not None and process is None:
        return "task", find_task(client, task)
    raise Misused("what? Name a process, or a task by --task PACKAGE:TASK")


NOTHING_WAITS = "nothing waits in the input queue, so no run was started"
_PATIENCE_SECONDS = 60.0
_PLURAL = {"process": "processes", "task": "tasks"}


def _inputs(
    client: Client,
    of: dict[str, Any],
    payloads: list[Any],
    files: list[FileToSend],
    waiting: bool,  # noqa: FBT001
) -> dict[str, Any]:
    """What the start call says of its input."""
    if waiting:
        return {"type": "with_inputs"}
    if files:
        item = client.post("/work-items", {**of, "payload": payloads[0] if payloads else None})
        add_files(client, item["id"], files)
        return {"type": "with_work_item_ids", "work_item_ids": [item["id"]]}
    if payloads:
        return {"type": "with_payloads", "payloads": payloads}
    return {}
