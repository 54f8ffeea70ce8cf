"""`controlroom process …`."""

from typing import Any

from cyclopts import App

from controlroom.cli import process_secret
from controlroom.cli.address import address
from controlroom.cli.client import Client
from controlroom.cli.display import moment, seconds, show_fields, show_json, show_table
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, Many, RoomOptions, Yes
from controlroom.cli.steps import StepOptions, definitions
from controlroom.cli.values import payload
from controlroom.cli.verbs import delete_named, set_enabled, show_list, tell

app = App(name="process")
app.command(process_secret.app)


@app.command
def create(
    name: str,
    /,
    *,
    step: Many,
    max_parallel: Many = (),
    timeout: Many = (),
    workers: Many = (),
    groups: Many = (),
    provisioner: Many = (),
    retries: Many = (),
    env: Many = (),
    after_previous: Many = (),
    one_item: Many = (),
    default_input: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Make a process from tasks, and print its id.

    Options of a step name the step first: --max-parallel consume=4.

    Parameters
    ----------
    name
        Name of the process.
    step
        STEP=PACKAGE:TASK: a step and the task that it runs; PACKAGE by id or name. In their order, once for each step.
    max_parallel
        STEP=N: how many robots may work on the step at once [1].
    timeout
        STEP=SECONDS: when a robot of the step is ended.
    workers
        STEP=WORKER,…: only on these workers, by id or name.
    groups
        STEP=GROUP,…: only on workers of these groups; a later group helps while nobody of an earlier is idle.
    provisioner
        STEP=PROVISIONER: on workers that a provisioner starts on demand, one for each robot.
    retries
        STEP=N: how often a failed work item is tried again (never after a business exception).
    env
        STEP:KEY=VALUE: a variable of the step's robots.
    after_previous
        STEP: begins only when the steps before have ended.
    one_item
        STEP: every work item gets a robot of its own.
    default_input
        Payload of a start without input, as JSON or @file.
    """
    options = StepOptions(
        max_parallel=max_parallel,
        timeout=timeout,
        workers=workers,
        groups=groups,
        provisioner=provisioner,
        retries=retries,
        env=env,
        after_previous=after_previous,
        one_item=one_item,
    )
    with Client(address(room)) as client:
        body: dict[str, Any] = {"name": name, "steps": definitions(client, step, options)}
        if default_input is not None:
            body["default_work_item"] = {"payload": payload(default_input)}
        made = client.post("/processes", body)
    tell(room, made, "id")


@app.command(name="list")
def list_(*, limit: int | None = None, room: RoomOptions = HERE) -> None:
    """List the processes."""
    show_list(
        room,
        "/processes",
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("created", lambda row: moment(row["created_at"])),
        ],
        empty="There is no process yet: controlroom process create NAME --step STEP=PACKAGE:TASK",
        at_most=limit,
    )


@app.command
def show(process: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a process and its steps."""
    with Client(address(room)) as client:
        found = client.get(f"/processes/{find_id(client, 'processes', process)}")
    if room.json:
        show_json(found)
        return
    steps = found.pop("steps", [])
    show_fields({**found, "created_at": moment(found["created_at"])})
    print()
    show_table(
        steps,
        [
            ("step", lambda row: row["name"]),
            ("package", lambda row: (row.get("task") or {}).get("package_name")),
            ("task", lambda row: (row.get("task") or {}).get("name")),
            ("at once", lambda row: row.get("max_parallel")),
            ("timeout", lambda row: seconds(row.get("timeout_seconds"))),
            ("id", lambda row: row["id"]),
        ],
    )


@app.command
def enable(process: str, /, *, room: RoomOptions = HERE) -> None:
    """Let a process be started again."""
    set_enabled(room, "processes", process, is_enabled=True)


@app.command
def disable(process: str, /, *, room: RoomOptions = HERE) -> None:
    """Refuse new runs of a process; those that go on are finished."""
    set_enabled(room, "processes", process, is_enabled=False)


@app.command
def delete(
    process: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete a process.

    Parameters
    ----------
    process
        Name or id.
    yes
        Don't ask.
    """
    delete_named(room, "processes", process, yes=yes)
