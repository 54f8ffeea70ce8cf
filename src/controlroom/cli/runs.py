"""`controlroom runs …`."""

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import Column, Row, moment, seconds, show_fields, show_json, show_table
from controlroom.cli.errors import CommandFailed
from controlroom.cli.following import follow as follow_run
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.screen import harmless
from controlroom.cli.verbs import delete_at, show_rows, tell

app = App(name="runs")

_DEFAULT = 50
State = Literal["new", "in_progress", "stopping", "completed", "unresolved"]


def _blockers(lock: Row) -> str:
    named = [f"{each['process_name']} #{each['run_no']}" for each in lock["blocked_by"]]
    if elsewhere := lock["blocked_elsewhere"]:
        named.append(f"{elsewhere} of other workspaces")
    return ", ".join(named)


_LOCKS: list[Column] = [
    ("lock", lambda row: row["name"]),
    ("of", lambda row: row["of"]),
    ("state", lambda row: row["state"]),
    ("waits for", _blockers),
    ("since", lambda row: moment(row["since"])),
]


@app.command(name="list")
def list_(
    *, process: str | None = None, state: State | None = None, limit: int = _DEFAULT, room: RoomOptions = HERE
) -> None:
    """List process runs, the newest first.

    Parameters
    ----------
    process
        Only those of a process, by name or id.
    state
        Only those in a state.
    limit
        At most so many.
    """
    with Client(address(room)) as client:
        process_id = find_id(client, "processes", process) if process else None
        rows = list(client.each("/process-runs", at_most=limit, process_id=process_id, state=state))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("process", lambda row: row["process"]["name"]),
            ("state", lambda row: row["state"]),
            ("created", lambda row: moment(row["created_at"])),
            ("took", lambda row: seconds(row["duration"])),
            ("name", lambda row: row.get("name")),
        ],
        empty="There is no such run.",
    )


