"""`controlroom process …`."""

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import App, Parameter

from controlroom.cli import process_secret
from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment, seconds, show_fields, show_json, show_table
from controlroom.cli.errors import Misused
from controlroom.cli.locks import named
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, Many, RoomOptions, Yes
from controlroom.cli.steps import AS_USUAL, StepOptions, asked, definitions
from controlroom.cli.values import NONE, payload
from controlroom.cli.verbs import delete_named, set_enabled, show_list, tell

app = App(name="process")
app.command(process_secret.app)


@app.command
def create(
    name: str,
    /,
    *,
    step: Many = (),
    command: Many = (),
    options: StepOptions = AS_USUAL,
    default_input: str | None = None,
    lock: Many = (),
    organization_lock: Many = (),
    room: RoomOptions = HERE,
) -> None:
    """Make a process from tasks and commands, and print its id.

    Options of a step name the step first: --max-parallel consume=4.

    Parameters
    ----------
    name
        Name of the process.
    step
        STEP=PACKAGE:TASK: a step and the task that it runs; PACKAGE by id or name. In their order, once for each step.
    command
        STEP=PACKAGE:COMMAND: one more command of a step, in the folder and environment of the package. It is split into
        words as a shell would, but no shell runs it; when it fails, those after it are skipped.
    default_input
        Payload of a start without input, as JSON or @file.
    lock
        A lock of the workspace that each of its runs holds until it ends; may be given several times.
    organization_lock
        Likewise, one that the organization has for all its workspaces.
    """
    if not step and not command and not options.ask:
        raise Misused("a process has steps: give --step, --command or --ask")
    with Client(address(room)) as client:
        body: dict[str, Any] = {"name": name, "steps": definitions(client, step, options, commands=command)}
        if default_input is not None:
            body["default_work_item"] = {"payload": payload(default_input)}
        if locks := named(lock, organization_lock):
            body["locks"] = locks
        made = client.post("/processes", body)
    tell(room, made, "id")


@app.command
def edit(
    process: str,
    /,
    *,
    name: str | None = None,
    step: Many = (),
    command: Many = (),
    remove: Many = (),
    options: StepOptions = AS_USUAL,
    steps: str | None = None,
    default_input: str | None = None,
    lock: Many = (),
    organization_lock: Many = (),
    no_locks: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    room: RoomOptions = HERE,
) -> None:
    """Change a process; what is not said stays, and runs under way go on with the new settings.

    Parameters
    ----------
    process
        Name or id.
    name
        The new name.
    step
        STEP=PACKAGE:TASK: another task for a step, or one more step at the end.
    command
        STEP=PACKAGE:COMMAND: the commands of a step in place of what it ran, or one more step at the end.
    remove
        STEP: the process has it no more.
    steps
        All steps, as JSON or @file: the `steps` of `process show --json`, changed.
    default_input
        Payload of a start without input, as JSON or @file; `none` for no such.
    lock
        The locks of the workspace that each run started from now on holds until it ends, all of them.
    organization_lock
        Likewise, those that the organization has for all its workspaces.
    no_locks
        Its runs hold no locks.
    """
    are_steps_said = bool(step or command or remove) or options != AS_USUAL
    if are_steps_said and steps is not None:
        raise Misused("--steps tells all of them: no other option about steps goes with it")
    body: dict[str, Any] = {} if name is None else {"name": name}
    if default_input is not None:
        body["default_work_item"] = None if default_input == NONE else {"payload": payload(default_input)}
    if steps is not None:
        body["steps"] = _steps(payload(steps))
    if lock or organization_lock or no_locks:
        body["locks"] = named(lock, organization_lock)
    if not body and not are_steps_said:
        raise Misused("nothing to change: give --name, --default-input, --lock, --steps or options of a step")
    with Client(address(room)) as client:
        path = f"/processes/{find_id(client, 'processes', process)}"
        if are_steps_said:
            body["steps"] = definitions(
                client, step, options, commands=command, before=client.get(path)["steps"], remove=remove
            )
        answer = client.post(path, body)
    tell(room, answer)


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
    found.pop("form", None)
    locks = ", ".join(lock["name"] for lock in found.get("locks", []))
    show_fields({**found, "created_at": moment(found["created_at"]), "locks": locks})
    print()
    show_table(
        steps,
        [
            ("step", lambda row: row["name"]),
            ("package", lambda row: (row.get("task") or row.get("commands") or {}).get("package_name")),
            ("runs", _what_runs),
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
    """
    delete_named(room, "processes", process, yes=yes)


def _what_runs(step: Mapping[str, Any]) -> str | None:
    if commands := step.get("commands"):
        return " · ".join(command["name"] for command in commands["list"])
    if form := step.get("form"):
        return f"asks: {form.get('title') or 'a person'}"
    return (step.get("task") or {}).get("name")


def _steps(given: object) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise Misused("--steps is a list of steps", hint="controlroom process show PROCESS --json tells them.")
    return [asked(each) for each in given]