@app.command
def show(run: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a run and its step runs."""
    with Client(address(room)) as client:
        found = client.get(f"/process-runs/{run}")
        step_runs = list(client.each("/step-runs", process_run_id=run))
    if room.json:
        show_json({**found, "step_runs": step_runs})
        return
    times = {key: moment(found[key]) for key in ("created_at", "started_at", "ended_at")}
    locks = found.pop("locks", [])
    found.pop("blocked_by", None)
    show_fields({**found, **times, "process": found["process"]["name"], "duration": seconds(found["duration"])})
    if locks:
        print()
        show_table(locks, _LOCKS)
    print()
    show_table(
        step_runs,
        [
            ("step run", lambda row: row["id"]),
            ("step", lambda row: row["step"]["name"]),
            ("state", lambda row: "paused" if row["paused_at"] else row["state"]),
            ("error", lambda row: (row["error"] or {}).get("code")),
            ("started", lambda row: moment(row["started_at"])),
            ("took", lambda row: seconds(row["duration"])),
        ],
    )
    for step_run in step_runs:
        if message := (step_run["error"] or {}).get("message"):
            print()
            show_fields({step_run["step"]["name"]: message})


@app.command
def follow(run: str, /, *, room: RoomOptions = HERE) -> int:
    """Show the console of a run until it has ended; succeeds only if the run completes."""
    with Client(address(room)) as client:
        return follow_run(client, run, as_json=room.json)


@app.command
def phases(run: str, /, *, room: RoomOptions = HERE) -> None:
    """Show the phases of a run's step runs: environment, scripts, and the task or each command.

    Parameters
    ----------
    run
        Id of the run.
    """
    with Client(address(room)) as client:
        rows = [
            {**phase, "step_run": step_run["id"], "step": step_run["step"]}
            for step_run in client.each("/step-runs", process_run_id=run)
            for phase in client.each(f"/step-runs/{step_run['id']}/phases")
        ]
    show_rows(
        room,
        rows,
        [
            ("step", lambda row: row["step"]["name"]),
            ("phase", lambda row: row["name"]),
            ("state", lambda row: row["state"]),
            ("exit", lambda row: row["exit_code"]),
            ("lines", lambda row: row["console_lines"]),
            ("took", lambda row: seconds(row["duration"])),
            ("id", lambda row: row["id"]),
        ],
        empty="Nothing of the run has begun yet.",
    )


@app.command
def console(run: str, /, *, phase: str | None = None, room: RoomOptions = HERE) -> None:
    """Print what the step runs of a run have printed so far, or one phase of them.

    Parameters
    ----------
    run
        Id of the run.
    phase
        Name or id of a phase; `controlroom runs phases` shows them.
    """
    lines: list[dict[str, Any]] = []
    known: list[str] = []
    found = False
    with Client(address(room)) as client:
        for step_run in client.each("/step-runs", process_run_id=run):
            path = f"/step-runs/{step_run['id']}"
            asked: list[str | None] = [None]
            if phase is not None:
                there = list(client.each(f"{path}/phases"))
                known += [each["name"] for each in there]
                asked = [each["id"] for each in there if phase in {each["id"], each["name"]}]
            for one in asked:
                found = True
                for line in client.each(f"{path}/console-messages", phase=one):
                    if room.json:
                        lines.append(line)
                    else:
                        print(harmless(line["message"]))
    if phase is not None and not found:
        raise CommandFailed(f"the run has no phase {phase!r}", hint=f"Phases: {', '.join(dict.fromkeys(known))}")
    if room.json:
        show_json(lines)


@app.command
def outputs(run: str, /, *, room: RoomOptions = HERE) -> None:
    """Show what the last step of a run put out."""
    with Client(address(room)) as client:
        rows = list(client.each("/outputs", process_run_id=run))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("payload", lambda row: row["payload"]),
            ("files", lambda row: ", ".join(file["name"] for file in row["files"])),
        ],
        empty="The run has no outputs.",
    )


@app.command
def stop(
    run: str,
    /,
    *,
    terminate: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    mark_done: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    reason: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Stop a run: robots finish the item in hand, and begin no other.

    Parameters
    ----------
    run
        Id of the run.
    terminate
        End the robots at once.
    mark_done
        Mark the remaining work items as done instead of failed.
    reason
        Kept with the run.
    """
    body: dict[str, object] = {
        "set_remaining_work_items_as_done": mark_done,
        "terminate_ongoing_activity_runs": terminate,
    }
    if reason:
        body["reason"] = reason
    with Client(address(room)) as client:
        answer = client.post(f"/process-runs/{run}/stop", body)
    if room.json:
        show_json(answer)
    elif not answer["accepted"]:
        print("The run has ended already.")


@app.command
def rerun(
    run: str,
    /,
    *,
    cause: str | None = None,
    follow: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    room: RoomOptions = HERE,
) -> int:
    """Start a run as one that has ended was, with copies of its inputs and its parameters, and print the new run's id.

    Parameters
    ----------
    run
        Id of the run that has ended.
    cause
        Why, in words.
    follow
        Show the console until the new run ends, and succeed only if it completes.
    """
    with Client(address(room)) as client:
        started = client.post(f"/process-runs/{run}/rerun", {"cause": cause} if cause else None)
        if follow:
            return follow_run(client, started["id"], as_json=room.json)
    tell(room, started, "id")
    return 0


@app.command(name="stop-step-run")
def stop_step_run(step_run: str, /, *, room: RoomOptions = HERE) -> None:
    """End one step run, and no other of its run; its item fails with it.

    Parameters
    ----------
    step_run
        Its id, as `show` tells it.
    """
    with Client(address(room)) as client:
        tell(room, client.post(f"/step-runs/{step_run}/stop"))


@app.command
def pause(step_run: str, /, *, room: RoomOptions = HERE) -> None:
    """Halt a robot at work: it keeps its work item, and its time limit rests until it is resumed.

    Parameters
    ----------
    step_run
        Id of its step run, as `runs show` tells it.
    """
    with Client(address(room)) as client:
        tell(room, client.post(f"/step-runs/{step_run}/pause"))


@app.command
def resume(step_run: str, /, *, room: RoomOptions = HERE) -> None:
    """Let a paused robot go on.

    Parameters
    ----------
    step_run
        Id of its step run, as `runs show` tells it.
    """
    with Client(address(room)) as client:
        tell(room, client.post(f"/step-runs/{step_run}/resume"))


@app.command
def delete(
    run: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete a run that has ended.

    Parameters
    ----------
    run
        Id of the run.
    """
    delete_at(room, f"/process-runs/{run}", f"Delete the run {run}?", yes=yes)
